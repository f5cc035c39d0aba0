//! What a caller has made, a page at a time.

use atelier_app::{
    data::{Shelf, Wanted},
    wire::Status,
};

use super::{Caller, Error, Studio};
use crate::{
    job::{Request, Task},
    queue::Job,
    view,
};

/// Jobs on a page.
const PAGE: usize = 24;

/// Jobs read from the store at once for a search, and at most for one page: who searches for what is not there is
/// told so after these, with a way on.
const BATCH: usize = 200;
const MOST: usize = 4_000;

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
        let (mut jobs, mut before, mut read) = (Vec::new(), wanted.before.clone(), 0);
        loop {
            let batch = self.jobs(caller, before.as_deref(), size).await?;
            let more = batch.len() == size;
            read += batch.len();
            for job in batch {
                if jobs.len() == PAGE {
                    return Ok(Shelf { jobs, next: before });
                }
                before = Some(job.id.clone());
                jobs.extend(Some(&job).filter(|job| fits(job)).and_then(view::job));
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
