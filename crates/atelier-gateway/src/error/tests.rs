use proptest::prelude::*;

use super::*;

fn read(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

#[test]
fn each_api_has_its_shape() {
    let error = ApiError::model_not_found("gpt-9");
    let message = "The model 'gpt-9' does not exist or you do not have access to it.";
    assert_eq!(
        read(&error.body(Wire::OpenAi, Some("req_1"))),
        json!({ "error": {
            "message": message, "type": "invalid_request_error", "param": "model",
            "code": "model_not_found",
        }})
    );
    assert_eq!(
        read(&error.body(Wire::Anthropic, Some("req_1"))),
        json!({ "type": "error", "request_id": "req_1",
            "error": { "type": "not_found_error", "message": message } })
    );
    let plain = read(&error.body(Wire::Anthropic, None));
    assert_eq!(plain.get("request_id"), None);
    let missing = read(&ApiError::invalid("x").body(Wire::OpenAi, None));
    assert_eq!(
        (&missing["error"]["param"], &missing["error"]["code"]),
        (&Value::Null, &Value::Null)
    );
}

#[test]
fn anthropics_types_follow_the_status() {
    for (status, kind) in [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (402, "billing_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (413, "request_too_large"),
        (422, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (502, "api_error"),
        (503, "overloaded_error"),
        (504, "timeout_error"),
        (529, "overloaded_error"),
    ] {
        let body = read(&ApiError::new(status, "x", "y").body(Wire::Anthropic, None));
        assert_eq!(body["error"]["type"], kind, "{status}");
    }
}

#[test]
fn clients_learn_whether_another_try_helps() {
    let after = |seconds| ApiError::rate_limited("x", Duration::from_millis(seconds)).headers();
    let field = |name, value: &str| (name, value.to_owned());
    let no = field("x-should-retry", "false");
    let yes = field("x-should-retry", "true");
    assert_eq!(after(1_200), [field("retry-after", "2"), yes.clone()]);
    assert_eq!(after(0), [field("retry-after", "1"), yes.clone()]);
    assert_eq!(after(60_000), [field("retry-after", "60"), yes]);
    assert_eq!(after(61_000), [field("retry-after", "61"), no.clone()]);
    let spent = ApiError::insufficient_quota("x");
    assert_eq!((spent.status, spent.headers()), (429, vec![no.clone()]));
    // The official clients repeat 409s, of which nothing good can come.
    let conflict = ApiError::new(409, "conflict", "x");
    assert_eq!(conflict.headers(), spent.headers());
    assert_eq!(ApiError::invalid("x").headers(), [no]);
    for error in [
        ApiError::internal(),
        ApiError::bad_gateway("x"),
        ApiError::timeout("x"),
    ] {
        assert_eq!(error.headers(), []);
    }
}

#[test]
fn a_stream_that_has_begun_ends_with_an_event() {
    let error = ApiError::timeout("Too slow.");
    let text = |endpoint| String::from_utf8(error.event(endpoint, 7).to_vec()).unwrap();
    let data = |text: &str, name: &str| {
        let data = text
            .strip_prefix(name)
            .and_then(|text| text.strip_prefix("data: "));
        read(
            data.and_then(|data| data.strip_suffix("\n\n"))
                .unwrap()
                .as_bytes(),
        )
    };
    let chunk = data(&text(Endpoint::ChatCompletions), "");
    assert_eq!(chunk["error"]["message"], "Too slow.");
    let named = "event: error\n";
    let response = data(&text(Endpoint::Responses), named);
    assert_eq!(
        (&response["type"], &response["sequence_number"]),
        (&json!("error"), &json!(7))
    );
    assert_eq!(
        (&response["code"], &response["error"]["code"]),
        (&json!("timeout"), &json!("timeout"))
    );
    let message = data(&text(Endpoint::Messages), named);
    assert_eq!(
        message,
        json!({ "type": "error", "error": { "type": "timeout_error", "message": "Too slow." } })
    );
    let picture = data(&text(Endpoint::ImageEdits), named);
    assert_eq!(
        (&picture["type"], &picture["error"]["message"]),
        (&json!("error"), &json!("Too slow."))
    );
}

#[test]
fn errors_of_every_upstream_are_read() {
    for (body, message, kind, code) in [
        (
            r#"{"error":{"message":"No.","type":"invalid_request_error","param":"n","code":"bad"}}"#,
            "No.",
            "invalid_request_error",
            Some("bad"),
        ),
        (
            r#"[{"error":{"code":429,"message":"Quota.","status":"RESOURCE_EXHAUSTED"}}]"#,
            "Quota.",
            "invalid_request_error",
            Some("429"),
        ),
        (r#"{"error":"No."}"#, "No.", "invalid_request_error", None),
        (
            r#"{"errors":[{"code":"token_quota_reached","message":"No.","more_info":""}],"trace":"t"}"#,
            "No.",
            "invalid_request_error",
            Some("token_quota_reached"),
        ),
        (r#"{"detail":"No."}"#, "No.", "invalid_request_error", None),
        (
            r#"{"detail":[{"loc":["body","n",0],"msg":"too big","type":"x"}]}"#,
            "body.n.0: too big",
            "invalid_request_error",
            None,
        ),
        (r#"{"message":"No."}"#, "No.", "invalid_request_error", None),
        (
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Busy."},"request_id":"r"}"#,
            "Busy.",
            "overloaded_error",
            None,
        ),
        (
            r#"{"type":"error","code":"x","message":"No.","param":null,"sequence_number":3}"#,
            "No.",
            "invalid_request_error",
            Some("x"),
        ),
        (
            "No such thing.\n",
            "No such thing.",
            "invalid_request_error",
            None,
        ),
        (
            "<html>No.</html>",
            "The upstream answered with status 400.",
            "invalid_request_error",
            None,
        ),
        (
            "",
            "The upstream answered with status 400.",
            "invalid_request_error",
            None,
        ),
        (
            "[]",
            "The upstream answered with status 400.",
            "invalid_request_error",
            None,
        ),
        (
            "{\"error\":null}",
            "The upstream answered with status 400.",
            "invalid_request_error",
            None,
        ),
    ] {
        let error = ApiError::from_upstream(400, body.as_bytes());
        let found = (error.message.as_str(), &*error.kind, error.code.as_deref());
        assert_eq!(found, (message, kind, code), "{body}");
    }
    let long = ApiError::from_upstream(503, "é".repeat(1000).as_bytes());
    assert_eq!(
        (long.message.chars().count(), &*long.kind),
        (300, "server_error")
    );
}

proptest! {
    #[test]
    fn any_error_is_read(status in 100..600_u16, body in any::<Vec<u8>>(), text in ".{0,40}") {
        for body in [body, text.into_bytes()] {
            let error = ApiError::from_upstream(status, &body);
            prop_assert!(!error.message.is_empty());
        }
    }
}
