//! The calls that arrived at the receivers.

use std::{collections::HashSet, sync::Mutex};

use serde_json::Value;
use tokio::time::Instant;

/// What was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Place {
    /// The receiver of a message.
    Shop,
    /// The receiver of the messages of a queue.
    Line,
    /// Its callback.
    Told,
    /// Its failure callback.
    Grief,
    /// The receiver of a schedule's messages.
    Tick,
}

/// How a call ended, for the receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// It was answered with 200.
    Taken,
    Failed,
    /// The caller went away before the answer.
    Cut,
}

#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) place: Place,
    /// Which message was meant, by the path.
    pub(crate) number: usize,
    /// The id of the message that was delivered.
    pub(crate) message: String,
    /// What a callback tells.
    pub(crate) body: Value,
    pub(crate) began: Instant,
    pub(crate) end: Option<(End, Instant)>,
}

impl Call {
    pub(crate) fn is_taken(&self) -> bool {
        matches!(self.end, Some((End::Taken, _)))
    }

    /// Whether its caller may have learnt of its success, or not.
    pub(crate) fn may_have_counted(&self) -> bool {
        !matches!(self.end, Some((End::Failed, _)))
    }
}

#[derive(Default)]
pub(crate) struct Diary(Mutex<Pages>);

#[derive(Default)]
struct Pages {
    calls: Vec<Call>,
    /// What was taken; of callbacks those that tell of a delivery.
    taken: HashSet<(Place, usize)>,
}

impl Diary {
    /// Returns its number.
    pub(crate) fn begin(&self, call: Call) -> usize {
        let calls = &mut self.0.lock().unwrap().calls;
        calls.push(call);
        calls.len() - 1
    }

    pub(crate) fn end(&self, call: usize, end: End) {
        let mut pages = self.0.lock().unwrap();
        pages.calls[call].end = Some((end, Instant::now()));
        let Call {
            place,
            number,
            body,
            ..
        } = &pages.calls[call];
        let (place, number, counts) = (*place, *number, body["status"] == 200);
        if end == End::Taken && (place != Place::Told || counts) {
            pages.taken.insert((place, number));
        }
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.0.lock().unwrap().calls.clone()
    }

    /// Whether such a call was taken; a callback, if it told of a delivery.
    pub(crate) fn was_taken(&self, place: Place, number: usize) -> bool {
        self.0.lock().unwrap().taken.contains(&(place, number))
    }
}
