//! Links to what otherwise only its owner sees: the address of the page with a
//! key in it that only we can make. Nothing is stored but that it is closed; a link ends with its job.

use axum::{
    Json,
    extract::State as AxumState,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Redirect, Response},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac as _};
use serde_json::json;
use sha2::Sha256;

use super::{Result, State, accept::wants_page, jobs, path::Path};
use crate::{job::Visibility, studio::Caller};

/// Bytes of a key: enough that nobody guesses one.
const LENGTH: usize = 16;

/// Makes and knows the keys of links.
#[derive(Clone)]
pub struct Links(Hmac<Sha256>);

impl Links {
    /// Links signed with `secret`.
    pub fn new(secret: [u8; 64]) -> Self {
        Self(Hmac::new(&secret.into()))
    }

    fn key(&self, id: &str) -> String {
        let tag = self.0.clone().chain_update(id).finalize().into_bytes();
        BASE64_URL_SAFE_NO_PAD.encode(&tag[..LENGTH])
    }

    /// The key of the job, if a query brings it.
    pub(super) fn key_in<'a>(&self, query: Option<&'a str>, id: &str) -> Option<&'a str> {
        jobs::parameter(query, "key").filter(|key| self.opens(id, key))
    }

    /// Whether the key is that of the job.
    pub(super) fn opens(&self, id: &str, key: &str) -> bool {
        let tag = BASE64_URL_SAFE_NO_PAD.decode(key).unwrap_or_default();
        tag.len() == LENGTH
            && self
                .0
                .clone()
                .chain_update(id)
                .verify_truncated_left(&tag)
                .is_ok()
    }
}

/// `POST /api/jobs/{id}/link`: the address to give away, for the owner alone.
pub(super) async fn make(
    AxumState(state): AxumState<State>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    let job = jobs::own(&state, &caller, &id).await?;
    state.studio.share(&job, true).await?;
    let url = match job.request.task.visibility() {
        Visibility::Everybody => format!("/jobs/{id}"),
        Visibility::Owner => format!("/jobs/{id}?key={}", state.links.key(&id)),
    };
    Ok(if wants_page(&headers) {
        Redirect::to(&url).into_response()
    } else {
        Json(json!({ "url": url })).into_response()
    })
}

/// `POST /api/jobs/{id}/share`: others see the job again.
pub(super) async fn share(
    state: AxumState<State>,
    caller: Caller,
    id: Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    show(state, caller, id, headers, true).await
}

/// `POST /api/jobs/{id}/unshare`: nobody but its owner sees the job, not even by a link.
pub(super) async fn unshare(
    state: AxumState<State>,
    caller: Caller,
    id: Path<String>,
    headers: HeaderMap,
) -> Result<Response> {
    show(state, caller, id, headers, false).await
}

async fn show(
    AxumState(state): AxumState<State>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    shared: bool,
) -> Result<Response> {
    let job = jobs::own(&state, &caller, &id).await?;
    state.studio.share(&job, shared).await?;
    Ok(if wants_page(&headers) {
        Redirect::to(&format!("/jobs/{id}")).into_response()
    } else {
        StatusCode::NO_CONTENT.into_response()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_opens_its_own_job_only() {
        let links = Links::new([7; 64]);
        let key = links.key("one");
        assert!(links.opens("one", &key));
        assert!(!links.opens("two", &key));
        assert!(!Links::new([8; 64]).opens("one", &key));
        for wrong in ["", "A", &key[1..], &format!("{key}AAAA")] {
            assert!(!links.opens("one", wrong), "{wrong}");
        }
    }
}
