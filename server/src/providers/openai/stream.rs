//! A streamed response: partial pictures, then the finished one, as server-sent events
//! (<https://html.spec.whatwg.org/multipage/server-sent-events.html>), whose JSON names its own type.

use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};
use reqwest::{
    Response,
    header::{CONTENT_TYPE, HeaderMap},
};
use serde::Deserialize;
use serde_json::Value;
use sse_stream::{Sse, SseByteStream};

use super::{
    super::{
        Progress,
        encoded::decode,
        http::{MAX_BYTES, broken, garbage, too_large},
        refused::{self, leniently},
    },
    Error,
    answer::{Item, Reply},
    usage::Usage,
};
use crate::config::Prices;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Event {
    #[serde(rename = "type", deserialize_with = "leniently")]
    kind: String,
    #[serde(flatten)]
    picture: Item,
    #[serde(deserialize_with = "leniently")]
    usage: Option<Usage>,
    #[serde(deserialize_with = "leniently")]
    error: Option<Value>,
}

/// The meaning of an event.
enum News {
    Nothing,
    Partial(Bytes),
    Finished(Item),
    Failed(Value),
}

/// Whether the response is a stream; servers without streaming ignore the request for one.
pub(super) fn is_stream(response: &Response) -> bool {
    let media_type = response.headers().get(CONTENT_TYPE);
    media_type.is_some_and(|value| {
        let value = value.as_bytes().to_ascii_lowercase();
        value.starts_with(b"text/event-stream")
    })
}

/// Reads the stream to its end: shows partial pictures and returns the final answer.
pub(super) async fn read(
    response: Response,
    prices: Option<Prices>,
    progress: &Progress,
) -> Result<Reply, Error> {
    let (headers, request_id) = (response.headers().clone(), refused::request_id(&response));
    let chunks = response.bytes_stream().map(|chunk| chunk.map_err(broken));
    let reply = follow(chunks, &headers, prices, progress).await;
    reply.map_err(|error| Error {
        request_id,
        ..error
    })
}

async fn follow(
    chunks: impl Stream<Item = Result<Bytes, Error>>,
    headers: &HeaderMap,
    prices: Option<Prices>,
    progress: &Progress,
) -> Result<Reply, Error> {
    // A last event without its terminating empty line is paid for as well.
    let end = stream::iter([Ok(Bytes::from_static(b"\n\n"))]);
    let mut events = Box::pin(SseByteStream::new(bounded(chunks).chain(end)));
    let mut usage = None::<Usage>;
    let result = loop {
        let event = match events.next().await {
            Some(Ok(event)) => read_event(&event),
            Some(Err(error)) => break Err(failure(error)),
            None => break Err(garbage()),
        };
        let Some(event) = event else { continue };
        usage = event.usage.or(usage);
        match event.news {
            News::Nothing => {}
            News::Partial(picture) => {
                // If nobody waits any more, the call is dropped from outside.
                let _waited_for = progress.show(picture);
            }
            News::Finished(picture) => return Ok(Reply::single(picture, usage)),
            News::Failed(value) => break Err(refused::told(&value, headers)),
        }
    };
    result.map_err(|error: Error| error.charged(usage.and_then(|usage| usage.cost(prices))))
}

/// The chunks, up to [`MAX_BYTES`].
fn bounded(
    chunks: impl Stream<Item = Result<Bytes, Error>>,
) -> impl Stream<Item = Result<Bytes, Error>> {
    let mut total = 0;
    chunks.map(move |chunk| {
        let chunk = chunk?;
        total += chunk.len();
        if total > MAX_BYTES {
            return Err(too_large());
        }
        Ok(chunk)
    })
}

fn failure(error: sse_stream::Error) -> Error {
    match error {
        sse_stream::Error::Body(error) => error
            .downcast::<Error>()
            .map_or_else(|_| garbage(), |error| *error),
        _ => garbage(),
    }
}

struct EventFields {
    news: News,
    usage: Option<Usage>,
}

/// Returns `None` for anything but a JSON object, such as the `[DONE]` that some servers end with.
fn read_event(sse: &Sse) -> Option<EventFields> {
    let value: Value = serde_json::from_str(sse.data.as_deref()?).ok()?;
    let event = Event::deserialize(&value).ok()?;
    let named = sse.event.as_deref().unwrap_or_default();
    let kind = if event.kind.is_empty() {
        named
    } else {
        &event.kind
    };
    let kind = kind.rsplit_once('.').map_or(kind, |(_, kind)| kind);
    let news = match (event.error, kind) {
        (Some(error), _) => News::Failed(error),
        // The fields of the error, without an envelope.
        (None, "error" | "failed") => News::Failed(value),
        (None, "completed") => News::Finished(event.picture),
        (None, "partial_image") => {
            let picture = event.picture.b64_json.as_deref().and_then(decode);
            picture.map_or(News::Nothing, News::Partial)
        }
        _ => News::Nothing,
    };
    Some(EventFields {
        news,
        usage: event.usage,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{job::Cost, providers::Remedy};

    const PRICES: Prices = Prices {
        text_input: 0.0,
        image_input: 0.0,
        image_output: 1.0,
        text_output: None,
    };
    const COMPLETED: &str = r#"{"type":"image_generation.completed","b64_json":"AAEC",
        "usage":{"output_tokens":1000000}}"#;

    async fn read_text(text: &[u8], size: usize) -> Result<Reply, Error> {
        let chunks: Vec<_> = text.chunks(size).map(Bytes::copy_from_slice).collect();
        let chunks = stream::iter(chunks.into_iter().map(Ok));
        let (progress, _reports) = Progress::channel();
        follow(chunks, &HeaderMap::new(), Some(PRICES), &progress).await
    }

    #[tokio::test]
    async fn every_legal_stream_is_read_however_it_arrives() {
        let several = COMPLETED.lines().map(|line| format!("data: {line}"));
        let several = several.collect::<Vec<_>>().join("\n");
        let one = COMPLETED.replace('\n', "");
        for text in [
            format!("data: {one}\n\n"),
            format!("{several}\n\n"),
            format!("event: x\rid: 3\rdata:{one}\r\r"),
            format!(": comment\r\n\r\ndata: {one}\r\n\r\ndata: [DONE]\r\n\r\n"),
            format!("\u{feff}data: {one}\n\n"),
            format!("\u{feff}{several}\r\n\r\n")
                .replace('\n', "\r\n")
                .replace("\r\r", "\r"),
            // Without the line that ends it.
            format!("retry: 10\ndata: nonsense\n\ndata: {one}"),
        ] {
            for size in [1, 2, 7, 64, text.len()] {
                let reply = read_text(text.as_bytes(), size).await;
                let reply = reply.unwrap_or_else(|error| panic!("{error} in {size}: {text:?}"));
                assert_eq!(reply.cost(Some(PRICES)), Some(1.0), "{text:?}");
            }
        }
    }

    #[tokio::test]
    async fn errors_are_sorted_and_their_words_arrive() {
        for (text, code, remedy) in [
            (
                r#"data: {"type":"error","error":{"type":"invalid_request_error","message":"No such size."}}"#,
                "provider_refused",
                Remedy::Nothing,
            ),
            (
                r#"data: {"type":"error","code":"invalid_value","message":"No such size."}"#,
                "provider_refused",
                Remedy::Nothing,
            ),
            (
                "event: error\ndata: {\"code\":400,\"message\":\"No such size.\"}",
                "provider_refused",
                Remedy::Nothing,
            ),
            (
                r#"data: {"type":"image_generation.failed","error":{"code":"moderation_blocked"}}"#,
                "content_refused",
                Remedy::Nothing,
            ),
            (
                r#"data: {"error":{"type":"server_error","message":"x"}}"#,
                "provider_failed",
                Remedy::Retry(None),
            ),
        ] {
            let Err(error) = read_text(format!("{text}\n\n").as_bytes(), 64).await else {
                panic!("{text} is an error");
            };
            assert_eq!((error.code, error.remedy), (code, remedy), "{text}");
            assert_eq!(error.cost, Cost::Nothing);
            let words = code != "provider_refused" || error.message.contains("No such size.");
            assert!(words, "{}", error.message);
        }
    }

    #[tokio::test]
    async fn what_was_used_is_told_with_the_failure() {
        let usage =
            r#"{"type":"image_generation.partial_image","usage":{"output_tokens":2000000}}"#;
        let error = r#"{"error":{"type":"server_error"}}"#;
        let text = format!("data: {usage}\n\ndata: {error}\n\n");
        let failed = read_text(text.as_bytes(), 64).await.unwrap_err();
        assert_eq!(failed.cost, Cost::Usd(2.0));
        let broken_off = read_text(b"data: {\"type\":\"x\"}\n\n", 64).await;
        assert_eq!(broken_off.unwrap_err().cost, Cost::Estimate);
    }
}
