//! Nothing that a client sends makes the gateway panic.

use super::*;
use crate::Counter;

/// Uses everything that there is of a call.
fn use_all(call: &Call) {
    let _seen = (
        call.model(),
        call.user(),
        call.is_deterministic(),
        call.has_tools(),
    );
    let _seen = (
        call.has_attachments(),
        call.is_single_turn(),
        call.encoding(),
    );
    call.digest("scope", "model");
    call.question("model");
    call.estimate(Counter::for_model("gpt-5"));
    let sent = call.for_upstream("other", true);
    assert!(sent.len() + 300 > call.body().len());
}

fn endpoint() -> impl Strategy<Value = Endpoint> {
    proptest::sample::select(Endpoint::ALL.to_vec())
}

/// Texts that come close to what is read.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let words = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\\u",
        "d800",
        "1",
        "-",
        "e9",
        ".",
        "null",
        "true",
        " ",
        "\n",
        "\"model\":\"m\"",
        "\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]",
        "\"input\":",
        "\"prompt\":\"x\"",
        "\"stream\":true",
        "\"max_tokens\":1",
        "\u{1f980}",
        "\"stream_options\":{",
        "\"content\":[",
        "\"type\":\"text\"",
        "--b",
        "\r\n",
        "--b--",
        "Content-Disposition: form-data; name=\"model\"",
        "; filename=\"",
        "\r\n\r\n",
    ];
    let word = proptest::sample::select(words.to_vec());
    prop::collection::vec(word, 0..40).prop_map(|words| words.concat().into_bytes())
}

fn content_type() -> impl Strategy<Value = Option<&'static str>> {
    proptest::sample::select(vec![
        None,
        JSON,
        Some("multipart/form-data; boundary=b"),
        Some("multipart/form-data; boundary=\"b"),
        Some("multipart/form-data"),
        Some("text/plain; ; = ;"),
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_bytes_are_read_or_refused(
        endpoint in endpoint(),
        kind in content_type(),
        body in prop_oneof![any::<Vec<u8>>(), nearly()],
    ) {
        if let Ok(call) = Call::read(endpoint, kind, Bytes::from(body)) {
            use_all(&call);
        }
    }

    #[test]
    fn any_object_is_read_or_refused(endpoint in endpoint(), body in body()) {
        if let Ok(call) = read(endpoint, &body.to_string()) {
            use_all(&call);
        }
    }
}

/// Any JSON value.
pub(super) fn value() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-20..20_i64).prop_map(Value::from),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number,
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
            prop::collection::btree_map(name(), inner, 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Names of fields, those that are used more often than not.
fn name() -> impl Strategy<Value = String> {
    let known = [
        "role",
        "content",
        "type",
        "text",
        "image_url",
        "url",
        "data",
        "input",
        "include_usage",
        "cache_control",
        "id",
        "index",
        "tools",
        "messages",
        "system",
    ];
    prop_oneof![
        3 => proptest::sample::select(known.to_vec()).prop_map(str::to_owned),
        1 => ".{0,4}",
    ]
}

/// A body with the fields that most endpoints need, and some of any kind.
fn body() -> impl Strategy<Value = Value> {
    prop::collection::btree_map(name(), value(), 0..6).prop_map(|more| {
        let mut body = json!({
            "model": "m", "max_tokens": 5, "prompt": "x", "stream": true,
            "messages": [{ "role": "user", "content": "x" }], "input": "x",
        });
        for (name, value) in more {
            body[name] = value;
        }
        body
    })
}
