//! A prediction as Replicate reports it, and what its result means.

use std::time::{Duration, SystemTime};

use reqwest::{Response, StatusCode, Url};
use serde::Deserialize;
use serde_json::Value;
use tracing::warn;

use super::super::{
    CONTENT_REFUSED, Error, Remedy,
    http::{self, beginning, shorten},
};
use atelier_gateway::retry_after::{LONGEST_PAUSE, asked_pause};

/// The hosts of outputs.
const DELIVERY: &str = "replicate.delivery";

/// Messages of temporary failures.
const PASSING: [&str; 6] = [
    "interrupted",
    "try again",
    "timed out",
    "out of memory",
    "queue is full",
    "unexpected error handling prediction",
];

/// Messages of content refusals.
const UNSAFE: [&str; 3] = ["nsfw", "sensitive", "safety"];

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Prediction {
    pub(super) id: String,
    status: String,
    #[serde(default)]
    output: Value,
    #[serde(default)]
    error: Value,
}

/// The state of a prediction that has not failed.
pub(super) enum Outlook {
    UnderWay,
    /// The URLs of its pictures.
    Done(Vec<String>),
}

impl Prediction {
    pub(super) fn outlook(&self) -> Result<Outlook, Error> {
        match self.status.as_str() {
            "starting" | "processing" | "queued" => Ok(Outlook::UnderWay),
            "succeeded" => self.outputs().map(Outlook::Done).ok_or_else(http::garbage),
            "failed" => Err(failed(&self.error)),
            // It never started.
            "aborted" => Err(Error::passing(
                "provider_failed",
                "The image service put the work off.",
            )),
            "canceled" => Err(Error::last(
                "provider_cancelled",
                "The work was called off at the image service.",
            )),
            unknown => {
                warn!(
                    status = shorten(unknown),
                    "a prediction's status is not known"
                );
                Err(http::garbage())
            }
        }
    }

    fn outputs(&self) -> Option<Vec<String>> {
        match &self.output {
            Value::String(one) => Some(vec![one.clone()]),
            Value::Array(several) => several
                .iter()
                .map(|one| one.as_str().map(str::to_owned))
                .collect(),
            _ => None,
        }
    }
}

fn failed(error: &Value) -> Error {
    let said = error.as_str().unwrap_or_default();
    let lower = said.to_lowercase();
    let speaks_of = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if speaks_of(&UNSAFE) {
        Error::last(
            CONTENT_REFUSED,
            "The image service refused this request as unsafe. Sending the same again will not help.",
        )
    } else if speaks_of(&PASSING) {
        Error::passing("provider_failed", "The image service failed.")
    } else {
        Error::last(
            "provider_failed",
            format!("The image service failed: {}", shorten(said)),
        )
    }
}

/// Whether the URL is on Replicate's own hosts: pictures are fetched from no others.
pub(super) fn is_trusted(url: &Url, base: &Url) -> bool {
    if url.origin() == base.origin() {
        return true;
    }
    let host = url.host_str().unwrap_or_default();
    let below = host.strip_suffix(DELIVERY);
    url.scheme() == "https" && below.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[derive(Debug, Default, Deserialize)]
struct Refusal {
    #[serde(default)]
    detail: String,
}

/// The error for a response with an error status.
pub(super) async fn refused(response: Response) -> Error {
    let (status, headers) = (response.status(), response.headers().clone());
    let body = beginning(response).await;
    let Refusal { detail } = serde_json::from_slice(&body).unwrap_or_default();
    let asked = asked_pause(&headers, SystemTime::now()).or_else(|| resets_in(&detail));
    let error = classify(status, &detail, asked);
    warn!(status = status.as_u16(), code = error.code, remedy = ?error.remedy, "Replicate refused a call");
    error
}

fn classify(status: StatusCode, detail: &str, pause: Option<Duration>) -> Error {
    match status.as_u16() {
        429 => Error {
            remedy: Remedy::Wait(pause),
            ..Error::passing("provider_busy", "The image service is busy.")
        },
        402 => Error::last(
            "provider_credit_exhausted",
            "The studio's account with the image service has run out of credit. Please tell whoever runs this site.",
        ),
        401 | 403 => Error::last(
            "provider_key_refused",
            "The image service does not accept this studio's key. Please tell whoever runs this site.",
        ),
        408 | 409 | 500.. => Error {
            remedy: Remedy::Retry(pause),
            ..Error::passing("provider_failed", "The image service failed.")
        },
        _ => Error::last(
            "provider_refused",
            format!("The image service refused the request: {}", shorten(detail)),
        ),
    }
}

/// `Request was throttled. Your rate limit resets in ~30s.`
fn resets_in(detail: &str) -> Option<Duration> {
    let rest = detail.split("resets in ~").nth(1)?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    let pause = digits.parse().ok().map(Duration::from_secs)?;
    Some(pause.min(LONGEST_PAUSE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(json: &str) -> Result<Outlook, Error> {
        serde_json::from_str::<Prediction>(json).unwrap().outlook()
    }

    fn done(json: &str) -> Vec<String> {
        match told(json) {
            Ok(Outlook::Done(outputs)) => outputs,
            _ => panic!("{json} is not done"),
        }
    }

    #[test]
    fn every_status_means_something() {
        for status in ["starting", "processing"] {
            let json = format!(r#"{{"id":"a","status":"{status}","output":null,"error":null}}"#);
            assert!(matches!(told(&json), Ok(Outlook::UnderWay)));
        }
        assert_eq!(
            done(r#"{"id":"a","status":"succeeded","output":"u"}"#),
            ["u"]
        );
        assert_eq!(
            done(r#"{"id":"a","status":"succeeded","output":["u","v"]}"#),
            ["u", "v"]
        );
        for (json, code, retryable) in [
            (
                r#"{"id":"a","status":"succeeded","output":null}"#,
                "bad_answer",
                true,
            ),
            (
                r#"{"id":"a","status":"succeeded","output":[1]}"#,
                "bad_answer",
                true,
            ),
            (r#"{"id":"a","status":"aborted"}"#, "provider_failed", true),
            (
                r#"{"id":"a","status":"canceled"}"#,
                "provider_cancelled",
                false,
            ),
            (
                r#"{"id":"a","status":"failed","error":"NSFW content detected"}"#,
                "content_refused",
                false,
            ),
            (
                r#"{"id":"a","status":"failed","error":"Prediction interrupted; please retry (code: PA)"}"#,
                "provider_failed",
                true,
            ),
            (
                r#"{"id":"a","status":"failed","error":"cannot identify image file"}"#,
                "provider_failed",
                false,
            ),
            (r#"{"id":"a","status":"melted"}"#, "bad_answer", true),
        ] {
            let Err(error) = told(json) else {
                panic!("{json} is no failure");
            };
            assert_eq!(
                (error.code, error.remedy != Remedy::Nothing),
                (code, retryable),
                "{json}"
            );
        }
    }

    #[test]
    fn refusals_are_sorted() {
        let throttled = "Request was throttled. Your rate limit resets in ~30s.";
        let pause = resets_in(throttled);
        assert_eq!(pause, Some(Duration::from_secs(30)));
        assert_eq!(resets_in("no"), None);
        assert_eq!(resets_in("resets in ~999999999999s"), Some(LONGEST_PAUSE));
        assert_eq!(resets_in("resets in ~99999999999999999999s"), None);
        let classify = |status| classify(StatusCode::from_u16(status).unwrap(), "why", pause);
        assert_eq!(classify(429).remedy, Remedy::Wait(pause));
        assert_eq!(classify(503).remedy, Remedy::Retry(pause));
        for (status, code) in [
            (401, "provider_key_refused"),
            (402, "provider_credit_exhausted"),
            (422, "provider_refused"),
        ] {
            let error = classify(status);
            assert_eq!((error.code, error.remedy), (code, Remedy::Nothing));
        }
    }

    #[test]
    fn pictures_are_fetched_from_known_hosts() {
        let base = Url::parse("https://api.replicate.com/v1").unwrap();
        let trusted = |url: &str| is_trusted(&Url::parse(url).unwrap(), &base);
        assert!(trusted("https://replicate.delivery/x.png"));
        assert!(trusted("https://pbxt.replicate.delivery/x.png"));
        assert!(trusted("https://api.replicate.com/v1/files/x"));
        for other in [
            "http://replicate.delivery/x.png",
            "https://evilreplicate.delivery/x.png",
            "https://replicate.delivery.evil.example/x.png",
            "http://169.254.169.254/latest/meta-data",
            "file:///etc/passwd",
        ] {
            assert!(!trusted(other), "{other}");
        }
    }
}
