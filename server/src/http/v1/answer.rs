//! Answers with what is told of them: where they come from, what they cost, what is left.

use std::fmt::Write as _;

use axum::{
    body::Body as HttpBody,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::Response,
};

use crate::{
    gateway::{Body, Reply, Source},
    limit::{
        Standing, Unit,
        headers::{self, reset},
    },
};

const CACHE: HeaderName = HeaderName::from_static("x-atelier-cache");
const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
const COST: HeaderName = HeaderName::from_static("x-atelier-cost-usd");
const UPSTREAM: HeaderName = HeaderName::from_static("x-atelier-upstream");

/// The answer as it is sent.
pub(super) fn respond(reply: Reply) -> Response {
    let body = match reply.body {
        Body::Whole(bytes) => HttpBody::from(bytes),
        Body::Stream(parts) => HttpBody::from_stream(parts),
    };
    let mut response = Response::new(body);
    *response.status_mut() = reply.status;
    let fields = response.headers_mut();
    *fields = reply.headers;
    tell_source(fields, reply.source);
    set(fields, UPSTREAM, &reply.upstream);
    if let Some(usd) = reply.usd {
        set(fields, COST, &format!("{usd:.6}"));
    }
    headers::set(fields, &reply.standings);
    tell_limits(fields, &reply.standings);
    response
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
