//! A caller's gallery, one page at a time.

use std::sync::Arc;

use atelier_api::Status;
use atelier_app::data::{Shelf, Wanted};
use atelier_connections::{Permit, Permits};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::{Caller, Error, Studio};
use crate::{
    app::view,
    job::{Request, Task},
    queue::Job,
};

/// Maximum number of jobs on a page.
const PAGE: usize = 24;

/// Jobs read from the store at a time for a search.
const BATCH: usize = 200;

/// Maximum number of jobs read for one page. A search without a match ends there, with a link to go on.
const MAX_READ: usize = 2_000;

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
        let words = words(&wanted.words);
        let fits = |job: &Job| {
            job.status == Status::Succeeded
                && wanted
                    .kind
                    .is_none_or(|kind| job.request.task.kind() == Some(kind))
                && has(&job.request, &words)
        };
        // Without a search most of them fit.
        let searched = !words.is_empty() || wanted.kind.is_some();
        let size = if searched { BATCH } else { PAGE + 1 };
        let _permits = match searched {
            true => Some(self.search_permits.acquire(caller.counted_as()).await?),
            false => None,
        };
        let (mut jobs, mut before, mut read) = (Vec::new(), wanted.before.clone(), 0);
        loop {
            let batch = self.records(caller, before.as_deref(), size).await?;
            let more = batch.len() == size;
            read += batch.len();
            for mut job in batch {
                if jobs.len() == PAGE {
                    return Ok(Shelf { jobs, next: before });
                }
                before = Some(job.id.clone());
                if fits(&job) {
                    self.drop_withdrawn(caller, &mut job).await?;
                    jobs.extend(view::own_job(&job));
                }
            }
            if !more || read >= MAX_READ {
                let next = before.filter(|_| more);
                return Ok(Shelf { jobs, next });
            }
        }
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_lowercase).collect()
}

/// Whether the job's text contains all these words.
fn has(request: &Request, words: &[String]) -> bool {
    if words.is_empty() {
        return true;
    }
    let text = match &request.task {
        Task::Image(task) => task.styled(),
        Task::Restoration(task) => task.name.clone().unwrap_or_default(),
        Task::Notice(_) | Task::Call(_) | Task::Message(_) => return false,
    };
    let text = text.to_lowercase();
    words.iter().all(|word| text.contains(word))
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
