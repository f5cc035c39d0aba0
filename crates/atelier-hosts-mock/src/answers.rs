//! What each host says.

use std::{collections::HashMap, time::Duration};

use axum::{
    Json, Router,
    extract::Query,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{Html, IntoResponse as _, Response},
};
use serde_json::json;
use tokio::time::sleep;

/// The longest that a client may ask to be kept waiting.
const LONGEST: Duration = Duration::from_secs(60);

pub(crate) fn router() -> Router {
    Router::new().fallback(answer)
}

async fn answer(
    uri: Uri,
    headers: HeaderMap,
    Query(query): Query<HashMap<String, String>>,
) -> Response {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let host = host
        .unwrap_or_default()
        .split(':')
        .next()
        .unwrap_or_default();
    let path = uri.path();
    match host {
        "example.com" | "example.org" if path == "/" => {
            Html("<!doctype html><title>Example Domain</title>").into_response()
        }
        "httpbin.org" => status(path.strip_prefix("/status/")).into_response(),
        "mock.httpstatus.io" => mock(path, &query).await,
        "api.openai.com" if path == "/v1/chat/completions" => completion(&headers),
        "www.initial.com" | "www.updated.com" => "ok".into_response(),
        host if host.ends_with(".requestcatcher.com") => "request caught".into_response(),
        _ => (StatusCode::NOT_FOUND, "not found").into_response(),
    }
}

fn status(text: Option<&str>) -> StatusCode {
    let code = text.and_then(|text| text.parse().ok());
    code.unwrap_or(StatusCode::NOT_FOUND)
}

/// The status of the path with its reason as the body, after `sleep` milliseconds.
async fn mock(path: &str, query: &HashMap<String, String>) -> Response {
    let pause = query.get("sleep").and_then(|text| text.parse().ok());
    sleep(Duration::from_millis(pause.unwrap_or(0)).min(LONGEST)).await;
    let status = status(path.strip_prefix('/'));
    (status, status.to_string()).into_response()
}

/// A chat of one word, for any key.
fn completion(headers: &HeaderMap) -> Response {
    let key = headers.get(header::AUTHORIZATION);
    if !key.is_some_and(|key| key.as_bytes().starts_with(b"Bearer ")) {
        let error = json!({"error": {"message": "no key", "type": "invalid_request_error"}});
        return (StatusCode::UNAUTHORIZED, Json(error)).into_response();
    }
    Json(json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": "gpt-3.5-turbo",
        "choices": [{
            "index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": "hello"},
        }],
        "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10},
    }))
    .into_response()
}
