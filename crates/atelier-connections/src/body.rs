//! Bodies of requests, with a minimum rate, and of responses.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::Body;
use hyper::body::{Body as HttpBody, Bytes, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

use super::stream::Busy;
use crate::Limits;

/// The client sends its body too slowly.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the body came in too slowly")]
pub struct TooSlow;

/// A request's body.
pub(super) struct TimedBody {
    body: Incoming,
    _busy: Busy,
    /// Maximum time without any byte, and maximum total wait beyond what `rate` allows
    /// for the bytes received.
    patience: Duration,
    /// Minimum bytes per second.
    rate: f64,
    received: u64,
    /// Total time waited for the client; time spent by the server does not count.
    waited: Duration,
    waiting: Option<Waiting>,
}

struct Waiting {
    since: Instant,
    end: Pin<Box<Sleep>>,
}

impl TimedBody {
    pub(super) fn new(body: Incoming, busy: Busy, limits: &Limits) -> Self {
        Self {
            body,
            _busy: busy,
            patience: limits.body,
            rate: f64::from(limits.body_rate),
            received: 0,
            waited: Duration::ZERO,
            waiting: None,
        }
    }

    /// How much longer to wait for more.
    fn allowance(&self) -> Duration {
        let earned = Duration::from_secs_f64(self.received as f64 / self.rate);
        let left = (self.patience + earned).saturating_sub(self.waited);
        left.min(self.patience)
    }

    fn wait(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let allowance = self.allowance();
        let waiting = self.waiting.get_or_insert_with(|| Waiting {
            since: Instant::now(),
            end: Box::pin(sleep(allowance)),
        });
        waiting.end.as_mut().poll(context)
    }

    fn note(&mut self, frame: &Frame<Bytes>) {
        if let Some(waiting) = self.waiting.take() {
            self.waited += waiting.since.elapsed();
        }
        self.received += frame.data_ref().map_or(0, |data| data.len() as u64);
    }
}

impl HttpBody for TimedBody {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            if let Some(Ok(frame)) = &frame {
                self.note(frame);
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        ready!(self.wait(context));
        Poll::Ready(Some(Err(TooSlow.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A response's body. Its request is in progress until it has been sent.
pub(super) struct AnswerBody {
    body: Body,
    _busy: Busy,
}

impl AnswerBody {
    pub(super) const fn new(body: Body, busy: Busy) -> Self {
        Self { body, _busy: busy }
    }
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
