use super::*;

#[test]
fn what_is_wrong_is_named() {
    let deep = format!(
        r#"{{"model":"m","messages":[{}1{}]}}"#,
        "[".repeat(200),
        "]".repeat(200)
    );
    for (endpoint, body, code, param) in [
        (
            Endpoint::ChatCompletions,
            r#"{"messages":[{}]}"#,
            "missing_required_parameter",
            "model",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"","messages":[{}]}"#,
            "missing_required_parameter",
            "model",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":null,"messages":[{}]}"#,
            "missing_required_parameter",
            "model",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":7,"messages":[{}]}"#,
            "invalid_type",
            "model",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"a\nb","messages":[{}]}"#,
            "invalid_value",
            "model",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"m"}"#,
            "missing_required_parameter",
            "messages",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"m","messages":"Hi"}"#,
            "invalid_type",
            "messages",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"m","messages":[]}"#,
            "empty_array",
            "messages",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"m","messages":[{},3]}"#,
            "invalid_type",
            "messages[1]",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"m","messages":[{}],"stream":"yes"}"#,
            "invalid_type",
            "stream",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"m","messages":[{}],"n":1000000000}"#,
            "integer_above_max_value",
            "n",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"m","messages":[{}],"n":0}"#,
            "integer_below_min_value",
            "n",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"m","messages":[{}],"n":1.5}"#,
            "invalid_type",
            "n",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"m","messages":[{}],"max_tokens":-1}"#,
            "integer_below_min_value",
            "max_tokens",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"m","messages":[{}],"max_tokens":1e18}"#,
            "integer_above_max_value",
            "max_tokens",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"m","messages":[{}],"temperature":"0"}"#,
            "invalid_type",
            "temperature",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"m","messages":[{}],"tools":{}}"#,
            "invalid_type",
            "tools",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"m","messages":[{}],"stream_options":true}"#,
            "invalid_type",
            "stream_options",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"m","messages":[{}],"mod\u0065l":"n"}"#,
            "duplicate_parameter",
            "model",
        ),
        (Endpoint::ChatCompletions, "", "invalid_json", ""),
        (Endpoint::ChatCompletions, "[1]", "invalid_json", ""),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"m"} x"#,
            "invalid_json",
            "",
        ),
        (
            Endpoint::ChatCompletions,
            r#"{"model":"m",}"#,
            "invalid_json",
            "",
        ),
        (Endpoint::ChatCompletions, &deep, "invalid_json", ""),
        (
            Endpoint::Embeddings,
            r#"{"model":"m"}"#,
            "missing_required_parameter",
            "input",
        ),
        (
            Endpoint::Embeddings,
            r#"{"model":"m","input":{}}"#,
            "invalid_type",
            "input",
        ),
        (
            Endpoint::Speech,
            r#"{"model":"m","input":[]}"#,
            "invalid_type",
            "input",
        ),
        (
            Endpoint::ImageGenerations,
            r#"{"model":"m"}"#,
            "missing_required_parameter",
            "prompt",
        ),
        (
            Endpoint::ImageGenerations,
            r#"{"prompt":"x","n":11}"#,
            "integer_above_max_value",
            "n",
        ),
        (
            Endpoint::Messages,
            r#"{"model":"m","messages":[{}]}"#,
            "missing_required_parameter",
            "max_tokens",
        ),
        (
            Endpoint::Messages,
            r#"{"model":"m","messages":[{}],"max_tokens":9,"system":1}"#,
            "invalid_type",
            "system",
        ),
        (
            Endpoint::Transcriptions,
            r#"{"model":"m"}"#,
            "unsupported_content_type",
            "",
        ),
    ] {
        let error = read(endpoint, body).unwrap_err();
        let found = (error.status, error.code.as_deref(), error.param.as_deref());
        let param = (!param.is_empty()).then_some(param);
        assert_eq!(found, (400, Some(code), param), "{body}: {error}");
    }
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let error = Call::read(
        Endpoint::Responses,
        JSON,
        Bytes::from_static(b"{\"a\":\"\xff\"}"),
    );
    assert_eq!(error.unwrap_err().message, "The body is not valid UTF-8.");
}

#[test]
fn too_many_members_are_refused() {
    let members: Vec<_> = (0..600_000).map(|at| format!("\"{at}\":0")).collect();
    let body = format!("{{\"input\":\"\",\"x\":{{{}}}}}", members.join(","));
    assert!(read(Endpoint::Responses, &body).is_err());
}
