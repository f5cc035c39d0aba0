use proptest::prelude::*;
use serde_json::json;

use super::*;

fn chat(usage: &Value) -> Option<Usage> {
    Usage::read(Endpoint::ChatCompletions, &json!({ "usage": usage }))
}

#[test]
fn openais_figures_are_read() {
    let usage = chat(&json!({
        "prompt_tokens": 2006, "completion_tokens": 300, "total_tokens": 2306,
        "prompt_tokens_details": { "cached_tokens": 1920, "audio_tokens": 5 },
        "completion_tokens_details": { "reasoning_tokens": 192, "audio_tokens": 7 },
    }));
    let expected = Usage {
        input: 2006,
        cached_input: 1920,
        audio_input: 5,
        output: 300,
        audio_output: 7,
        reasoning: 192,
        ..Usage::default()
    };
    assert_eq!(usage, Some(expected));
    assert_eq!(expected.tokens(), 2306);
}

#[test]
fn every_place_and_spelling_is_known() {
    let figures = json!({ "input_tokens": 9, "output_tokens": 4 });
    for (endpoint, answer) in [
        (Endpoint::Responses, json!({ "usage": figures })),
        (
            Endpoint::Responses,
            json!({ "type": "response.completed", "response": { "usage": figures } }),
        ),
        (
            Endpoint::ChatCompletions,
            json!({ "choices": [], "usage": null, "x_groq": { "usage": { "prompt_tokens": 9, "completion_tokens": 4 } } }),
        ),
        (
            Endpoint::ChatCompletions,
            json!({ "usage": { "prompt_tokens": 9.0, "completion_tokens": 4.0 } }),
        ),
        (
            Endpoint::ChatCompletions,
            json!({ "usage": { "completion_tokens": 4, "total_tokens": 13 } }),
        ),
        (
            Endpoint::Transcriptions,
            json!({ "usage": { "type": "tokens", "input_tokens": 9, "output_tokens": 4 } }),
        ),
        (
            Endpoint::Messages,
            json!({ "type": "message_start", "message": { "usage": figures } }),
        ),
    ] {
        let usage = Usage::read(endpoint, &answer).unwrap();
        assert_eq!((usage.input, usage.output), (9, 4), "{answer}");
    }
    let embedding = json!({ "usage": { "prompt_tokens": 8, "total_tokens": 8 } });
    let embedding = Usage::read_bytes(Endpoint::Embeddings, embedding.to_string().as_bytes());
    assert_eq!(embedding.unwrap().tokens(), 8);
    let heard = json!({ "text": "x", "usage": { "type": "duration", "seconds": 8.2 } });
    assert_eq!(
        Usage::read(Endpoint::Transcriptions, &heard)
            .unwrap()
            .seconds,
        9
    );
    let deepseek =
        json!({ "prompt_tokens": 9, "completion_tokens": 4, "prompt_cache_hit_tokens": 5 });
    assert_eq!(chat(&deepseek).unwrap().cached_input, 5);
    let openrouter = json!({ "prompt_tokens": 9, "completion_tokens": 4, "cost": 0.25 });
    assert_eq!(chat(&openrouter).unwrap().usd, Some(0.25));
    assert_eq!(
        Usage::read(Endpoint::CountTokens, &json!({ "input_tokens": 5 })),
        Some(Usage::default())
    );
}

#[test]
fn anthropics_input_is_the_sum_of_three() {
    let usage = json!({ "usage": {
        "input_tokens": 10, "cache_creation_input_tokens": 200, "cache_read_input_tokens": 3000,
        "cache_creation": { "ephemeral_5m_input_tokens": 150, "ephemeral_1h_input_tokens": 50 },
        "output_tokens": 5,
    }});
    let expected = Usage {
        input: 3210,
        cached_input: 3000,
        cache_writes: 200,
        long_cache_writes: 50,
        output: 5,
        ..Usage::default()
    };
    assert_eq!(Usage::read(Endpoint::Messages, &usage), Some(expected));
}

#[test]
fn pictures_are_counted() {
    let usage = json!({ "input_tokens": 50, "output_tokens": 196,
        "input_tokens_details": { "text_tokens": 10, "image_tokens": 40 } });
    let answer = json!({ "data": [{ "b64_json": "x" }, { "b64_json": "y" }], "usage": usage });
    let read = Usage::read(Endpoint::ImageEdits, &answer).unwrap();
    assert_eq!((read.images, read.image_input, read.output), (2, 40, 196));
    let event = json!({ "type": "image_generation.completed", "b64_json": "x", "usage": usage });
    assert_eq!(
        Usage::read(Endpoint::ImageGenerations, &event)
            .unwrap()
            .images,
        1
    );
    // Local servers tell nothing but the pictures.
    let bare = json!({ "data": [{ "b64_json": "x" }] });
    let expected = Usage {
        images: 1,
        ..Usage::default()
    };
    assert_eq!(
        Usage::read(Endpoint::ImageGenerations, &bare),
        Some(expected)
    );
    let partial = json!({ "type": "image_generation.partial_image", "b64_json": "x" });
    assert_eq!(Usage::read(Endpoint::ImageGenerations, &partial), None);
}

#[test]
fn what_cannot_be_is_no_usage() {
    for usage in [
        json!({ "prompt_tokens": -1, "completion_tokens": 5 }),
        json!({ "prompt_tokens": 5, "completion_tokens": -1 }),
        json!({ "prompt_tokens": 5, "completion_tokens": 1_000_000_000_000_000_000_u64 }),
        json!({ "prompt_tokens": 1e300, "completion_tokens": 5 }),
        json!({ "prompt_tokens": "5", "completion_tokens": 5 }),
        json!({ "prompt_tokens": 5, "completion_tokens": 5, "total_tokens": -3 }),
        json!({ "prompt_tokens": null }),
        json!({}),
        json!([]),
        json!(null),
        json!("much"),
    ] {
        assert_eq!(chat(&usage), None, "{usage}");
    }
    assert_eq!(Usage::read(Endpoint::ChatCompletions, &json!([{}])), None);
    assert_eq!(
        Usage::read_bytes(Endpoint::ChatCompletions, b"<html>"),
        None
    );
    let message = json!({ "usage": { "input_tokens": 1, "cache_read_input_tokens": -5 } });
    assert_eq!(Usage::read(Endpoint::Messages, &message), None);
}

#[test]
fn details_that_cannot_be_are_not_told() {
    for cached in [json!(-1), json!(1e18), json!("x"), json!(null)] {
        let usage =
            json!({ "prompt_tokens": 5, "prompt_tokens_details": { "cached_tokens": cached } });
        assert_eq!(chat(&usage).unwrap().cached_input, 0, "{cached}");
    }
    // More than there is cannot have been cached.
    let usage = json!({ "prompt_tokens": 5, "prompt_tokens_details": { "cached_tokens": 50 } });
    assert_eq!(chat(&usage).unwrap().cached_input, 5);
    for cost in [json!(-1), json!(1e9), json!("1")] {
        let usage = json!({ "prompt_tokens": 5, "cost": cost });
        assert_eq!(chat(&usage).unwrap().usd, None);
    }
}

proptest! {
    #[test]
    fn usage_is_never_absurd(input in any::<f64>(), output in any::<i64>(), cached in any::<i64>()) {
        for endpoint in Endpoint::ALL {
            let usage = json!({ "prompt_tokens": input, "output_tokens": output, "input_tokens": input,
                "cache_read_input_tokens": cached,
                "prompt_tokens_details": { "cached_tokens": cached } });
            if let Some(usage) = Usage::read(endpoint, &json!({ "usage": usage })) {
                prop_assert!(usage.input <= 3 * MOST && usage.output <= MOST);
                prop_assert!(usage.cached_input + usage.cache_writes <= usage.input);
            }
        }
    }
}
