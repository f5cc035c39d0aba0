//! The program under test, with a key for messages.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    thread,
};

use tempfile::TempDir;

use crate::IN_FLIGHT;

pub(crate) struct Site {
    pub(crate) store: &'static str,
    pub(crate) address: SocketAddr,
    pub(crate) key: String,
    child: Child,
    _folder: TempDir,
}

impl Site {
    /// On this Redis, or on the embedded store.
    pub(crate) async fn start(redis: Option<&str>) -> Site {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("atelier.toml");
        let limits = format!("parallel = {IN_FLIGHT}\nper_host = {IN_FLIGHT}\n");
        let file_text = format!("limits = []\n[messages]\nallow_private = true\n{limits}");
        fs::write(&file, file_text).unwrap();
        let command = |arguments: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_atelier"));
            command.args(arguments).env_clear();
            command.env("ATELIER_CONFIG", &file);
            command.env("ATELIER_DATA", folder.path().join("data"));
            command.env("ATELIER_LISTEN", "127.0.0.1:0");
            command.envs(redis.map(|url| ("ATELIER_REDIS_URL", url)));
            command
        };
        let mut child = command(&["serve"]).stderr(Stdio::piped()).spawn().unwrap();
        let address = address(&mut child);
        let key = command(&["keys", "create", "bench", "--scope", "messages"]).output();
        let key = String::from_utf8(key.unwrap().stdout).unwrap();
        Site {
            store: if redis.is_some() { "redis" } else { "sqlite" },
            address,
            key: key.trim().to_owned(),
            child,
            _folder: folder,
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where the server says it serves; the rest of its log is read and dropped.
fn address(child: &mut Child) -> SocketAddr {
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let line = lines.find_map(|line| {
        let line = line.unwrap();
        line.split_once("serving at http://")
            .map(|(_, address)| address.to_owned())
    });
    thread::spawn(move || lines.for_each(drop));
    let line = line.unwrap();
    let address = line.split([' ', '/']).next().unwrap();
    address.parse().unwrap()
}
