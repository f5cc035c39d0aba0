//! A process under test, and what it logs.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, ExitStatus},
    sync::mpsc,
    thread,
    time::Instant,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::PATIENCE;

/// A server or a worker by itself. Killed when dropped.
pub(crate) struct Process {
    child: Child,
    /// The log up to the line that said that all is well.
    start: Vec<String>,
    log: mpsc::Receiver<String>,
}

impl Process {
    /// Starts it, and waits for the line of its log that says that all is well.
    pub(super) fn start(mut command: Command, well: &str) -> (Self, String) {
        let mut child = command.spawn().unwrap();
        let log = follow(&mut child);
        let mut lines = Vec::new();
        loop {
            match log.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(well) => {
                    let start = lines;
                    return (Self { child, start, log }, line);
                }
                Ok(line) => lines.push(line),
                Err(_) => panic!("the process did not start: {}", lines.join("\n")),
            }
        }
    }

    pub(super) fn started_with(&self, words: &str) -> bool {
        self.start.iter().any(|line| line.contains(words))
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL: nothing is tidied up.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends SIGTERM.
    pub(crate) fn ask_to_stop(&self) {
        self.signal(Signal::SIGTERM);
    }

    pub(crate) fn signal(&self, which: Signal) {
        signal(&self.child, which);
    }

    /// How the process ended.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Asks it to end; all that it has logged until then.
    pub(crate) fn whole_log(mut self) -> String {
        self.ask_to_stop();
        let mut lines = std::mem::take(&mut self.start);
        while let Ok(line) = self.log.recv_timeout(PATIENCE) {
            lines.push(line);
        }
        assert!(self.ended().success());
        lines.join("\n")
    }

    /// Waits for a line of the log that contains the words, however much else is logged meanwhile.
    pub(crate) fn logged(&self, words: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let line = self
                .log
                .recv_timeout(deadline.saturating_duration_since(Instant::now()))
                .unwrap_or_else(|_| panic!("{words:?} was not logged"));
            if line.contains(words) {
                return line;
            }
        }
    }
}

/// Sends a signal to a program that a test has started.
pub(crate) fn signal(child: &Child, which: Signal) {
    let id = Pid::from_raw(child.id().try_into().unwrap());
    kill(id, which).unwrap();
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn follow(child: &mut Child) -> mpsc::Receiver<String> {
    let (sender, log) = mpsc::channel();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    thread::spawn(move || {
        lines
            .map_while(Result::ok)
            .try_for_each(|line| sender.send(line))
    });
    log
}
