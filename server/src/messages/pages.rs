//! Reads jobs page by page.

use atelier_queue::In;

use super::Result;
use crate::{app::Studio, queue::Job};

/// Jobs read at a time.
const BATCH: usize = 200;

/// Maximum number of jobs that one request looks at: a filter that matches nothing must not
/// read through all of an owner's messages. The next page begins where it stopped.
const MOST_READ: usize = 20_000;

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Where the next part begins, if there may be one.
    pub cursor: Option<String>,
}

impl<T> Page<T> {
    /// The same part with other items.
    pub fn with<U>(self, items: Vec<U>) -> Page<U> {
        Page {
            items,
            cursor: self.cursor,
        }
    }
}

/// At most `limit` of an owner's jobs in a state that are wanted, newest first, from the
/// cursor on.
pub(super) async fn page(
    studio: &Studio,
    owner: &str,
    state: In,
    cursor: Option<String>,
    limit: usize,
    wanted: impl Fn(&Job) -> bool,
) -> Result<Page<Job>> {
    let (mut items, mut cursor, mut read) = (Vec::new(), cursor, 0);
    while read < MOST_READ {
        let queue = &studio.stores.queue;
        let jobs = queue
            .list_in(owner, state, cursor.as_deref(), BATCH)
            .await?;
        let ends = jobs.len() < BATCH;
        read += jobs.len();
        let mut jobs = jobs.into_iter().peekable();
        while let Some(job) = jobs.next() {
            cursor = Some(job.id.clone());
            if wanted(&job) {
                items.push(job);
            }
            if items.len() >= limit {
                let all = ends && jobs.peek().is_none();
                let cursor = cursor.filter(|_| !all);
                return Ok(Page { items, cursor });
            }
        }
        if ends {
            let cursor = None;
            return Ok(Page { items, cursor });
        }
    }
    Ok(Page { items, cursor })
}
