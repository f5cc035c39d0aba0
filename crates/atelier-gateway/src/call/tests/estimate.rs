use super::*;
use crate::{Counter, DEFAULT_OUTPUT};

fn estimate(endpoint: Endpoint, body: &Value) -> Estimate {
    call(endpoint, body).estimate(Counter::for_model("gpt-5"))
}

#[test]
fn the_answer_is_bounded_by_the_client_or_by_a_default() {
    let output = |more| estimate(Endpoint::ChatCompletions, &chat(more)).output_tokens;
    assert_eq!(output(json!({})), DEFAULT_OUTPUT);
    assert_eq!(output(json!({ "n": 3 })), 3 * DEFAULT_OUTPUT);
    assert_eq!(output(json!({ "max_completion_tokens": 100, "n": 2 })), 200);
    assert_eq!(output(json!({ "max_tokens": 0 })), 0);
    let best = json!({ "model": "m", "prompt": "x", "best_of": 5, "max_tokens": 10 });
    assert_eq!(estimate(Endpoint::Completions, &best).output_tokens, 50);
    let embedding = json!({ "model": "m", "input": "x", "max_tokens": 99 });
    assert_eq!(estimate(Endpoint::Embeddings, &embedding).output_tokens, 0);
}

#[test]
fn all_text_of_a_request_counts() {
    let long = "A sentence of some words. ".repeat(40);
    let input = |more| estimate(Endpoint::ChatCompletions, &chat(more)).input_tokens;
    let plain = input(json!({}));
    let part = json!([{ "type": "text", "text": long }]);
    let tool_call = json!({ "function": { "arguments": long } });
    for more in [
        json!({ "messages": [{ "role": "user", "content": long }] }),
        json!({ "messages": [{ "role": "user", "content": part }] }),
        json!({ "messages": [{ "role": "assistant", "tool_calls": [tool_call] }] }),
        json!({ "tools": [{ "function": { "description": long } }] }),
        json!({ "response_format": { "schema": long } }),
    ] {
        let more_than_plain = input(more.clone()) - plain;
        assert!(
            (200..500).contains(&more_than_plain),
            "{more_than_plain}: {more}"
        );
    }
    let system = json!({ "model": "m", "max_tokens": 9, "messages": [{}], "system": long });
    assert!(estimate(Endpoint::Messages, &system).input_tokens >= 200);
    let instructions = json!({ "instructions": long, "input": "x" });
    assert!(estimate(Endpoint::Responses, &instructions).input_tokens >= 200);
    let texts = json!({ "model": "m", "input": [long, long] });
    assert!(estimate(Endpoint::Embeddings, &texts).input_tokens >= 400);
    let tokens = json!({ "model": "m", "input": [[1, 2, 3], [4, 5]] });
    assert_eq!(estimate(Endpoint::Embeddings, &tokens).input_tokens, 5);
}

#[test]
fn attachments_have_their_own_weight() {
    let bytes = "A".repeat(4_000_000);
    let input = |part: &Value| {
        let messages = json!([{ "role": "user", "content": [part] }]);
        let body = chat(json!({ "messages": messages }));
        estimate(Endpoint::ChatCompletions, &body).input_tokens
    };
    let url = format!("data:image/png;base64,{bytes}");
    let source = json!({ "type": "base64", "media_type": "image/png", "data": bytes });
    for part in [
        json!({ "type": "image_url", "image_url": { "url": url, "detail": "high" } }),
        json!({ "type": "input_image", "image_url": url }),
        json!({ "type": "image", "source": source }),
    ] {
        assert!((1_000..3_000).contains(&input(&part)));
    }
    let document = json!({ "type": "document", "source": { "data": format!("JVBERi{bytes}") } });
    assert!((50_000..200_000).contains(&input(&document)));
}

#[test]
fn pictures_are_weighed_by_size_and_quality() {
    let output = |mut body: Value| {
        body["prompt"] = json!("a cat");
        estimate(Endpoint::ImageGenerations, &body)
    };
    let low = json!({ "quality": "low", "size": "1024x1024" });
    assert_eq!(output(low).output_tokens, 200);
    let large = json!({ "quality": "medium", "size": "1536x1024", "n": 2, "partial_images": 3 });
    let large = output(large);
    assert_eq!((large.output_tokens, large.images), (2 * (2_700 + 300), 2));
    assert_eq!(output(json!({})).output_tokens, 10_650);
    assert_eq!(
        output(json!({ "size": "99999x99999" })).output_tokens,
        10_650
    );
    let usage = large.usage();
    assert_eq!((usage.images, usage.output), (2, 6_000));
}
