//! What was said in a call, as far as the operator has it kept.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{CallStore, Error, MOST_CONTENTS};

/// Maximum number of bytes that are kept of a body.
pub const MOST_BODY: usize = 64 * 1024;

/// How many are handed to the store at a time.
const BATCH: usize = 20;

/// The bodies of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// The id of its request.
    pub id: String,
    /// When they were noted.
    pub at: Timestamp,
    /// What was asked; `None` if it was never read.
    pub request: Option<Body>,
    /// What was answered; `None` if the answer was never whole.
    pub answer: Option<Body>,
}

/// The beginning of a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// At most [`MOST_BODY`] bytes of text; bytes that are none are replaced.
    pub text: String,
    /// Whether something is left out.
    pub truncated: bool,
}

impl Body {
    /// The beginning of these bytes.
    pub fn new(bytes: &[u8]) -> Self {
        let kept = bytes.get(..MOST_BODY).unwrap_or(bytes);
        let mut text = String::from_utf8_lossy(kept).into_owned();
        // What replaces a byte is longer than it.
        let end = text.floor_char_boundary(MOST_BODY);
        let truncated = kept.len() < bytes.len() || end < text.len();
        text.truncate(end);
        Self { text, truncated }
    }
}

/// The contents of this process's calls that are not in the store yet.
#[derive(Default)]
pub struct ContentsRecorder(Mutex<VecDeque<Contents>>);

impl ContentsRecorder {
    /// Notes the contents of a call that has ended.
    pub fn note(&self, contents: Contents) {
        let mut waiting = self.lock();
        waiting.push_back(contents);
        while waiting.len() > MOST_CONTENTS {
            waiting.pop_front();
        }
    }

    /// Hands what has been noted to the store, which keeps it that long. What cannot be
    /// written is kept for the next time.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn write(
        &self,
        store: &dyn CallStore,
        now: Timestamp,
        keep: Duration,
    ) -> Result<(), Error> {
        let mut waiting: Vec<_> = self.lock().drain(..).collect();
        while !waiting.is_empty() {
            let some: Arc<[_]> = waiting.drain(..waiting.len().min(BATCH)).collect();
            if let Err(error) = store.keep(&some, now, keep).await {
                some.iter()
                    .cloned()
                    .chain(waiting)
                    .for_each(|one| self.note(one));
                return Err(error);
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Contents>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_a_body_is_kept() {
        let short = Body::new(b"{}");
        assert_eq!((short.text.as_str(), short.truncated), ("{}", false));
        let long = Body::new("\u{e9}".repeat(MOST_BODY).as_bytes());
        assert_eq!((long.text.len(), long.truncated), (MOST_BODY, true));
        // Each of these bytes would become three.
        let sound = Body::new(&[0xff; MOST_BODY]);
        assert!(sound.text.len() <= MOST_BODY && sound.truncated);
    }

    #[test]
    fn what_waits_does_not_fill_the_memory() {
        let recorder = ContentsRecorder::default();
        for number in 0..2 * MOST_CONTENTS {
            recorder.note(Contents {
                id: number.to_string(),
                at: Timestamp::UNIX_EPOCH,
                request: None,
                answer: None,
            });
        }
        let waiting = recorder.0.into_inner().unwrap();
        assert_eq!(waiting.len(), MOST_CONTENTS);
        assert_eq!(waiting[0].id, MOST_CONTENTS.to_string());
    }
}
