use serde_json::json;

use super::*;

fn chat(reason: &str, message: &Value) -> Value {
    json!({ "choices": [{ "index": 0, "finish_reason": reason, "message": message }] })
}

#[test]
fn a_chat_is_whole_when_the_model_stopped() {
    use Completion::{Partial, ToolCalls, Whole};
    let said = json!({ "content": "x" });
    let called = json!({ "content": null, "tool_calls": [{ "id": "c" }] });
    let two = |reason: &str| {
        let mut answer = chat("stop", &said);
        let other = json!({ "finish_reason": reason, "message": called });
        answer["choices"].as_array_mut().unwrap().push(other);
        answer
    };
    for (answer, expected) in [
        (chat("stop", &said), Whole),
        (
            chat("stop", &json!({ "content": null, "refusal": "No." })),
            Whole,
        ),
        (chat("length", &said), Partial),
        (chat("content_filter", &said), Partial),
        (
            json!({ "choices": [{ "message": said, "finish_reason": null }] }),
            Partial,
        ),
        (json!({ "choices": [{ "message": said }] }), Partial),
        (chat("stop", &json!({ "content": "" })), Partial),
        (
            chat("stop", &json!({ "content": null, "tool_calls": [] })),
            Partial,
        ),
        (chat("tool_calls", &called), ToolCalls),
        (chat("stop", &called), ToolCalls),
        (
            chat(
                "function_call",
                &json!({ "function_call": { "name": "f" } }),
            ),
            ToolCalls,
        ),
        (chat("tool_calls", &said), Partial),
        (two("tool_calls"), ToolCalls),
        (two("length"), Partial),
        (json!({ "choices": [] }), Partial),
        (json!({ "error": { "message": "x" } }), Partial),
        (
            json!({ "error": "x", "choices": chat("stop", &said)["choices"] }),
            Partial,
        ),
        (json!({}), Partial),
        (json!(null), Partial),
        (json!("<html>"), Partial),
    ] {
        assert_eq!(
            completion(Endpoint::ChatCompletions, &answer),
            expected,
            "{answer}"
        );
        let is_whole = is_complete(Endpoint::ChatCompletions, &answer);
        assert_eq!(is_whole, expected == Whole);
    }
}

#[test]
fn every_format_says_when_it_is_whole() {
    use Completion::{Partial, ToolCalls, Whole};
    let text = json!({ "type": "message", "status": "completed", "content": [] });
    let response =
        |status: &str, item: &Value| json!({ "status": status, "error": null, "output": [item] });
    let call = json!({ "type": "function_call", "status": "completed" });
    let search = json!({ "type": "web_search_call", "status": "completed" });
    let cut = json!({ "type": "message", "status": "incomplete" });
    let message = |reason: &str| json!({ "stop_reason": reason, "content": [{ "type": "text" }] });
    for (endpoint, answer, expected) in [
        (Endpoint::Responses, response("completed", &text), Whole),
        (Endpoint::Responses, response("completed", &search), Whole),
        (Endpoint::Responses, response("completed", &call), ToolCalls),
        (Endpoint::Responses, response("completed", &cut), Partial),
        (Endpoint::Responses, response("incomplete", &text), Partial),
        (Endpoint::Responses, response("queued", &text), Partial),
        (
            Endpoint::Responses,
            json!({ "status": "completed", "output": [] }),
            Partial,
        ),
        (
            Endpoint::Responses,
            json!({ "status": "completed", "output": [text], "error": { "code": "x" } }),
            Partial,
        ),
        (Endpoint::Messages, message("end_turn"), Whole),
        (Endpoint::Messages, message("stop_sequence"), Whole),
        (Endpoint::Messages, message("tool_use"), ToolCalls),
        (Endpoint::Messages, message("max_tokens"), Partial),
        (Endpoint::Messages, message("refusal"), Partial),
        (Endpoint::Messages, message("pause_turn"), Partial),
        (
            Endpoint::Messages,
            json!({ "stop_reason": "end_turn", "content": [] }),
            Partial,
        ),
        (
            Endpoint::Completions,
            json!({ "choices": [{ "text": "x", "finish_reason": "stop" }] }),
            Whole,
        ),
        (
            Endpoint::Completions,
            json!({ "choices": [{ "text": "x", "finish_reason": "length" }] }),
            Partial,
        ),
        (
            Endpoint::Embeddings,
            json!({ "data": [{ "embedding": [0.5] }] }),
            Whole,
        ),
        (
            Endpoint::Embeddings,
            json!({ "data": [{ "embedding": "AAAA" }] }),
            Whole,
        ),
        (
            Endpoint::Embeddings,
            json!({ "data": [{ "embedding": [0.5] }, { "embedding": [] }] }),
            Partial,
        ),
        (Endpoint::Embeddings, json!({ "data": [] }), Partial),
        (
            Endpoint::ImageGenerations,
            json!({ "data": [{ "b64_json": "x" }] }),
            Whole,
        ),
        (
            Endpoint::ImageGenerations,
            json!({ "data": [{ "url": "https://x" }] }),
            Partial,
        ),
        (
            Endpoint::ImageEdits,
            json!({ "data": [{ "b64_json": "x" }, {}] }),
            Partial,
        ),
        (Endpoint::Moderations, json!({ "results": [{}] }), Whole),
        (Endpoint::Transcriptions, json!({ "text": "" }), Whole),
        (Endpoint::Transcriptions, json!({}), Partial),
        (Endpoint::CountTokens, json!({ "input_tokens": 3 }), Whole),
        (Endpoint::Speech, json!({}), Partial),
    ] {
        assert_eq!(
            completion(endpoint, &answer),
            expected,
            "{endpoint:?} {answer}"
        );
    }
}
