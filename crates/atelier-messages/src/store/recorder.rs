//! Keeps events in memory until they are added to the store together.

use std::{
    collections::VecDeque,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Mutex as AsyncMutex;
use tracing::warn;
use uuid::Uuid;

use super::{Entry, Event, EventId, EventStore, Result};

/// Maximum number of events in memory, if the store is unreachable for long. The oldest are
/// dropped beyond them.
const MOST_WAITING: usize = 10_000;

/// Maximum number of events that are added in one step.
const BATCH: usize = 500;

/// The events of this process that are not in the store yet.
pub struct Events {
    /// Tells its ids from those of other processes.
    writer: String,
    waiting: Mutex<Waiting>,
    /// Entries of which it is unknown whether the store has them.
    uncertain: AsyncMutex<Vec<Entry>>,
}

#[derive(Default)]
struct Waiting {
    entries: VecDeque<Entry>,
    /// How many have been noted.
    noted: u64,
    /// How many have been dropped since the last time that it was logged.
    dropped: u64,
}

impl Waiting {
    fn add(&mut self, owner: &str, id: EventId, event: Event) {
        self.noted += 1;
        if self.entries.len() == MOST_WAITING {
            self.entries.pop_front();
            self.dropped += 1;
        }
        self.entries.push_back(Entry {
            owner: owner.to_owned(),
            id,
            event,
        });
    }
}

impl Default for Events {
    fn default() -> Self {
        let mut writer = Uuid::new_v4().simple().to_string();
        writer.truncate(8);
        Self {
            writer,
            waiting: Mutex::default(),
            uncertain: AsyncMutex::default(),
        }
    }
}

impl Events {
    /// Notes an event. Events of the same millisecond keep their order.
    pub fn note(&self, owner: &str, event: Event) {
        let mut waiting = self.lock();
        let id = EventId::new(&event, waiting.noted, &self.writer);
        waiting.add(owner, id, event);
    }

    /// Notes an event that other processes note as well, exactly like this: it is kept once.
    pub fn note_once(&self, owner: &str, event: Event) {
        let id = EventId::new(&event, 0, &event.message);
        self.lock().add(owner, id, event);
    }

    /// Adds what has been noted to the store, which keeps the last `most` of each owner.
    /// What cannot be added is kept for the next time.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn flush<S: EventStore + ?Sized>(&self, store: &S, most: usize) -> Result<()> {
        let mut uncertain = self.uncertain.lock().await;
        // As many as there can be, and one from before. More may come in meanwhile.
        for _ in 0..=MOST_WAITING.div_ceil(BATCH) {
            if uncertain.is_empty() {
                *uncertain = self.take();
            }
            if uncertain.is_empty() {
                break;
            }
            // They stay there during the wait, which may be given up.
            store.append(&uncertain, most).await?;
            uncertain.clear();
        }
        Ok(())
    }

    fn take(&self) -> Vec<Entry> {
        let mut waiting = self.lock();
        let dropped = mem::take(&mut waiting.dropped);
        if dropped > 0 {
            warn!(dropped, "events were dropped: the store took too few");
        }
        let count = waiting.entries.len().min(BATCH);
        waiting.entries.drain(..count).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::{State, StoreError};

    fn event(time: i64) -> Event {
        Event {
            time,
            message: "m".into(),
            state: State::Active,
            about: Box::default(),
            next: None,
            status: None,
            headers: Vec::new(),
            body: None,
            error: None,
        }
    }

    /// Fails so many times, but has what it was given.
    struct Failing(Mutex<(u32, Vec<Vec<Entry>>)>);

    #[async_trait]
    impl EventStore for Failing {
        async fn append(&self, entries: &[Entry], _most: usize) -> Result<()> {
            let mut state = self.0.lock().unwrap();
            state.1.push(entries.to_vec());
            if state.0 > 0 {
                state.0 -= 1;
                return Err(StoreError::from(atelier_store::Error::crowded()));
            }
            Ok(())
        }

        async fn events(
            &self,
            _owner: &str,
            _before: Option<&EventId>,
            _limit: usize,
        ) -> Result<Vec<(EventId, Event)>> {
            Ok(Vec::new())
        }
    }

    #[tokio::test]
    async fn what_the_store_may_have_is_added_again_as_it_was() {
        let store = Failing(Mutex::new((2, Vec::new())));
        let events = Events::default();
        for time in 0..3 {
            events.note("owner", event(time));
            assert_eq!(events.flush(&store, 10).await.is_ok(), time == 2);
        }
        events.flush(&store, 10).await.unwrap();
        let given = store.0.into_inner().unwrap().1;
        let lengths: Vec<_> = given.iter().map(Vec::len).collect();
        assert_eq!(lengths, [1, 1, 1, 2]);
        assert!(given[0] == given[1] && given[1] == given[2]);
    }

    #[tokio::test]
    async fn an_unreachable_store_costs_the_oldest_events_and_not_the_memory() {
        let events = Events::default();
        for time in 0..100_000 {
            events.note("owner", event(time));
        }
        assert_eq!(events.lock().dropped, 90_000);
        let store = Failing(Mutex::new((0, Vec::new())));
        events.flush(&store, 10).await.unwrap();
        let given = store.0.into_inner().unwrap().1;
        assert!(given.iter().all(|batch| batch.len() == BATCH));
        let times = given.iter().flatten().map(|entry| entry.event.time);
        assert!(times.eq(90_000..100_000));
    }
}
