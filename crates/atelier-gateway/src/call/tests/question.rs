use super::*;

fn ask(endpoint: Endpoint, body: &Value) -> Option<Question> {
    call(endpoint, body).question("m")
}

fn user(text: &str) -> Value {
    json!({ "role": "user", "content": text })
}

#[test]
fn only_the_last_words_differ() {
    let system = json!({ "role": "system", "content": "Be brief." });
    let body = |text: &str, more: Value| {
        let mut body = chat(json!({ "messages": [system, user(text)], "temperature": 1 }));
        let more = more.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(more);
        body
    };
    let first = ask(Endpoint::ChatCompletions, &body("Who?", json!({}))).unwrap();
    assert_eq!(first.text, "Who?");
    let other = body("Where?", json!({ "stream": true, "user": "u" }));
    let other = ask(Endpoint::ChatCompletions, &other).unwrap();
    assert_eq!(
        (other.parameters == first.parameters, &*other.text),
        (true, "Where?")
    );
    let developer = json!({ "role": "developer", "content": "Be brief." });
    for more in [
        json!({ "temperature": 0.5 }),
        json!({ "response_format": { "type": "json_object" } }),
        json!({ "messages": [{ "role": "system", "content": "Be long." }, user("Who?")] }),
        json!({ "messages": [developer, user("Who?")] }),
        json!({ "messages": [system, system, user("Who?")] }),
        json!({ "messages": [user("Who?")] }),
        json!({ "n": 2 }),
    ] {
        let other = ask(Endpoint::ChatCompletions, &body("Who?", more.clone())).unwrap();
        assert_ne!(other.parameters, first.parameters, "{more}");
    }
    let call = call(Endpoint::ChatCompletions, &body("Who?", json!({})));
    assert_ne!(
        call.question("another").unwrap().parameters,
        first.parameters
    );
}

#[test]
fn more_than_words_is_no_question() {
    let said = json!({ "role": "assistant", "content": "x" });
    let parts = |part: Value| {
        let text = json!({ "type": "text", "text": "x" });
        json!({ "messages": [{ "role": "user", "content": [text, part] }] })
    };
    for more in [
        json!({ "messages": [user("x"), said, user("y")] }),
        json!({ "messages": [user("x"), user("y")] }),
        json!({ "messages": [user("x"), said] }),
        json!({ "messages": [user("x"), { "role": "system", "content": "s" }] }),
        json!({ "messages": [{ "role": "tool", "content": "x" }, user("y")] }),
        json!({ "messages": [{ "role": "user", "content": "x", "name": "Ann" }] }),
        json!({ "messages": [user("  ")] }),
        json!({ "messages": [user(&"x".repeat(20_000))] }),
        parts(json!({ "type": "image_url", "image_url": {} })),
        parts(json!({ "type": "input_audio" })),
        parts(json!("y")),
        parts(json!({ "type": "text", "text": "y", "other": 1 })),
        json!({ "tools": [{}] }),
        json!({ "functions": [{}] }),
        json!({ "web_search_options": {} }),
        json!({ "modalities": ["text", "audio"] }),
    ] {
        let question = ask(Endpoint::ChatCompletions, &chat(more.clone()));
        assert_eq!(question, None, "{more}");
    }
}

#[test]
fn what_readers_would_disagree_about_is_no_question() {
    for message in [
        r#"{"role":"user","content":"a","content":"b"}"#,
        r#"{"role":"user","role":"user","content":"a"}"#,
        r#"{"role":"user","content":[{"type":"text","text":"a","t\u0065xt":"b"}]}"#,
    ] {
        let body = format!(r#"{{"model":"m","messages":[{message}]}}"#);
        let call = read(Endpoint::ChatCompletions, &body).unwrap();
        assert_eq!(call.question("m"), None, "{message}");
    }
}

#[test]
fn every_format_has_questions() {
    let message =
        |content: Value| json!([{ "role": "user", "content": content, "type": "message" }]);
    let part = |kind: &str| json!({ "type": kind, "text": kind });
    let parts = message(json!([part("input_text"), part("input_text")]));
    let cached = json!([{ "type": "text", "text": "a", "cache_control": {} }]);
    let item = |kind: &str| json!([{ "type": kind, "id": "i" }, user("a")]);
    for (endpoint, body, text) in [
        (Endpoint::Responses, json!({ "input": "a" }), Some("a")),
        (
            Endpoint::Responses,
            json!({ "input": [user("a")] }),
            Some("a"),
        ),
        (
            Endpoint::Responses,
            json!({ "input": parts }),
            Some("input_text\n\ninput_text"),
        ),
        (
            Endpoint::Responses,
            json!({ "input": "a", "previous_response_id": "r" }),
            None,
        ),
        (
            Endpoint::Responses,
            json!({ "input": "a", "conversation": "c" }),
            None,
        ),
        (
            Endpoint::Responses,
            json!({ "input": "a", "prompt": { "id": "p" } }),
            None,
        ),
        (
            Endpoint::Responses,
            json!({ "input": item("function_call_output") }),
            None,
        ),
        (
            Endpoint::Responses,
            json!({ "input": item("item_reference") }),
            None,
        ),
        (Endpoint::Responses, json!({}), None),
        (
            Endpoint::Messages,
            json!({ "messages": [user("a")] }),
            Some("a"),
        ),
        (
            Endpoint::Messages,
            json!({ "messages": message(cached) }),
            Some("a"),
        ),
        (
            Endpoint::Messages,
            json!({ "messages": message(json!([part("document")])) }),
            None,
        ),
        (
            Endpoint::Messages,
            json!({ "messages": message(json!([part("tool_result")])) }),
            None,
        ),
        (
            Endpoint::Messages,
            json!({ "messages": [user("a")], "mcp_servers": [{}] }),
            None,
        ),
        (
            Endpoint::ImageGenerations,
            json!({ "prompt": "a cat" }),
            Some("a cat"),
        ),
        (Endpoint::ImageEdits, json!({ "prompt": "a cat" }), None),
        (Endpoint::Embeddings, json!({ "input": "a" }), None),
        (Endpoint::Completions, json!({ "prompt": "a" }), None),
    ] {
        let mut whole = body.clone();
        whole["model"] = json!("m");
        whole["max_tokens"] = json!(9);
        let question = ask(endpoint, &whole).map(|question| question.text);
        assert_eq!(question.as_deref(), text, "{body}");
    }
}
