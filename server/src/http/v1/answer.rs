//! Answers with what is told of them: where they come from, what they cost, what is left.

use std::{
    fmt::Write as _,
    sync::{Arc, OnceLock},
};

use axum::{
    body::Body as HttpBody,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::Response,
};
use http_body_util::BodyExt as _;

use crate::{
    gateway::{Body, COST, Reply, Source, dollars},
    limit::{
        Standing, Unit,
        headers::{self, reset},
    },
};

const CACHE: HeaderName = HeaderName::from_static("x-atelier-cache");
const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
const UPSTREAM: HeaderName = HeaderName::from_static("x-atelier-upstream");

/// The answer as it is sent to a client that may read fields behind the body.
pub(super) fn respond(mut reply: Reply, reads_trailers: bool) -> Response {
    let cost = reply.cost.take().filter(|_| reads_trailers);
    let announced = cost.is_some().then(|| HeaderValue::from(COST));
    let body = match reply.body {
        Body::Whole(bytes) => HttpBody::from(bytes),
        Body::Stream(parts) => with_cost(HttpBody::from_stream(parts), cost),
    };
    let mut response = Response::new(body);
    *response.status_mut() = reply.status;
    let fields = response.headers_mut();
    *fields = reply.headers;
    fields.extend(announced.map(|cost| (header::TRAILER, cost)));
    tell_source(fields, reply.source);
    set(fields, UPSTREAM, &reply.upstream);
    if let Some(usd) = reply.usd {
        tell_cost(fields, usd);
    }
    headers::set(fields, &reply.standings);
    tell_limits(fields, &reply.standings);
    response
}

/// Whether the client reads what follows a body (RFC 9110, 6.5.1).
pub(super) fn reads_trailers(headers: &HeaderMap) -> bool {
    let fields = headers.get_all(header::TE).iter();
    let mut codings = fields.flat_map(|field| field.as_bytes().split(|byte| *byte == b','));
    codings.any(|coding| coding.trim_ascii().eq_ignore_ascii_case(b"trailers"))
}

/// Tells the cost behind the body, when it is known.
fn with_cost(body: HttpBody, cost: Option<Arc<OnceLock<f64>>>) -> HttpBody {
    let Some(cost) = cost else { return body };
    HttpBody::new(body.with_trailers(async move {
        let mut fields = HeaderMap::new();
        tell_cost(&mut fields, *cost.get()?);
        Some(Ok(fields))
    }))
}

/// What the client is charged, in US dollars.
pub(super) fn tell_cost(fields: &mut HeaderMap, usd: f64) {
    set(fields, COST, &dollars(usd));
}

fn tell_source(fields: &mut HeaderMap, source: Source) {
    let status = match source {
        Source::Off => "atelier; fwd=bypass".to_owned(),
        Source::Miss => "atelier; fwd=uri-miss; stored".to_owned(),
        Source::Joined => "atelier; fwd=uri-miss; collapsed".to_owned(),
        Source::Hit(age) => {
            set(fields, header::AGE, &age.as_secs().to_string());
            "atelier; hit".to_owned()
        }
        Source::Semantic(age, similarity) => {
            set(fields, header::AGE, &age.as_secs().to_string());
            format!("atelier; hit; detail=\"semantic {similarity:.3}\"")
        }
    };
    set(fields, CACHE, source.name());
    set(fields, CACHE_STATUS, &status);
}

fn set(fields: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        fields.insert(name, value);
    }
}

/// The limits as OpenAI tells them: of requests and of tokens, the ones with the least left.
pub(super) fn tell_limits(fields: &mut HeaderMap, standings: &[Standing]) {
    for (unit, name) in [(Unit::Requests, "requests"), (Unit::Tokens, "tokens")] {
        let of_unit = standings.iter().filter(|one| one.policy.unit == unit);
        let Some(tightest) = of_unit.min_by_key(|one| one.remaining) else {
            continue;
        };
        for (part, value) in [
            ("limit", tightest.policy.quota.to_string()),
            ("remaining", tightest.remaining.to_string()),
            ("reset", spelled(reset(tightest))),
        ] {
            if let Ok(name) = HeaderName::try_from(format!("x-ratelimit-{part}-{name}")) {
                set(fields, name, &value);
            }
        }
    }
}

/// A duration as OpenAI spells it: `6m0s`.
fn spelled(seconds: u64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let mut text = String::new();
    // Writing to a String cannot fail.
    if hours > 0 {
        let _ = write!(text, "{hours}h");
    }
    if hours > 0 || minutes > 0 {
        let _ = write!(text, "{minutes}m");
    }
    let _ = write!(text, "{seconds}s");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_spelled_as_openai_does() {
        for (seconds, text) in [
            (0, "0s"),
            (59, "59s"),
            (360, "6m0s"),
            (3_600, "1h0m0s"),
            (90_061, "25h1m1s"),
        ] {
            assert_eq!(spelled(seconds), text);
        }
    }
}
