//! A program that can be killed and started again, and dies with the test.

use std::{
    fs::{File, read_to_string},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

/// One of the programs under test, in its many lives.
pub(crate) struct Process {
    pub(crate) name: String,
    command: Box<dyn Fn(u32) -> Command + Send>,
    log: PathBuf,
    lives: u32,
    child: Option<Child>,
}

impl Process {
    /// `command` is asked anew for each life.
    pub(crate) fn new(
        name: &str,
        logs: &Path,
        command: impl Fn(u32) -> Command + Send + 'static,
    ) -> Self {
        Self {
            name: name.into(),
            command: Box::new(command),
            log: logs.join(format!("{name}.log")),
            lives: 0,
            child: None,
        }
    }

    pub(crate) fn start(&mut self) {
        self.lives += 1;
        let log = File::options().create(true).append(true).open(&self.log);
        let log = log.unwrap();
        let mut command = (self.command)(self.lives);
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        self.child = Some(child.unwrap_or_else(|error| panic!("{command:?}: {error}")));
    }

    /// The name under which it calls in this life.
    pub(crate) fn life(&self) -> String {
        life(&self.name, self.lives)
    }

    pub(crate) const fn is_up(&self) -> bool {
        self.child.is_some()
    }

    /// SIGKILL: nothing is tidied up.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    pub(crate) fn id(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// How it ended, if it did so by itself.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        let status = self.child.as_mut()?.try_wait().unwrap()?;
        self.child = None;
        Some(status)
    }

    /// The end of its log.
    pub(crate) fn last_words(&self) -> String {
        let log = read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(5)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(crate) fn life(name: &str, number: u32) -> String {
    format!("{name}.{number}")
}
