//! A caller's gallery, one page at a time.

use std::sync::Arc;

use atelier_app::data::{Shelf, Wanted};
use atelier_connections::{Permit, Permits};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{Caller, Error, Studio};
use crate::{
    app::view,
    queue::{Marking, Search},
};

/// Maximum number of jobs on a page.
const PAGE: usize = 24;

/// Maximum number of searches running at a time.
const SEARCHES: usize = 2;

/// Maximum number of searches of one caller, running or waiting. Nobody types faster.
const SEARCHES_PER_CALLER: usize = 4;

/// Permits for searches, which read many records.
pub struct SearchPermits {
    running: Semaphore,
    per_caller: Arc<Permits>,
}

impl Default for SearchPermits {
    fn default() -> Self {
        Self {
            running: Semaphore::new(SEARCHES),
            per_caller: Permits::new(SEARCHES_PER_CALLER),
        }
    }
}

impl SearchPermits {
    /// Waits for a permit to search. Errors if the caller has too many searches already.
    async fn acquire(&self, who: &str) -> Result<(Permit, SemaphorePermit<'_>), Error> {
        let of_caller = self.per_caller.try_acquire(who).ok_or(Error::Busy)?;
        let running = self.running.acquire().await.map_err(|_| Error::Closing)?;
        Ok((of_caller, running))
    }
}

impl Studio {
    /// Returns a page of the caller's finished jobs that match, newest first.
    pub async fn gallery(&self, caller: &Caller, wanted: Wanted) -> Result<Shelf, Error> {
        let Some(owner) = &caller.owner else {
            return Ok(Shelf::default());
        };
        let _permits = match wanted.words.is_empty() {
            true => None,
            false => Some(self.search_permits.acquire(caller.counted_as()).await?),
        };
        let search = Search {
            text: wanted.words,
            kind: wanted.kind.map(|kind| kind.as_str().into()),
            favourites: wanted.favourites,
            folder: wanted.folder,
        };
        let (owner, before) = (owner.to_string(), wanted.before.as_deref());
        let found = self
            .stores
            .collection
            .search(&owner, &search, before, PAGE + 1);
        let mut found = found.await?;
        let more = found.len() > PAGE;
        found.truncate(PAGE);
        let next = found.last().filter(|_| more).map(|job| job.id.clone());
        for job in &mut found {
            self.drop_withdrawn(caller, job).await?;
        }
        let mut jobs: Vec<_> = found.iter().filter_map(view::own_job).collect();
        self.add_marks(caller, &mut jobs).await?;
        let folders = self.stores.collection.folders(&owner).await?.into_iter();
        let folders = folders.map(|folder| folder.name).collect();
        Ok(Shelf {
            jobs,
            next,
            folders,
        })
    }

    /// Marks finished jobs of the caller. Returns the number of those that are marked so now.
    pub async fn mark(
        &self,
        caller: &Caller,
        ids: &[String],
        marking: &Marking,
    ) -> Result<usize, Error> {
        match &caller.owner {
            Some(owner) => {
                let owner = owner.to_string();
                Ok(self.stores.collection.mark(&owner, ids, marking).await?)
            }
            None => Ok(0),
        }
    }

    /// Adds how the caller marked the jobs.
    pub async fn add_marks(
        &self,
        caller: &Caller,
        jobs: &mut [atelier_api::Job],
    ) -> Result<(), Error> {
        let Some(owner) = &caller.owner else {
            return Ok(());
        };
        let ids: Vec<String> = jobs.iter().map(|job| job.id.clone()).collect();
        let marks = self
            .stores
            .collection
            .marks(&owner.to_string(), &ids)
            .await?;
        for (job, marks) in jobs.iter_mut().zip(marks) {
            (job.favourite, job.folder) = (marks.favourite, marks.folder);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn one_callers_searches_leave_room_for_anothers() {
        let searches = SearchPermits::default();
        let mut begun = Vec::new();
        for _ in 0..SEARCHES {
            begun.push(searches.acquire("ada").await);
        }
        let mut waiting = Vec::new();
        for _ in SEARCHES..SEARCHES_PER_CALLER {
            let mut turn = Box::pin(searches.acquire("ada"));
            assert!((&mut turn).now_or_never().is_none());
            waiting.push(turn);
        }
        let one_more = searches.acquire("ada").await;
        assert!(matches!(one_more, Err(Error::Busy)));
        let mut other = Box::pin(searches.acquire("ben"));
        assert!((&mut other).now_or_never().is_none());
        drop((begun, waiting));
        assert!(other.await.is_ok());
    }
}
