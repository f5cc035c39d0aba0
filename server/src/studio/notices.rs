//! Telling API users how their jobs ended. A notice is a job of its own in the
//! same queue: it is tried again and becomes a dead letter like any other.

use std::time::Duration;

use atelier_app::wire::{self, Status};
use jiff::Timestamp;
use serde::Serialize;
use url::Url;

use super::{Error, Studio};
use crate::{
    job::{NoticeTask, Request, Task, notice_lane},
    queue::{Hooks, Job, NewJob, Priority},
    view,
};

/// A notice is noted just before its job ends, so that a crash in between
/// loses nothing. So late it leaves, lest it overtake the end.
const HEAD_START: Duration = Duration::from_millis(250);

/// What is sent, in the shape of Standard Webhooks.
#[derive(Serialize)]
struct Body {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: String,
    data: wire::Job,
}

impl Studio {
    /// Notes that somebody is to be told how the job ended, if anybody is. The
    /// token tells the job's ends apart: an operator may have it made again.
    /// To note the same end twice changes nothing.
    pub(super) async fn tell(&self, job: &Job, token: u64, now: Timestamp) -> Result<(), Error> {
        if let Some(notice) = self.notice(job, token, now) {
            self.queue.enqueue(notice, now).await?;
        }
        Ok(())
    }

    fn notice(&self, job: &Job, token: u64, now: Timestamp) -> Option<NewJob> {
        let (kind, url) = match job.status {
            Status::Succeeded => ("job.succeeded", job.hooks.callback_url.as_ref()?),
            Status::Failed => ("job.failed", for_failure(&job.hooks)?),
            _ => return None,
        };
        let body = Body {
            kind,
            timestamp: now.to_string(),
            data: self.with_addresses(view::job(job)?),
        };
        let task = NoticeTask {
            job: job.id.clone(),
            // Both can fail for nothing that was checked when the job came.
            url: Url::parse(url).ok()?,
            body: serde_json::to_string(&body).ok()?,
        };
        Some(NewJob {
            id: format!("{}-{token}", job.id),
            // A flow of its own beside the owner's jobs, and in none of their lists.
            owner: format!("notices:{}", job.owner),
            request: Request {
                provider: notice_lane(&task.url),
                model: String::new(),
                variation: 0,
                found: None,
                task: Task::Notice(task),
            },
            priority: Priority::Normal,
            not_before: Some(now + HEAD_START),
            charge: serde_json::Value::Null,
            hooks: Hooks::default(),
            join: None,
            answer: None,
        })
    }

    /// The job with whole addresses, where it is known what they begin with.
    fn with_addresses(&self, mut job: wire::Job) -> wire::Job {
        let Some(site) = &self.public_url else {
            return job;
        };
        for image in job.images.iter_mut().chain(&mut job.original) {
            if let Ok(url) = site.join(&image.url) {
                image.url = url.into();
            }
        }
        job
    }
}

fn for_failure(hooks: &Hooks) -> Option<&String> {
    hooks
        .failure_callback_url
        .as_ref()
        .or(hooks.callback_url.as_ref())
}
