use super::*;

fn chunk(choices: &Value) -> Value {
    json!({ "id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices })
}

fn answer(events: &[Value]) -> Value {
    let text = format!("{}data: [DONE]\n\n", stream(events));
    follow(Endpoint::ChatCompletions, &text)
        .into_answer()
        .unwrap()
}

fn delta(delta: &Value) -> Value {
    chunk(&json!([{ "index": 0, "delta": delta, "finish_reason": null }]))
}

#[test]
fn text_is_put_together() {
    let followed = follow(
        Endpoint::ChatCompletions,
        include_str!("../../../fixtures/chat-text.sse"),
    );
    let usage = followed.usage().unwrap();
    assert_eq!(
        (
            usage.input,
            usage.cached_input,
            usage.output,
            usage.reasoning
        ),
        (19, 4, 10, 3)
    );
    assert_eq!(
        followed.produced(),
        "Hello there! How can I help?".len() as u64
    );
    let expected = json!({
        "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT", "object": "chat.completion",
        "created": 1_741_569_952, "model": "gpt-4.1-2025-04-14", "service_tier": "default",
        "system_fingerprint": "fp_b",
        "choices": [{
            "index": 0, "logprobs": null, "finish_reason": "stop",
            "message": { "role": "assistant", "content": "Hello there! How can I help?", "refusal": null },
        }],
        "usage": {
            "prompt_tokens": 19, "completion_tokens": 10, "total_tokens": 29,
            "prompt_tokens_details": { "cached_tokens": 4, "audio_tokens": 0 },
            "completion_tokens_details": { "reasoning_tokens": 3, "audio_tokens": 0 },
        },
    });
    assert_eq!(followed.into_answer(), Some(expected));
}

#[test]
fn tool_calls_are_put_together() {
    let followed = follow(
        Endpoint::ChatCompletions,
        include_str!("../../../fixtures/chat-tools.sse"),
    );
    assert!(followed.produced() > 0);
    let answer = followed.into_answer().unwrap();
    assert_eq!(answer["choices"][0]["finish_reason"], "tool_calls");
    let call = |id: &str, city: &str| {
        let arguments = json!({ "city": city }).to_string();
        json!({ "id": id, "type": "function", "function": { "name": "get_weather", "arguments": arguments } })
    };
    let mut second = call("call_2", "Rome");
    second["extra_content"] = json!({ "google": { "thought_signature": "sig" } });
    let expected = json!({
        "role": "assistant", "content": null, "refusal": null,
        "tool_calls": [call("call_1", "Paris"), second],
    });
    assert_eq!(answer["choices"][0]["message"], expected);
    assert_eq!(
        crate::completion(Endpoint::ChatCompletions, &answer),
        crate::Completion::ToolCalls
    );
}

#[test]
fn tool_calls_without_an_index_are_told_apart_by_their_ids() {
    let call = |id: &str, arguments: &str| {
        let function = json!({ "name": "f", "arguments": arguments });
        delta(&json!({ "tool_calls": [{ "id": id, "type": "function", "function": function }] }))
    };
    let answer = answer(&[
        call("a", "{"),
        call("a", "}"),
        call("b", "{}"),
        call("", " "),
    ]);
    let calls = &answer["choices"][0]["message"]["tool_calls"];
    let arguments = |at: usize| &calls[at]["function"]["arguments"];
    assert_eq!(
        (arguments(0), arguments(1), calls.as_array().unwrap().len()),
        (&json!("{}"), &json!("{} "), 2)
    );
    assert_eq!(calls[0]["function"]["name"], "f");
}

#[test]
fn reasoning_refusals_and_unknown_members_are_kept() {
    let answer = answer(&[
        delta(&json!({ "role": "assistant", "content": "", "reasoning_content": "Let me " })),
        delta(
            &json!({ "reasoning_content": "see.", "reasoning_details": [{ "index": 0, "type": "reasoning.text", "text": "a" }] }),
        ),
        delta(
            &json!({ "reasoning_details": [{ "index": 0, "type": "reasoning.text", "text": "b" }] }),
        ),
        delta(&json!({ "refusal": "I " })),
        delta(&json!({ "refusal": "won't.", "annotations": [{ "type": "url_citation" }] })),
        delta(&json!({ "annotations": [{ "type": "url_citation" }], "other": { "a": [1] } })),
        chunk(
            &json!([{ "index": 0, "delta": {}, "finish_reason": "stop", "content_filter_results": {} }]),
        ),
    ]);
    let expected = json!({
        "role": "assistant", "content": "", "reasoning_content": "Let me see.", "refusal": "I won't.",
        "reasoning_details": [{ "index": 0, "type": "reasoning.text", "text": "ab" }],
        "annotations": [{ "type": "url_citation" }, { "type": "url_citation" }],
        "other": { "a": [1] },
    });
    assert_eq!(answer["choices"][0]["message"], expected);
    assert_eq!(answer["choices"][0]["content_filter_results"], json!({}));
}

#[test]
fn choices_and_probabilities_do_not_mix() {
    let part = |index: u64, text: &str| {
        let probabilities =
            json!({ "content": [{ "token": text, "logprob": -0.1 }], "refusal": null });
        chunk(&json!([{ "index": index, "delta": { "content": text }, "logprobs": probabilities }]))
    };
    let end =
        |index: u64| chunk(&json!([{ "index": index, "delta": {}, "finish_reason": "stop" }]));
    let answer = answer(&[
        part(1, "b"),
        part(0, "a"),
        part(1, "B"),
        end(1),
        part(0, "A"),
        end(0),
    ]);
    for (at, text, first) in [(0, "aA", "a"), (1, "bB", "b")] {
        let choice = &answer["choices"][at];
        assert_eq!(
            (&choice["index"], &choice["message"]["content"]),
            (&json!(at), &json!(text))
        );
        let tokens = choice["logprobs"]["content"].as_array().unwrap();
        assert_eq!((&tokens[0]["token"], tokens.len()), (&json!(first), 2));
    }
}

#[test]
fn usage_of_every_dialect_is_seen() {
    let with = |place: &str, usage: Value| {
        let mut chunk = chunk(&json!([{ "index": 0, "delta": { "content": "x" } }]));
        chunk[place] = usage;
        chunk
    };
    let figures = |output: u64| json!({ "prompt_tokens": 5, "completion_tokens": output });
    let usage = |events: &[Value]| {
        let usage = *follow(Endpoint::ChatCompletions, &stream(events))
            .usage()
            .unwrap();
        (usage.input, usage.output)
    };
    // Gemini tells totals with every chunk.
    let gemini = [
        with("usage", figures(1)),
        with("usage", figures(7)),
        with("usage", figures(9)),
    ];
    assert_eq!(usage(&gemini), (5, 9));
    assert_eq!(
        usage(&[with("x_groq", json!({ "usage": figures(3) }))]),
        (5, 3)
    );
    // Figures that cannot be do not replace those that can.
    let absurd = with(
        "usage",
        json!({ "prompt_tokens": -1, "completion_tokens": 1e18 }),
    );
    assert_eq!(usage(&[with("usage", figures(2)), absurd]), (5, 2));
}

#[test]
fn a_stream_without_done_is_whole_if_every_choice_is() {
    let end = |index: u64, reason: Value| {
        chunk(&json!([{ "index": index, "delta": { "content": "x" }, "finish_reason": reason }]))
    };
    let answer =
        |events: &[Value]| follow(Endpoint::ChatCompletions, &stream(events)).into_answer();
    for limit in [0, 1000] {
        let over = |events: &[Value]| {
            follow_within(Endpoint::ChatCompletions, &stream(events), limit).is_terminated()
        };
        assert!(over(&[end(0, json!(null)), end(0, json!("stop"))]));
        assert!(!over(&[end(0, json!("stop")), end(1, json!(null))]));
        // What follows an end opens nothing again.
        assert!(over(&[end(0, json!("stop")), end(0, json!(null))]));
        assert!(!over(&[chunk(&json!([]))]));
    }
    assert!(answer(&[end(0, json!("stop"))]).is_some());
    assert!(answer(&[end(0, json!("stop")), end(1, json!("length"))]).is_some());
    assert!(answer(&[end(0, json!("stop")), end(1, json!(null))]).is_none());
    assert!(answer(&[chunk(&json!([]))]).is_none());
    // Azure begins with a chunk without choices.
    let azure = json!({ "choices": [], "prompt_filter_results": [{ "prompt_index": 0 }] });
    let answer = answer(&[azure, end(0, json!("stop"))]).unwrap();
    assert_eq!(
        answer["prompt_filter_results"],
        json!([{ "prompt_index": 0 }])
    );
}

#[test]
fn indices_that_cannot_be_take_no_memory() {
    let many: Vec<_> = (0..3000_u64)
        .map(|index| chunk(&json!([{ "index": index * 1_000_000_007, "delta": { "tool_calls": [{ "index": index }] } }])))
        .collect();
    assert!(answer(&many)["choices"].as_array().unwrap().len() <= MAX_ITEMS);
    let many: Vec<_> = (0..3000_u64)
        .map(|index| delta(&json!({ "tool_calls": [{ "index": index }] })))
        .collect();
    let answer = answer(&many);
    let calls = answer["choices"][0]["message"]["tool_calls"]
        .as_array()
        .unwrap();
    assert!(calls.len() <= MAX_ITEMS);
}

#[test]
fn completions_are_put_together() {
    let followed = follow(
        Endpoint::Completions,
        include_str!("../../../fixtures/completions.sse"),
    );
    assert_eq!(followed.usage().unwrap().output, 7);
    let expected = json!({
        "id": "cmpl-7iA7iJjj8V2zOkCGvWF2hAkDWBQZe", "object": "text_completion", "created": 1_690_759_702,
        "model": "gpt-3.5-turbo-instruct", "system_fingerprint": "fp_44709d6fcb",
        "choices": [{ "index": 0, "text": "\n\nThis is a test.", "logprobs": null, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12 },
    });
    assert_eq!(followed.into_answer(), Some(expected));
}
