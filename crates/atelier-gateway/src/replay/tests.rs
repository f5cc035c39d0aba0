use proptest::prelude::*;

use super::*;
use crate::{Usage, assemble::tests::follow, recorded::RECORDED, sse::Splitter};

fn text(endpoint: Endpoint, answer: &Value, wants_usage: bool) -> String {
    let events = replay(endpoint, answer, wants_usage);
    String::from_utf8(events.concat()).unwrap()
}

fn events(text: &str) -> Vec<Event> {
    let mut splitter = Splitter::new(1 << 20);
    splitter.push(text.as_bytes());
    std::iter::from_fn(|| splitter.next_event().unwrap()).collect()
}

fn values(text: &str) -> Vec<Value> {
    let data = events(text).into_iter().filter_map(|event| event.data);
    data.filter_map(|data| serde_json::from_slice(&data).ok())
        .collect()
}

/// A stream that is an event by itself.
const EDIT: (Endpoint, &str) = (
    Endpoint::ImageEdits,
    "data: {\"type\":\"image_edit.completed\",\"b64_json\":\"a\",\"created_at\":1,\"usage\":{\"input_tokens\":1,\"output_tokens\":2}}\n\n",
);

fn recorded() -> impl Iterator<Item = (Endpoint, &'static str)> {
    RECORDED.into_iter().chain([EDIT])
}

#[test]
fn a_replay_amounts_to_the_answer() {
    for (endpoint, recorded) in recorded() {
        let answer = follow(endpoint, recorded).into_answer().unwrap();
        let replayed = follow(endpoint, &text(endpoint, &answer, true));
        assert_eq!(
            replayed.usage(),
            Usage::read(endpoint, &answer).as_ref(),
            "{endpoint:?}"
        );
        assert_eq!(replayed.into_answer(), Some(answer), "{endpoint:?}");
    }
}

#[test]
fn a_replay_has_the_events_of_the_original() {
    // In the order of the originals, each kind once.
    let kinds = |text: &str| {
        let mut kinds: Vec<_> = values(text)
            .iter()
            .map(|value| value["type"].clone())
            .collect();
        kinds.dedup();
        kinds
    };
    for (endpoint, recorded) in recorded().filter(|(one, _)| *one == Endpoint::Responses) {
        let answer = follow(endpoint, recorded).into_answer().unwrap();
        assert_eq!(kinds(&text(endpoint, &answer, true)), kinds(recorded));
    }
    for (endpoint, recorded) in recorded() {
        let answer = follow(endpoint, recorded).into_answer().unwrap();
        for event in events(&text(endpoint, &answer, false)) {
            let Ok(value) = serde_json::from_slice::<Value>(&event.data.unwrap()) else {
                continue;
            };
            let is_chunk = matches!(endpoint, Endpoint::ChatCompletions | Endpoint::Completions);
            assert_eq!(event.name.is_none(), is_chunk);
            assert!(is_chunk || event.name.as_deref() == value["type"].as_str());
        }
    }
}

#[test]
fn usage_comes_to_those_who_ask_for_it() {
    for (endpoint, recorded) in &RECORDED[..3] {
        let answer = follow(*endpoint, recorded).into_answer().unwrap();
        let with = text(*endpoint, &answer, true);
        let chunks: Vec<_> = events(&with).into_iter().filter(usage_chunk).collect();
        assert_eq!(chunks.len(), 1);
        assert!(with.ends_with("data: [DONE]\n\n"));
        let without = text(*endpoint, &answer, false);
        assert!(!without.contains("usage") && without.ends_with("data: [DONE]\n\n"));
    }
}

#[test]
fn usage_chunks_are_those_that_tell_nothing_else() {
    let is_it = |data: &str| usage_chunk(&events(&format!("data: {data}\n\n"))[0]);
    assert!(is_it(r#"{"choices":[],"usage":{"prompt_tokens":1}}"#));
    assert!(is_it(r#"{ "usage" : {}, "choices" : [ ] }"#));
    for other in [
        r#"{"choices":[{"delta":{"content":"\"usage\""}}],"usage":null}"#,
        r#"{"choices":[{"delta":{}}],"usage":{"prompt_tokens":1}}"#,
        r#"{"choices":[],"prompt_filter_results":[]}"#,
        r#"{"choices":[],"usage":null}"#,
        r#"{"usage":{}}"#,
        r#"{"choices":[],"usage":{"#,
        "[DONE]",
    ] {
        assert!(!is_it(other), "{other}");
    }
    assert!(!usage_chunk(&events(": \"usage\"\n\n")[0]));
}

#[test]
fn responses_are_numbered_from_their_creation() {
    let answer = json!({
        "id": "resp_1", "object": "response", "status": "completed", "created_at": 1, "model": "m",
        "output": [
            { "id": "rs_1", "type": "reasoning", "summary": [{ "type": "summary_text", "text": "Hm." }],
              "content": [{ "type": "reasoning_text", "text": "deep" }] },
            { "id": "ws_1", "type": "web_search_call", "status": "completed" },
            { "id": "fc_1", "type": "function_call", "status": "completed", "name": "f", "call_id": "c", "arguments": "{\"a\":1}" },
            { "id": "ct_1", "type": "custom_tool_call", "name": "g", "call_id": "d", "input": "raw" },
            { "id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [
                { "type": "output_text", "text": "Hello", "annotations": [{ "type": "url_citation" }], "logprobs": [] },
                { "type": "refusal", "refusal": "No." } ] },
        ],
        "usage": { "input_tokens": 1, "output_tokens": 2 },
    });
    let events = values(&text(Endpoint::Responses, &answer, false));
    for (at, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], at);
    }
    assert_eq!(events[0]["type"], "response.created");
    assert_eq!(events[0]["response"]["status"], "in_progress");
    assert_eq!(
        (
            &events[0]["response"]["output"],
            &events[0]["response"]["usage"]
        ),
        (&json!([]), &Value::Null)
    );
    let kinds: Vec<_> = events
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    for kind in [
        "response.reasoning_summary_part.added",
        "response.reasoning_summary_text.delta",
        "response.reasoning_text.done",
        "response.function_call_arguments.delta",
        "response.custom_tool_call_input.done",
        "response.output_text.annotation.added",
        "response.refusal.delta",
        "response.content_part.done",
    ] {
        assert!(kinds.contains(&kind), "{kind} is missing from {kinds:?}");
    }
    let added: Vec<_> = events
        .iter()
        .filter(|event| event["type"] == "response.output_item.added")
        .collect();
    assert_eq!(added[2]["item"]["arguments"], "");
    assert_eq!(added[4]["item"]["content"], json!([]));
    assert_eq!(events.last().unwrap()["response"], answer);
}

#[test]
fn texts_are_cut_between_letters() {
    for text in ["", "a", &"é🦀".repeat(40), &"x".repeat(100_000)] {
        let pieces = pieces(text);
        assert_eq!(pieces.concat(), text);
        assert!(pieces.len() <= MAX_PIECES && pieces.iter().all(|piece| !piece.is_empty()));
    }
}

#[test]
fn what_has_no_stream_gives_no_events() {
    for endpoint in [
        Endpoint::Embeddings,
        Endpoint::Moderations,
        Endpoint::Speech,
        Endpoint::CountTokens,
    ] {
        assert_eq!(
            replay(endpoint, &json!({ "data": [] }), true),
            Vec::<Bytes>::new()
        );
    }
}

fn words() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z é🦀\n\"\\\\]{0,200}", Just(String::new())]
}

fn message() -> impl Strategy<Value = Value> {
    let call = (words(), "[a-z]{1,5}", words()).prop_map(|(id, name, arguments)| {
        let function = json!({ "name": name, "arguments": arguments });
        json!({ "id": format!("call {id}"), "type": "function", "function": function })
    });
    let calls = prop::collection::vec(call, 1..4);
    let text = prop::option::of(words());
    let more = (
        prop::option::of(words()),
        prop::option::of(words()),
        any::<bool>(),
    );
    (text, prop::option::of(calls), more).prop_map(|(content, calls, (refusal, thought, more))| {
        let content = if calls.is_some() {
            content.filter(|text| !text.is_empty())
        } else {
            content
        };
        let mut message = json!({ "role": "assistant", "content": content, "refusal": refusal });
        if let Some(calls) = calls {
            message["tool_calls"] = calls.into();
        }
        if let Some(thought) = thought {
            message["reasoning_content"] = thought.into();
        }
        if more {
            message["annotations"] = json!([{ "type": "url_citation", "start_index": 3 }]);
            message["audio"] = json!({ "id": "a", "data": "AAAA" });
        }
        message
    })
}

fn chat() -> impl Strategy<Value = Value> {
    let choice = (
        message(),
        proptest::sample::select(vec!["stop", "length", "tool_calls"]),
        any::<bool>(),
    );
    prop::collection::vec(choice, 1..4).prop_map(|choices| {
        let choices = choices.into_iter().enumerate().map(|(index, (message, reason, told))| {
            let token = json!({ "content": [{ "token": "a", "logprob": -0.5 }], "refusal": null });
            let probabilities = if told { token } else { Value::Null };
            json!({ "index": index, "message": message, "finish_reason": reason, "logprobs": probabilities })
        });
        json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
            "system_fingerprint": "fp", "choices": choices.collect::<Vec<_>>(),
            "usage": { "prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7 },
        })
    })
}

proptest! {
    #[test]
    fn any_chat_is_replayed_without_loss(answer in chat()) {
        let replayed = follow(Endpoint::ChatCompletions, &text(Endpoint::ChatCompletions, &answer, true));
        prop_assert_eq!(replayed.into_answer(), Some(answer.clone()));
        let replayed = follow(Endpoint::ChatCompletions, &text(Endpoint::ChatCompletions, &answer, false));
        let mut bare = answer;
        bare.as_object_mut().unwrap().remove("usage");
        prop_assert_eq!(replayed.into_answer(), Some(bare));
    }

    #[test]
    fn any_message_is_replayed_without_loss(said in words(), thought in words(), input in words()) {
        let answer = json!({
            "id": "msg_1", "type": "message", "role": "assistant", "model": "m",
            "stop_reason": "tool_use", "stop_sequence": null,
            "content": [
                { "type": "thinking", "thinking": thought, "signature": "s" },
                { "type": "redacted_thinking", "data": "x" },
                { "type": "text", "text": said },
                { "type": "text", "text": said, "citations": [{ "a": 1 }, { "b": 2 }] },
                { "type": "tool_use", "id": "t", "name": "f", "input": { "x": input } },
                { "type": "server_tool_use", "id": "u", "name": "g", "input": {} },
                { "type": "web_search_tool_result", "tool_use_id": "u", "content": [{}] },
            ],
            "usage": { "input_tokens": 5, "cache_read_input_tokens": 6, "output_tokens": 7 },
        });
        let replayed = follow(Endpoint::Messages, &text(Endpoint::Messages, &answer, false));
        prop_assert_eq!(replayed.usage().unwrap().output, 7);
        prop_assert_eq!(replayed.into_answer(), Some(answer));
    }
}
