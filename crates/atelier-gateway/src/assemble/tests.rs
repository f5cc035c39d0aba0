use proptest::prelude::*;

use super::*;
use crate::{recorded::RECORDED, sse::Splitter};

mod chat;
mod others;

/// Follows a stream from its first byte to its last.
pub(crate) fn follow(endpoint: Endpoint, stream: &str) -> Assembler {
    follow_within(endpoint, stream, 1 << 20)
}

fn follow_within(endpoint: Endpoint, stream: &str, limit: usize) -> Assembler {
    let (mut splitter, mut assembler) = (Splitter::new(1 << 20), Assembler::new(endpoint, limit));
    splitter.push(stream.as_bytes());
    while let Some(event) = splitter.next_event().unwrap() {
        assembler.push(&event);
    }
    if let Some(event) = splitter.finish() {
        assembler.push(&event);
    }
    assembler
}

/// A stream of events without names.
fn stream(events: &[Value]) -> String {
    events
        .iter()
        .map(|event| format!("data: {event}\n\n"))
        .collect()
}

#[test]
fn an_answer_that_is_too_large_is_followed_but_not_kept() {
    let text = include_str!("../../fixtures/chat-text.sse");
    let whole = follow(Endpoint::ChatCompletions, text);
    let bare = follow_within(Endpoint::ChatCompletions, text, 0);
    assert_eq!(
        (bare.usage(), bare.produced()),
        (whole.usage(), whole.produced())
    );
    assert!(bare.is_terminated() && bare.usage().is_some());
    assert!(whole.into_answer().is_some());
    assert_eq!(bare.into_answer(), None);
}

#[test]
fn what_is_skimmed_counts_as_what_is_read() {
    for (endpoint, text) in [
        (
            Endpoint::ChatCompletions,
            include_str!("../../fixtures/chat-text.sse"),
        ),
        (
            Endpoint::ChatCompletions,
            include_str!("../../fixtures/chat-tools.sse"),
        ),
        (
            Endpoint::Completions,
            include_str!("../../fixtures/completions.sse"),
        ),
    ] {
        let (kept, skimmed) = (follow(endpoint, text), follow_within(endpoint, text, 0));
        assert!(kept.produced() > 0);
        assert_eq!(skimmed.produced(), kept.produced());
        assert_eq!(
            (skimmed.usage(), skimmed.is_terminated()),
            (kept.usage(), true)
        );
    }
    let error = stream(&[json!({ "choices": [], "error": { "message": "Busy." } })]);
    let error = follow_within(Endpoint::ChatCompletions, &error, 0);
    assert_eq!(
        error.error().map(|error| error.message.as_str()),
        Some("Busy.")
    );
}

#[test]
fn done_ends_streams_of_chunks_alone() {
    for (endpoint, ends) in [
        (Endpoint::ChatCompletions, true),
        (Endpoint::Completions, true),
        (Endpoint::Responses, false),
        (Endpoint::Messages, false),
        (Endpoint::ImageEdits, false),
    ] {
        assert_eq!(follow(endpoint, "data: [DONE]\n\n").is_terminated(), ends);
    }
}

#[test]
fn a_stream_that_is_cut_has_no_answer() {
    for (endpoint, text) in RECORDED {
        let events: Vec<_> = text.split_inclusive("\n\n").collect();
        assert!(
            follow(endpoint, text).into_answer().is_some(),
            "{endpoint:?}"
        );
        // The half that came does not say that it was all.
        let half = events[..events.len() / 2].concat();
        let half = follow(endpoint, &half);
        assert!(!half.is_terminated(), "{endpoint:?}");
        assert_eq!(half.into_answer(), None, "{endpoint:?}");
        // Half an event neither.
        let torn = &text[..text.len() / 2];
        assert_eq!(follow(endpoint, torn).into_answer(), None, "{endpoint:?}");
    }
}

#[test]
fn an_error_in_a_stream_is_no_answer() {
    let error = json!({ "error": { "message": "Busy.", "type": "server_error" } });
    for (endpoint, text) in [
        (
            Endpoint::ChatCompletions,
            stream(std::slice::from_ref(&error)),
        ),
        (
            Endpoint::Responses,
            format!(
                "event: error\n{}",
                stream(&[json!({ "type": "error", "message": "Busy." })])
            ),
        ),
        (
            Endpoint::Responses,
            stream(&[
                json!({ "type": "response.failed", "response": { "status": "failed", "error": { "code": "x", "message": "Busy." } } }),
            ]),
        ),
        (
            Endpoint::Messages,
            stream(&[
                json!({ "type": "error", "error": { "type": "overloaded_error", "message": "Busy." } }),
            ]),
        ),
        (
            Endpoint::ImageEdits,
            format!("event: error\n{}", stream(std::slice::from_ref(&error))),
        ),
    ] {
        let followed = follow(endpoint, &format!("{text}data: [DONE]\n\n"));
        assert_eq!(followed.error().unwrap().message, "Busy.", "{endpoint:?}");
        assert_eq!(followed.into_answer(), None, "{endpoint:?}");
    }
    let failed = json!({ "type": "image_generation.failed", "error": { "message": "No." } });
    let failed = follow(Endpoint::ImageGenerations, &stream(&[failed]));
    assert_eq!(
        failed.error().map(|error| error.message.as_str()),
        Some("No.")
    );
    // Nothing is wrong where it says so.
    let text = stream(&[json!({ "error": null, "choices": [] })]);
    assert_eq!(follow(Endpoint::ChatCompletions, &text).error(), None);
}

/// Events that come close to what is read.
fn nearly() -> impl Strategy<Value = Value> {
    let kinds = [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "message_delta",
        "message_stop",
        "text_delta",
        "input_json_delta",
        "citations_delta",
        "response.completed",
        "image_generation.completed",
        "transcript.text.done",
        "x.delta",
        "error",
    ];
    let names = [
        "choices",
        "delta",
        "message",
        "usage",
        "index",
        "tool_calls",
        "function",
        "arguments",
        "content",
        "logprobs",
        "text",
        "id",
        "content_block",
        "response",
        "output",
        "error",
        "data",
        "partial_json",
        "finish_reason",
        "citation",
        "citations",
        "sequence_number",
        "x_groq",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<u64>().prop_map(Value::from),
        (0..3_u64).prop_map(Value::from),
        "[a-z{]{0,3}".prop_map(Value::from),
        proptest::sample::select(kinds.to_vec()).prop_map(Value::from),
    ];
    let kind = proptest::sample::select(kinds.to_vec());
    let name = proptest::sample::select(names.to_vec());
    leaf.prop_recursive(5, 40, 5, move |inner| {
        let members = prop::collection::btree_map(name.clone(), inner.clone(), 0..5);
        let object = (prop::option::of(kind.clone()), members).prop_map(|(kind, members)| {
            let members = members
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value));
            let kind = kind.map(|kind| ("type".to_owned(), kind.into()));
            members.chain(kind).collect::<Map<_, _>>().into()
        });
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::Array),
            object
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn any_events_are_followed(
        endpoint in proptest::sample::select(Endpoint::ALL.to_vec()),
        events in prop::collection::vec(nearly(), 0..8),
        limit in prop_oneof![Just(0_usize), Just(200), Just(1 << 20)],
    ) {
        let text = stream(&events);
        let followed = follow_within(endpoint, &format!("{text}data: [DONE]\n\ndata: {{\n\n"), limit);
        prop_assert!(followed.produced() <= text.len() as u64);
        if let Some(answer) = followed.into_answer() {
            crate::completion(endpoint, &answer);
            crate::replay(endpoint, &answer, true);
            Usage::read(endpoint, &answer);
        }
    }

    #[test]
    fn any_value_is_judged_and_replayed(
        endpoint in proptest::sample::select(Endpoint::ALL.to_vec()),
        answer in nearly(),
    ) {
        crate::completion(endpoint, &answer);
        crate::replay(endpoint, &answer, true);
        Usage::read(endpoint, &answer);
        ApiError::from_value(500, &answer);
    }
}
