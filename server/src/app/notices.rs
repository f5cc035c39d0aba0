//! Callbacks that tell API users how their jobs ended. A notice is a job of its own
//! in the same queue: it is retried and becomes a dead letter like any other.

use atelier_api::Status;
use jiff::Timestamp;
use serde::Serialize;
use url::Url;

use super::{Caller, Error, Studio};
use crate::{
    app::view,
    job::{NoticeTask, Request, Task, notice_lane},
    queue::{Ended, Hooks, NewJob, Priority},
};

/// The payload, in the format of Standard Webhooks.
#[derive(Serialize)]
struct Body {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: String,
    data: atelier_api::Job,
}

impl Studio {
    /// Queues the notice of how the job ended, if its order asked for one. Queuing it
    /// again changes nothing.
    pub(super) async fn queue_notice(&self, end: &Ended) -> Result<(), Error> {
        if end.job.hooks == Hooks::default() {
            return Ok(());
        }
        let (now, mut end) = (self.stores.clock.now(), end.clone());
        let owner = Caller::owning(&end.job);
        self.drop_withdrawn(&owner, &mut end.job).await?;
        if let Some(notice) = self.notice(&end, now) {
            self.stores.queue.enqueue(notice, now).await?;
        }
        Ok(())
    }

    fn notice(&self, end: &Ended, now: Timestamp) -> Option<NewJob> {
        let job = &end.job;
        let (kind, url) = match job.status {
            Status::Succeeded => ("job.succeeded", job.hooks.callback_url.as_ref()?),
            Status::Failed => ("job.failed", for_failure(&job.hooks)?),
            _ => return None,
        };
        let body = Body {
            kind,
            timestamp: job.finished_at.unwrap_or(now).to_string(),
            data: self.with_absolute_urls(view::own_job(job)?),
        };
        let task = NoticeTask {
            job: job.id.as_str().into(),
            // Neither fails for what was validated when the job was accepted.
            url: Url::parse(url).ok()?,
            body: serde_json::to_string(&body).ok()?,
        };
        Some(NewJob {
            // Differs for every end of the job: an operator may retry it.
            id: end.key.clone(),
            // An owner of its own: the fair order treats it apart, and no list of jobs shows it.
            owner: format!("notices:{}", job.owner),
            request: Request {
                provider: notice_lane(&task.url),
                model: String::new(),
                variation: 0,
                found: None,
                task: Task::Notice(task),
            },
            priority: Priority::Normal,
            not_before: None,
            charge: serde_json::Value::Null,
            hooks: Hooks::default(),
            join: None,
            answer: None,
            answered_only: false,
        })
    }

    /// The job with absolute URLs, if the public URL is configured.
    fn with_absolute_urls(&self, mut job: atelier_api::Job) -> atelier_api::Job {
        let Some(site) = &self.settings.public_url else {
            return job;
        };
        if let Ok(url) = site.join(&job.url) {
            job.url = url.into();
        }
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
