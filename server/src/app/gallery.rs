//! What a caller has made, a page at a time.

use std::sync::Arc;

use atelier_api::Status;
use atelier_app::data::{Shelf, Wanted};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::{Caller, Error, Studio};
use crate::{
    app::view,
    app::{Place, Places},
    job::{Request, Task},
    queue::Job,
};

/// Jobs on a page.
const PAGE: usize = 24;

/// Jobs read from the store at once for a search, and at most for one page: who searches for what is not there is
/// told so after these, with a way on.
const BATCH: usize = 200;
const MOST: usize = 2_000;

/// Searches carried out at a time.
const SEARCHES: usize = 2;

/// Searches of one caller that are carried out or wait. Nobody types as fast.
const SEARCHES_EACH: usize = 4;

/// Places for searches, which read many records.
pub struct Searches {
    at_once: Semaphore,
    each: Arc<Places>,
}

impl Default for Searches {
    fn default() -> Self {
        Self {
            at_once: Semaphore::new(SEARCHES),
            each: Places::new(SEARCHES_EACH),
        }
    }
}

impl Searches {
    /// A turn to search. Errors if that caller waits for too many already.
    async fn turn(&self, who: &str) -> Result<(Place, SemaphorePermit<'_>), Error> {
        let place = self.each.take(who).ok_or(Error::Busy)?;
        let turn = self.at_once.acquire().await.map_err(|_| Error::Closing)?;
        Ok((place, turn))
    }
}

impl Studio {
    /// The caller's finished jobs that are wanted, newest first.
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
        let _turn = match searched {
            true => Some(self.searches.turn(caller.counted_as()).await?),
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
            if !more || read >= MOST {
                let next = before.filter(|_| more);
                return Ok(Shelf { jobs, next });
            }
        }
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_lowercase).collect()
}

/// Whether a job is found by these words.
fn has(request: &Request, words: &[String]) -> bool {
    if words.is_empty() {
        return true;
    }
    let text = match &request.task {
        Task::Image(task) => task.styled(),
        Task::Restoration(task) => task.name.clone().unwrap_or_default(),
        Task::Notice(_) => return false,
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
        let searches = Searches::default();
        let mut begun = Vec::new();
        for _ in 0..SEARCHES {
            begun.push(searches.turn("ada").await);
        }
        let mut waiting = Vec::new();
        for _ in SEARCHES..SEARCHES_EACH {
            let mut turn = Box::pin(searches.turn("ada"));
            assert!((&mut turn).now_or_never().is_none());
            waiting.push(turn);
        }
        let one_more = searches.turn("ada").await;
        assert!(matches!(one_more, Err(Error::Busy)));
        let mut other = Box::pin(searches.turn("ben"));
        assert!((&mut other).now_or_never().is_none());
        drop((begun, waiting));
        assert!(other.await.is_ok());
    }
}
