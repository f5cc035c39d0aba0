//! The stand-in for the providers' APIs, as a process that is stopped when dropped.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Stdio},
};

use anyhow::{Context as _, Result};

use crate::exec;

/// The only key that it takes.
pub(crate) const KEY: &str = "sk-upstream";

pub(crate) struct Upstream {
    child: Child,
    /// Its address, without a path.
    pub(crate) url: String,
    /// What stands for the base URL of the API that it has.
    pub(crate) base: String,
}

impl Upstream {
    /// Starts the stand-in of this folder of built programs for this kind of upstream, on a free port.
    pub(crate) fn start(folder: &Path, kind: &str) -> Result<Upstream> {
        let program = folder.join("upstream-mock");
        let mut command = exec::isolated(&program)?;
        command.args(["--as", kind]);
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let output = child.stdout.take().context("it has no output")?;
        // From here on it is stopped whatever happens.
        let mut upstream = Upstream {
            child,
            url: String::new(),
            base: String::new(),
        };
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        let base = line.trim().strip_prefix("listening at ");
        let base = base.context("it does not say where it listens")?;
        upstream.url = base.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
        upstream.base = base.to_owned();
        Ok(upstream)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        // It may have ended by itself; errors cannot be reported here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
