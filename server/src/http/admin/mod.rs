//! `/api/admin`: the operator's API.

use axum::{
    Json, RequestExt as _, Router,
    extract::{Request, State as AxumState},
    http::StatusCode,
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

mod calls;
mod stats;

use crate::http::{
    Error, Result, State,
    api::jobs::{no_store, page},
    extract::path::Path,
    extract::query::{self, Query},
    middleware::{caller::bearer, scopes},
};
use crate::{
    access::{self, Scope},
    app::{
        Caller,
        view::{self, DeadLetter},
    },
    config::Secret,
    job::JobId,
};

/// Dead letters per page: by default, and at most.
const PAGE: usize = 50;
const LARGEST_PAGE: usize = 200;

pub(crate) fn routes(state: &State) -> Router<State> {
    Router::new()
        .route("/api/admin/limits", get(stats::limits))
        .route("/api/admin/calls", get(calls::list))
        .route("/api/admin/calls/stats", get(calls::stats))
        .route("/api/admin/calls/{id}", get(calls::show))
        .route("/api/admin/dead", get(list))
        .route("/api/admin/dead/retry", post(retry_all))
        .route("/api/admin/dead/{id}", delete(delete_dead))
        .route("/api/admin/dead/{id}/retry", post(retry))
        .route_layer(from_fn_with_state(state.clone(), authorise))
}

/// Checks the token, or an API key's scope. Without a configured token these routes exist
/// for such keys alone.
async fn authorise(
    AxumState(state): AxumState<State>,
    mut request: Request,
    next: Next,
) -> Result<Response> {
    let given = bearer(request.headers()).unwrap_or_default();
    let token = state.admin_token.as_ref();
    if !token.is_some_and(|Secret(token)| same(given, token)) {
        if !given.starts_with(access::KEY) {
            return Err(match token {
                Some(_) => Error::Unauthorized,
                None => Error::NotFound("There is nothing at this address."),
            });
        }
        let caller = request
            .extract_parts_with_state::<Caller, _>(&state)
            .await?;
        scopes::check(&caller, Scope::Admin)?;
    }
    Ok(next.run(request).await)
}

/// Compares in constant time, independent of the tokens' lengths.
fn same(given: &str, expected: &str) -> bool {
    let (given, expected) = (Sha256::digest(given), Sha256::digest(expected));
    given.as_slice().ct_eq(&expected).into()
}

#[derive(Serialize)]
struct Dead {
    jobs: Vec<DeadLetter>,
    /// The `cursor` of the next page; null on the last.
    next: Option<String>,
}

/// The query of a list of dead letters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default, deserialize_with = "limit")]
    limit: Option<usize>,
    #[serde(default, deserialize_with = "query::text")]
    cursor: Option<String>,
}

fn limit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    query::optional(deserializer, |text| match text.parse() {
        Ok(limit @ 1..=LARGEST_PAGE) => Ok(limit),
        _ => Err(format!("limit is a number from 1 to {LARGEST_PAGE}.")),
    })
}

async fn list(
    AxumState(state): AxumState<State>,
    Query(wanted): Query<Wanted>,
) -> Result<Response> {
    let limit = wanted.limit.unwrap_or(PAGE);
    let letters = state
        .studio
        .dead(wanted.cursor.as_deref(), limit + 1)
        .await?;
    let (letters, next) = page(letters, limit);
    let jobs = letters.iter().map(DeadLetter::new).collect();
    Ok(no_store(Json(Dead { jobs, next })))
}

/// Returns the queued job; nothing for a notice.
async fn retry(AxumState(state): AxumState<State>, Path(id): Path<JobId>) -> Result<Response> {
    let job = state.studio.retry(&id).await?;
    Ok(match view::job(&job) {
        Some(job) => Json(job).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

#[derive(Serialize)]
struct Retried {
    retried: usize,
}

async fn retry_all(AxumState(state): AxumState<State>) -> Result<Json<Retried>> {
    let retried = state.studio.retry_all().await?;
    Ok(Json(Retried { retried }))
}

async fn delete_dead(
    AxumState(state): AxumState<State>,
    Path(id): Path<JobId>,
) -> Result<StatusCode> {
    state.studio.delete_dead(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_compared_whole() {
        assert!(same("a token of ours", "a token of ours"));
        for other in ["", "a token of our", "a token of ours!", "A token of ours"] {
            assert!(!same(other, "a token of ours"), "{other}");
        }
    }
}
