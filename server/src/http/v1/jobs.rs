//! `Prefer: respond-async` (RFC 7240): the call is made later, and its job is told at once.

use atelier_gateway::ApiError;
use axum::{
    Json,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde_json::json;

use super::{Result, answer::tell_limits};
use crate::{
    gateway::{Accepted, Asked, Terms, kept},
    http::{Error, State, api::submission, outlive::outlive},
    limit::headers,
    queue::Hooks,
};

const RESPOND_ASYNC: &str = "respond-async";
const CALLBACK: &str = "x-atelier-callback";
const FAILURE_CALLBACK: &str = "x-atelier-failure-callback";
const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// Whether the client prefers not to wait.
pub(super) fn is_preferred(headers: &HeaderMap) -> Result<bool> {
    let fields = headers.get_all(PREFER).into_iter();
    let preferences = fields
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(','));
    let mut names = preferences.map(|one| one.split([';', '=']).next().unwrap_or_default().trim());
    let preferred = names.any(|name| name.eq_ignore_ascii_case(RESPOND_ASYNC));
    let calls_back = [CALLBACK, FAILURE_CALLBACK].into_iter();
    let mut calls_back = calls_back.filter(|name| headers.contains_key(*name));
    match calls_back.next() {
        Some(name) if !preferred => {
            let message =
                format!("{name} needs the preference respond-async (Prefer: respond-async).");
            Err(ApiError::invalid(message).param(name).into())
        }
        _ => Ok(preferred),
    }
}

/// Accepts the call, even if its client hangs up meanwhile.
pub(super) async fn accept(state: &State, asked: Asked, headers: &HeaderMap) -> Result<Response> {
    let hooks = match hooks(state, &asked, headers) {
        Ok(hooks) => hooks,
        Err(Error::Invalid { code, detail }) => {
            let name = if code == "callback_url" {
                CALLBACK
            } else {
                FAILURE_CALLBACK
            };
            return Err(ApiError::invalid(detail).param(name).into());
        }
        Err(error) => return Ok(error.into_response()),
    };
    let terms = Terms {
        headers: kept(headers),
        hooks,
    };
    let (gateway, caller) = (state.gateway.clone(), asked.caller.clone());
    let accepted = outlive(async move |_| Ok(gateway.accept(asked, terms).await)).await;
    let Accepted { job, standings } = match accepted {
        Ok(accepted) => accepted?,
        Err(error) => return Ok(error.into_response()),
    };
    let mut address = format!("/api/jobs/{}", job.id);
    if caller.owner.is_none() && job.owns_itself() {
        address = state.owner_keys.address(&address, &job.id);
    }
    let body = json!({ "id": job.id, "object": "atelier.job", "status": job.status });
    let mut response = (StatusCode::ACCEPTED, Json(body)).into_response();
    let fields = response.headers_mut();
    if let Ok(address) = HeaderValue::from_str(&address) {
        fields.insert(header::LOCATION, address);
    }
    fields.insert(PREFERENCE_APPLIED, HeaderValue::from_static(RESPOND_ASYNC));
    headers::set(fields, &standings);
    tell_limits(fields, &standings);
    Ok(response)
}

fn hooks(state: &State, asked: &Asked, headers: &HeaderMap) -> Result<Hooks, Error> {
    let url = |name: &str| {
        let value = headers.get(name)?;
        // What is no text is no address either.
        Some(value.to_str().unwrap_or_default().to_owned())
    };
    submission::hooks(state, &asked.caller, url(CALLBACK), url(FAILURE_CALLBACK))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preferred(fields: &[(&'static str, &'static str)]) -> Option<bool> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        is_preferred(&headers).ok()
    }

    #[test]
    fn the_preference_is_one_of_a_list() {
        for (value, expected) in [
            ("respond-async", true),
            ("Respond-Async", true),
            ("wait=10, respond-async", true),
            ("respond-async; a=b, wait=10", true),
            ("return=minimal", false),
            ("respond-asynchronously", false),
            ("", false),
        ] {
            assert_eq!(preferred(&[("prefer", value)]), Some(expected), "{value}");
        }
        assert_eq!(preferred(&[]), Some(false));
        let second = [("prefer", "wait=1"), ("prefer", "respond-async")];
        assert_eq!(preferred(&second), Some(true));
        assert_eq!(preferred(&[(CALLBACK, "https://a.example")]), None);
    }
}
