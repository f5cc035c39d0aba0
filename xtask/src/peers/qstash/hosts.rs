//! What stands for the hosts of the internet, as a process that is stopped when dropped.

use std::{
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, Stdio},
};

use anyhow::{Context as _, Result};

use crate::exec;

pub(super) struct Hosts {
    child: Child,
    pub(super) address: String,
    pub(super) names: Vec<String>,
    /// The file with the certificate of its authority.
    pub(super) authority: PathBuf,
}

impl Hosts {
    pub(super) fn start() -> Result<Hosts> {
        exec::run(&mut exec::cargo("build --package atelier-hosts-mock"))?;
        let authority = exec::target().join("hosts-ca.pem");
        let program = exec::target().join("debug/hosts-mock");
        let mut command = exec::isolated(&program)?;
        let mut child = command
            .arg(&authority)
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let output = child.stdout.take().context("it has no output")?;
        // From here on it is stopped whatever happens.
        let mut hosts = Hosts {
            child,
            authority,
            address: String::new(),
            names: Vec::new(),
        };
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let told = line.trim().strip_prefix("listening at ");
        let told = told.and_then(|told| told.split_once(" for "));
        let (address, names) = told.context("it does not say where it listens")?;
        hosts.address = address.to_owned();
        hosts.names = names.split(' ').map(str::to_owned).collect();
        Ok(hosts)
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        // It may have ended by itself; errors cannot be reported here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
