//! Submits orders of either kind: the client's terms, the order itself, and the
//! response.

use atelier_api::Kind;
use atelier_webhook::ssrf;
use axum::{
    Json,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};
use tokio_util::sync::CancellationToken;

use crate::http::{Error, Result, State, extract::accept::wants_page, outlive::outlive};
use crate::{
    app::{Accepted, Caller, Order, Terms},
    config::ModelName,
    job::JobId,
    limit::headers,
    queue::{Hooks, Job, source},
};

/// A client's request, apart from the order itself.
pub(crate) struct Submission {
    pub(crate) state: State,
    pub(crate) caller: Caller,
    terms: Terms,
    page: bool,
    /// Cancelled when the client hangs up.
    pub(crate) left: CancellationToken,
    /// What the client calls this order, to send it again.
    name: Option<String>,
}

/// `Idempotency-Key`
const NAME: HeaderName = HeaderName::from_static("idempotency-key");

/// Longest of them, in bytes.
const LONGEST_NAME: usize = 255;

impl Submission {
    pub(crate) fn new(state: State, caller: Caller, headers: &HeaderMap) -> Result<Self> {
        Ok(Self {
            state,
            caller,
            terms: Terms {
                fresh: no_cache(headers),
                ..Terms::default()
            },
            page: wants_page(headers),
            left: CancellationToken::new(),
            name: name(headers)?,
        })
    }

    /// With what the body says of the terms.
    pub(crate) fn under(mut self, fresh: bool, hooks: Hooks, model: Option<ModelName>) -> Self {
        self.terms.fresh |= fresh;
        self.terms.hooks = hooks;
        self.terms.model = model;
        self
    }

    /// The answer to an order that was taken before under the same `Idempotency-Key`.
    pub(crate) async fn answered_before(&self, kind: Kind) -> Result<Option<Response>> {
        let Some(name) = &self.name else {
            return Ok(None);
        };
        let taken = self.state.studio.taken_before(&self.caller, name, kind);
        Ok(taken.await?.map(|accepted| self.answer(accepted)))
    }

    /// Runs `work`, which continues if the client hangs up, and returns its response.
    pub(crate) async fn carry_out<F>(
        self,
        work: impl FnOnce(Self) -> F + Send + 'static,
    ) -> Result<Response>
    where
        F: Future<Output = Result<Response>> + Send + 'static,
    {
        outlive(|left| work(Self { left, ..self })).await
    }

    /// Submits the order. If the client has hung up, a job that belongs to itself is
    /// withdrawn: nobody would learn its key, or, without a callback, its outcome.
    pub(crate) async fn hand_in(&mut self, order: Order) -> Result<Accepted> {
        let (studio, terms) = (&self.state.studio, self.terms.clone());
        let untold = terms.hooks == Hooks::default();
        let accepted = studio.submit(&self.caller, order, terms).await?;
        if let Some(name) = &self.name {
            studio.note_name(&self.caller, name, &accepted.job).await;
        }
        if accepted.job.owns_itself() {
            // It was created just now, for this caller.
            let id = JobId::from(accepted.job.id.as_str());
            self.caller.held = Some(id.clone());
            if untold && self.left.is_cancelled() {
                studio.withdraw(&self.caller, &id).await?;
            }
        }
        Ok(accepted)
    }

    /// Returns the job, or a redirect to its page.
    pub(crate) fn answer(&self, accepted: Accepted) -> Response {
        let Accepted { job, standings } = accepted;
        if self.page {
            let page = self.state.page_of(&self.caller, &job);
            let mut response = Redirect::to(&page).into_response();
            headers::set(response.headers_mut(), &standings);
            return response;
        }
        let status = if job.status == atelier_api::Status::Succeeded {
            StatusCode::OK
        } else {
            StatusCode::ACCEPTED
        };
        let view = self.state.tell(&self.caller, &job);
        let location = view.as_ref().map(|view| view.url.clone());
        let location = [(header::LOCATION, location.unwrap_or_default())];
        let mut response = (status, location, Json(view)).into_response();
        headers::set(response.headers_mut(), &standings);
        tell_source(response.headers_mut(), &job, self.terms.fresh);
        response
    }
}

/// The callback URLs, if they are allowed and the caller may request callbacks.
pub(crate) fn hooks(
    state: &State,
    caller: &Caller,
    callback_url: Option<String>,
    failure_callback_url: Option<String>,
) -> Result<Hooks> {
    let checked = |field: &'static str, url: Option<String>| {
        if let Some(url) = &url {
            if caller.holder.is_none() && !state.callbacks.open {
                return Err(Error::CallbacksClosed);
            }
            ssrf::check(url, state.callbacks.allow_private)
                .map_err(|error| Error::invalid(field, error.to_string()))?;
        }
        Ok::<_, Error>(url)
    };
    Ok(Hooks {
        callback_url: checked("callback_url", callback_url)?,
        failure_callback_url: checked("failure_callback_url", failure_callback_url)?,
    })
}

fn name(headers: &HeaderMap) -> Result<Option<String>> {
    let Some(value) = headers.get(NAME) else {
        return Ok(None);
    };
    let name = value.to_str().unwrap_or_default().trim();
    if name.is_empty() || name.len() > LONGEST_NAME {
        let wrong = "Idempotency-Key has 1 to 255 visible ASCII characters.";
        return Err(Error::Malformed(wrong.into()));
    }
    Ok(Some(name.to_owned()))
}

/// `Cache-Control: no-cache` or `no-store`.
fn no_cache(headers: &HeaderMap) -> bool {
    let fields = headers
        .get_all(header::CACHE_CONTROL)
        .iter()
        .filter_map(|value| value.to_str().ok());
    fields.flat_map(|value| value.split(',')).any(|word| {
        let word = word.trim();
        word.eq_ignore_ascii_case("no-cache") || word.eq_ignore_ascii_case("no-store")
    })
}

/// `Cache-Status` (RFC 9211), and for an answer from a cache its `Age` in seconds.
fn tell_source(headers: &mut HeaderMap, job: &Job, fresh: bool) {
    let status = match source(job) {
        atelier_api::Cache::Exact => "atelier; hit; detail=exact",
        atelier_api::Cache::Semantic => "atelier; hit; detail=semantic",
        atelier_api::Cache::Joined => "atelier; fwd=miss; collapsed",
        atelier_api::Cache::Miss if fresh => "atelier; fwd=request",
        atelier_api::Cache::Miss => "atelier; fwd=miss",
    };
    headers.insert("cache-status", HeaderValue::from_static(status));
    let found = job.request.found.as_ref();
    if let Some(found) = found.filter(|_| job.status == atelier_api::Status::Succeeded) {
        let age = job.created_at.duration_since(found.painted_at).as_secs();
        headers.insert(header::AGE, age.max(0).into());
    }
}
