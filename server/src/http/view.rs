//! Records as their clients see them.

use atelier_app::wire::{self, Kind};
use jiff::Timestamp;

use super::headers::whole_seconds;
use crate::{
    job::{Outcome, Picture, Task},
    limit::Standing,
    queue::Job,
    studio::failure,
};

/// A job as JSON.
pub(super) fn job(job: &Job) -> wire::Job {
    let (prompt, params, original) = task(&job.request.task);
    let (images, cost_usd) = match &job.outcome {
        Some(Outcome::Succeeded { pictures, cost_usd })
            if job.status == wire::Status::Succeeded =>
        {
            (pictures.iter().map(picture).collect(), *cost_usd)
        }
        _ => (Vec::new(), None),
    };
    wire::Job {
        id: job.id.clone(),
        kind: job.request.kind(),
        status: job.status,
        version: job.version,
        prompt,
        params,
        created_at: time(job.created_at),
        started_at: job.started_at.map(time),
        finished_at: job.finished_at.map(time),
        attempt: job.attempt,
        position: job.position,
        progress: job.progress,
        images,
        original,
        cache: job.cache,
        similar_to: None,
        cost_usd: cost_usd.filter(|_| job.cache == wire::Cache::Miss),
        error: failure(job)
            .filter(|_| job.status == wire::Status::Failed)
            .cloned(),
    }
}

fn task(task: &Task) -> (String, wire::Params, Option<wire::Image>) {
    match task {
        Task::Image(task) => {
            let params = wire::Params {
                size: Some(task.size.clone()),
                quality: Some(task.quality.clone()),
                n: Some(task.n),
                style: task.style.clone(),
                enlarge: None,
            };
            (task.prompt.clone(), params, None)
        }
        Task::Restoration(task) => {
            let params = wire::Params {
                enlarge: Some(task.enlarge),
                ..wire::Params::default()
            };
            (String::new(), params, Some(picture(&task.original)))
        }
    }
}

fn picture(picture: &Picture) -> wire::Image {
    wire::Image {
        url: format!("/images/{}", picture.key),
        width: picture.width,
        height: picture.height,
        media_type: picture.media_type.clone(),
        bytes: picture.bytes,
        thumbhash: picture.thumbhash.clone(),
    }
}

/// A policy's standing as JSON.
pub(super) fn limit(standing: &Standing) -> wire::Limit {
    wire::Limit {
        name: standing.policy.name.clone(),
        scope: standing.policy.scope.as_str().into(),
        unit: standing.policy.unit.as_str().into(),
        quota: standing.policy.quota as f64,
        remaining: standing.remaining as f64,
        reset_seconds: whole_seconds(standing.reset),
        actions: standing
            .policy
            .actions
            .iter()
            .map(|action| Kind::from(*action))
            .collect(),
    }
}

/// RFC 3339.
fn time(time: Timestamp) -> String {
    time.to_string()
}
