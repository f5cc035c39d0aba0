//! Counts in memory, and adds what has come together to the store.

use std::{
    collections::{HashMap, VecDeque},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use atelier_store::hour;
use jiff::Timestamp;
use tokio::sync::Mutex as AsyncMutex;
use uuid::Uuid;

use crate::{CallStore, Counts, Error, Line, MOST_LINES, MOST_RECENT, Record};

/// Maximum number of lines in memory, if the store is unreachable for long. Calls beyond them
/// are counted together.
const MOST_WAITING: usize = 5_000;

/// Longest name of a model, in bytes.
const LONGEST: usize = 200;

/// The calls of this process that are not in the store yet.
pub struct Recorder {
    /// Tells the store whose batches these are.
    writer: String,
    waiting: Mutex<Waiting>,
    written: AsyncMutex<Written>,
}

#[derive(Default)]
struct Waiting {
    lines: HashMap<(i64, Line), Counts>,
    recent: VecDeque<Record>,
}

/// What has been handed to the store.
#[derive(Default)]
struct Written {
    last: u64,
    /// A batch of which it is unknown whether the store has it.
    uncertain: Option<Arc<Batch>>,
}

/// What is added to the store in one step.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Who counted.
    pub writer: String,
    /// Batches of a writer are numbered upwards from 1.
    pub number: u64,
    /// Its counters, at most [`MOST_LINES`].
    pub lines: Vec<Hourly>,
    /// Its calls, the oldest first; at most [`MOST_RECENT`].
    pub recent: Vec<Record>,
}

/// The counters of a line in an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hourly {
    /// When the hour began, in Unix milliseconds.
    pub hour: i64,
    /// Which calls.
    pub line: Line,
    /// What is counted of them.
    pub counts: Counts,
}

impl Default for Recorder {
    fn default() -> Self {
        Self {
            writer: Uuid::new_v4().simple().to_string(),
            waiting: Mutex::default(),
            written: AsyncMutex::default(),
        }
    }
}

impl Recorder {
    /// Notes a call that has ended.
    pub fn note(&self, mut record: Record) {
        for name in [&mut record.model, &mut record.routed]
            .into_iter()
            .flatten()
        {
            shorten(name);
        }
        let place = (hour(record.at), Line::of(&record));
        let mut waiting = self.lock();
        waiting.line(place).note(&record);
        if waiting.recent.len() == MOST_RECENT {
            waiting.recent.pop_front();
        }
        waiting.recent.push_back(record);
    }

    /// Adds what has been noted to the store, which keeps hours that long. What cannot be
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
        let mut written = self.written.lock().await;
        // As many as there can be, and one from before. More may come in meanwhile.
        for _ in 0..=MOST_WAITING.div_ceil(MOST_LINES) + 1 {
            let batch = match written.uncertain.take() {
                Some(batch) => batch,
                None => match self.take(written.last + 1) {
                    Some(batch) => Arc::new(batch),
                    None => break,
                },
            };
            written.last = batch.number;
            // Before the wait, which may be given up.
            written.uncertain = Some(Arc::clone(&batch));
            store.add(&batch, now, keep).await?;
            written.uncertain = None;
        }
        Ok(())
    }

    fn take(&self, number: u64) -> Option<Batch> {
        let mut waiting = self.lock();
        if waiting.lines.is_empty() {
            return None;
        }
        let taken = if waiting.lines.len() <= MOST_LINES {
            mem::take(&mut waiting.lines)
        } else {
            let places = waiting.lines.keys().take(MOST_LINES).cloned();
            let places: Vec<_> = places.collect();
            let lines = places.into_iter();
            lines
                .filter_map(|place| waiting.lines.remove_entry(&place))
                .collect()
        };
        let lines = taken
            .into_iter()
            .map(|((hour, line), counts)| Hourly { hour, line, counts });
        Some(Batch {
            writer: self.writer.clone(),
            number,
            lines: lines.collect(),
            recent: mem::take(&mut waiting.recent).into(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn line(&mut self, place: (i64, Line)) -> &mut Counts {
        let is_full = self.lines.len() >= MOST_WAITING && !self.lines.contains_key(&place);
        let place = if is_full {
            (place.0, Line::other())
        } else {
            place
        };
        self.lines.entry(place).or_default()
    }
}

fn shorten(name: &mut String) {
    if name.len() > LONGEST {
        name.truncate(name.floor_char_boundary(LONGEST));
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::Contents;

    fn call(model: &str) -> Record {
        Record {
            model: Some(model.into()),
            upstream: Some("openai".into()),
            status: 200,
            ..Record::new("a", "chat/completions", Timestamp::UNIX_EPOCH)
        }
    }

    /// Fails so many times, but has what it was given.
    struct Failing(Mutex<(u32, Vec<Arc<Batch>>)>);

    #[async_trait]
    impl CallStore for Failing {
        async fn add(
            &self,
            batch: &Arc<Batch>,
            _now: Timestamp,
            _keep: Duration,
        ) -> Result<(), Error> {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.1.push(Arc::clone(batch));
            if state.0 > 0 {
                state.0 -= 1;
                return Err(Error(atelier_store::Error::crowded()));
            }
            Ok(())
        }

        async fn hour(&self, _hour: i64) -> Result<Vec<(Line, Counts)>, Error> {
            Ok(Vec::new())
        }

        async fn recent(&self) -> Result<Vec<Record>, Error> {
            Ok(Vec::new())
        }

        async fn keep(
            &self,
            _contents: &Arc<[Contents]>,
            _now: Timestamp,
            _keep: Duration,
        ) -> Result<(), Error> {
            Ok(())
        }

        async fn contents(&self, _id: &str) -> Result<Option<Contents>, Error> {
            Ok(None)
        }

        async fn forget(&self, _before: Timestamp) -> Result<(), Error> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn an_uncertain_batch_is_written_again_as_it_was() {
        let store = Failing(Mutex::new((2, Vec::new())));
        let recorder = Recorder::default();
        let now = Timestamp::UNIX_EPOCH;
        for model in ["a", "b", "c"] {
            recorder.note(call(model));
            let written = recorder.write(&store, now, Duration::ZERO).await;
            assert_eq!(written.is_ok(), model == "c");
        }
        recorder.write(&store, now, Duration::ZERO).await.unwrap();
        let state = store.0.into_inner().unwrap();
        let numbers: Vec<_> = state.1.iter().map(|batch| batch.number).collect();
        assert_eq!(numbers, [1, 1, 1, 2]);
        assert!(state.1[0] == state.1[1] && state.1[0].lines.len() == 1);
        assert_eq!((state.1[3].lines.len(), state.1[3].recent.len()), (2, 2));
    }

    #[test]
    fn a_million_models_do_not_fill_the_memory() {
        let recorder = Recorder::default();
        for number in 0..1_000_000 {
            recorder.note(call(&number.to_string()));
        }
        recorder.note(call(&"é".repeat(1_000_000)));
        let waiting = recorder.waiting.into_inner().unwrap();
        assert_eq!(waiting.lines.len(), MOST_WAITING + 1);
        assert_eq!(waiting.recent.len(), MOST_RECENT);
        let all: u64 = waiting.lines.values().map(Counts::calls).sum();
        assert_eq!(all, 1_000_001);
        let last = waiting.recent.back().unwrap().model.clone();
        assert_eq!(last.unwrap().len(), LONGEST);
    }
}
