//! Real Redis servers on free ports of this machine, empty at first and stopped when
//! dropped.

use std::{
    ffi::OsString,
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use crate::{exec, redis8, tools};

const PATIENCE: Duration = Duration::from_secs(20);

/// Minimum number of nodes of a cluster.
const CLUSTER: usize = 3;

/// Offset of the port of a node's cluster bus.
const BUS: u16 = 10_000;

/// A server, or several that form a cluster.
pub(crate) struct Redis {
    nodes: Vec<Node>,
}

struct Node {
    child: Child,
    port: u16,
    folder: PathBuf,
}

impl Redis {
    /// One server; `options` are further words of its command line, such as
    /// `["--appendonly", "yes"]`.
    pub(crate) fn start(options: &[&str]) -> Result<Redis> {
        tools::redis()?;
        let nodes = vec![Node::start(&own(), options)?];
        Ok(Redis { nodes })
    }

    /// One server that has vector sets.
    pub(crate) fn start_8(options: &[&str]) -> Result<Redis> {
        tools::redis()?;
        let nodes = vec![Node::start(&redis8::words()?, options)?];
        Ok(Redis { nodes })
    }

    /// Three servers that share the keys; none has a replica.
    pub(crate) fn start_cluster() -> Result<Redis> {
        tools::redis()?;
        let options = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"];
        let nodes: Vec<Node> = (0..CLUSTER)
            .map(|_| Node::start(&own(), &options))
            .collect::<Result<_>>()?;
        let mut join = exec::command("redis-cli");
        join.args(["--cluster", "create", "--cluster-yes"])
            .args(nodes.iter().map(|node| format!("127.0.0.1:{}", node.port)));
        exec::output(&mut join).context("the servers did not form a cluster")?;
        for node in &nodes {
            node.wait_for(&["cluster", "info"], "cluster_state:ok")?;
        }
        Ok(Redis { nodes })
    }

    /// The value for `ATELIER_REDIS_URL`.
    pub(crate) fn url(&self) -> String {
        let urls = self
            .nodes
            .iter()
            .map(|node| format!("redis://127.0.0.1:{}", node.port));
        urls.collect::<Vec<_>>().join(",")
    }
}

impl Node {
    fn start(program: &[OsString], options: &[&str]) -> Result<Node> {
        let (program, words) = program.split_first().context("nothing to start")?;
        let port = free_port()?;
        let folder = exec::target().join(format!("redis/{port}"));
        // The folder may not exist.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder)?;
        let log = File::create(log(&folder))?;
        let child = Command::new(program)
            .args(words)
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--save", "", "--daemonize", "no", "--dir"])
            .arg(&folder)
            .args(options)
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .context("cannot start redis-server")?;
        let node = Node {
            child,
            port,
            folder,
        };
        node.wait_for(&["ping"], "PONG")?;
        Ok(node)
    }

    /// Repeats a command until its output contains `expected`.
    fn wait_for(&self, question: &[&str], expected: &str) -> Result<()> {
        let started = Instant::now();
        loop {
            let mut cli = exec::command("redis-cli");
            cli.args(["-p", &self.port.to_string()]).args(question);
            let answer = exec::output(&mut cli).unwrap_or_default();
            if answer.contains(expected) {
                return Ok(());
            }
            if started.elapsed() > PATIENCE {
                let log = fs::read_to_string(log(&self.folder)).unwrap_or_default();
                bail!("redis-server does not answer {expected} but {answer:?}; its log:\n{log}");
            }
            sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended by itself; errors cannot be reported here.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The machine's own.
fn own() -> Vec<OsString> {
    vec!["redis-server".into()]
}

fn log(folder: &Path) -> PathBuf {
    folder.join("log")
}

/// A port that is free, with that of the cluster's bus.
fn free_port() -> Result<u16> {
    for _ in 0..100 {
        let listener = TcpListener::bind("127.0.0.1:0").context("no free port on 127.0.0.1")?;
        let port = listener.local_addr()?.port();
        let bus = port.checked_add(BUS);
        if bus.is_some_and(|bus| TcpListener::bind(("127.0.0.1", bus)).is_ok()) {
            return Ok(port);
        }
    }
    bail!("no two free ports that are {BUS} apart")
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn a_cluster_is_gone_when_dropped() {
        let cluster = Redis::start_cluster().unwrap();
        let ports: Vec<u16> = cluster.nodes.iter().map(|node| node.port).collect();
        assert_eq!(cluster.url().split(',').count(), CLUSTER);
        drop(cluster);
        for port in ports {
            assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
        }
    }
}
