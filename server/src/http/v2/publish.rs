//! Publishing: to a URL, a URL group or an API, in a queue or not, or many at a time.

use atelier_messages::{
    batch::{self, Item},
    destination::Destination,
    names, objects,
    options::Options,
};
use axum::{
    Json,
    body::Body,
    extract::{Request, State as AxumState},
    http::{HeaderMap, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::{Asker, Result, query};
use crate::{
    http::{State, outlive::outlive},
    messages::{Error, Publish, Published, Receipt, Sender},
};

/// The largest body of a batch, as a multiple of a message's.
const BATCH: u64 = 16;

pub(super) async fn publish(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let path = rest(&parts.uri, "/v2/publish/").to_owned();
    one(&state, sender, &parts, body, &path, None).await
}

pub(super) async fn enqueue(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let path = rest(&parts.uri, "/v2/enqueue/");
    let (queue, path) = path.split_once('/').unwrap_or((path, ""));
    let queue = percent_decode_str(queue).decode_utf8_lossy().into_owned();
    let path = path.to_owned();
    one(&state, sender, &parts, body, &path, Some(queue)).await
}

pub(super) async fn publish_batch(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let batch = match read_batch(&state, &parts, body).await {
        Ok(batch) => batch,
        Err(error) => return error.into_response(),
    };
    match send(&state, sender, batch).await {
        Ok(receipts) => Json(receipts.iter().map(told).collect::<Value>()).into_response(),
        Err(refused) => refused,
    }
}

/// The undecoded path behind this prefix: a URL survives in it as it is.
pub(super) fn rest<'a>(uri: &'a Uri, prefix: &str) -> &'a str {
    uri.path().strip_prefix(prefix).unwrap_or_default()
}

async fn one(
    state: &State,
    sender: Sender,
    parts: &Parts,
    body: Body,
    path: &str,
    queue: Option<String>,
) -> Response {
    let read = async {
        let body = query::read(&parts.headers, body, state.messages.settings.max_body).await?;
        read_one(state, parts, body, path, queue)
    };
    let publish = match read.await {
        Ok(publish) => publish,
        Err(error) => return error.into_response(),
    };
    let receipts = match send(state, sender, vec![publish]).await {
        Ok(receipts) => receipts,
        Err(refused) => return refused,
    };
    let known = |receipt: &Receipt| match receipt {
        Receipt::Message(published) => published.deduplicated,
        Receipt::Group(_) => false,
    };
    let status = if receipts.iter().all(known) {
        StatusCode::ACCEPTED
    } else {
        StatusCode::CREATED
    };
    let told = receipts.iter().map(told).next();
    (status, Json(told)).into_response()
}

/// Reads what is asked for, with its destination in the path.
pub(super) fn read_one(
    state: &State,
    parts: &Parts,
    body: Bytes,
    path: &str,
    queue: Option<String>,
) -> Result<Publish> {
    let (query, now) = (parts.uri.query(), state.studio.stores.clock.now());
    let limits = state.messages.limits();
    let destination = Destination::from_path(path, query).map_err(Error::invalid)?;
    let options = Options::of_request(&parts.headers, query, now, &limits);
    let queue = queue.map(|queue| names::word(&queue).map(str::to_owned));
    Ok(Publish {
        destination,
        options: options.map_err(Error::invalid)?,
        body,
        queue: queue.transpose().map_err(Error::invalid)?,
        host: host(&parts.headers),
    })
}

async fn read_batch(state: &State, parts: &Parts, body: Body) -> Result<Vec<Publish>> {
    let settings = &state.messages.settings;
    let limit = settings.max_body.saturating_mul(BATCH);
    let body = query::read(&parts.headers, body, limit).await?;
    let items = batch::read(&body, settings.max_batch).map_err(Error::invalid)?;
    let host = host(&parts.headers);
    let numbered = (1..).zip(items);
    let read = numbered.map(|(number, item)| {
        let read = read_item(state, item, host.clone());
        read.map_err(|error| Error::Invalid(format!("message {number}: {error}")))
    });
    read.collect()
}

fn read_item(state: &State, item: Item, host: Option<String>) -> Result<Publish> {
    let now = state.studio.stores.clock.now();
    let options = Options::of_fields(item.headers, now, &state.messages.limits());
    let queue = item
        .queue
        .map(|queue| names::word(&queue).map(str::to_owned));
    Ok(Publish {
        destination: Destination::parse(&item.destination).map_err(Error::invalid)?,
        options: options.map_err(Error::invalid)?,
        body: item.body.unwrap_or_default().into(),
        queue: queue.transpose().map_err(Error::invalid)?,
        host,
    })
}

/// Publishes even if the client hangs up meanwhile.
async fn send(
    state: &State,
    sender: Sender,
    batch: Vec<Publish>,
) -> Result<Vec<Receipt>, Response> {
    let state = state.clone();
    let sent = outlive(async move |_| Ok(state.messages.publish(&sender, batch).await)).await;
    match sent {
        Ok(Ok(receipts)) => Ok(receipts),
        Ok(Err(error)) => Err(error.into_response()),
        Err(error) => Err(error.into_response()),
    }
}

fn host(headers: &HeaderMap) -> Option<String> {
    let host = headers.get(header::HOST)?;
    Some(host.to_str().ok()?.to_owned())
}

fn told(receipt: &Receipt) -> Value {
    match receipt {
        Receipt::Message(published) => told_one(published),
        Receipt::Group(published) => published.iter().map(told_one).collect(),
    }
}

fn told_one(published: &Published) -> Value {
    let url = Some(published.url.as_str());
    objects::published(&published.id, url, published.deduplicated)
}
