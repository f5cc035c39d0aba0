//! The door for OpenAI's and Anthropic's clients: their paths, their headers, their errors.

mod answer;
mod error;
mod jobs;
mod models;
mod responses;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use atelier_gateway::{ApiError, Call, Endpoint};
use axum::{
    Router,
    body::Bytes,
    extract::{Request, State as AxumState},
    http::{HeaderMap, header},
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use tower_http::catch_panic::CatchPanicLayer;
use uuid::Uuid;

use crate::{
    access::Scope,
    app::Caller,
    gateway::{self, Asked, Recording, Wishes, forwarded, patience},
    http::{
        State, error as problems,
        middleware::{caller, headers},
    },
};

type Result<T, E = gateway::Error> = std::result::Result<T, E>;

/// How long a client waits that does not say so: as the official ones do.
const PATIENCE: Duration = Duration::from_secs(600);

/// So much longer than a client says it waits: the official ones begin to count when we have
/// had their request for a while, and their own error tells them more than ours.
const GRACE: Duration = Duration::from_millis(250);

/// The routes below `/v1`.
pub(super) fn routes(state: &State) -> Router<State> {
    let calls = Endpoint::ALL
        .into_iter()
        .fold(Router::new(), |router, endpoint| {
            let path = format!("/v1{}", endpoint.path());
            let handler = move |state, asker, request| call(endpoint, state, asker, request);
            router.route(&path, post(handler))
        });
    calls
        // As a client of messages asks for an answer at once.
        .route(
            "/llm/v1/chat/completions",
            post(|state, asker, request| call(Endpoint::ChatCompletions, state, asker, request)),
        )
        .route("/v1/models", get(models::list))
        .route("/v1/models/{*id}", get(models::show))
        .route(
            "/v1/responses/{id}",
            get(responses::itself).delete(responses::itself),
        )
        .route("/v1/responses/{id}/cancel", post(responses::cancel))
        .route(
            "/v1/responses/{id}/input_items",
            get(responses::input_items),
        )
        .route("/v1", any(unknown))
        .route("/v1/{*rest}", any(unknown))
        .method_not_allowed_fallback(unknown_method)
        .layer(from_fn_with_state(state.clone(), caller::turn_away))
        .layer(from_fn(headers::plain_bodies))
        .layer(CatchPanicLayer::custom(problems::panicked))
        .layer(from_fn(error::shape))
}

/// The id of a request, which also stands in its answer.
#[derive(Debug, Clone)]
struct RequestId(String);

impl RequestId {
    fn new() -> Self {
        Self(format!("req_{}", Uuid::new_v4().simple()))
    }
}

/// Who asks, with an API key or, if the operator lets them, without.
struct Asker(Caller);

impl axum::extract::FromRequestParts<State> for Asker {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        state: &State,
    ) -> std::result::Result<Self, Response> {
        let caller = Caller::from_request_parts(parts, state).await;
        let caller = caller.map_err(IntoResponse::into_response)?;
        let refusal = match &caller.holder {
            Some(holder) if !holder.may(Scope::Gateway) => Some(ApiError::forbidden(
                "This API key does not open the gateway. The operator gives keys the scope by \
                 \"atelier keys create --scope gateway\".",
            )),
            None if !state.gateway.settings.open => Some(ApiError::unauthenticated(
                "You didn't provide an API key. Send one that the operator of this server gave you, \
                 as \"Authorization: Bearer …\".",
            )),
            _ => None,
        };
        match refusal {
            Some(refusal) => Err(error::respond(&refusal)),
            None => Ok(Self(caller)),
        }
    }
}

async fn call(
    endpoint: Endpoint,
    AxumState(state): AxumState<State>,
    Asker(caller): Asker,
    request: Request,
) -> Response {
    let recording = begin(&state, &caller, &request, name(endpoint));
    let answered = answered(endpoint, &state, caller, request, Arc::clone(&recording)).await;
    answered.unwrap_or_else(|failure| failed(&recording, failure))
}

/// Begins to record a call for the operator.
fn begin(
    state: &State,
    caller: &Caller,
    request: &Request,
    endpoint: &'static str,
) -> Arc<Recording> {
    let id = request.extensions().get::<RequestId>();
    let id = id.map_or("", |RequestId(id)| id.as_str());
    state.gateway.record(id, endpoint, caller)
}

/// An operation as the operator reads it.
fn name(endpoint: Endpoint) -> &'static str {
    endpoint.path().trim_start_matches('/')
}

/// The answer to a call that failed, which is recorded.
fn failed(recording: &Recording, failure: gateway::Error) -> Response {
    let class = failure.class();
    let mut response = error::respond_to(failure);
    answer::tell_cost(response.headers_mut(), recording.usd());
    if let Some(told) = response.extensions().get::<ApiError>() {
        recording.fail(class, told);
    }
    response
}

async fn answered(
    endpoint: Endpoint,
    state: &State,
    caller: Caller,
    request: Request,
    recording: Arc<Recording>,
) -> Result<Response> {
    let (parts, body) = request.into_parts();
    let id = parts.extensions.get::<RequestId>().cloned();
    let body = read(body, state.gateway.settings.max_body).await?;
    let media_type = parts.headers.get(header::CONTENT_TYPE);
    let media_type = media_type.and_then(|value| value.to_str().ok());
    let call = Call::read(endpoint, media_type, body)?;
    recording.asks(&call);
    let wishes =
        Wishes::read(&parts.headers).map_err(|error| ApiError::invalid(error.to_string()))?;
    let asked = Asked {
        id: id.unwrap_or_else(RequestId::new).0,
        caller,
        call,
        query: parts.uri.query().map(str::to_owned),
        headers: forwarded(&parts.headers),
        wishes,
        deadline: deadline(&parts.headers),
        recording,
        job: None,
    };
    if jobs::is_preferred(&parts.headers)? {
        return jobs::accept(state, asked, &parts.headers).await;
    }
    let reply = state.gateway.serve(asked).await?;
    Ok(answer::respond(
        reply,
        answer::reads_trailers(&parts.headers),
    ))
}

fn deadline(headers: &HeaderMap) -> Instant {
    let patience = patience(headers).unwrap_or(PATIENCE).min(10 * PATIENCE);
    Instant::now() + patience + GRACE
}

async fn read(body: axum::body::Body, limit: usize) -> Result<Bytes> {
    let read = axum::body::to_bytes(body, limit).await;
    Ok(read.map_err(|error| {
        if problems::too_slow(&error) {
            ApiError::new(408, "invalid_request_error", "The body came in too slowly.")
        } else if problems::is_too_large(&error) {
            ApiError::too_large(limit as u64)
        } else {
            ApiError::invalid("The body broke off.")
        }
    })?)
}

/// A path that the gateway knows, with a method that it does not.
async fn unknown_method(state: AxumState<State>, asker: Asker, request: Request) -> Response {
    if state.gateway.settings.passthrough {
        return unknown(state, asker, request).await;
    }
    let message = "This address does not take that method.";
    let refusal = ApiError::new(405, "invalid_request_error", message);
    error::respond(&refusal.code("method_not_allowed"))
}

/// A path that the gateway does not know.
async fn unknown(
    AxumState(state): AxumState<State>,
    Asker(caller): Asker,
    request: Request,
) -> Response {
    if !state.gateway.settings.passthrough {
        let message = format!(
            "Unknown request URL: {} {}.",
            request.method(),
            request.uri().path()
        );
        return error::respond(&ApiError::not_found(message).code("unknown_url"));
    }
    let recording = begin(&state, &caller, &request, "other");
    let (parts, body) = request.into_parts();
    let passed = async {
        let body = read(body, state.gateway.settings.max_body).await?;
        let path = parts.uri.path();
        let path = path.strip_prefix("/v1").unwrap_or(path);
        let passed = gateway::Passed {
            caller: &caller,
            method: parts.method.clone(),
            path,
            query: parts.uri.query(),
            headers: forwarded(&parts.headers),
            body,
            deadline: deadline(&parts.headers),
            recording: Arc::clone(&recording),
        };
        state.gateway.pass_through(passed).await
    };
    match passed.await {
        Ok(reply) => answer::respond(reply, false),
        Err(failure) => failed(&recording, failure),
    }
}
