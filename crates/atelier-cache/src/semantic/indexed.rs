//! Vectors that each process searches in its own memory, synchronised by the store's
//! sequence of changes.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::{sync::Mutex, task::spawn_blocking};

use super::{
    super::Error,
    index::{Candidate, Index, quantize},
    log::{Change, Changes, VectorLog},
    record::{Record, Scope},
    vectors::Vectors,
};

/// Changes read at a time.
const BATCH: usize = 1000;

/// How long the store remembers removals.
const TOMBSTONE: Duration = Duration::from_secs(24 * 60 * 60);

/// An index with its backing store.
pub struct InProcessIndex<M> {
    meanings: M,
    index: Arc<Index>,
    /// The number of the last change applied to the index.
    known: Mutex<u64>,
}

impl<M: VectorLog> InProcessIndex<M> {
    /// Creates an empty index of at most `entries` vectors; [`Vectors::renew`] fills it.
    pub fn new(meanings: M, entries: usize) -> Self {
        Self {
            meanings,
            index: Arc::new(Index::new(entries)),
            known: Mutex::new(0),
        }
    }
}

#[async_trait]
impl<M: VectorLog> Vectors for InProcessIndex<M> {
    async fn put(
        &self,
        id: &str,
        scope: Scope,
        vector: &[f32],
        now: Timestamp,
        until: Timestamp,
    ) -> Result<(), Error> {
        let (vector, scale) = quantize(vector);
        let record = Record {
            scope,
            scale,
            vector,
            expires_at: until.as_second(),
            used_at: now.as_second(),
        };
        self.meanings.put(id, Some(&record), until).await?;
        for gone in self.index.put(id, &record) {
            self.remove(&gone, now).await?;
        }
        Ok(())
    }

    async fn remove(&self, id: &str, now: Timestamp) -> Result<(), Error> {
        self.index.remove(id);
        self.meanings.put(id, None, now + TOMBSTONE).await
    }

    async fn clear(&self, now: Timestamp) -> Result<u64, Error> {
        let ids = self.index.ids();
        for id in &ids {
            self.remove(id, now).await?;
        }
        Ok(ids.len() as u64)
    }

    async fn nearest(
        &self,
        scope: Scope,
        vector: &[f32],
        threshold: f32,
        most: usize,
        now: Timestamp,
    ) -> Result<Vec<Candidate>, Error> {
        let (index, vector) = (Arc::clone(&self.index), vector.to_vec());
        let search = move || index.nearest(scope, &vector, threshold, most, now);
        Ok(spawn_blocking(search).await.unwrap_or_default())
    }

    async fn holds(&self, id: &str) -> Result<bool, Error> {
        self.meanings.holds(id).await
    }

    async fn touch(&self, id: &str, now: Timestamp) -> Result<(), Error> {
        let Some(record) = self.index.touch(id, now) else {
            return Ok(());
        };
        let until = Timestamp::from_second(record.expires_at).unwrap_or(now);
        self.meanings.put(id, Some(&record), until).await
    }

    async fn count(&self) -> Result<u64, Error> {
        Ok(self.index.len() as u64)
    }

    async fn renew(&self) -> Result<(), Error> {
        let mut known = self.known.lock().await;
        loop {
            let Changes::Since(changes) = self.meanings.changes(*known, BATCH).await? else {
                self.index.clear();
                *known = 0;
                continue;
            };
            let Some(last) = changes.last() else {
                return Ok(());
            };
            *known = last.number;
            for Change { id, record, .. } in &changes {
                match record {
                    Some(record) => drop(self.index.put(id, record)),
                    None => self.index.remove(id),
                }
            }
        }
    }

    async fn sweep(&self, now: Timestamp) -> Result<(), Error> {
        self.index.sweep(now);
        self.meanings.sweep(now).await
    }
}
