//! Everything that was seen from outside, with the instant of it.

use std::{
    collections::{HashMap, HashSet},
    sync::Mutex,
};

use tokio::time::Instant;

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Way {
    Busy,
    Broken,
    Hang,
    Reset,
    Half,
    Garbage,
}

impl Way {
    pub(crate) const ALL: [Self; 6] = [
        Self::Busy,
        Self::Broken,
        Self::Hang,
        Self::Reset,
        Self::Half,
        Self::Garbage,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Busy => "429",
            Self::Broken => "500",
            Self::Hang => "hang",
            Self::Reset => "reset",
            Self::Half => "half",
            Self::Garbage => "garbage",
        }
    }
}

/// How a call ended, for the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// A picture was answered in full.
    Picture,
    Failed(Way),
    /// The client went away before the answer.
    Cut,
}

/// A call to the provider. Its number is its place in the ledger.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) prompt: String,
    /// The process, and which of its lives.
    pub(crate) by: String,
    pub(crate) began: Instant,
    pub(crate) end: Option<(End, Instant)>,
}

impl Call {
    pub(crate) fn failed(&self) -> Option<Way> {
        match self.end {
            Some((End::Failed(way), _)) => Some(way),
            _ => None,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Kill {
    /// The life that it ended; `None`: Redis, which everybody lives on.
    pub(crate) by: Option<String>,
    pub(crate) at: Instant,
    /// When Redis was back: no call that its death concerns began later.
    pub(crate) until: Instant,
}

#[derive(Default)]
pub(crate) struct Ledger(Mutex<Pages>);

#[derive(Default)]
struct Pages {
    calls: Vec<Call>,
    kills: Vec<Kill>,
    recorded: HashMap<String, Instant>,
    unsure: HashSet<String>,
    faults: Vec<String>,
}

impl Ledger {
    fn with<T>(&self, act: impl FnOnce(&mut Pages) -> T) -> T {
        act(&mut self.0.lock().unwrap())
    }

    /// A call has arrived; returns its number.
    pub(crate) fn call(&self, prompt: String, by: String, began: Instant) -> usize {
        self.with(|pages| {
            let end = None;
            pages.calls.push(Call {
                prompt,
                by,
                began,
                end,
            });
            pages.calls.len() - 1
        })
    }

    pub(crate) fn end(&self, call: usize, end: End) {
        self.with(|pages| pages.calls[call].end = Some((end, Instant::now())));
    }

    pub(crate) fn kill(&self, kill: Kill) {
        self.with(|pages| pages.kills.push(kill));
    }

    /// Somebody has seen that the job's outcome is recorded.
    pub(crate) fn record(&self, prompt: &str) {
        self.with(|pages| {
            let seen = pages.recorded.entry(prompt.to_owned());
            seen.or_insert_with(Instant::now);
        });
    }

    /// Whether this prompt was accepted was never learnt.
    pub(crate) fn doubt(&self, prompt: String) {
        self.with(|pages| pages.unsure.insert(prompt));
    }

    pub(crate) fn fault(&self, what: impl Into<String>) {
        self.with(|pages| pages.faults.push(what.into()));
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.with(|pages| pages.calls.clone())
    }

    pub(crate) fn kills(&self) -> Vec<Kill> {
        self.with(|pages| pages.kills.clone())
    }

    pub(crate) fn recorded(&self) -> HashMap<String, Instant> {
        self.with(|pages| pages.recorded.clone())
    }

    pub(crate) fn unsure(&self) -> HashSet<String> {
        self.with(|pages| pages.unsure.clone())
    }

    pub(crate) fn faults(&self) -> Vec<String> {
        self.with(|pages| pages.faults.clone())
    }
}
