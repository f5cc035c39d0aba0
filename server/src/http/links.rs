//! Links to what otherwise only its owner sees: the address of the page with a
//! key in it that only we can make. Nothing is stored; a link ends with its job.

use axum::{
    Json,
    extract::{Path, State as AxumState},
    http::HeaderMap,
    response::{IntoResponse as _, Redirect, Response},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac as _};
use serde_json::json;
use sha2::Sha256;

use super::{Result, State, images::wants_page, jobs};
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
