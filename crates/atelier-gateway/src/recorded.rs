//! Streams as the APIs send them, for tests.

use crate::Endpoint;

/// One of each kind, or two.
pub(crate) const RECORDED: [(Endpoint, &str); 7] = [
    (
        Endpoint::ChatCompletions,
        include_str!("../fixtures/chat-text.sse"),
    ),
    (
        Endpoint::ChatCompletions,
        include_str!("../fixtures/chat-tools.sse"),
    ),
    (
        Endpoint::Completions,
        include_str!("../fixtures/completions.sse"),
    ),
    (
        Endpoint::Responses,
        include_str!("../fixtures/responses.sse"),
    ),
    (Endpoint::Messages, include_str!("../fixtures/messages.sse")),
    (
        Endpoint::ImageGenerations,
        include_str!("../fixtures/images.sse"),
    ),
    (
        Endpoint::Transcriptions,
        include_str!("../fixtures/transcriptions.sse"),
    ),
];
