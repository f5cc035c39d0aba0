//! Do the books balance?

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    RETRIES,
    diary::{Call, End, Place},
    publishers::{Published, Ticks},
};
use crate::{fleet::Store, ledger::Kill, settings::Settings};

/// How long after its end a call's outcome may not be recorded yet.
const RECORDED: Duration = Duration::from_secs(2);

pub(crate) struct Books {
    /// What was accepted.
    pub(crate) published: Vec<Published>,
    /// What had not ended in time.
    pub(crate) unfinished: Vec<Published>,
    /// The ids of messages among the dead letters.
    pub(crate) dead: HashSet<String>,
    pub(crate) ticks: Ticks,
    pub(crate) calls: Vec<Call>,
    pub(crate) kills: Vec<Kill>,
}

impl Books {
    pub(crate) fn faults(&self) -> Vec<String> {
        let unfinished = self.unfinished.iter();
        let mut faults: Vec<_> = unfinished.map(|one| self.lost(one)).collect();
        faults.extend(self.published.iter().filter_map(|one| self.message(one)));
        faults.extend(self.strangers());
        faults.extend(self.repeats().into_iter().filter_map(|(id, repeats, cut)| {
            (repeats > cut).then(|| format!("{id} was repeated {repeats} times, for {cut} kills"))
        }));
        faults.extend(self.line());
        faults.extend(self.schedule());
        faults
    }

    /// What is known of a message that did not end in time.
    fn lost(&self, one: &Published) -> String {
        let calls = self.calls_of(&one.id);
        let taken = calls.iter().any(|call| call.is_taken());
        format!("not over in {} calls, taken {taken}: {one:?}", calls.len())
    }

    /// What is wrong with a message that was accepted.
    fn message(&self, one: &Published) -> Option<String> {
        if one.doomed != self.dead.contains(&one.id) {
            return Some(format!(
                "a dead letter, or not where it should be one: {one:?}"
            ));
        }
        let calls = self.calls_of(&one.id);
        // A failure that nobody lived to record costs no retry.
        let is_cut = |call: &Call| self.kills.iter().any(|kill| cuts(kill, call));
        let tries = calls
            .iter()
            .filter(|call| !call.may_have_counted() && !is_cut(call));
        if tries.count() > RETRIES + 1 {
            return Some(format!("tried too often: {one:?}"));
        }
        let strays = calls.iter().any(|call| call.number != one.number);
        strays.then(|| format!("delivered to another: {one:?}"))
    }

    fn calls_of(&self, message: &str) -> Vec<&Call> {
        let calls = self.calls.iter();
        calls.filter(|call| call.message == message).collect()
    }

    /// Messages that nobody published: accepted twice, or made up.
    fn strangers(&self) -> Vec<String> {
        let known: HashSet<&str> = self.published.iter().map(|one| one.id.as_str()).collect();
        let calls = self
            .calls
            .iter()
            .filter(|call| matches!(call.place, Place::Shop | Place::Line));
        let strangers: HashSet<_> = calls.map(|call| call.message.as_str()).collect();
        let strangers = strangers.difference(&known);
        strangers
            .map(|id| format!("nobody published {id}"))
            .collect()
    }

    /// For each delivered message and callback: how often it was repeated after it had, or may
    /// have, succeeded, and how many kills cut one of its calls off.
    fn repeats(&self) -> Vec<(String, usize, usize)> {
        let mut by_message: BTreeMap<&str, Vec<&Call>> = BTreeMap::new();
        for call in &self.calls {
            by_message.entry(&call.message).or_default().push(call);
        }
        let counted = by_message.into_iter().map(|(id, calls)| {
            let good = calls.iter().filter(|call| call.may_have_counted()).count();
            let needed = usize::from(calls.iter().any(|call| call.is_taken()));
            let cut = self
                .kills
                .iter()
                .filter(|kill| calls.iter().any(|call| cuts(kill, call)));
            (id.to_owned(), good - needed, cut.count())
        });
        counted.collect()
    }

    /// The queue's messages arrive in their order, and none before the one before it is over,
    /// with its callback.
    fn line(&self) -> Vec<String> {
        let line = self.calls.iter().filter(|call| call.place == Place::Line);
        let mut line: Vec<_> = line.collect();
        line.sort_by_key(|call| call.began);
        let mut faults = Vec::new();
        for pair in line.windows(2) {
            let [before, after] = pair else { continue };
            if after.number < before.number || after.number > before.number + 1 {
                faults.push(format!(
                    "out of order: {} after {}",
                    after.number, before.number
                ));
            }
            if after.number == before.number + 1 && !before.is_taken() {
                faults.push(format!(
                    "{} began before {} was taken",
                    after.number, before.number
                ));
            }
        }
        let told: HashMap<usize, &Call> = self.told_of_line();
        for call in line {
            let before = call
                .number
                .checked_sub(1)
                .and_then(|before| told.get(&before));
            if before.is_some_and(|told| told.began > call.began) {
                faults.push(format!(
                    "{} began before the callback of the one before",
                    call.number
                ));
            }
        }
        faults
    }

    /// The first callback that was taken and tells of the success, for each of the queue's messages.
    fn told_of_line(&self) -> HashMap<usize, &Call> {
        let mut told = HashMap::new();
        for call in &self.calls {
            let number = call.number.checked_sub(super::publishers::LINE);
            if call.place == Place::Told
                && call.is_taken()
                && call.body["status"] == 200
                && let Some(number) = number
            {
                told.entry(number).or_insert(call);
            }
        }
        told
    }

    /// At most one time is not counted on either side, at the beginning and at the end.
    fn schedule(&self) -> Option<String> {
        let fired = self.fired();
        let off = fired.abs_diff(self.ticks.due);
        (off > 1).then(|| format!("fired {fired} times in {} minutes", self.ticks.due))
    }

    fn fired(&self) -> usize {
        let ticks = self.calls.iter().filter(|call| call.place == Place::Tick);
        ticks
            .map(|call| &call.message)
            .collect::<HashSet<_>>()
            .len()
    }

    /// One line of JSON.
    pub(crate) fn figures(&self, store: Store, settings: &Settings, took: Duration) -> Value {
        let at = |place: Place| self.calls.iter().filter(|call| call.place == place).count();
        let failed = |call: &&Call| matches!(call.end, Some((End::Failed, _)));
        let repeats: Vec<_> = self.repeats();
        json!({
            "name": "soak messages", "store": format!("{store:?}"), "seed": settings.seed,
            "messages": self.published.len(), "dead": self.dead.len(),
            "calls": at(Place::Shop), "in_line": at(Place::Line), "callbacks": at(Place::Told),
            "failure_callbacks": at(Place::Grief), "failed": self.calls.iter().filter(failed).count(),
            "fired": self.fired(), "minutes": self.ticks.due,
            "kills": self.kills.iter().filter(|kill| kill.by.is_some()).count(),
            "redis_kills": self.kills.iter().filter(|kill| kill.by.is_none()).count(),
            "repeats": repeats.iter().map(|(_, repeats, _)| repeats).sum::<usize>(),
            "bound": repeats.iter().map(|(_, _, cut)| cut).sum::<usize>(),
            "seconds": took.as_secs(),
        })
    }
}

/// Whether the call was under way, or its outcome perhaps not recorded, when somebody died.
fn cuts(kill: &Kill, call: &Call) -> bool {
    let is_over = call.end.is_some_and(|(_, at)| at + RECORDED < kill.at);
    call.began <= kill.until && !is_over
}
