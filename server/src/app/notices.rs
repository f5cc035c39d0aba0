//! Callbacks that tell API users how their jobs ended. A notice is a job of its own
//! in the same queue: it is retried and becomes a dead letter like any other.

use std::sync::Arc;

use atelier_api::Status;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use url::Url;

use super::{Caller, Error, Studio};
use crate::{
    app::view,
    job::{Content, NoticeTask, Outcome, Request, Task, notice_lane},
    queue::{Ended, Hooks, Job, NewJob, Priority},
    worker::CallbackQueue,
};

/// Largest body of an answer that a notice carries, in bytes. Larger ones are fetched.
const LARGEST_BODY: u64 = 16 * 1024 * 1024;

/// The payload, in the format of Standard Webhooks.
#[derive(Serialize)]
struct Body {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: String,
    data: Value,
}

impl Studio {
    /// Queues the notice of how the job ended, if its order asked for one. Queuing it
    /// again changes nothing.
    pub(super) async fn queue_notice(&self, end: &Ended) -> Result<(), Error> {
        if end.job.hooks == Hooks::default() {
            return Ok(());
        }
        if matches!(end.job.request.task, Task::Message(_)) {
            let now = self.stores.clock.now();
            return Ok(self.callbacks().queue_end(end, None, now).await?);
        }
        let (now, mut end) = (self.stores.clock.now(), end.clone());
        let owner = Caller::owning(&end.job);
        self.drop_withdrawn(&owner, &mut end.job).await?;
        if let Some(notice) = self.notice(&end, now) {
            self.stores.queue.enqueue(notice, now).await?;
        }
        Ok(())
    }

    /// Queues callbacks of messages.
    fn callbacks(&self) -> CallbackQueue {
        CallbackQueue {
            queue: Arc::clone(&self.stores.queue),
            blobs: self.stores.blobs.clone(),
            per_host: self.settings.messages_per_host,
        }
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
            data: self.told(job)?,
        };
        let task = NoticeTask {
            job: job.id.as_str().into(),
            // Neither fails for what was validated when the job was accepted.
            url: Url::parse(url).ok()?,
            body: serde_json::to_string(&body).ok()?,
            answer: large_answer(job).cloned(),
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
            charge: Value::Null,
            hooks: Hooks::default(),
            join: None,
            answer: None,
            answered_only: false,
            gates: Vec::new(),
            inherits: None,
        })
    }

    /// The job as its owner sees it. The body of a large answer is added when that is sent.
    fn told(&self, job: &Job) -> Option<Value> {
        if let Some(job) = view::own_job(job) {
            return serde_json::to_value(self.with_absolute_urls(job)).ok();
        }
        let body = match &job.outcome {
            Some(Outcome::Answered(answered)) => answered.body.recorded(),
            _ => None,
        };
        let mut call = view::call_job(job, body.as_ref())?;
        if let Some(site) = &self.settings.public_url
            && let Ok(url) = site.join(&call.url)
        {
            call.url = url.into();
        }
        serde_json::to_value(call).ok()
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

/// The body of the answer, if it is in the blob store and may be sent at once.
fn large_answer(job: &Job) -> Option<&Content> {
    match &job.outcome {
        Some(Outcome::Answered(answered)) => {
            let sendable = |body: &&Content| match body {
                Content::Blob { bytes, .. } => *bytes <= LARGEST_BODY,
                Content::Text(_) | Content::Base64(_) => false,
            };
            Some(&answered.body).filter(sendable)
        }
        _ => None,
    }
}

fn for_failure(hooks: &Hooks) -> Option<&String> {
    hooks
        .failure_callback_url
        .as_ref()
        .or(hooks.callback_url.as_ref())
}
