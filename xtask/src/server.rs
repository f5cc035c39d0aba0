//! A real server on a free port of this machine, stopped when dropped.

use std::{
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::Child,
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use ureq::{Agent, Body, http::Response};

use crate::exec;

const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Server {
    child: Child,
    address: String,
    folder: PathBuf,
    /// What it was started with besides.
    variables: Vec<(String, String)>,
    agent: Agent,
    pub(crate) started: Instant,
}

impl Server {
    /// Starts the binary with an empty data folder; does not wait for it.
    pub(crate) fn start(binary: &Path) -> Result<Server> {
        Server::start_with(binary, "bench", &[])
    }

    /// As [`Server::start`], with an empty folder of this name below `target`, and with further
    /// variables.
    pub(crate) fn start_with(
        binary: &Path,
        folder: &str,
        variables: &[(&str, &str)],
    ) -> Result<Server> {
        let folder = exec::target().join(folder);
        // The folder may not exist.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder)?;
        let log = File::create(folder.join("log"))?;
        let address = format!("127.0.0.1:{}", free_port()?);
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .build()
            .new_agent();
        let mut command = exec::command(binary);
        // Measures the defaults, not this shell's settings.
        command.env_clear();
        let started = Instant::now();
        let child = command
            .env("ATELIER_LISTEN", &address)
            .env("ATELIER_DATA", folder.join("data"))
            .envs(variables.iter().copied())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        Ok(Server {
            child,
            address,
            folder,
            variables: variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            agent,
            started,
        })
    }

    /// Its URL, without a slash at the end.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A new API key, made beside the server by the same binary.
    pub(crate) fn key(&self, binary: &Path, name: &str, options: &[&str]) -> Result<String> {
        let mut create = exec::isolated(binary)?;
        create.env("ATELIER_DATA", self.folder.join("data"));
        create.envs(self.variables.iter().map(|(name, value)| (name, value)));
        create.args(["keys", "create", name]).args(options);
        exec::output(&mut create).context("no key was made")
    }

    /// Repeats the request until the status is 200. Errors if the server ends before.
    pub(crate) fn wait(&mut self, path: &str) -> Result<()> {
        while !self.get(path).is_ok_and(|answer| answer.status() == 200) {
            let log = self.folder.join("log");
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended ({status}): {}", fs::read_to_string(log)?);
            }
            if self.started.elapsed() > PATIENCE {
                bail!("no 200 from {path}; the server's log is {}", log.display());
            }
            sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// The bytes of the body as they travel, brotli if the server can.
    pub(crate) fn body(&self, path: &str) -> Result<Vec<u8>> {
        let answer = self.get(path)?;
        if answer.status() != 200 {
            bail!("{path} answered {}", answer.status());
        }
        Ok(answer.into_body().read_to_vec()?)
    }

    fn get(&self, path: &str) -> Result<Response<Body>> {
        let url = format!("http://{}{path}", self.address);
        let request = self.agent.get(&url).header("accept-encoding", "br");
        request.call().with_context(|| format!("cannot get {url}"))
    }

    /// Resident memory in MB (of 1024 kB, as `top` shows it).
    pub(crate) fn memory(&self) -> Result<f64> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next());
        let kilobytes: f64 = kilobytes.context("no VmRSS in it")?.parse()?;
        Ok(kilobytes / 1024.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; errors cannot be reported here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no free port on 127.0.0.1")?;
    Ok(listener.local_addr()?.port())
}
