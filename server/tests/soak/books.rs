//! Do the books balance?

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::{
    clients::{Job, is_terminal},
    fleet::Store,
    ledger::{Call, End, Kill, Way},
    settings::{ATTEMPTS, Settings},
};

pub(crate) struct Books {
    /// What was accepted, as it ended.
    pub(crate) jobs: Vec<Job>,
    /// What is stored now, by id.
    pub(crate) stored: HashMap<String, Value>,
    /// Dead letters by id.
    pub(crate) dead: HashMap<String, Value>,
    /// The call that a prompt's picture answers.
    pub(crate) pictures: HashMap<String, usize>,
    pub(crate) calls: Vec<Call>,
    pub(crate) kills: Vec<Kill>,
    /// How often a process ended by itself.
    pub(crate) exits: usize,
    /// When a prompt's outcome was first seen to be recorded.
    pub(crate) recorded: HashMap<String, Instant>,
    /// Prompts of which nobody knows whether they were accepted.
    pub(crate) unsure: HashSet<String>,
}

impl Books {
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        for job in &self.jobs {
            faults.extend(self.job(job).map(|fault| format!("{fault}: {job:?}")));
        }
        faults.extend(self.strangers());
        faults.extend(self.late_calls());
        faults.extend(self.calls_in_all());
        faults
    }

    /// What is wrong with a job that was accepted.
    fn job(&self, job: &Job) -> Option<String> {
        let (Some(end), Some(stored)) = (&job.end, self.stored.get(&job.id)) else {
            return Some("lost".into());
        };
        if end != stored {
            return Some(format!("changed after its end, to {stored}"));
        }
        if end["prompt"] != job.prompt || end["cache"] != "miss" {
            return Some("mixed up with another".into());
        }
        match end["status"].as_str() {
            Some("succeeded") => self.picture(&job.prompt),
            Some("failed") => self.letter(job, end),
            _ => Some("neither succeeded nor failed".into()),
        }
    }

    /// The picture is one that the provider gave for this prompt.
    fn picture(&self, prompt: &str) -> Option<String> {
        let call = self
            .pictures
            .get(prompt)
            .and_then(|&number| self.calls.get(number));
        let call = call.filter(|call| call.prompt == prompt && call.failed().is_none());
        call.is_none()
            .then(|| "a picture that was never made for it".into())
    }

    /// It failed for a reason, after all that was allowed.
    fn letter(&self, job: &Job, end: &Value) -> Option<String> {
        let Some(letter) = self.dead.get(&job.id) else {
            return Some("failed, but no dead letter".into());
        };
        let attempts = letter["attempts"].as_array().map_or(&[][..], Vec::as_slice);
        // What may have been paid for is tried once more, and not again.
        let spent = |attempt: &&Value| {
            matches!(attempt["code"].as_str(), Some("bad_answer" | "answer_lost"))
        };
        if attempts.len() < ATTEMPTS && attempts.iter().filter(spent).count() < 2 {
            return Some(format!("given up early: {letter}"));
        }
        let code = end["error"]["code"].as_str().unwrap_or_default();
        code.is_empty().then(|| "failed without a reason".into())
    }

    /// Jobs nobody knows of: only those whose answer was lost may be there.
    fn strangers(&self) -> Vec<String> {
        let known: HashSet<&str> = self.jobs.iter().map(|job| job.id.as_str()).collect();
        let strangers = self
            .stored
            .iter()
            .filter(|(id, _)| !known.contains(id.as_str()));
        let explained = |job: &Value| {
            let prompt = job["prompt"].as_str().unwrap_or_default();
            self.unsure.contains(prompt) && is_terminal(job)
        };
        strangers
            .filter(|(_, job)| !explained(job))
            .map(|(_, job)| format!("nobody asked for this, or it never ended: {job}"))
            .collect()
    }

    /// No call begins when the outcome is known to be recorded.
    fn late_calls(&self) -> Vec<String> {
        let late = |call: &&Call| {
            let recorded = self.recorded.get(&call.prompt);
            recorded.is_some_and(|&recorded| recorded < call.began)
        };
        let late = self.calls.iter().filter(late);
        late.map(|call| format!("called after its outcome was recorded: {call:?}"))
            .collect()
    }

    fn calls_in_all(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let by_prompt = self.by_prompt();
        for (prompt, calls) in &by_prompt {
            if calls.len() > ATTEMPTS {
                faults.push(format!("{} calls for {prompt}", calls.len()));
            }
        }
        if self.calls.len() > self.stored.len() * ATTEMPTS {
            faults.push(format!("{} calls in all", self.calls.len()));
        }
        let (repeats, bound) = (self.repeats(), self.bound());
        if repeats > bound {
            faults.push(format!(
                "{repeats} calls repeated, {bound} were in flight at the kills"
            ));
        }
        faults
    }

    fn by_prompt(&self) -> BTreeMap<&str, Vec<&Call>> {
        let mut calls: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for call in &self.calls {
            calls.entry(call.prompt.as_str()).or_default().push(call);
        }
        calls
    }

    fn repeats(&self) -> usize {
        let counts = self.repeated();
        counts.iter().map(|(_, repeats)| repeats).sum()
    }

    /// For each prompt its calls, and how many of them neither failed nor
    /// brought the outcome.
    fn repeated(&self) -> Vec<(Vec<&Call>, usize)> {
        let stored = self.stored.values();
        let succeeded: HashSet<&str> = stored
            .filter(|job| job["status"] == "succeeded")
            .filter_map(|job| job["prompt"].as_str())
            .collect();
        let mut counts = Vec::new();
        for (prompt, calls) in self.by_prompt() {
            let good = calls.iter().filter(|call| call.failed().is_none());
            let needed = usize::from(succeeded.contains(prompt));
            let repeats = good.count().saturating_sub(needed);
            counts.push((calls, repeats));
        }
        counts
    }

    /// The sum over all kills of the calls that each cut off.
    fn bound(&self) -> usize {
        let cut = |kill: &Kill| {
            self.calls
                .iter()
                .filter(|call| self.cuts(kill, call))
                .count()
        };
        self.kills.iter().map(cut).sum()
    }

    /// Whether the call was in flight: begun, and neither failed before the
    /// kill nor its outcome seen to be recorded.
    fn cuts(&self, kill: &Kill, call: &Call) -> bool {
        // A call of a dead process may arrive after it.
        let concerned = match &kill.by {
            Some(by) => *by == call.by,
            None => call.began <= kill.until,
        };
        let before = |instant: Option<&Instant>| instant.is_some_and(|&at| at < kill.at);
        let over = match &call.end {
            Some((End::Picture, _)) => before(self.recorded.get(&call.prompt)),
            Some((_, at)) => before(Some(at)),
            None => false,
        };
        concerned && !over
    }

    /// Repeats that no kill explains: leases lost for want of processor time.
    fn stray(&self) -> usize {
        let cut = |call: &&&Call| self.kills.iter().any(|kill| self.cuts(kill, call));
        let counts = self.repeated();
        let stray = counts
            .iter()
            .map(|(calls, repeats)| repeats.saturating_sub(calls.iter().filter(cut).count()));
        stray.sum()
    }

    /// One line of JSON.
    pub(crate) fn figures(&self, store: Store, settings: &Settings, took: Duration) -> Value {
        let ended = |status: &str| {
            let stored = self.stored.values();
            stored.filter(|job| job["status"] == status).count()
        };
        let failed: BTreeMap<&str, usize> = Way::ALL
            .map(|way| {
                (
                    way.name(),
                    self.calls
                        .iter()
                        .filter(|call| call.failed() == Some(way))
                        .count(),
                )
            })
            .into();
        json!({
            "name": "soak", "store": format!("{store:?}"), "seed": settings.seed,
            "jobs": self.jobs.len(), "answers_lost": self.unsure.len(),
            "accepted_unknown": self.stored.len().saturating_sub(self.jobs.len()),
            "succeeded": ended("succeeded"), "dead": ended("failed"), "dead_letters": self.dead.len(),
            "calls": self.calls.len(), "failed": failed,
            "kills": self.kills.iter().filter(|kill| kill.by.is_some()).count(),
            "redis_kills": self.kills.iter().filter(|kill| kill.by.is_none()).count(),
            "repeats": self.repeats(), "bound": self.bound(), "stray": self.stray(),
            "exits": self.exits,
            "seconds": took.as_secs(),
        })
    }
}
