//! Requests that are passed on as they are: about responses that an upstream keeps, and, if
//! the operator allows it, whatever the gateway does not know.

use std::{sync::Arc, time::Instant};

use atelier_gateway::{
    ApiError,
    forward::{self, Outgoing},
    routing::Target,
    upstream::Upstream,
};
use axum::http::{HeaderMap, Method};
use bytes::Bytes;
use futures::StreamExt as _;
use percent_encoding::percent_decode_str;

use super::{
    Body, Error, Gateway, Recording, Reply, Source,
    call::{returned, told},
    receive::not_for_clients,
    serve::Broken,
};
use crate::app::Caller;

/// The action that policies count.
const ACTION: &str = "other";

/// A request to be passed on.
pub struct Passed<'a> {
    pub caller: &'a Caller,
    pub method: Method,
    /// Below the upstream's base.
    pub path: &'a str,
    pub query: Option<&'a str>,
    /// What upstreams may see.
    pub headers: HeaderMap,
    pub body: Bytes,
    pub deadline: Instant,
    /// What the operator is told of it.
    pub recording: Arc<Recording>,
}

impl Gateway {
    /// Asks the upstream that has the caller's response.
    pub async fn ask_for_response(&self, id: &str, passed: Passed<'_>) -> Result<Reply, Error> {
        let Some(name) = self.upstream_of(passed.caller, id).await? else {
            return self.pass_through(passed).await;
        };
        let mut upstreams = self.routes.upstreams().iter();
        let gone = || ApiError::not_found(format!("Response with id '{id}' not found."));
        let upstream = upstreams.find(|one| one.name() == name).ok_or_else(gone)?;
        self.pass(upstream, passed).await
    }

    /// Asks the first upstream for something that the gateway does not know.
    pub async fn pass_through(&self, passed: Passed<'_>) -> Result<Reply, Error> {
        let first = self.routes.upstreams().first();
        let nobody =
            || ApiError::not_found("No upstream is connected that could know this address.");
        let first = first.ok_or_else(nobody)?;
        if !stays_below(passed.path) {
            return Err(ApiError::not_found("There is no such address.").into());
        }
        self.pass(first, passed).await
    }

    async fn pass(&self, upstream: &Arc<Upstream>, passed: Passed<'_>) -> Result<Reply, Error> {
        let standings = self
            .charge_request(passed.caller, ACTION, upstream.name())
            .await?;
        let target = Target {
            upstream: Arc::clone(upstream),
            model: String::new(),
        };
        let safe = passed.method.is_safe();
        let body = |_: &Target| passed.body.clone();
        let outgoing = Outgoing {
            method: passed.method,
            path: passed.path,
            query: passed.query,
            headers: passed.headers,
            stream: false,
            body: &body,
            repeatable: safe,
            elsewhere: &|_| None,
        };
        passed.recording.answered_by(&target);
        passed.recording.hears(&passed.body);
        let answer = forward::forward(&self.client, &[target], &outgoing, passed.deadline).await;
        let answer = answer.map_err(told)?;
        if let Some(error) = not_for_clients(&answer) {
            return Err(error.into());
        }
        let status = answer.response.status();
        let headers = returned(answer.response.headers());
        let in_flight = answer.in_flight;
        let parts = answer.response.bytes_stream().map(move |part| {
            let _until_its_end = &in_flight;
            part.map_err(|_| Broken)
        });
        Ok(passed.recording.follow(Reply {
            status,
            headers,
            body: Body::Stream(Box::pin(parts)),
            source: Source::Off,
            upstream: upstream.name().to_owned(),
            usd: Some(0.0),
            cost: None,
            standings,
        }))
    }
}

/// Whether a path leads to something below an upstream's base, and not past it.
fn stays_below(path: &str) -> bool {
    let segments = path.split(['/', '\\']);
    let mut plain = segments.map(|segment| percent_decode_str(segment).collect::<Vec<u8>>());
    plain.all(|segment| segment != b"." && segment != b"..")
}

#[test]
fn nothing_leads_past_the_base() {
    for (path, fine) in [
        ("/files", true),
        ("/files/a..b/content", true),
        ("/../admin", false),
        ("/files/%2e%2E/admin", false),
        ("/./files", false),
        ("/files\\..\\admin", false),
    ] {
        assert_eq!(stays_below(path), fine, "{path}");
    }
}
