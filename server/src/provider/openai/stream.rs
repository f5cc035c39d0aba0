//! A streamed answer: partial pictures as they are drawn, then the finished one.
//!
//! Server-sent events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>), of which only
//! the data lines matter: each event's JSON names its own type.

use std::time::SystemTime;

use axum::body::Bytes;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use reqwest::{Response, StatusCode, header::CONTENT_TYPE};
use serde::Deserialize;

use super::{
    super::{
        Progress,
        http::{MAX_BYTES, broken, garbage},
    },
    Error,
    answer::{Reply, Usage},
    error,
};

#[derive(Debug, Deserialize)]
struct Event {
    #[serde(rename = "type", default)]
    kind: String,
    b64_json: Option<String>,
    usage: Option<Usage>,
    error: Option<error::Body>,
}

/// Whether the answer is a stream; servers that know none ignore the wish.
pub(super) fn is_stream(response: &Response) -> bool {
    let media_type = response.headers().get(CONTENT_TYPE);
    media_type.is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"))
}

/// The answer at the end of the stream; what comes before is shown.
pub(super) async fn read(mut response: Response, progress: &Progress) -> Result<Reply, Error> {
    let (headers, request_id) = (response.headers().clone(), error::request_id(&response));
    let failed = |error: Error| Error {
        request_id: request_id.clone(),
        ..error
    };
    let (mut lines, mut total) = (Lines::default(), 0);
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        total += chunk.len();
        if total > MAX_BYTES {
            return Err(Error::last(
                "bad_answer",
                "The image service's answer was too large.",
            ));
        }
        lines.extend(&chunk);
        while let Some(data) = lines.next_data() {
            let Ok(event) = serde_json::from_slice::<Event>(&data) else {
                continue;
            };
            if let Some(body) = event.error {
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                return Err(failed(error::classify(
                    status,
                    &headers,
                    &body,
                    SystemTime::now(),
                )));
            }
            match (event.kind.rsplit_once('.'), event.b64_json) {
                (Some((_, "partial_image")), Some(text)) => {
                    if let Ok(picture) = BASE64.decode(text) {
                        // Who does not wait any more drops the call itself.
                        let _waited_for = progress.show(Bytes::from(picture));
                    }
                }
                (Some((_, "completed")), Some(text)) => {
                    return Ok(Reply::single(text, event.usage));
                }
                _ => {}
            }
        }
    }
    Err(failed(garbage()))
}

/// Bytes that become lines as they arrive.
#[derive(Debug, Default)]
struct Lines {
    bytes: Vec<u8>,
    /// So far there is no end of a line.
    searched: usize,
}

impl Lines {
    fn extend(&mut self, chunk: &[u8]) {
        self.bytes.extend_from_slice(chunk);
    }

    /// What the next whole data line carries.
    fn next_data(&mut self) -> Option<Vec<u8>> {
        loop {
            let Some(end) = self.bytes[self.searched..]
                .iter()
                .position(|byte| *byte == b'\n')
            else {
                self.searched = self.bytes.len();
                return None;
            };
            let end = self.searched + end;
            let rest = self.bytes.split_off(end + 1);
            let line = std::mem::replace(&mut self.bytes, rest);
            self.searched = 0;
            if let Some(data) = line[..end].strip_prefix(b"data:") {
                return Some(data.trim_ascii().to_vec());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_put_together_however_they_arrive() {
        let stream = b"event: x\r\ndata: {\"type\":1}\r\n\r\n: comment\ndata:two\nid: 3\ndata: cut";
        for size in 1..stream.len() {
            let (mut lines, mut found) = (Lines::default(), Vec::new());
            for chunk in stream.chunks(size) {
                lines.extend(chunk);
                found.extend(std::iter::from_fn(|| lines.next_data()));
            }
            assert_eq!(found, [b"{\"type\":1}".to_vec(), b"two".to_vec()], "{size}");
        }
    }
}
