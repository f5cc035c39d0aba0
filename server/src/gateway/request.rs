//! A call as it comes in: who makes it, and what it says besides its body.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use atelier_gateway::Call;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use super::{Recording, charging::JobCharge};
use crate::{app::Caller, config::CacheMode};

/// A call of a client.
#[derive(Debug)]
pub struct Asked {
    /// The request's id, also in the store.
    pub id: String,
    pub caller: Caller,
    pub call: Call,
    pub query: Option<String>,
    /// The headers that upstreams may see.
    pub headers: HeaderMap,
    pub wishes: Wishes,
    /// When the client gives up.
    pub deadline: Instant,
    /// What the operator is told of it.
    pub recording: Arc<Recording>,
    /// Set if a job makes the call, which has been charged for it.
    pub job: Option<Arc<JobCharge>>,
}

/// What a client asks of us in headers.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Wishes {
    /// `x-atelier-cache`
    pub cache: Option<CacheMode>,
    /// `Cache-Control: no-cache`: no answer from before.
    pub fresh: bool,
    /// `Cache-Control: no-store`: the answer is not kept either.
    pub unkept: bool,
    /// `Cache-Control: max-age`
    pub max_age: Option<Duration>,
    /// `Idempotency-Key`
    pub idempotency_key: Option<String>,
    /// The client tries again.
    pub repeated: bool,
}

const X_ATELIER_CACHE: HeaderName = HeaderName::from_static("x-atelier-cache");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const RETRY_COUNT: HeaderName = HeaderName::from_static("x-stainless-retry-count");
const TIMEOUTS: [HeaderName; 2] = [
    HeaderName::from_static("x-stainless-timeout"),
    HeaderName::from_static("x-stainless-read-timeout"),
];

/// What upstreams may see of a client's headers: nothing that tells who it is.
const FORWARDED: [HeaderName; 8] = [
    header::ACCEPT,
    header::CONTENT_TYPE,
    HeaderName::from_static("openai-beta"),
    HeaderName::from_static("anthropic-beta"),
    HeaderName::from_static("anthropic-version"),
    HeaderName::from_static("x-client-request-id"),
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
];

/// What a job keeps besides.
const KEPT: [HeaderName; 3] = [X_ATELIER_CACHE, IDEMPOTENCY_KEY, header::CACHE_CONTROL];

/// Longest `Idempotency-Key`, in bytes.
const LONGEST_KEY: usize = 255;

/// A header has a value that we do not understand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidHeader(&'static str);

impl Wishes {
    /// Reads the headers.
    pub fn read(headers: &HeaderMap) -> Result<Self, InvalidHeader> {
        let mut wishes = Self {
            cache: cache_mode(headers)?,
            idempotency_key: idempotency_key(headers)?,
            repeated: number(headers, &RETRY_COUNT).is_some_and(|count| count > 0.0),
            ..Self::default()
        };
        for directive in directives(headers) {
            let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
            match name.trim().to_ascii_lowercase().as_str() {
                "no-cache" => wishes.fresh = true,
                "no-store" => wishes.unkept = true,
                "max-age" => {
                    let seconds = value.trim().trim_matches('"').parse();
                    wishes.max_age = seconds.ok().map(Duration::from_secs);
                }
                _ => {}
            }
        }
        Ok(wishes)
    }
}

fn cache_mode(headers: &HeaderMap) -> Result<Option<CacheMode>, InvalidHeader> {
    let Some(value) = headers.get(X_ATELIER_CACHE) else {
        return Ok(None);
    };
    match value.as_bytes().to_ascii_lowercase().as_slice() {
        b"off" => Ok(Some(CacheMode::Off)),
        b"exact" => Ok(Some(CacheMode::Exact)),
        b"semantic" => Ok(Some(CacheMode::Semantic)),
        _ => Err(InvalidHeader(
            "x-atelier-cache is one of exact, semantic and off.",
        )),
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, InvalidHeader> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    let key = value.to_str().unwrap_or_default().trim();
    if key.is_empty() || key.len() > LONGEST_KEY {
        return Err(InvalidHeader(
            "Idempotency-Key has 1 to 255 visible ASCII characters.",
        ));
    }
    Ok(Some(key.to_owned()))
}

fn directives(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let fields = headers.get_all(header::CACHE_CONTROL).into_iter();
    fields
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(','))
        .map(str::trim)
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Option<f64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// Returns the time that the client waits for an answer, if it says so.
pub fn patience(headers: &HeaderMap) -> Option<Duration> {
    let seconds = TIMEOUTS.iter().find_map(|name| number(headers, name))?;
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|patience| !patience.is_zero())
}

/// The headers that upstreams may see.
pub fn forwarded(headers: &HeaderMap) -> HeaderMap {
    let mut forwarded = HeaderMap::with_capacity(FORWARDED.len() + 1);
    for name in FORWARDED {
        for value in headers.get_all(&name) {
            forwarded.append(name.clone(), value.clone());
        }
    }
    // What is looked into must be readable.
    let plain = HeaderValue::from_static("identity");
    forwarded.insert(header::ACCEPT_ENCODING, plain);
    forwarded
}

/// What a job keeps of the headers: those that upstreams may see, and what is asked of us.
pub fn kept(headers: &HeaderMap) -> Vec<(String, String)> {
    let names = FORWARDED.into_iter().chain(KEPT);
    let fields = names.flat_map(|name| {
        let values = headers.get_all(&name).iter();
        let values =
            values.filter_map(|value| Some((name.to_string(), value.to_str().ok()?.into())));
        values.collect::<Vec<_>>()
    });
    fields.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        let fields = fields
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        fields.collect()
    }

    #[test]
    fn wishes_come_in_headers() {
        let all = headers(&[
            ("x-atelier-cache", "Semantic"),
            ("cache-control", "max-age=60, No-Cache"),
            ("cache-control", "no-store"),
            ("idempotency-key", "abc"),
            ("x-stainless-retry-count", "1"),
        ]);
        let expected = Wishes {
            cache: Some(CacheMode::Semantic),
            fresh: true,
            unkept: true,
            max_age: Some(Duration::from_secs(60)),
            idempotency_key: Some("abc".into()),
            repeated: true,
        };
        assert_eq!(Wishes::read(&all).unwrap(), expected);
        let first = headers(&[
            ("x-stainless-retry-count", "0"),
            ("cache-control", "max-age=x"),
        ]);
        assert_eq!(Wishes::read(&first).unwrap(), Wishes::default());
        let long = "k".repeat(256);
        for bad in [
            ("x-atelier-cache", "on"),
            ("idempotency-key", &long),
            ("idempotency-key", " "),
        ] {
            assert!(Wishes::read(&headers(&[bad])).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn upstreams_do_not_learn_who_asks() {
        let all = headers(&[
            ("authorization", "Bearer atl_secret"),
            ("x-api-key", "atl_secret"),
            ("cookie", "atelier_session=1"),
            ("x-forwarded-for", "203.0.113.7"),
            ("forwarded", "for=203.0.113.7"),
            ("openai-organization", "org"),
            ("accept-encoding", "gzip"),
            ("anthropic-beta", "a"),
            ("anthropic-beta", "b"),
            ("content-type", "application/json"),
        ]);
        let expected = headers(&[
            ("content-type", "application/json"),
            ("anthropic-beta", "a"),
            ("anthropic-beta", "b"),
            ("accept-encoding", "identity"),
        ]);
        assert_eq!(forwarded(&all), expected);
    }

    #[test]
    fn the_official_clients_say_how_long_they_wait() {
        assert_eq!(patience(&headers(&[])), None);
        let read = headers(&[("x-stainless-read-timeout", "2.5")]);
        assert_eq!(patience(&read), Some(Duration::from_millis(2500)));
        for bad in ["-1", "0", "nan", "1e300", "soon"] {
            assert_eq!(
                patience(&headers(&[("x-stainless-timeout", bad)])),
                None,
                "{bad}"
            );
        }
    }
}
