//! Makes a call: at the first of its targets that answers, within the client's time.

use std::{
    pin::Pin,
    time::{Duration, Instant, SystemTime},
};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, Method, StatusCode, header};
use reqwest::{Client, Response, redirect};
use tokio::time::{sleep, timeout};

use crate::{
    Refusal,
    routing::Target,
    upstream::{InFlight, NoToken},
};

/// How often one target is asked before the next.
const TRIES: u32 = 2;

/// The pause before the second try, if the upstream names none; a random part of it.
const PAUSE: Duration = Duration::from_millis(500);

/// The longest pause before the same target is tried again.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Maximum number of bytes read of an upstream's error.
const MAX_ERROR: usize = 64 * 1024;

/// Maximum time for reading an upstream's error.
const ERROR_TIME: Duration = Duration::from_secs(5);

const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// What is sent.
pub struct Outgoing<'a> {
    /// The method.
    pub method: Method,
    /// Below the upstream's base, such as `/chat/completions`.
    pub path: &'a str,
    /// The query, without its question mark.
    pub query: Option<&'a str>,
    /// Only what an upstream may see; its key is added.
    pub headers: HeaderMap,
    /// Whether the answer is to be a stream.
    pub stream: bool,
    /// The body for this target.
    pub body: &'a (dyn Fn(&Target) -> Bytes + Send + Sync),
    /// Whether the call may be made again when it is unknown what became of it. A picture may
    /// have been made and paid for.
    pub repeatable: bool,
    /// Makes the call at targets to which it is not passed on.
    pub elsewhere: &'a (dyn Fn(&Target) -> Option<Elsewhere<'a>> + Send + Sync),
}

/// A call that is made in another way than by being passed on, and answered as if it had been.
pub type Elsewhere<'a> =
    Pin<Box<dyn Future<Output = Result<http::Response<Bytes>, Unanswered>> + Send + 'a>>;

/// Why such a call has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unanswered {
    /// Nobody was reached; nothing was sent.
    Unreachable,
    /// What became of it is unknown.
    Lost,
}

/// The beginning of an answer.
#[derive(Debug)]
pub struct Answer {
    /// Who gave it.
    pub target: Target,
    /// Its status and headers; its body is still to be read.
    pub response: Response,
    /// Counts the call until its end.
    pub in_flight: InFlight,
}

/// Why nobody answered.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The upstream refused the call, or failed.
    #[error("{upstream} answered {status}")]
    Refused {
        /// Its name.
        upstream: String,
        /// Its status.
        status: StatusCode,
        /// The beginning of its body, without the key.
        body: Bytes,
        /// What it means.
        refusal: Refusal,
    },
    /// The upstream, or whoever gives tokens for it, refuses our key.
    #[error("{upstream} refuses our key")]
    Rejected {
        /// Its name.
        upstream: String,
    },
    /// The upstream could not be reached; nothing was sent.
    #[error("{upstream} cannot be reached")]
    Unreachable {
        /// Its name.
        upstream: String,
    },
    /// The connection broke, or the answer was not HTTP. What became of the call is unknown.
    #[error("the connection to {upstream} broke")]
    Broken {
        /// Its name.
        upstream: String,
    },
    /// The answer did not begin in time. What became of the call is unknown.
    #[error("{upstream} did not answer in time")]
    Late {
        /// Its name.
        upstream: String,
    },
    /// All upstreams are to be left alone for a while, or have too many calls in flight.
    #[error("no upstream takes a call at the moment")]
    Resting(Duration),
    /// No upstream serves the model.
    #[error("no upstream serves the model")]
    Nobody,
}

impl Failure {
    /// Whether the call may have been made and paid for.
    pub const fn is_uncertain(&self) -> bool {
        matches!(self, Self::Broken { .. } | Self::Late { .. })
    }
}

/// What became of one try.
enum Try {
    Answered(Answer),
    /// The same target may be tried again after the pause, if there is one.
    Failed(Failure, Option<Duration>),
    /// Nobody else may be tried.
    Last(Failure),
}

/// Creates the client for calls. It follows no redirect: an upstream must not send calls
/// with their keys elsewhere.
///
/// # Errors
/// If the machine's certificates cannot be read.
pub fn client(user_agent: &str) -> reqwest::Result<Client> {
    Client::builder()
        .user_agent(user_agent)
        .connect_timeout(Duration::from_secs(10))
        .redirect(redirect::Policy::none())
        .tcp_nodelay(true)
        .build()
}

/// Makes the call at the first target that answers, until `deadline`.
///
/// # Errors
/// If nobody answered: why the last target that was tried did not.
pub async fn forward(
    client: &Client,
    targets: &[Target],
    outgoing: &Outgoing<'_>,
    deadline: Instant,
) -> Result<Answer, Failure> {
    let mut failure = Failure::Nobody;
    for (number, target) in targets.iter().enumerate() {
        let more = number + 1 < targets.len();
        for tries in 1..=TRIES {
            let pause = match attempt(client, target, outgoing, deadline).await {
                Try::Answered(answer) => return Ok(answer),
                Try::Last(failure) => return Err(failure),
                Try::Failed(why, pause) => {
                    failure = worse(failure, why);
                    pause
                }
            };
            let longest = if more { PAUSE } else { LONGEST_PAUSE };
            let Some(pause) = pause.filter(|pause| *pause <= longest && tries < TRIES) else {
                break;
            };
            if Instant::now() + pause >= deadline {
                return Err(failure);
            }
            sleep(pause).await;
        }
        if Instant::now() >= deadline {
            break;
        }
    }
    Err(failure)
}

/// An upstream that rests tells less than one that has said why.
fn worse(before: Failure, now: Failure) -> Failure {
    match (&before, &now) {
        (Failure::Nobody, _) => now,
        (Failure::Resting(first), Failure::Resting(second)) => Failure::Resting(*first.min(second)),
        (_, Failure::Resting(_)) => before,
        _ => now,
    }
}

async fn attempt(
    client: &Client,
    target: &Target,
    outgoing: &Outgoing<'_>,
    deadline: Instant,
) -> Try {
    let upstream = &target.upstream;
    if let Some(pause) = upstream.rest(Instant::now()) {
        return Try::Failed(Failure::Resting(pause), Some(pause));
    }
    let in_flight = match upstream.free_place() {
        Some(place) => place,
        None => match timeout(until(deadline), upstream.place()).await {
            Ok(place) => place,
            Err(_) => return Try::Failed(Failure::Resting(PAUSE), None),
        },
    };
    let elsewhere = (outgoing.elsewhere)(target);
    // Its answer comes at once, when all of it is there.
    let patience = match elsewhere {
        Some(_) => upstream.timeout(),
        None => upstream.first_byte(),
    };
    let patience = patience.min(until(deadline));
    match timeout(patience, send(client, target, outgoing, elsewhere)).await {
        Ok(Ok(response)) if is_refusal(response.status()) => {
            refused(target, response, in_flight).await
        }
        Ok(Ok(response)) => answered(target, response, in_flight),
        Ok(Err(Unsent::Request(error))) => {
            let unsent = error.is_connect() || error.is_builder();
            // The address may hold a key.
            tracing::debug!(error = %error.without_url(), unsent, "an upstream call failed");
            broken(target, outgoing, unsent)
        }
        Ok(Err(Unsent::Elsewhere(why))) => broken(target, outgoing, why == Unanswered::Unreachable),
        Ok(Err(Unsent::Token(error))) => tokenless(target, &error),
        Err(_) => {
            upstream.failed(Instant::now());
            let late = Failure::Late {
                upstream: upstream.name().to_owned(),
            };
            uncertain(outgoing, late)
        }
    }
}

fn answered(target: &Target, response: Response, in_flight: InFlight) -> Try {
    target.upstream.succeeded();
    Try::Answered(Answer {
        target: target.clone(),
        response,
        in_flight,
    })
}

/// Why there is no response.
enum Unsent {
    Token(NoToken),
    Request(reqwest::Error),
    Elsewhere(Unanswered),
}

/// Sends the request; once more with another token if the one that it had is refused.
async fn send(
    client: &Client,
    target: &Target,
    outgoing: &Outgoing<'_>,
    elsewhere: Option<Elsewhere<'_>>,
) -> Result<Response, Unsent> {
    if let Some(made) = elsewhere {
        return made.await.map(Response::from).map_err(Unsent::Elsewhere);
    }
    let upstream = &target.upstream;
    let path = upstream.path(outgoing.path, outgoing.stream);
    let (url, body) = (upstream.url(path, outgoing.query), (outgoing.body)(target));
    let mut headers = outgoing.headers.clone();
    let token = upstream.authorize(client, path, &mut headers).await;
    let token = token.map_err(Unsent::Token)?;
    let request = |headers: HeaderMap| {
        let request = client.request(outgoing.method.clone(), url.clone());
        request.headers(headers).body(body.clone()).send()
    };
    let response = request(headers.clone()).await.map_err(Unsent::Request)?;
    let Some(refused) = token.filter(|_| response.status() == StatusCode::UNAUTHORIZED) else {
        return Ok(response);
    };
    let other = upstream.authorize_anew(client, refused, &mut headers).await;
    other.map_err(Unsent::Token)?;
    request(headers).await.map_err(Unsent::Request)
}

fn tokenless(target: &Target, error: &NoToken) -> Try {
    let upstream = target.upstream.name().to_owned();
    tracing::error!(%error, upstream, "an upstream call has no token");
    match error {
        NoToken::Unreachable => {
            target.upstream.failed(Instant::now());
            Try::Failed(Failure::Unreachable { upstream }, Some(backoff()))
        }
        NoToken::Refused { .. } => Try::Failed(Failure::Rejected { upstream }, None),
    }
}

fn until(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// Whether a status may mean that another try, or another upstream, helps.
fn is_refusal(status: StatusCode) -> bool {
    matches!(status.as_u16(), 400..=403 | 429) || status.is_server_error()
}

async fn refused(target: &Target, response: Response, in_flight: InFlight) -> Try {
    let (upstream, now) = (&target.upstream, Instant::now());
    let (status, headers) = (response.status(), response.headers().clone());
    let body = timeout(ERROR_TIME, beginning(response)).await;
    let body = upstream.hidden(body.unwrap_or_default());
    let dialect = upstream.dialect();
    let refusal = Refusal::read(dialect, status, &headers, &body, SystemTime::now());
    if refusal.is_bad_key {
        let upstream = upstream.name().to_owned();
        tracing::error!(upstream, %status, "an upstream refuses our key");
        return Try::Failed(Failure::Rejected { upstream }, None);
    }
    if status == StatusCode::BAD_REQUEST && !refusal.is_final {
        return answered(target, again(status, headers, body), in_flight);
    }
    match status {
        StatusCode::TOO_MANY_REQUESTS if !refusal.is_final => {
            upstream.pause(now, refusal.pause.unwrap_or(Duration::ZERO));
        }
        status if status.is_server_error() => upstream.failed(now),
        _ => {}
    }
    let useless = headers
        .get(SHOULD_RETRY)
        .is_some_and(|value| value == "false");
    let again = !useless && !refusal.is_final;
    let again = again.then(|| refusal.pause.unwrap_or_else(backoff));
    let failure = Failure::Refused {
        upstream: upstream.name().to_owned(),
        status,
        body,
        refusal,
    };
    Try::Failed(failure, again)
}

/// The response whose body has been read.
fn again(status: StatusCode, mut headers: HeaderMap, body: Bytes) -> Response {
    // It may be shorter than it was.
    headers.remove(header::CONTENT_LENGTH);
    headers.remove(header::TRANSFER_ENCODING);
    let mut response = http::Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response.into()
}

fn broken(target: &Target, outgoing: &Outgoing<'_>, unsent: bool) -> Try {
    let upstream = target.upstream.name().to_owned();
    target.upstream.failed(Instant::now());
    if unsent {
        Try::Failed(Failure::Unreachable { upstream }, Some(backoff()))
    } else {
        uncertain(outgoing, Failure::Broken { upstream })
    }
}

fn uncertain(outgoing: &Outgoing<'_>, failure: Failure) -> Try {
    if outgoing.repeatable {
        Try::Failed(failure, Some(backoff()))
    } else {
        Try::Last(failure)
    }
}

fn backoff() -> Duration {
    PAUSE.mul_f64(fastrand::f64())
}

/// The beginning of an upstream's error.
async fn beginning(mut response: Response) -> Bytes {
    let mut body = BytesMut::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() >= MAX_ERROR {
            break;
        }
    }
    body.freeze()
}
