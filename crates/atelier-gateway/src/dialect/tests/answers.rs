//! What each dialect answers, as each documents it.

use bytes::Bytes;
use serde_json::{Value, json};

use super::Dialect;
use crate::{ApiError, Assembler, Endpoint, Usage, Wire, sse::Splitter};

/// The usage of a stream, and the answer that it amounts to.
fn followed(dialect: Dialect, stream: &str) -> (Option<Usage>, Value) {
    let endpoint = Endpoint::ChatCompletions;
    let (mut splitter, mut assembler) = (Splitter::new(1 << 20), Assembler::new(endpoint, 1 << 20));
    splitter.push(stream.as_bytes());
    while let Some(event) = splitter.next_event().unwrap() {
        assembler.push(&dialect.read_event(endpoint, event));
    }
    let usage = assembler.usage().copied();
    (usage, assembler.into_answer().unwrap_or_default())
}

#[test]
fn streams_tell_their_usage_where_each_has_it() {
    let gemini = r#"data: {"id":"g","object":"chat.completion.chunk","model":"gemini-3.8-flash","choices":[{"index":0,"delta":{"role":"assistant","content":"Hel"}}],"usage":{"prompt_tokens":4,"completion_tokens":1,"total_tokens":10}}

data: {"id":"g","object":"chat.completion.chunk","model":"gemini-3.8-flash","choices":[{"index":0,"delta":{"content":"lo"},"finish_reason":"stop"}],"usage":{"prompt_tokens":4,"completion_tokens":2,"total_tokens":11}}

data: [DONE]

"#;
    let mistral = r#"data: {"id":"m","object":"chat.completion.chunk","model":"mistral-small-latest","choices":[{"index":0,"delta":{"role":"assistant","content":"Hello"},"finish_reason":null}]}

data: {"id":"m","object":"chat.completion.chunk","model":"mistral-small-latest","choices":[{"index":0,"delta":{"content":""},"finish_reason":"stop"}],"usage":{"prompt_tokens":4,"total_tokens":11,"completion_tokens":7}}

data: [DONE]

"#;
    let groq = r#"data: {"id":"q","object":"chat.completion.chunk","model":"llama","x_groq":{"id":"req_1"},"choices":[{"index":0,"delta":{"role":"assistant","content":"Hello"},"finish_reason":null}]}

data: {"id":"q","object":"chat.completion.chunk","model":"llama","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"req_1","usage":{"queue_time":0.1,"prompt_tokens":4,"completion_tokens":7,"total_tokens":11}}}

data: [DONE]

"#;
    let openrouter = r#": OPENROUTER PROCESSING

data: {"id":"o","object":"chat.completion.chunk","model":"openai/gpt-5-mini","choices":[{"index":0,"delta":{"role":"assistant","content":"Hello"},"finish_reason":"stop","native_finish_reason":"stop"}]}

data: {"id":"o","object":"chat.completion.chunk","model":"openai/gpt-5-mini","choices":[],"usage":{"prompt_tokens":4,"completion_tokens":7,"total_tokens":11,"cost":0.25,"is_byok":false}}

data: [DONE]

"#;
    let watsonx = r#"id: 1
event: message
data: {"id":"chat-1","model_id":"ibm/granite-4-h-small","created":1,"created_at":"2026-11-27T00:00:00Z","choices":[{"index":0,"finish_reason":null,"delta":{"role":"assistant","content":"Hello"}}]}

id: 2
event: message
data: {"id":"chat-1","model_id":"ibm/granite-4-h-small","created":1,"choices":[{"index":0,"finish_reason":"stop","delta":{"content":""}}]}

id: 3
event: message
data: {"id":"chat-1","model_id":"ibm/granite-4-h-small","created":1,"choices":[],"usage":{"prompt_tokens":4,"completion_tokens":7,"total_tokens":11}}

"#;
    let azure = r#"data: {"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0,"content_filter_results":{}}]}

data: {"id":"a","object":"chat.completion.chunk","model":"gpt-5-mini","choices":[{"index":0,"content_filter_results":{},"delta":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]}

data: {"id":"a","object":"chat.completion.chunk","model":"gpt-5-mini","choices":[],"usage":{"prompt_tokens":4,"completion_tokens":7,"total_tokens":11}}

data: [DONE]

"#;
    let deepseek = r#": keep-alive

data: {"id":"d","object":"chat.completion.chunk","model":"deepseek-flash","choices":[{"index":0,"delta":{"role":"assistant","content":null,"reasoning_content":"Hm."},"finish_reason":null}]}

data: {"id":"d","object":"chat.completion.chunk","model":"deepseek-flash","choices":[{"index":0,"delta":{"content":"Hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":4,"completion_tokens":7,"total_tokens":11,"prompt_cache_hit_tokens":3,"prompt_cache_miss_tokens":1}}

data: [DONE]

"#;
    // Ollama, LM Studio and others tell it as OpenAI does; some lack the end.
    let local = r#"data: {"id":"l","object":"chat.completion.chunk","model":"llama3.2","choices":[{"index":0,"delta":{"role":"assistant","content":"Hello"},"finish_reason":"stop"}]}

data: {"id":"l","object":"chat.completion.chunk","model":"llama3.2","choices":[],"usage":{"prompt_tokens":4,"completion_tokens":7,"total_tokens":11}}

"#;
    for (dialect, stream) in [
        (Dialect::Gemini, gemini),
        (Dialect::Vertex, gemini),
        (Dialect::Mistral, mistral),
        (Dialect::Groq, groq),
        (Dialect::OpenRouter, openrouter),
        (Dialect::Watsonx, watsonx),
        (Dialect::Azure, azure),
        (Dialect::DeepSeek, deepseek),
        (Dialect::OpenAi, local),
        (Dialect::WatsonxGateway, local),
        (Dialect::HuggingFace, local),
        (Dialect::Anthropic, local),
        (Dialect::Ollama, local),
        (Dialect::Vllm, local),
        (Dialect::LlamaCpp, local),
        (Dialect::LmStudio, local),
        (Dialect::LocalAi, local),
    ] {
        let (usage, answer) = followed(dialect, stream);
        let usage = usage.unwrap();
        // What Google's model has thought is output, and in the total alone.
        assert_eq!((usage.input, usage.output), (4, 7), "{dialect:?}");
        assert_eq!(
            answer["choices"][0]["message"]["content"], "Hello",
            "{dialect:?}"
        );
        assert_eq!(answer["object"], "chat.completion", "{dialect:?}");
        let usd = (dialect == Dialect::OpenRouter).then_some(0.25);
        assert_eq!(usage.usd, usd, "{dialect:?}");
    }
    assert_eq!(
        followed(Dialect::DeepSeek, deepseek)
            .0
            .unwrap()
            .cached_input,
        3
    );
    let (_, answer) = followed(Dialect::Watsonx, watsonx);
    assert_eq!(answer["model"], "ibm/granite-4-h-small");
}

#[test]
fn watsonx_is_read_as_openai() {
    let read = |endpoint, mut answer: Value| {
        assert!(Dialect::Watsonx.read_answer(endpoint, &mut answer));
        answer
    };
    let chat = json!({ "id": "chat-1", "model_id": "m", "created": 1, "created_at": "x",
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": "Hi" }, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 4, "completion_tokens": 7, "total_tokens": 11 } });
    let chat = read(Endpoint::ChatCompletions, chat);
    assert_eq!(
        (&chat["model"], &chat["object"]),
        (&json!("m"), &json!("chat.completion"))
    );
    assert!(crate::is_complete(Endpoint::ChatCompletions, &chat));
    let vectors = json!({ "model_id": "m", "created_at": "x", "input_token_count": 5,
        "results": [{ "embedding": [1.0, 0.0] }, { "embedding": [0.0, 1.0] }] });
    let vectors = read(Endpoint::Embeddings, vectors);
    assert_eq!(
        vectors["data"][1],
        json!({ "object": "embedding", "index": 1, "embedding": [0.0, 1.0] })
    );
    assert_eq!(
        Usage::read(Endpoint::Embeddings, &vectors).unwrap().input,
        5
    );
    let mut other = json!({ "id": 1 });
    assert!(!Dialect::OpenAi.read_answer(Endpoint::ChatCompletions, &mut other));
}

#[test]
fn models_are_read_from_each_list() {
    let openai = json!({ "object": "list", "data": [{ "id": "m" }, { "id": "n" }] });
    let google = json!({ "object": "list", "data": [{ "id": "models/m" }, { "id": "models/imagen-9" },
        { "id": "models/veo-3" }, { "id": "n" }] });
    let ibm = json!({ "total_count": 2, "resources": [{ "model_id": "m" }, { "model_id": "n" }] });
    for dialect in Dialect::ALL {
        let list = match dialect {
            Dialect::Gemini => &google,
            Dialect::Watsonx => &ibm,
            _ => &openai,
        };
        let names = dialect.listing().names(list);
        let expected = ["m", "n"].map(str::to_owned).to_vec();
        let lists = !matches!(dialect, Dialect::Azure | Dialect::Vertex);
        assert_eq!(names, lists.then_some(expected), "{dialect:?}");
    }
    assert_eq!(
        Dialect::OpenAi.listing().names(&json!({ "error": "no" })),
        None
    );
}

#[test]
fn errors_get_the_shape_of_the_client() {
    for (body, message) in [
        (
            r#"[{"error":{"code":404,"message":"No.","status":"NOT_FOUND"}}]"#,
            "No.",
        ),
        (r#"{"error":{"code":404,"message":"No.","type":""}}"#, "No."),
        (
            r#"{"errors":[{"code":"model_not_supported","message":"No."}],"trace":"t"}"#,
            "No.",
        ),
        (
            r#"{"detail":[{"loc":["body","x"],"msg":"No."}]}"#,
            "body.x: No.",
        ),
        (r#"{"error":"No."}"#, "No."),
        (r#"{"message":"No."}"#, "No."),
        ("No.", "No."),
        (
            r#"{"type":"error","error":{"type":"x","message":"No."}}"#,
            "No.",
        ),
    ] {
        for wire in [Wire::OpenAi, Wire::Anthropic] {
            let body = Bytes::from(body);
            let shaped = ApiError::reshaped(404, &body, wire).unwrap_or(body);
            let shaped: Value = serde_json::from_slice(&shaped).unwrap();
            assert_eq!(shaped["error"]["message"], message);
            assert!(shaped["error"]["type"].is_string(), "{shaped}");
        }
    }
    let openai = r#"{"error":{"message":"No.","type":"t","param":null,"code":"c"} }"#;
    assert_eq!(
        ApiError::reshaped(404, openai.as_bytes(), Wire::OpenAi),
        None
    );
}
