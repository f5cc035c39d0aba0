//! Vectors that each process searches in its own memory, kept in step by way of
//! the store's sequence of changes.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::{sync::Mutex, task::spawn_blocking};

use super::{
    super::Error,
    index::{Candidate, Index, quantize},
    meanings::{Change, Changes, Meanings},
    record::{Record, Scope},
    vectors::Vectors,
};

/// Changes read at a time.
const BATCH: usize = 1000;

/// So long the store remembers that something was removed.
const TOMBSTONE: Duration = Duration::from_secs(24 * 60 * 60);

/// An index, and the store that has what is in it.
pub struct Indexed<M> {
    meanings: M,
    index: Arc<Index>,
    /// The last change that the index knows.
    known: Mutex<u64>,
}

impl<M: Meanings> Indexed<M> {
    /// Empty at first; [`Vectors::renew`] fills it. At most `entries` are kept.
    pub fn new(meanings: M, entries: usize) -> Self {
        Self {
            meanings,
            index: Arc::new(Index::new(entries)),
            known: Mutex::new(0),
        }
    }
}

#[async_trait]
impl<M: Meanings> Vectors for Indexed<M> {
    async fn put(
        &self,
        job: &str,
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
        self.meanings.put(job, Some(&record), until).await?;
        for gone in self.index.put(job, &record) {
            self.remove(&gone, now).await?;
        }
        Ok(())
    }

    async fn remove(&self, job: &str, now: Timestamp) -> Result<(), Error> {
        self.index.remove(job);
        self.meanings.put(job, None, now + TOMBSTONE).await
    }

    async fn clear(&self, now: Timestamp) -> Result<u64, Error> {
        let jobs = self.index.jobs();
        for job in &jobs {
            self.remove(job, now).await?;
        }
        Ok(jobs.len() as u64)
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

    async fn holds(&self, job: &str) -> Result<bool, Error> {
        self.meanings.holds(job).await
    }

    async fn touch(&self, job: &str, now: Timestamp) -> Result<(), Error> {
        let Some(record) = self.index.touch(job, now) else {
            return Ok(());
        };
        let until = Timestamp::from_second(record.expires_at).unwrap_or(now);
        self.meanings.put(job, Some(&record), until).await
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
            for Change { job, record, .. } in &changes {
                match record {
                    Some(record) => drop(self.index.put(job, record)),
                    None => self.index.remove(job),
                }
            }
        }
    }

    async fn sweep(&self, now: Timestamp) -> Result<(), Error> {
        self.index.sweep(now);
        self.meanings.sweep(now).await
    }
}
