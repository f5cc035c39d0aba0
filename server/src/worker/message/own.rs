//! Calls of this server's own gateway: through its routes, but through no network.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{
        HeaderMap, HeaderName, HeaderValue, Request, Uri,
        header::{self, FORWARDED},
    },
    response::Response,
};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use tokio::time::timeout;
use tower::ServiceExt as _;
use url::Url;

use super::{
    Attempt,
    judge::Made,
    request::{self, InvalidRequest},
};
use crate::store::clock::Clock;

/// The path of the gateway.
const GATEWAY: &str = "/v1/";

/// Largest answer that is kept, in bytes: pictures are longer than other receivers' answers.
const MAX_ANSWER: usize = 32 * 1024 * 1024;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Says on a request's behalf which API key it is made with. Only this process can: it is no
/// header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publisher(pub String);

/// Makes the call. Its answer is that of any client.
pub(super) async fn call(
    site: Router,
    attempt: &Attempt<'_>,
    body: Bytes,
    patience: Duration,
    clock: &Clock,
) -> Made {
    let request = match request(attempt, body) {
        Ok(request) => request,
        Err(error) => return Made::refused(&error),
    };
    let answered = async {
        let Ok(response) = site.oneshot(request).await;
        read(response, clock).await
    };
    match timeout(patience, answered).await {
        Ok(made) => made,
        Err(_) => Made::too_slow(),
    }
}

fn request(attempt: &Attempt<'_>, body: Bytes) -> Result<Request<Body>, InvalidRequest> {
    let message = &attempt.task.message;
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = request::method(message)?;
    *request.uri_mut() = path(&message.url)?;
    *request.headers_mut() = headers(attempt);
    // As limits count whoever published it.
    let ip = message.caller_ip.parse().unwrap_or(IpAddr::from([0; 4]));
    let extensions = request.extensions_mut();
    extensions.insert(ConnectInfo(SocketAddr::new(ip, 0)));
    if message.api.is_some() {
        extensions.insert(Publisher(attempt.task.key.clone()));
    }
    Ok(request)
}

fn path(url: &str) -> Result<Uri, InvalidRequest> {
    let url = Url::parse(url).map_err(|_| InvalidRequest::Url)?;
    if !url.path().starts_with(GATEWAY) {
        return Err(InvalidRequest::Url);
    }
    let query = url.query().map(|query| format!("?{query}"));
    let path = format!("{}{}", url.path(), query.unwrap_or_default());
    path.parse().map_err(|_| InvalidRequest::Url)
}

/// The message's own, without an address that a proxy would have to vouch for. The result of a
/// call is kept under the message's id, so that no later attempt buys it again.
fn headers(attempt: &Attempt<'_>) -> HeaderMap {
    let mut headers = request::headers(&attempt.task.message);
    for name in [
        FORWARDED,
        HeaderName::from_static("x-forwarded-for"),
        header::CONTENT_LENGTH,
    ] {
        headers.remove(name);
    }
    if let Ok(id) = HeaderValue::from_str(&attempt.job.id) {
        headers.entry(IDEMPOTENCY_KEY).or_insert(id);
    }
    headers
}

async fn read(response: Response, clock: &Clock) -> Made {
    let (parts, mut body) = response.into_parts();
    let mut read = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return Made::broken();
        };
        if let Ok(part) = frame.into_data() {
            let room = MAX_ANSWER - read.len();
            read.extend_from_slice(&part[..part.len().min(room)]);
            if part.len() > room {
                break;
            }
        }
    }
    Made::from_gateway(parts.status, &parts.headers, read.freeze(), clock.now())
}
