//! Reads a refused body to its end. Closing a connection with unread bytes resets it, and
//! the response may be lost (RFC 9112, 9.6); a browser shows a response only after it
//! has sent everything.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, BodyDataStream, Bytes, HttpBody as _},
    extract::{Request, State as AxumState},
    http::header,
    middleware::Next,
    response::Response,
};
use futures::{Stream, StreamExt as _};
use tokio::{runtime::Handle, time::timeout};

use crate::http::State;

/// Maximum number of bytes read, as a multiple of the largest upload.
const LIMIT: u64 = 4;

/// Maximum time for reading.
const PATIENCE: Duration = Duration::from_secs(300);

pub(crate) async fn drain_body(
    AxumState(state): AxumState<State>,
    request: Request,
    next: Next,
) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    // Such a client sends its body only once the server starts to read it.
    let waits = request.headers().contains_key(header::EXPECT);
    let limit = state.photos.max_bytes.saturating_mul(LIMIT);
    let request = request.map(|body| {
        Body::from_stream(ReadOn {
            rest: Some(body.into_data_stream()),
            limit,
            begun: !waits,
        })
    });
    next.run(request).await
}

/// A body that is read to its end in the background when dropped.
struct ReadOn {
    /// `None` at its end.
    rest: Option<BodyDataStream>,
    limit: u64,
    begun: bool,
}

impl Stream for ReadOn {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.begun = true;
        let Some(rest) = &mut self.rest else {
            return Poll::Ready(None);
        };
        let next = rest.poll_next_unpin(context);
        if !matches!(next, Poll::Pending | Poll::Ready(Some(Ok(_)))) {
            self.rest = None;
        }
        next
    }
}

impl Drop for ReadOn {
    fn drop(&mut self) {
        let rest = self.rest.take().filter(|_| self.begun);
        if let (Some(rest), Ok(runtime)) = (rest, Handle::try_current()) {
            runtime.spawn(timeout(PATIENCE, read(rest, self.limit)));
        }
    }
}

async fn read(mut rest: BodyDataStream, limit: u64) {
    let mut length = 0;
    while let (true, Some(Ok(chunk))) = (length < limit, rest.next().await) {
        length += chunk.len() as u64;
    }
}
