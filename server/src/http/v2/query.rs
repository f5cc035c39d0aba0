//! Queries and bodies of requests.

use atelier_messages::filter::{Filter, Of};
use axum::{
    body::{Body, Bytes},
    extract::Request,
    http::{HeaderMap, header},
};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::Result;
use crate::{
    http::{error as problems, extract::query::parameter},
    messages::Error,
};

/// The largest body that is no message, in bytes: names, ids and settings.
const SMALL: u64 = 1_000_000;

/// The fields of a query, without those that are empty; a name may repeat.
pub(super) fn fields(query: Option<&str>) -> Vec<(String, String)> {
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    pairs
        .into_owned()
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

/// Reads a body of at most so many bytes.
pub(super) async fn read(headers: &HeaderMap, body: Body, limit: u64) -> Result<Bytes> {
    let coding = headers.get(header::CONTENT_ENCODING);
    if coding.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        let text = "A body with Content-Encoding is not taken. To have it delivered as it is, \
                    send its coding as Upstash-Forward-Content-Encoding.";
        return Err(Error::invalid(text));
    }
    let length = usize::try_from(limit).unwrap_or(usize::MAX);
    let read = axum::body::to_bytes(body, length).await;
    read.map_err(|error| {
        if problems::too_slow(&error) {
            Error::invalid("The body came in too slowly.")
        } else if problems::is_too_large(&error) {
            Error::TooLarge(limit)
        } else {
            Error::invalid("The body broke off.")
        }
    })
}

/// Reads a body of JSON, whatever its media type; `None` if there is none.
pub(super) async fn json<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Body,
) -> Result<Option<T>> {
    let bytes = read(headers, body, SMALL).await?;
    if bytes.trim_ascii().is_empty() {
        return Ok(None);
    }
    let read = serde_json::from_slice(&bytes);
    read.map(Some)
        .map_err(|error| Error::Invalid(format!("The JSON is not right: {error}.")))
}

/// Reads which messages are meant from the query and, as some clients send it there, the body.
pub(super) async fn filter(of: Of, request: Request) -> Result<Filter> {
    let (parts, body) = request.into_parts();
    let body = read(&parts.headers, body, SMALL).await?;
    Filter::read(of, parts.uri.query(), &body).map_err(Error::invalid)
}

/// Reads which messages are to be changed, and how many at most: all, if neither a number nor
/// a filter is given.
pub(super) async fn changed(of: Of, request: Request) -> Result<(Filter, usize)> {
    let counts = parameter(request.uri().query(), "count").is_some();
    let filter = filter(of, request).await?;
    let most = if filter.is_everything() && !counts {
        usize::MAX
    } else {
        filter.count()
    };
    Ok((filter, most))
}

/// A part of a list, with where the next one begins.
pub(super) fn paged(name: &str, items: Vec<Value>, cursor: Option<String>) -> Value {
    let mut told = Map::new();
    told.insert(name.to_owned(), Value::Array(items));
    if let Some(cursor) = cursor {
        told.insert("cursor".to_owned(), cursor.into());
    }
    Value::Object(told)
}
