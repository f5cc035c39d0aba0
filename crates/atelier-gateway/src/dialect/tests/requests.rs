//! What each dialect is sent for a request, as each documents it.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Dialect, config};
use crate::{Call, Endpoint, upstream::Upstream};

const CHAT: &str = r#"{ "model" : "m", "messages":[{"role":"user","content":"caf\u00e9"}] ,"max_completion_tokens":9,"seed":7,
 "user":"u","store":false, "a_field_of_tomorrow":1.00e0 }"#;

/// What an upstream with these settings is sent.
fn sent(settings: &str, endpoint: Endpoint, body: &str) -> String {
    let call = Call::read(
        endpoint,
        Some("application/json"),
        Bytes::from(body.to_owned()),
    );
    let sent = call.unwrap().sent_to(&config(settings), "their-model");
    String::from_utf8(sent.to_vec()).unwrap()
}

fn fields(settings: &str, endpoint: Endpoint, body: &Value) -> Value {
    serde_json::from_str(&sent(settings, endpoint, &body.to_string())).unwrap()
}

#[test]
fn whoever_does_as_openai_does_gets_what_came() {
    let expected = CHAT.replace(r#""m""#, r#""their-model""#);
    for dialect in [
        Dialect::OpenAi,
        Dialect::Azure,
        Dialect::Gemini,
        Dialect::Vertex,
        Dialect::WatsonxGateway,
        Dialect::Anthropic,
        Dialect::Groq,
        Dialect::OpenRouter,
        Dialect::Vllm,
    ] {
        let settings = format!("kind = '{}'", dialect.name());
        assert_eq!(sent(&settings, Endpoint::ChatCompletions, CHAT), expected);
    }
}

#[test]
fn where_only_the_older_name_is_known_it_is_used() {
    for dialect in [
        Dialect::HuggingFace,
        Dialect::DeepSeek,
        Dialect::Ollama,
        Dialect::LlamaCpp,
        Dialect::LmStudio,
        Dialect::LocalAi,
    ] {
        let settings = format!("kind = '{}'", dialect.name());
        let sent = sent(&settings, Endpoint::ChatCompletions, CHAT);
        assert!(sent.contains(r#""max_tokens":9,"seed":7"#), "{sent}");
        // What is not changed keeps its bytes.
        assert!(
            sent.contains(r#"caf\u00e9"#) && sent.contains(":1.00e0"),
            "{sent}"
        );
        let both =
            json!({ "model": "m", "messages": [{}], "max_tokens": 5, "max_completion_tokens": 9 });
        let both = fields(&settings, Endpoint::ChatCompletions, &both);
        assert_eq!(
            (&both["max_tokens"], both.get("max_completion_tokens")),
            (&json!(5), None)
        );
    }
}

#[test]
fn mistral_gets_what_it_knows_by_its_names() {
    let sent = fields(
        "kind = 'mistral'",
        Endpoint::ChatCompletions,
        &json!({
            "model": "m", "messages": [{ "role": "user", "content": "Hi" }], "stream": true,
            "stream_options": { "include_usage": true }, "max_completion_tokens": 9, "seed": 7,
            "user": "u", "store": true, "temperature": 0.5,
        }),
    );
    assert_eq!(
        sent,
        json!({
            "model": "their-model", "messages": [{ "role": "user", "content": "Hi" }], "stream": true,
            "max_tokens": 9, "random_seed": 7, "temperature": 0.5,
        })
    );
}

#[test]
fn usage_is_asked_for_where_that_is_taken() {
    let stream = json!({ "model": "m", "messages": [{}], "stream": true });
    let asking = json!({ "model": "m", "messages": [{}], "stream": true,
        "stream_options": { "include_usage": true } });
    for dialect in Dialect::ALL {
        let settings = format!("kind = '{}'\nproject_id = 'p'", dialect.name());
        let is_asked = dialect.stream_usage() == super::StreamUsage::Asked;
        for body in [&stream, &asking] {
            let sent = fields(&settings, Endpoint::ChatCompletions, body);
            let asks = sent["stream_options"]["include_usage"] == true;
            assert_eq!(asks, is_asked, "{dialect:?}");
        }
    }
}

#[test]
fn watsonx_gets_its_own_fields() {
    let schema = json!({ "type": "object", "additionalProperties": false,
        "properties": { "city": { "type": "string" } } });
    let tool = json!({ "type": "function",
        "function": { "name": "f", "strict": true, "parameters": schema } });
    let settings = "kind = 'watsonx'\nproject_id = 'ours'";
    let sent = fields(
        settings,
        Endpoint::ChatCompletions,
        &json!({
            "model": "m", "messages": [{ "role": "user", "content": "Hi" }], "stream": true,
            "tools": [tool], "tool_choice": "auto", "max_tokens": 5, "user": "u",
        }),
    );
    assert_eq!(
        sent,
        json!({
            "model_id": "their-model", "project_id": "ours", "max_tokens": 5,
            "messages": [{ "role": "user", "content": "Hi" }], "tool_choice_option": "auto",
            "tools": [{ "type": "function", "function": { "name": "f", "parameters": {
                "type": "object", "properties": { "city": { "type": "string" } } } } }],
        })
    );
    let named = json!({ "type": "function", "function": { "name": "f" } });
    let sent = fields(
        "kind = 'watsonx'\nspace_id = 's'",
        Endpoint::ChatCompletions,
        &json!({
            "model": "m", "messages": [{}], "tool_choice": named,
        }),
    );
    assert_eq!(
        (&sent["tool_choice"], &sent["space_id"]),
        (&named, &json!("s"))
    );
    for (input, inputs) in [
        (json!("a"), json!(["a"])),
        (json!(["a", "b"]), json!(["a", "b"])),
    ] {
        let body = json!({ "model": "m", "input": input, "encoding_format": "float" });
        let sent = fields(settings, Endpoint::Embeddings, &body);
        let expected = json!({ "model_id": "their-model", "inputs": inputs, "project_id": "ours" });
        assert_eq!(sent, expected);
    }
}

#[test]
fn watsonx_has_its_own_paths_and_a_version() {
    let of = |settings: &str| Upstream::new(config(settings)).unwrap();
    let key = "kind = 'openai'\nbase_url = 'http://a.example/v1'";
    assert_eq!(of(key).path("/chat/completions", true), "/chat/completions");
    let mut watsonx = config("kind = 'watsonx'\nregion = 'eu-de'\nproject_id = 'p'");
    watsonx.api_key = Some(crate::upstream::ApiKey::new("k".into()));
    let watsonx = Upstream::new(watsonx).unwrap();
    for (path, stream, there) in [
        ("/chat/completions", false, "/text/chat"),
        ("/chat/completions", true, "/text/chat_stream"),
        ("/embeddings", false, "/text/embeddings"),
        ("/files", false, "/files"),
    ] {
        assert_eq!(watsonx.path(path, stream), there);
    }
    assert_eq!(
        watsonx.url("/text/chat", None).as_str(),
        "https://eu-de.ml.cloud.ibm.com/ml/v1/text/chat?version=2026-10-01"
    );
    let azure = of("kind = 'azure'\nresource = 'r'\napi_version = 'preview'");
    let url = azure.url("/chat/completions", Some("a=b"));
    assert_eq!(url.query(), Some("api-version=preview&a=b"));
}

#[test]
fn settings_in_prompts_do_not_reach_stable_diffusion() {
    let open = "<sd_cpp_extra_args>";
    let close = "</sd_cpp_extra_args>";
    for (prompt, left) in [
        ("a boat".to_owned(), "a boat"),
        (format!("a {open}{{\"steps\":9}}{close}boat"), "a boat"),
        (format!("a boat{open}{{"), "a boat"),
        (
            format!("a <sd_cpp_{open}{close}extra_args>x{close}boat"),
            "a boat",
        ),
    ] {
        let body = json!({ "prompt": prompt, "model": "m" });
        let sent = fields("kind = 'sdcpp'", Endpoint::ImageGenerations, &body);
        assert_eq!(sent["prompt"], left);
    }
    let form = format!(
        "--b\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\na {open}1{close}boat\r\n\
         --b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"i.png\"\r\n\r\nPNG\r\n--b--\r\n"
    );
    let kind = "multipart/form-data; boundary=b";
    let call = Call::read(Endpoint::ImageEdits, Some(kind), Bytes::from(form)).unwrap();
    let sent = call.sent_to(&config("kind = 'sdcpp'"), "");
    let sent = String::from_utf8(sent.to_vec()).unwrap();
    assert!(
        sent.contains("\r\n\r\na boat\r\n") && !sent.contains("sd_cpp"),
        "{sent}"
    );
}

/// Google wants the signatures of its thoughts back, DeepSeek its reasoning.
#[test]
fn what_messages_hold_besides_is_passed_on() {
    let message = r#"{"role":"assistant","reasoning_content":"hm","tool_calls":[{"id":"1","extra_content":{"google":{"thought_signature":"a\/b=="}}}]}"#;
    for dialect in Dialect::ALL {
        let settings = format!("kind = '{}'\nproject_id = 'p'", dialect.name());
        let body = format!(r#"{{"model":"m","seed":1,"messages":[{message}]}}"#);
        let sent = sent(&settings, Endpoint::ChatCompletions, &body);
        assert!(sent.contains(message), "{dialect:?}: {sent}");
    }
}
