use super::*;

#[test]
fn a_response_is_told_at_the_end() {
    let followed = follow(
        Endpoint::Responses,
        include_str!("../../../fixtures/responses.sse"),
    );
    assert_eq!(
        (
            followed.usage().unwrap().input,
            followed.usage().unwrap().output
        ),
        (37, 11)
    );
    assert_eq!(
        (followed.produced(), followed.next_sequence()),
        ("Hi there!".len() as u64, 10)
    );
    assert!(followed.is_terminated());
    let answer = followed.into_answer().unwrap();
    assert_eq!(
        (&answer["object"], &answer["status"]),
        (&json!("response"), &json!("completed"))
    );
    assert_eq!(answer["output"][0]["content"][0]["text"], "Hi there!");
    assert!(crate::is_complete(Endpoint::Responses, &answer));
}

#[test]
fn a_response_that_ran_out_is_no_whole_one() {
    let event = json!({ "type": "response.incomplete", "sequence_number": 4, "response": {
        "status": "incomplete", "incomplete_details": { "reason": "max_output_tokens" }, "output": [{}],
        "usage": { "input_tokens": 3, "output_tokens": 16 } } });
    let followed = follow(Endpoint::Responses, &stream(&[event]));
    assert_eq!(followed.usage().unwrap().output, 16);
    assert!(!crate::is_complete(
        Endpoint::Responses,
        &followed.into_answer().unwrap()
    ));
}

#[test]
fn a_message_is_put_together() {
    let followed = follow(
        Endpoint::Messages,
        include_str!("../../../fixtures/messages.sse"),
    );
    // Later figures replace earlier ones.
    let usage = followed.usage().unwrap();
    assert_eq!(
        (usage.input, usage.cached_input, usage.output),
        (25 + 100 + 10, 100, 89)
    );
    let citation = json!({
        "type": "char_location", "cited_text": "x", "document_index": 0, "document_title": null,
        "start_char_index": 0, "end_char_index": 1, "file_id": null,
    });
    let expected = json!({
        "id": "msg_1nZdL29xx5MUA1yADyHTEsnR8uuvGzszyY", "type": "message", "role": "assistant",
        "model": "claude-sonnet-5-5",
        "content": [
            { "type": "thinking", "thinking": "The user wants the weather.", "signature": "EqQBCgIYAhIM" },
            { "type": "text", "text": "Let me check.", "citations": [citation] },
            { "type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": { "city": "Paris", "days": 2 } },
            { "type": "tool_use", "id": "toolu_2", "name": "ping", "input": {} },
        ],
        "stop_reason": "tool_use", "stop_sequence": null,
        "usage": {
            "input_tokens": 25, "cache_creation_input_tokens": 10, "cache_read_input_tokens": 100,
            "output_tokens": 89,
        },
    });
    assert_eq!(followed.into_answer(), Some(expected));
}

#[test]
fn a_message_that_is_not_understood_is_not_kept() {
    let start = json!({ "type": "message_start", "message": { "content": [], "usage": { "input_tokens": 1, "output_tokens": 1 } } });
    let block = json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "tool_use", "input": {} } });
    let delta = |delta: Value| json!({ "type": "content_block_delta", "index": 0, "delta": delta });
    let stop = json!({ "type": "message_stop" });
    for odd in [
        delta(json!({ "type": "new_delta", "new": "x" })),
        delta(json!({ "type": "input_json_delta", "partial_json": "{\"a\":" })),
        json!({ "type": "content_block_delta", "index": 7, "delta": { "type": "text_delta", "text": "x" } }),
        json!({ "type": "something_new" }),
    ] {
        let text = stream(&[start.clone(), block.clone(), odd.clone(), stop.clone()]);
        let followed = follow(Endpoint::Messages, &text);
        assert!(followed.is_terminated() && followed.usage().is_some());
        assert_eq!(followed.into_answer(), None, "{odd}");
    }
    let ping = json!({ "type": "ping" });
    assert!(
        follow(Endpoint::Messages, &stream(&[start, block, ping, stop]))
            .into_answer()
            .is_some()
    );
}

#[test]
fn pictures_are_put_together() {
    let followed = follow(
        Endpoint::ImageGenerations,
        include_str!("../../../fixtures/images.sse"),
    );
    let usage = followed.usage().unwrap();
    assert_eq!((usage.images, usage.input, usage.output), (1, 50, 196));
    let expected = json!({
        "created": 1_620_000_000, "data": [{ "b64_json": "AAEC" }], "size": "1024x1024", "quality": "low",
        "background": "opaque", "output_format": "png",
        "usage": { "total_tokens": 246, "input_tokens": 50, "output_tokens": 196,
            "input_tokens_details": { "text_tokens": 50, "image_tokens": 0 } },
    });
    assert_eq!(followed.into_answer(), Some(expected));
}

#[test]
fn several_pictures_add_up() {
    let event = |name: &str| {
        json!({ "type": "image_edit.completed", "b64_json": name, "created_at": 1,
        "usage": { "input_tokens": 5, "output_tokens": 100, "input_tokens_details": { "image_tokens": 4 } } })
    };
    let followed = follow(Endpoint::ImageEdits, &stream(&[event("a"), event("b")]));
    let usage = followed.usage().unwrap();
    assert_eq!(
        (usage.images, usage.input, usage.image_input, usage.output),
        (2, 10, 8, 200)
    );
    let answer = followed.into_answer().unwrap();
    assert_eq!(
        answer["data"],
        json!([{ "b64_json": "a" }, { "b64_json": "b" }])
    );
    assert_eq!(
        Usage::read(Endpoint::ImageEdits, &answer).unwrap().output,
        200
    );
}

#[test]
fn audio_is_followed() {
    let followed = follow(
        Endpoint::Transcriptions,
        include_str!("../../../fixtures/transcriptions.sse"),
    );
    let usage = followed.usage().unwrap();
    assert_eq!((usage.input, usage.audio_input, usage.output), (14, 12, 45));
    let answer = followed.into_answer().unwrap();
    assert_eq!(
        (&answer["text"], answer.get("type")),
        (&json!("I see skies of blue."), None)
    );
    let spoken = [
        json!({ "type": "speech.audio.delta", "audio": "AAAA" }),
        json!({ "type": "speech.audio.done", "usage": { "input_tokens": 3, "output_tokens": 90 } }),
    ];
    let followed = follow(Endpoint::Speech, &stream(&spoken));
    assert!(followed.is_terminated() && followed.usage().unwrap().output == 90);
    assert_eq!(followed.into_answer(), None);
}
