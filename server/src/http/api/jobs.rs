//! `/api/jobs`: the state of jobs, lists of them, and cancelling.

use std::time::Duration;

use axum::{
    Json,
    extract::{RawQuery, State as AxumState},
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use serde::Serialize;

use crate::http::{Error, Result, State, extract::path::Path, outlive::outlive};
use crate::{
    app::Permit,
    app::view,
    app::{self, Caller},
    job::Task,
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
#[derive(Debug, Default, PartialEq)]
struct Poll {
    after: Option<u64>,
    wait: Option<u64>,
}

/// Returns the job to anybody who may see it; an API key that is sent must be valid.
pub(crate) async fn status(
    AxumState(state): AxumState<State>,
    caller: Caller,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let poll = Poll::read(query.as_deref())?;
    let (_permit, wait) = permit_to_wait(&state, &caller, poll.after, poll.patience());
    let link = state.links.key_in(query.as_deref(), &id);
    let job = state
        .studio
        .status(&caller, link.is_some(), &id, poll.after, wait)
        .await?;
    let job = job.as_ref().and_then(|job| state.tell(&caller, job));
    let mut job = job.ok_or(NO_JOB)?;
    if link.is_some() && caller.owner.is_none() {
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
pub(crate) async fn seen(state: &State, caller: &Caller, id: &str) -> Result<Job> {
    let job = state
        .studio
        .status(caller, false, id, None, Duration::ZERO)
        .await?;
    job.filter(|job| view::job(job).is_some()).ok_or(NO_JOB)
}

/// Returns the job, if it is the caller's own.
pub(crate) async fn own(state: &State, caller: &Caller, id: &str) -> Result<Job> {
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
    Path(id): Path<String>,
) -> Result<Redirect> {
    let job = own(&state, &caller, &id).await?;
    call_off(&state, &caller, &id, false).await?;
    Ok(Redirect::to(match job.request.task {
        Task::Restoration(_) => "/restore",
        Task::Image(_) | Task::Notice(_) => "/gallery",
    }))
}

impl Poll {
    fn read(query: Option<&str>) -> Result<Self> {
        let mut poll = Self::default();
        for (name, value) in query
            .unwrap_or_default()
            .split('&')
            .filter_map(|pair| pair.split_once('='))
        {
            let number = || {
                value.parse().map_err(|_| {
                    Error::Malformed(format!("{name} is {value:?}; a whole number is expected."))
                })
            };
            match name {
                "after" => poll.after = Some(number()?),
                "wait" => poll.wait = Some(number()?),
                _ => {}
            }
        }
        Ok(poll)
    }

    fn patience(&self) -> Duration {
        self.wait
            .map_or(LONGEST_WAIT, Duration::from_secs)
            .min(LONGEST_WAIT)
    }
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
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let cursor = parameter(query.as_deref(), "cursor");
    let jobs = state.studio.jobs(&caller, cursor, PAGE + 1).await?;
    let (jobs, cursor) = page(jobs, PAGE);
    let tell = |job| state.tell(&caller, job);
    let jobs = jobs.iter().filter_map(tell).collect();
    Ok(no_store(Json(Jobs { jobs, cursor })))
}

/// The value of a query parameter, unless it is empty.
pub(crate) fn parameter<'a>(query: Option<&'a str>, name: &str) -> Option<&'a str> {
    let mut fields = query?.split('&').filter_map(|pair| pair.split_once('='));
    let (_, value) = fields.find(|(field, _)| *field == name)?;
    Some(value).filter(|value| !value.is_empty())
}

/// A boolean query parameter, false if absent. Errors on any other value, rather than taking it for false.
fn flag_in(query: Option<&str>, name: &str) -> Result<bool> {
    let fields = query.unwrap_or_default().split('&');
    let mut values = fields.filter_map(|field| {
        let (found, value) = field.split_once('=').unwrap_or((field, ""));
        (found == name).then(|| boolean(value))
    });
    values.try_fold(false, |said, value| {
        let value = value.ok_or_else(|| Error::Malformed(format!("{name} is true or false.")))?;
        Ok(said || value)
    })
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

/// Cancels an unfinished job and returns it; deletes a finished one, unless the query
/// says `cancel=true`: a job that finishes just before its owner cancels it keeps its
/// picture.
pub(crate) async fn cancel(
    AxumState(state): AxumState<State>,
    caller: Caller,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let only_cancel = flag_in(query.as_deref(), "cancel")?;
    Ok(match call_off(&state, &caller, &id, only_cancel).await? {
        Some(job) => Json(state.tell(&caller, &job)).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

/// Cancels the job, or deletes it with its files, even if the client hangs up.
pub(crate) async fn call_off(
    state: &State,
    caller: &Caller,
    id: &str,
    only_cancel: bool,
) -> Result<Option<Job>> {
    let (studio, caller, id) = (state.studio.clone(), caller.clone(), id.to_owned());
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
            ("other=1", Some(false)),
            ("cancel=false", Some(false)),
            ("cancel=true", Some(true)),
            ("a=b&cancel=true", Some(true)),
            ("cancel=false&cancel=true", Some(true)),
            ("cancel=1", None),
            ("cancel=TRUE", None),
            ("cancel=", None),
            ("cancel", None),
            ("cancel=true&cancel=yes", None),
        ] {
            assert_eq!(flag_in(Some(query), "cancel").ok(), said, "{query}");
        }
    }

    #[test]
    fn polls_are_read() {
        let poll = Poll::read(Some("after=3&wait=25&other=x")).unwrap();
        assert_eq!(
            poll,
            Poll {
                after: Some(3),
                wait: Some(25)
            }
        );
        assert_eq!(Poll::read(None).unwrap(), Poll::default());
        for (query, seconds) in [
            ("after=3", 30),
            ("wait=0", 0),
            ("wait=7", 7),
            ("wait=99", 30),
        ] {
            let poll = Poll::read(Some(query)).unwrap();
            assert_eq!(poll.patience(), Duration::from_secs(seconds), "{query}");
        }
        assert!(Poll::read(Some("after=-1")).is_err());
        assert!(Poll::read(Some("wait=soon")).is_err());
    }
}
