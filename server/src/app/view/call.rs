//! Calls of the gateway as their callers see them.

use std::collections::BTreeMap;

use atelier_api::{Failure, Status};
use atelier_gateway::{ApiError, Endpoint, Wire};
use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use super::{failure, time};
use crate::{
    job::{Answered, CallTask, Cost, Outcome, Task, shown},
    queue::{self, Job},
};

/// A call that was accepted to be made later.
#[derive(Debug, Serialize)]
pub struct CallJob {
    pub id: String,
    object: &'static str,
    pub url: String,
    pub(super) kind: &'static str,
    /// Its path, such as `/v1/chat/completions`.
    endpoint: String,
    model: String,
    status: Status,
    version: u64,
    created_at: String,
    started_at: Option<String>,
    pub(super) finished_at: Option<String>,
    attempt: u32,
    position: Option<u64>,
    cache: &'static str,
    cost_usd: Option<f64>,
    pub(super) error: Option<Failure>,
    /// Set once it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<Answer>,
}

/// What the client would have been answered.
#[derive(Debug, Serialize)]
struct Answer {
    status: u16,
    headers: BTreeMap<String, String>,
    /// JSON as it is, anything else in base64; null if it is gone.
    body: Value,
}

/// Returns the job as JSON, with the bytes of its answer; `None` if it is no call.
pub fn call_job(job: &Job, body: Option<&Bytes>) -> Option<CallJob> {
    let Task::Call(task) = &job.request.task else {
        return None;
    };
    Some(CallJob {
        answer: answer(job, task, body),
        ..CallJob::without_answer(job, task)
    })
}

impl CallJob {
    pub(super) fn without_answer(job: &Job, task: &CallTask) -> Self {
        Self {
            id: job.id.clone(),
            object: "atelier.job",
            url: format!("/api/jobs/{}", job.id),
            kind: "call",
            endpoint: format!("/v1{}", task.path),
            model: job.request.model.clone(),
            status: job.status,
            version: job.version,
            created_at: time(job.created_at),
            started_at: job.started_at.map(time),
            finished_at: job.finished_at.map(time),
            attempt: job.attempt,
            position: job.position,
            cache: queue::source(job).as_str(),
            cost_usd: cost(job),
            error: failure(job).cloned(),
            answer: None,
        }
    }
}

/// What the answer cost, as far as it is known.
fn cost(job: &Job) -> Option<f64> {
    match ended(job)? {
        Outcome::Answered(answered) => match answered.cost {
            Cost::Nothing => Some(0.0),
            Cost::Usd(usd) => Some(usd),
            Cost::Estimate => None,
        },
        Outcome::Succeeded { .. } | Outcome::Failed(_) => None,
    }
}

fn answer(job: &Job, task: &CallTask, body: Option<&Bytes>) -> Option<Answer> {
    match ended(job)? {
        Outcome::Answered(answered) => Some(kept(answered, body)),
        Outcome::Failed(failure) => Some(failed(failure, task)),
        Outcome::Succeeded { .. } => None,
    }
}

fn ended(job: &Job) -> Option<&Outcome> {
    let ended = matches!(job.status, Status::Succeeded | Status::Failed);
    job.outcome.as_ref().filter(|_| ended)
}

fn kept(answered: &Answered, body: Option<&Bytes>) -> Answer {
    let media_type = answered.header("content-type");
    Answer {
        status: answered.status,
        headers: answered.headers.iter().cloned().collect(),
        body: body.map_or(Value::Null, |body| shown(media_type, body)),
    }
}

/// What is told of a call that nobody answered.
fn failed(failure: &Failure, task: &CallTask) -> Answer {
    let error = ApiError::bad_gateway(failure.message.clone()).code(failure.code.clone());
    let wire = Endpoint::from_path(&task.path).map_or(Wire::OpenAi, Endpoint::wire);
    let media_type = ("content-type".to_owned(), "application/json".to_owned());
    Answer {
        status: error.status,
        headers: BTreeMap::from([media_type]),
        body: shown(
            Some("application/json"),
            &error.body(wire, Some(&task.request)),
        ),
    }
}
