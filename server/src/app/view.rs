//! Records as clients of the API and operators see them.

mod call;

use atelier_api::{Background, Failure};
use atelier_queue::Outcome as _;
use jiff::Timestamp;
use serde::Serialize;

pub use self::call::{CallJob, call_job};
use crate::{
    job::{Found, ImageTask, JobId, Outcome, Picture, RestorationTask, Task},
    queue::{self, FailedAttempt, Job},
};

/// Returns the job as JSON, as anybody may see it who may see the job; `None` for a
/// notice, which is not shown to clients, and for a call ([`call_job`]).
pub fn job(job: &Job) -> Option<atelier_api::Job> {
    match &job.request.task {
        Task::Image(task) => Some(picture_job(job, image(task))),
        Task::Restoration(task) => Some(picture_job(job, restoration(task))),
        Task::Notice(_) | Task::Call(_) | Task::Message(_) => None,
    }
}

/// Returns the job as its owner sees it: with the prompt of their own that a similar
/// earlier job had.
pub fn own_job(job: &Job) -> Option<atelier_api::Job> {
    let mut view = self::job(job)?;
    if let (Some(similar), Some(found)) = (&mut view.similar_to, &job.request.found) {
        similar.prompt.clone_from(&found.own_words);
    }
    if let Task::Image(task) = &job.request.task {
        let attached = task.attached.iter().map(|attached| &attached.picture);
        view.attached = attached.map(picture).collect();
    }
    Some(view)
}

/// The request, in terms of the API.
struct RequestView {
    kind: atelier_api::Kind,
    prompt: String,
    params: atelier_api::Params,
    original: Option<atelier_api::Image>,
}

fn image(task: &ImageTask) -> RequestView {
    RequestView {
        kind: atelier_api::Kind::Image,
        prompt: task.prompt.clone(),
        params: atelier_api::Params {
            size: Some(task.size.clone()),
            quality: Some(task.quality.clone()),
            n: Some(task.n),
            style: task.style.clone(),
            background: Some(task.background.clone()).filter(|asked| *asked != Background::Auto),
            from: task.source.as_ref().map(|source| source.job.to_string()),
            picture: task.source.as_ref().map(|source| source.number),
            enlarge: task.enlarge,
            extend: task.extend.clone(),
            attached: Some(task.attached.len()).filter(|number| *number > 0),
            mask: task.mask.as_ref().map(|_| true),
            ..atelier_api::Params::default()
        },
        original: None,
    }
}

fn restoration(task: &RestorationTask) -> RequestView {
    RequestView {
        kind: atelier_api::Kind::Restoration,
        prompt: String::new(),
        params: atelier_api::Params {
            enlarge: Some(task.enlarge),
            strength: Some(task.strength),
            monochrome: Some(task.monochrome),
            mask: task.mask.as_ref().map(|_| true),
            ..atelier_api::Params::default()
        },
        original: Some(picture(&task.original)),
    }
}

fn picture_job(job: &Job, request: RequestView) -> atelier_api::Job {
    let (images, cost_usd, left_out) = match &job.outcome {
        Some(Outcome::Succeeded {
            pictures,
            cost_usd,
            left_out,
            ..
        }) if job.status == atelier_api::Status::Succeeded => (
            pictures.iter().map(picture).collect(),
            *cost_usd,
            left_out.clone(),
        ),
        _ => (Vec::new(), None, Vec::new()),
    };
    let found = job.request.found.as_ref();
    let made = job.request.as_made(job.outcome.as_ref());
    atelier_api::Job {
        id: job.id.clone(),
        url: format!("/api/jobs/{}", job.id),
        kind: request.kind,
        status: job.status,
        version: job.version,
        prompt: request.prompt,
        params: request.params,
        created_at: time(job.created_at),
        started_at: job.started_at.map(time),
        finished_at: job.finished_at.map(time),
        attempt: job.attempt,
        position: job.position,
        progress: job.progress,
        preview: job.preview.as_deref().map(address),
        images,
        left_out,
        attached: Vec::new(),
        original: request.original,
        cache: queue::source(job),
        similar_to: found.and_then(similar),
        painted_at: found.map(|found| time(found.painted_at)),
        cost_usd: cost_usd.filter(|_| job.cache == atelier_api::Cache::Miss),
        model: Some(format!("{}/{}", made.provider, made.model)),
        error: failure(job).cloned(),
        favourite: false,
        folder: None,
    }
}

fn similar(found: &Found) -> Option<atelier_api::Similar> {
    found.similar.as_ref().map(|similar| atelier_api::Similar {
        similarity: similar.similarity,
        prompt: None,
        image: found.picture.as_ref().map(picture),
    })
}

fn picture(picture: &Picture) -> atelier_api::Image {
    atelier_api::Image {
        url: address(&picture.key),
        width: picture.width,
        height: picture.height,
        media_type: picture.media_type.clone(),
        bytes: picture.bytes,
        thumbhash: picture.thumbhash.clone(),
    }
}

/// The path under which a blob is served.
fn address(key: &str) -> String {
    format!("/images/{key}")
}

/// The failure that the job ended with.
fn failure(job: &Job) -> Option<&Failure> {
    let ended = job.status == atelier_api::Status::Failed;
    job.outcome.as_ref().filter(|_| ended)?.failure()
}

/// RFC 3339.
fn time(time: Timestamp) -> String {
    time.to_string()
}

/// A failed job, with all that an operator needs.
#[derive(Debug, Serialize)]
pub struct DeadLetter {
    #[serde(flatten)]
    content: Content,
    /// The job's owner.
    owner: String,
    /// What went wrong, the latest last.
    attempts: Vec<Attempt>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Content {
    Job(Box<atelier_api::Job>),
    Sent(Box<Sent>),
    Call(Box<CallJob>),
}

/// A dead notice or message: the fields it shares with a job, and its target.
#[derive(Debug, Serialize)]
struct Sent {
    id: String,
    kind: &'static str,
    status: atelier_api::Status,
    version: u64,
    created_at: String,
    started_at: Option<String>,
    finished_at: Option<String>,
    attempt: u32,
    error: Option<Failure>,
    /// The job that a notice is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<String>,
    url: String,
}

#[derive(Debug, Serialize)]
struct Attempt {
    attempt: u32,
    at: String,
    code: String,
    message: String,
    request_id: Option<String>,
}

impl DeadLetter {
    /// The view of a job that failed.
    pub fn new(job: &Job) -> Self {
        let content = match &job.request.task {
            Task::Notice(task) => Content::Sent(Box::new(sent(
                job,
                "notice",
                Some(&task.job),
                task.url.as_str(),
            ))),
            Task::Message(task) => {
                Content::Sent(Box::new(sent(job, "message", None, &task.message.url)))
            }
            Task::Call(task) => Content::Call(Box::new(CallJob::without_answer(job, task))),
            Task::Image(task) => Content::Job(Box::new(picture_job(job, image(task)))),
            Task::Restoration(task) => Content::Job(Box::new(picture_job(job, restoration(task)))),
        };
        Self {
            content,
            owner: job.owner.clone(),
            attempts: job.failures.iter().map(attempt).collect(),
        }
    }

    /// A row of a table: id, kind, when it ended, attempts, and what went wrong.
    pub fn row(&self) -> [String; 5] {
        let (id, kind, ended, error) = match &self.content {
            Content::Job(job) => {
                let kind = match job.kind {
                    atelier_api::Kind::Image => "image",
                    atelier_api::Kind::Restoration => "restoration",
                };
                (&job.id, kind, &job.finished_at, &job.error)
            }
            Content::Sent(sent) => (&sent.id, sent.kind, &sent.finished_at, &sent.error),
            Content::Call(call) => (&call.id, call.kind, &call.finished_at, &call.error),
        };
        let why = error
            .as_ref()
            .map(|error| format!("{}: {}", error.code, one_line(&error.message)));
        [
            id.clone(),
            kind.to_owned(),
            ended.clone().unwrap_or_default(),
            self.attempts.len().to_string(),
            why.unwrap_or_default(),
        ]
    }
}

fn sent(job: &Job, kind: &'static str, about: Option<&JobId>, url: &str) -> Sent {
    Sent {
        id: job.id.clone(),
        kind,
        status: job.status,
        version: job.version,
        created_at: time(job.created_at),
        started_at: job.started_at.map(time),
        finished_at: job.finished_at.map(time),
        attempt: job.attempt,
        error: failure(job).cloned(),
        job: about.map(ToString::to_string),
        url: url.to_owned(),
    }
}

fn attempt(failed: &FailedAttempt) -> Attempt {
    Attempt {
        attempt: failed.attempt,
        at: time(failed.at),
        code: failed.failure.code.clone(),
        message: failed.failure.message.clone(),
        request_id: failed.request_id.clone(),
    }
}

/// A provider's words must not break a table, or a terminal.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
