//! What is measured: the mock by itself, and gateways before it.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tempfile::TempDir;
use tokio::{net::TcpStream, task::LocalSet, time::sleep};

use crate::load::{Kind, Target};

/// LiteLLM takes half a minute to start.
const PATIENCE: Duration = Duration::from_secs(180);

pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) target: Target,
    /// None for the mock.
    process: Option<Process>,
}

/// A program with all that it starts; stopped when dropped.
struct Process {
    child: Child,
    folder: TempDir,
}

impl Process {
    fn group(&self) -> Pid {
        Pid::from_raw(self.child.id().try_into().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = killpg(self.group(), Signal::SIGKILL);
        let _ = self.child.wait();
    }
}

/// No gateway.
pub(crate) fn straight(mock: SocketAddr) -> Subject {
    Subject {
        name: "straight",
        target: Target {
            address: mock,
            headers: bearer("sk-upstream"),
        },
        process: None,
    }
}

fn bearer(key: &str) -> Vec<(&'static str, String)> {
    vec![("authorization", format!("Bearer {key}"))]
}

/// A key, three limits, a budget and the cache.
pub(crate) async fn atelier(mock: SocketAddr) -> Subject {
    let folder = tempfile::tempdir().unwrap();
    let configuration = include_str!("atelier.toml").replace("MOCK", &mock.to_string());
    let file = folder.path().join("atelier.toml");
    fs::write(&file, configuration).unwrap();
    let address = free_address();
    let command = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_atelier"));
        command
            .args(arguments)
            .env_clear()
            .env("ATELIER_CONFIG", &file)
            .env("ATELIER_DATA", folder.path().join("data"))
            .env("ATELIER_LISTEN", address.to_string())
            .env("UPSTREAM_KEY", "sk-upstream");
        command
    };
    let created = command(&["keys", "create", "bench", "--scope", "gateway"]);
    let key = { created }.output().unwrap();
    assert!(key.status.success(), "{}", text(&key.stderr));
    let target = Target {
        address,
        headers: bearer(text(&key.stdout).trim()),
    };
    start("atelier", command(&[]), folder, target).await
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Portkey's gateway, which finds its upstream in headers.
pub(crate) async fn portkey(mock: SocketAddr) -> Option<Subject> {
    let program = std::env::var("ATELIER_BENCH_PORTKEY").ok()?;
    let folder = tempfile::tempdir().unwrap();
    let address = free_address();
    let mut command = foreign("node", folder.path());
    command.arg(program).arg("--headless");
    command.arg(format!("--port={}", address.port()));
    command.env("TRUSTED_CUSTOM_HOSTS", "127.0.0.1,localhost");
    let mut headers = bearer("sk-upstream");
    headers.push(("x-portkey-provider", "openai".into()));
    headers.push(("x-portkey-custom-host", format!("http://{mock}/v1")));
    let target = Target { address, headers };
    Some(start("portkey", command, folder, target).await)
}

/// LiteLLM's proxy with a worker for each core.
pub(crate) async fn litellm(mock: SocketAddr) -> Option<Subject> {
    let program = std::env::var("ATELIER_BENCH_LITELLM").ok()?;
    let folder = tempfile::tempdir().unwrap();
    let address = free_address();
    let file = folder.path().join("litellm.yaml");
    let configuration = format!(
        "model_list:\n  - model_name: gpt-4o-mini\n    litellm_params:\n      \
         model: openai/gpt-4o-mini\n      api_base: http://{mock}/v1\n      \
         api_key: sk-upstream\ngeneral_settings:\n  master_key: sk-bench\n"
    );
    fs::write(&file, configuration).unwrap();
    let mut command = foreign(&program, folder.path());
    command.arg("--config").arg(file);
    // Workers that are not forked do not start in this version.
    command.args([
        "--host",
        "127.0.0.1",
        "--num_workers",
        "2",
        "--run_gunicorn",
    ]);
    command.args(["--port", &address.port().to_string()]);
    command.env("LITELLM_LOCAL_MODEL_COST_MAP", "True");
    command.env("LITELLM_LOG", "ERROR");
    let target = Target {
        address,
        headers: bearer("sk-bench"),
    };
    Some(start("litellm", command, folder, target).await)
}

/// A program of others, with nothing of this shell's but the path.
fn foreign(program: &str, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("HOME", home).current_dir(home);
    command.env("PATH", std::env::var_os("PATH").unwrap());
    command
}

/// Starts a gateway and waits until it answers a chat.
async fn start(
    name: &'static str,
    mut command: Command,
    folder: TempDir,
    target: Target,
) -> Subject {
    eprintln!("starting {name}");
    let log = fs::File::create(folder.path().join("log")).unwrap();
    let child = command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap();
    let mut process = Process { child, folder };
    let started = Instant::now();
    loop {
        let error = match answers(&target).await {
            Ok(()) => break,
            Err(error) => error,
        };
        let ended = process.child.try_wait().unwrap();
        if ended.is_some() || started.elapsed() > PATIENCE {
            let log = fs::read_to_string(process.folder.path().join("log"));
            panic!("{name} does not answer: {error}\n{}", log.unwrap());
        }
        sleep(Duration::from_millis(200)).await;
    }
    Subject {
        name,
        target,
        process: Some(process),
    }
}

async fn answers(target: &Target) -> Result<(), String> {
    let listening = TcpStream::connect(target.address).await;
    listening.map_err(|error| error.to_string())?;
    let call = async {
        let mut connection = target.connect().await;
        connection.send(target, Kind::Sampled, 0).await.map(drop)
    };
    LocalSet::new().run_until(call).await
}

fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

impl Subject {
    /// Resident memory of all its processes in MB (of 1024 kB); none for the mock.
    pub(crate) fn memory(&self) -> f64 {
        let kilobytes = self.sum(|entry, _| {
            let status = fs::read_to_string(entry.join("status")).ok()?;
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix("VmRSS:"))?;
            line.split_whitespace().next()?.parse().ok()
        });
        kilobytes / 1024.0
    }

    /// Processor time that all its processes have taken, in microseconds; none for the mock.
    pub(crate) fn processor_time(&self) -> f64 {
        // User and system, in ticks of 10 ms.
        let ticks = self.sum(|_, stat| {
            let spent = [stat.get(11)?, stat.get(12)?].map(|ticks| ticks.parse::<f64>().ok());
            Some(spent[0]? + spent[1]?)
        });
        ticks * 10_000.0
    }

    /// The sum over its processes of what their folders in `/proc` and the fields of their
    /// `stat` behind the name tell.
    fn sum(&self, told: impl Fn(&Path, &[&str]) -> Option<f64>) -> f64 {
        let Some(process) = &self.process else {
            return 0.0;
        };
        let group = process.group().to_string();
        let entries = fs::read_dir("/proc").unwrap().flatten();
        let of_group = entries.filter_map(|entry| {
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            let (_, fields) = stat.rsplit_once(") ")?;
            let fields: Vec<_> = fields.split(' ').collect();
            // State, parent, group.
            (fields.get(2)? == &group).then(|| told(&entry.path(), &fields))?
        });
        of_group.sum()
    }
}
