//! `/api/jobs`: the state of jobs, lists of them, and cancelling.

use std::{slice, time::Duration};

use atelier_api::Status;
use atelier_connections::Permit;
use axum::{
    Json,
    extract::State as AxumState,
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::{Deserialize, Deserializer, Serialize, de::IgnoredAny};

use crate::http::{
    Error, Result, State,
    extract::path::Path,
    extract::query::{self, Query},
    job_keys,
    outlive::outlive,
};
use crate::{
    app::view,
    app::{self, Caller},
    job::{JobId, Task},
    queue::Job,
};

/// Maximum and default wait of a long poll.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The wait of a poll if the caller has too many waiting already.
const CROWDED_WAIT: Duration = Duration::from_secs(1);

pub(crate) const NO_JOB: Error = Error::NotFound("There is no such job, or it was deleted.");

/// Jobs per page.
const PAGE: usize = 50;

/// The query of a poll. With `after` it is answered once the job's version exceeds that, or after `wait`
/// seconds; without `after` at once.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Poll {
    #[serde(default, deserialize_with = "after")]
    after: Option<u64>,
    #[serde(default, deserialize_with = "wait")]
    wait: Option<u64>,
    /// The key of a link, or of the owner, which is read with the caller.
    #[serde(default, deserialize_with = "query::text")]
    key: Option<String>,
    /// The key of a link beside the owner's.
    #[serde(default)]
    link: IgnoredAny,
}

fn after<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    number("after", deserializer)
}

fn wait<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    number("wait", deserializer)
}

fn number<'de, D: Deserializer<'de>>(name: &str, deserializer: D) -> Result<Option<u64>, D::Error> {
    query::value(deserializer, |text| {
        let number = text.parse().map(Some);
        number.map_err(|_| format!("{name} is {text:?}; a whole number is expected."))
    })
}

/// Returns the job to anybody who may see it; an API key that is sent must be valid.
pub(crate) async fn status(
    AxumState(state): AxumState<State>,
    caller: Caller,
    Path(id): Path<JobId>,
    Query(poll): Query<Poll>,
) -> Result<Response> {
    let (_permit, wait) = permit_to_wait(&state, &caller, poll.after, poll.patience());
    let key = poll.key.as_deref();
    let invited = key.is_some_and(|key| state.links.opens(&id, key));
    let job = state
        .studio
        .status(&caller, invited, &id, poll.after, wait)
        .await?;
    let job = job.ok_or(NO_JOB)?;
    if let Some(call) = state.tell_call(&caller, &job).await {
        return Ok(no_store(Json(call)));
    }
    let mut job = state.tell(&caller, &job).ok_or(NO_JOB)?;
    if job.status == Status::Succeeded {
        let told = slice::from_mut(&mut job);
        state.studio.add_marks(&caller, told).await?;
    }
    if invited && caller.owner.is_none() {
        job.url = state.links.address(&job.url, &id);
    }
    Ok(no_store(Json(job)))
}

impl State {
    /// The job as the caller sees it: for its owner with their own prompts, and with its
    /// key if it belongs to itself.
    pub(crate) fn tell(&self, caller: &Caller, job: &Job) -> Option<atelier_api::Job> {
        if !caller.owns(job) {
            return view::job(job);
        }
        let mut view = view::own_job(job)?;
        if caller.holds(job) {
            view.url = self.owner_keys.address(&view.url, &job.id);
        }
        Some(view)
    }

    /// The call as its caller sees it; `None` if the job is none, or somebody else's.
    pub(crate) async fn tell_call(&self, caller: &Caller, job: &Job) -> Option<view::CallJob> {
        if !caller.owns(job) {
            return None;
        }
        let mut view = self.studio.call_view(job).await?;
        if caller.holds(job) {
            view.url = self.owner_keys.address(&view.url, &job.id);
        }
        Some(view)
    }

    /// The address of the job's page, with the key that the caller needs.
    pub(crate) fn page_of(&self, caller: &Caller, job: &Job) -> String {
        let page = format!("/jobs/{}", job.id);
        if caller.holds(job) {
            self.owner_keys.address(&page, &job.id)
        } else {
            page
        }
    }
}

/// A permit to wait, and for how long. Without a permit, the wait is just long enough to
/// discourage polling in a loop; clients need not know.
fn permit_to_wait(
    state: &State,
    caller: &Caller,
    after: Option<u64>,
    wait: Duration,
) -> (Option<Permit>, Duration) {
    if after.is_none() || wait.is_zero() {
        return (None, wait);
    }
    match state.polls.try_acquire(caller.counted_as()) {
        Some(permit) => (Some(permit), wait),
        None => (None, wait.min(CROWDED_WAIT)),
    }
}

/// Returns the job, if the caller may see it.
pub(crate) async fn seen(state: &State, caller: &Caller, id: &JobId) -> Result<Job> {
    let job = state
        .studio
        .status(caller, false, id, None, Duration::ZERO)
        .await?;
    job.filter(|job| view::job(job).is_some()).ok_or(NO_JOB)
}

/// The caller's own job that a text names: an id, or an address with or without a key.
pub(crate) async fn own_named(state: &State, caller: &Caller, name: &str) -> Result<(JobId, Job)> {
    let (caller, id) = job_keys::named(state, caller, name);
    let job = own(state, &caller, &id).await?;
    Ok((id, job))
}

/// Returns the job, if it is the caller's own.
pub(crate) async fn own(state: &State, caller: &Caller, id: &JobId) -> Result<Job> {
    let job = seen(state, caller, id).await?;
    if caller.owns(&job) {
        Ok(job)
    } else {
        Err(app::Error::NotYours.into())
    }
}

/// `POST /api/jobs/{id}/delete`: like `DELETE`, for forms.
pub(crate) async fn delete(
    AxumState(state): AxumState<State>,
    caller: Caller,
    Path(id): Path<JobId>,
) -> Result<Redirect> {
    let job = own(&state, &caller, &id).await?;
    call_off(&state, &caller, &id, false).await?;
    Ok(Redirect::to(match job.request.task {
        Task::Restoration(_) => "/restore",
        Task::Image(_) | Task::Notice(_) | Task::Call(_) | Task::Message(_) => "/gallery",
    }))
}

impl Poll {
    fn patience(&self) -> Duration {
        self.wait
            .map_or(LONGEST_WAIT, Duration::from_secs)
            .min(LONGEST_WAIT)
    }
}

/// The query of a list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listing {
    /// Where the page before ended.
    #[serde(default, deserialize_with = "query::text")]
    cursor: Option<String>,
}

#[derive(Serialize)]
struct Jobs {
    jobs: Vec<atelier_api::Job>,
    /// The cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

/// The caller's jobs; none without a session or an API key.
pub(crate) async fn list(
    AxumState(state): AxumState<State>,
    caller: Caller,
    Query(Listing { cursor }): Query<Listing>,
) -> Result<Response> {
    let cursor = cursor.as_deref();
    let jobs = state.studio.jobs(&caller, cursor, PAGE + 1).await?;
    let (jobs, cursor) = page(jobs, PAGE);
    let tell = |job| state.tell(&caller, job);
    let mut jobs: Vec<_> = jobs.iter().filter_map(tell).collect();
    state.studio.add_marks(&caller, &mut jobs).await?;
    Ok(no_store(Json(Jobs { jobs, cursor })))
}

/// The accepted spellings of true and false.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// The first `limit` jobs, and the last one's id if there are more.
pub(crate) fn page(mut jobs: Vec<Job>, limit: usize) -> (Vec<Job>, Option<String>) {
    let more = jobs.len() > limit;
    jobs.truncate(limit);
    let last = jobs.last().filter(|_| more).map(|job| job.id.clone());
    (jobs, last)
}

/// The query of a cancellation.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cancelling {
    /// Only cancels.
    #[serde(default, deserialize_with = "cancel_flag")]
    cancel: bool,
    /// The key of the owner, which is read with the caller.
    #[serde(default)]
    #[expect(dead_code, reason = "it may be there, and is read elsewhere")]
    key: IgnoredAny,
    /// The key of a link beside the owner's.
    #[serde(default)]
    #[expect(dead_code, reason = "it may be there, and is of no use here")]
    link: IgnoredAny,
}

/// Any other value is an error, rather than taken for false.
fn cancel_flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    query::value(deserializer, |text| {
        boolean(text).ok_or("cancel is true or false.")
    })
}

/// Cancels an unfinished job and returns it; deletes a finished one, unless the query
/// says `cancel=true`: a job that finishes just before its owner cancels it keeps its
/// picture.
pub(crate) async fn cancel(
    AxumState(state): AxumState<State>,
    caller: Caller,
    Path(id): Path<JobId>,
    Query(Cancelling { cancel, .. }): Query<Cancelling>,
) -> Result<Response> {
    Ok(match call_off(&state, &caller, &id, cancel).await? {
        Some(job) => match state.tell_call(&caller, &job).await {
            Some(call) => Json(call).into_response(),
            None => Json(state.tell(&caller, &job)).into_response(),
        },
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

/// Cancels the job, or deletes it with its files, even if the client hangs up.
pub(crate) async fn call_off(
    state: &State,
    caller: &Caller,
    id: &JobId,
    only_cancel: bool,
) -> Result<Option<Job>> {
    let (studio, caller, id) = (state.studio.clone(), caller.clone(), id.clone());
    outlive(async move |_| Ok(studio.cancel(&caller, &id, only_cancel).await?)).await
}

pub(crate) fn no_store(body: impl IntoResponse) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_true_or_false() {
        for (query, said) in [
            ("", Some(false)),
            ("other=1", None),
            ("cancel=false", Some(false)),
            ("cancel=true", Some(true)),
            ("key=b&cancel=true", Some(true)),
            ("cancel=false&cancel=true", None),
            ("cancel=1", None),
            ("cancel=TRUE", None),
            ("cancel=", None),
            ("cancel", None),
            ("cancel=true&cancel=yes", None),
        ] {
            let read = Query::<Cancelling>::of(query).ok();
            assert_eq!(read.map(|read| read.cancel), said, "{query}");
        }
    }

    #[test]
    fn polls_are_read() {
        let poll = Query::<Poll>::of("after=3&wait=25&key=x").unwrap();
        assert_eq!(
            poll,
            Poll {
                after: Some(3),
                wait: Some(25),
                key: Some("x".into()),
                ..Poll::default()
            }
        );
        assert_eq!(Query::<Poll>::of("").unwrap(), Poll::default());
        for (query, seconds) in [
            ("after=3", 30),
            ("wait=0", 0),
            ("wait=7", 7),
            ("wait=99", 30),
        ] {
            let poll = Query::<Poll>::of(query).unwrap();
            assert_eq!(poll.patience(), Duration::from_secs(seconds), "{query}");
        }
        for wrong in ["after=-1", "wait=soon", "after=", "other=x"] {
            assert!(Query::<Poll>::of(wrong).is_err(), "{wrong}");
        }
    }
}
