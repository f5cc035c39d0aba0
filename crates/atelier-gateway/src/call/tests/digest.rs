use super::{any::value, *};

fn digest(endpoint: Endpoint, body: &str) -> String {
    read(endpoint, body).unwrap().digest("scope", "model")
}

#[test]
fn the_spelling_of_a_body_does_not_count() {
    let plain =
        r#"{"model":"m","messages":[{"role":"user","content":"é/"}],"temperature":0,"seed":12}"#;
    for same in [
        r#"{ "seed" : 1.2e1, "temperature":0.0,"messages":[ {"content":"é/","role":"user"} ],"model":"m"}"#,
        r#"{"model":"m","messages":[{"role":"user","content":"\u00e9\/"}],"temperature":-0e5,"seed":12}"#,
        r#"{"model":"other","messages":[{"role":"user","content":"é/"}],"temperature":0,"seed":12,
            "stream":true,"stream_options":{"include_usage":true},"user":"u","metadata":{"a":"b"}}"#,
    ] {
        let plain = digest(Endpoint::ChatCompletions, plain);
        assert_eq!(plain, digest(Endpoint::ChatCompletions, same), "{same}");
    }
}

#[test]
fn everything_else_counts() {
    let first = call(Endpoint::Responses, &chat(json!({})));
    let mut keys = vec![
        first.digest("scope", "model"),
        first.digest("scope", "model2"),
        first.digest("scope2", "model"),
        // Neighbours do not run into each other.
        first.digest("scopem", "odel"),
        call(Endpoint::ChatCompletions, &chat(json!({}))).digest("scope", "model"),
    ];
    for more in [
        json!({ "messages": [{ "role": "user", "content": "hi" }] }),
        json!({ "messages": [{ "role": "user", "content": "Hi " }] }),
        json!({ "messages": [{ "role": "user", "content": "Hi" }, { "role": "user", "content": "" }] }),
        json!({ "messages": [{ "role": "user", "content": ["Hi"] }] }),
        json!({ "temperature": 0 }),
        json!({ "seed": "0" }),
        json!({ "seed": false }),
        json!({ "seed": null }),
        json!({ "seed": 1 }),
        json!({ "seed": 10 }),
        json!({ "seed": 0.1 }),
        json!({ "seed": -1 }),
        json!({ "seed": 123_456_789_012_345_678_u64 }),
        json!({ "seed": 123_456_789_012_345_679_u64 }),
        json!({ "tools": [{}] }),
        json!({ "tool_choice": "auto" }),
        json!({ "response_format": { "type": "json_object" } }),
        json!({ "x": { "stream": true } }),
        json!({ "x": { "user": "u" } }),
        json!({ "x": [1, 2] }),
        json!({ "x": [2, 1] }),
        json!({ "x": [[1], 2] }),
        json!({ "x": [12] }),
    ] {
        keys.push(call(Endpoint::Responses, &chat(more)).digest("scope", "model"));
    }
    let count = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), count);
}

#[test]
fn unpaired_surrogates_are_told_apart() {
    let body = |letters: &str| format!(r#"{{"model":"m","input":"{letters}"}}"#);
    let keys = [r"\ud800", r"\ud801", r"\udfff"];
    let keys = keys.map(|one| digest(Endpoint::Embeddings, &body(one)));
    assert!(keys[0] != keys[1] && keys[1] != keys[2]);
    // A name is none that only looks like it.
    let named = |name: &str| format!(r#"{{"model":"m","input":"x","x":{{{name}:1}}}}"#);
    let keys = [r#""\ud800""#, r#""\"\\ud800\"""#];
    let keys = keys.map(|one| digest(Endpoint::Embeddings, &named(one)));
    assert_ne!(keys[0], keys[1]);
}

#[test]
fn members_of_one_name_keep_their_order() {
    let body = |inner: &str| format!(r#"{{"model":"m","input":"x","x":{{{inner}}}}}"#);
    let keys = [r#""a":1,"a":2"#, r#""a":2,"a":1"#, r#""a":2"#]
        .map(|one| digest(Endpoint::Embeddings, &body(one)));
    assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2]);
}

#[test]
fn one_vector_serves_both_encodings() {
    let body = |more: &str| format!(r#"{{"model":"m","input":"x"{more}}}"#);
    let plain = digest(Endpoint::Embeddings, &body(""));
    let base64 = body(r#","encoding_format":"base64""#);
    assert_eq!(plain, digest(Endpoint::Embeddings, &base64));
    let short = body(r#","dimensions":256"#);
    assert_ne!(plain, digest(Endpoint::Embeddings, &short));
}

#[test]
fn what_only_changes_the_price_of_a_message_does_not_count() {
    let body = |control: Value| {
        json!({
            "model": "m", "max_tokens": 9, "cache_control": control,
            "system": [{ "type": "text", "text": "s", "cache_control": control }],
            "tools": [{ "name": "t", "cache_control": control, "input_schema": {
                "properties": { "cache_control": { "type": "string" } } } }],
            "messages": [{ "role": "user", "content": [
                { "type": "tool_result", "cache_control": control, "content": [
                    { "type": "text", "text": "x", "cache_control": control }] },
            ]}],
        })
    };
    let key = |body: &Value| call(Endpoint::Messages, body).digest("s", "m");
    let plain = body(json!({ "type": "ephemeral" }));
    let long = body(json!({ "type": "ephemeral", "ttl": "1h" }));
    assert_eq!(key(&plain), key(&long));
    // A parameter of a tool may have that name.
    let mut other = plain.clone();
    other["tools"][0]["input_schema"]["properties"] = json!({});
    assert_ne!(key(&plain), key(&other));
    let openai = |more| call(Endpoint::Responses, &chat(more)).digest("s", "m");
    assert_ne!(openai(json!({})), openai(json!({ "cache_control": {} })));
}

#[test]
fn deep_and_wide_bodies_take_no_time() {
    let inside = "[0,{\"a\":\"b\"}],".repeat(100_000);
    let nested = format!("{}{inside}0{}", "[".repeat(100), "]".repeat(100));
    let body = format!(r#"{{"model":"m","input":[{nested}]}}"#);
    // A pass for each level would take minutes in this build.
    let call = read(Endpoint::Embeddings, &body).unwrap();
    assert_eq!(call.digest("s", "m").len(), 64);
    let counter = crate::Counter::for_model("m");
    assert!(call.estimate(counter).input_tokens > 0);
}

/// Writes a value with blanks, escapes and another order of members.
fn respelled(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members = members.iter().rev();
            let members: Vec<_> = members
                .map(|(name, value)| format!("\t{} : {}", escaped(name), respelled(value)))
                .collect();
            format!("{{ {}\n}}", members.join(" ,"))
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(respelled).collect();
            format!("[ {} ]", items.join(" , "))
        }
        Value::String(text) => escaped(text),
        Value::Number(number) if number.is_i64() => format!("{number}.0e0"),
        other => other.to_string(),
    }
}

/// A string of nothing but escapes.
fn escaped(text: &str) -> String {
    let units = text.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
    format!("\"{}\"", units.collect::<String>())
}

proptest! {
    #[test]
    fn any_value_has_one_digest(value in value(), other in value()) {
        let body = |text: &str| format!(r#"{{"model":"m","input":"x","x":{text}}}"#);
        let key = digest(Endpoint::Embeddings, &body(&value.to_string()));
        prop_assert_eq!(&key, &digest(Endpoint::Embeddings, &body(&respelled(&value))));
        let is_same = key == digest(Endpoint::Embeddings, &body(&other.to_string()));
        // A whole number equals one that is written with a fraction.
        let has_fractions = [&value, &other].map(|one| one.to_string().contains(['.', 'e']));
        prop_assert!(!is_same || value == other || has_fractions.contains(&true));
    }
}
