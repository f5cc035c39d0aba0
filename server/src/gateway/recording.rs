//! What the operator is told of a call: begun when it comes in, noted once, when it has ended.

use std::{
    borrow::Cow,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Instant,
};

use atelier_gateway::{ApiError, Call, Endpoint, Usage, Wire, forward, routing::Target};
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};

use super::{
    Body, Error, Gateway, Reply,
    contents::{Bodies, Listener, Said},
    lookup::Kept,
    serve::{self, Broken},
};
use crate::{
    app::{Caller, Studio},
    calls::{Contents, Failure, Record, Source},
    telemetry::metrics,
};

/// The status of a call whose client left before its end, as nginx has it.
const LEFT: u16 = 499;

type Parts = Pin<Box<dyn Stream<Item = Result<Bytes, Broken>> + Send>>;

/// A call of which the operator is told. One that is dropped before its end was abandoned by
/// its client.
pub struct Recording {
    studio: Arc<Studio>,
    began: Instant,
    /// `None` once it has been noted.
    record: Mutex<Option<Record>>,
    /// Set if contents are kept.
    said: Option<Said>,
}

impl Gateway {
    /// Begins to record a call.
    pub fn record(
        &self,
        id: &str,
        endpoint: impl Into<Cow<'static, str>>,
        caller: &Caller,
    ) -> Arc<Recording> {
        let holder = caller.holder.as_ref();
        let record = Record {
            key: holder.map(|holder| holder.id.clone()),
            ..Record::new(id, endpoint, self.studio.stores.clock.now())
        };
        Arc::new(Recording {
            studio: Arc::clone(&self.studio),
            began: Instant::now(),
            record: Mutex::new(Some(record)),
            said: self.secrets.as_ref().map(Said::new),
        })
    }
}

impl Recording {
    /// Notes what the client asks for.
    pub fn asks(&self, call: &Call) {
        self.hears(call.body());
        self.change(|record| {
            record.model = call.model().map(str::to_owned);
            record.stream = call.is_stream();
        });
    }

    /// Notes the body of the request, if contents are kept.
    pub(super) fn hears(&self, body: &[u8]) {
        if let Some(said) = &self.said {
            said.ask(body);
        }
    }

    /// Whether contents are kept.
    pub(super) const fn keeps_contents(&self) -> bool {
        self.said.is_some()
    }

    /// Notes the body of the answer, if contents are kept.
    pub(super) fn answers(&self, body: &[u8]) {
        if let Some(said) = &self.said {
            said.answer(body);
        }
    }

    /// Notes where the answer comes from.
    pub(super) fn comes_from(&self, source: serve::Source) {
        self.change(|record| record.source = source.into());
    }

    /// Notes who answers.
    pub(super) fn answered_by(&self, target: &Target) {
        self.change(|record| {
            record.upstream = Some(target.upstream.name().to_owned());
            record.routed = Some(target.model.clone());
        });
    }

    /// Notes who gave an answer from before.
    pub(super) fn answered_before(&self, kept: &Kept) {
        self.change(|record| {
            record.upstream = Some(kept.upstream.clone());
            record.routed.clone_from(&kept.routed);
        });
    }

    /// Notes which of the targets an answer to another call came from.
    pub(super) fn answered_among(&self, targets: &[Target], upstream: &str) {
        let mut targets = targets.iter();
        if let Some(target) = targets.find(|target| target.upstream.name() == upstream) {
            self.answered_by(target);
        }
    }

    /// Notes whose fault it is that nobody answers.
    pub(super) fn failed_by(&self, failure: &forward::Failure, targets: &[Target]) {
        use forward::Failure as F;
        match failure {
            F::Refused { upstream, .. }
            | F::Rejected { upstream }
            | F::Unreachable { upstream }
            | F::Broken { upstream }
            | F::Late { upstream } => self.answered_among(targets, upstream),
            F::Resting(_) | F::Nobody => {}
        }
    }

    /// Notes what the upstream has used.
    pub(super) fn used(&self, usage: &Usage) {
        self.change(|record| {
            record.input_tokens = usage.input;
            record.cached_tokens = usage.cached_input;
            record.output_tokens = usage.output;
            record.estimated = false;
        });
    }

    /// Notes what the upstream may have used, which tells nothing.
    pub(super) fn estimated(&self, usage: &Usage) {
        self.used(usage);
        self.change(|record| record.estimated = true);
    }

    /// Notes what is charged, in US dollars.
    pub(super) fn charged(&self, usd: f64) {
        self.change(|record| record.usd = usd);
    }

    /// What is charged so far, in US dollars.
    pub fn usd(&self) -> f64 {
        self.peek(|record| record.usd).unwrap_or_default()
    }

    /// The first part of a stream has come; later ones change nothing.
    pub(super) fn begins(&self) {
        let elapsed = milliseconds(self.began);
        self.change(|record| {
            record.first_byte_ms.get_or_insert(elapsed);
        });
    }

    /// The call is made later, and recorded then.
    pub(super) fn forget(&self) {
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        record.take();
    }

    /// The answer has been given.
    pub(super) fn end(&self, status: StatusCode) {
        let asked = self.peek(|record| record.upstream.is_some());
        let status = status.as_u16();
        let failure = (status >= 400).then(|| class(status, asked.unwrap_or_default()));
        self.note(status, failure, None);
    }

    /// The stream ended with an error after its head had been sent.
    pub(super) fn broke_off(&self, status: StatusCode) {
        let code = Some(Cow::Borrowed("stream_error"));
        self.note(status.as_u16(), Some(Failure::Upstream), code);
    }

    /// The call failed for this reason, and the client was told so.
    pub fn fail(&self, failure: Failure, told: &ApiError) {
        let asked = self.peek(|record| record.upstream.is_some());
        let failure = match failure {
            // An upstream's status is told as it is.
            Failure::Internal if asked == Some(true) => Failure::Upstream,
            failure => failure,
        };
        if self.keeps_contents() {
            let wire = self.endpoint().map_or(Wire::OpenAi, Endpoint::wire);
            self.answers(&told.body(wire, None));
        }
        let code = told.code.clone().unwrap_or_else(|| told.kind.clone());
        self.note(told.status, Some(failure), Some(code));
    }

    /// Notes the end of the call at the end of the reply.
    pub(super) fn follow(self: &Arc<Self>, reply: Reply) -> Reply {
        let status = reply.status;
        self.comes_from(reply.source);
        self.change(|record| {
            let upstream = || reply.upstream.clone();
            record.upstream.get_or_insert_with(upstream);
        });
        let body = match reply.body {
            Body::Whole(bytes) => {
                self.answers(&bytes);
                self.end(status);
                Body::Whole(bytes)
            }
            Body::Stream(parts) => {
                let listener = self.listener(&reply.headers);
                Body::Stream(Arc::clone(self).follow_stream(parts, status, listener))
            }
        };
        Reply { body, ..reply }
    }

    fn follow_stream(
        self: Arc<Self>,
        parts: Parts,
        status: StatusCode,
        listener: Option<Listener>,
    ) -> Parts {
        let state = (parts, self, listener);
        let followed = stream::unfold(
            state,
            move |(mut parts, recording, mut listener)| async move {
                let Some(part) = parts.next().await else {
                    if let Some(heard) = listener.and_then(Listener::heard) {
                        recording.answers(&heard);
                    }
                    recording.end(status);
                    return None;
                };
                match &part {
                    Ok(bytes) => {
                        recording.begins();
                        if let Some(listener) = &mut listener {
                            listener.hear(bytes);
                        }
                    }
                    Err(Broken) => recording.broke_off(status),
                }
                Some((part, (parts, recording, listener)))
            },
        );
        Box::pin(followed)
    }

    /// Listens to a stream, if contents are kept.
    fn listener(&self, headers: &HeaderMap) -> Option<Listener> {
        self.keeps_contents()
            .then(|| Listener::new(self.endpoint(), headers))
    }

    fn endpoint(&self) -> Option<Endpoint> {
        self.peek(|record| Endpoint::from_path(&format!("/{}", record.endpoint)))?
    }

    fn note(&self, status: u16, failure: Option<Failure>, error: Option<Cow<'static, str>>) {
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(record) = record.take() else {
            return;
        };
        let record = Record {
            status,
            failure,
            error,
            duration_ms: milliseconds(self.began),
            ..record
        };
        metrics::called(&record);
        let recorders = &self.studio.recorders;
        if let Some(said) = &self.said {
            let Bodies { request, answer } = said.take();
            recorders.contents.note(Contents {
                id: record.id.clone(),
                at: self.studio.stores.clock.now(),
                request,
                answer,
            });
        }
        recorders.calls.note(record);
    }

    fn change(&self, change: impl FnOnce(&mut Record)) {
        self.peek(change);
    }

    /// `None` if the call has been noted already.
    fn peek<T>(&self, look: impl FnOnce(&mut Record) -> T) -> Option<T> {
        let mut record = self.record.lock().unwrap_or_else(PoisonError::into_inner);
        record.as_mut().map(look)
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        if thread::panicking() {
            self.note(500, Some(Failure::Internal), None);
        } else {
            self.note(LEFT, Some(Failure::Abandoned), None);
        }
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording").finish_non_exhaustive()
    }
}

impl From<serve::Source> for Source {
    fn from(source: serve::Source) -> Self {
        match source {
            serve::Source::Off => Self::Off,
            serve::Source::Miss => Self::Miss,
            serve::Source::Joined => Self::Joined,
            serve::Source::Hit(_) => Self::Hit,
            serve::Source::Semantic(..) => Self::Semantic,
        }
    }
}

impl Error {
    /// Whose fault it is.
    pub fn class(&self) -> Failure {
        match self {
            Self::Api(error) if error.status == 500 => Failure::Internal,
            Self::Api(error) | Self::Uncertain(error) => class(error.status, true),
            Self::Limited(_) => Failure::Limit,
            _ => Failure::Internal,
        }
    }
}

/// Whose fault a status is, of an upstream or of ours.
const fn class(status: u16, upstream: bool) -> Failure {
    match status {
        429 | 500.. if upstream => Failure::Upstream,
        500.. => Failure::Internal,
        _ => Failure::Request,
    }
}

fn milliseconds(since: Instant) -> f64 {
    (since.elapsed().as_secs_f64() * 1e6).round() / 1e3
}
