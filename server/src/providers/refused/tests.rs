use super::*;
use crate::job::Cost;
use atelier_gateway::retry_after::LONGEST_PAUSE;

fn sorted(status: u16, headers: &[(&'static str, &str)], json: &str) -> Error {
    let headers = headers
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect();
    let (status, text) = (StatusCode::from_u16(status).unwrap(), json.as_bytes());
    let now = SystemTime::UNIX_EPOCH;
    let refusal = Refusal::read(Dialect::Gemini, status, &headers, text, now);
    classify(status, &headers, &Body::of_response(text), refusal)
}

#[test]
fn every_dialect_says_it_in_its_own_way() {
    let google = |code: u16, status: &str, details: Value| {
        let error = json!({ "code": code, "message": "m", "status": status, "details": details });
        sorted(code, &[], &json!([{ "error": error }]).to_string())
    };
    let retry =
        json!([{ "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "37s" }]);
    let busy = google(429, "RESOURCE_EXHAUSTED", retry);
    assert_eq!(busy.remedy, Remedy::Wait(Some(Duration::from_secs(37))));
    let quota = json!([{ "violations": [{ "quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier" }] },
        { "retryDelay": "37s" }]);
    let spent = google(429, "RESOURCE_EXHAUSTED", quota);
    assert_eq!(
        (spent.code, spent.remedy),
        ("provider_credit_exhausted", Remedy::Nothing)
    );
    let key = google(
        400,
        "INVALID_ARGUMENT",
        json!([{ "reason": "API_KEY_INVALID" }]),
    );
    assert_eq!(key.code, "provider_key_refused");
    let size = google(400, "INVALID_ARGUMENT", json!([]));
    assert_eq!(
        (size.code, size.message.as_str()),
        (
            "provider_refused",
            "The image service refused the request: m"
        )
    );
    for (status, json, code) in [
        (
            402,
            r#"{"error":"You have exceeded your monthly included credits."}"#,
            "provider_credit_exhausted",
        ),
        (
            503,
            r#"{"error":"Model X is currently loading","estimated_time":20.0}"#,
            "provider_failed",
        ),
        (
            400,
            r#"{"error":{"code":"content_filter","message":"m"}}"#,
            "content_refused",
        ),
        (
            400,
            r#"{"error":{"code":"x","innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#,
            "content_refused",
        ),
        (
            403,
            r#"{"error":{"code":403,"message":"m","metadata":{"reasons":["violence"],"flagged_input":"x"}}}"#,
            "content_refused",
        ),
        (
            403,
            r#"{"error":{"code":403,"message":"m"}}"#,
            "provider_key_refused",
        ),
        (404, r#"{"detail":"no such model"}"#, "provider_refused"),
    ] {
        assert_eq!(sorted(status, &[], json).code, code, "{json}");
    }
    let loading = sorted(503, &[], r#"{"error":"loading","estimated_time":20.0}"#);
    assert_eq!(loading.remedy, Remedy::Retry(Some(Duration::from_secs(20))));
}

#[test]
fn money_and_refusals_are_final() {
    for (status, code) in [
        (429, "insufficient_quota"),
        (429, "credit_balance_exhausted"),
        (429, "organization_spend_limit_exceeded"),
        (429, "project_usage_limit_exceeded"),
        (400, "moderation_blocked"),
        (400, "invalid_value"),
        (401, "invalid_api_key"),
    ] {
        let by_code = sorted(
            status,
            &[],
            &format!(r#"{{"error":{{"message":"no","code":"{code}"}}}}"#),
        );
        assert_eq!(by_code.remedy, Remedy::Nothing, "{code}");
    }
    let by_type = sorted(
        429,
        &[],
        r#"{"error":{"message":"no","type":"insufficient_quota","code":null}}"#,
    );
    assert_eq!(by_type.remedy, Remedy::Nothing);
}

#[test]
fn trouble_that_passes_is_retried() {
    for status in [408, 409, 500, 502, 503, 529] {
        let error = sorted(status, &[], "not json");
        assert_eq!(error.remedy, Remedy::Retry(None), "{status}");
    }
    assert_eq!(sorted(429, &[], "").remedy, Remedy::Wait(None));
    let slow_down = sorted(
        429,
        &[],
        r#"{"error":{"message":"slow","code":"slow_down"}}"#,
    );
    assert_eq!(slow_down.remedy, Remedy::Wait(None));
}

#[test]
fn the_provider_decides_whether_and_when() {
    let after = |headers: &[(&'static str, &str)]| sorted(429, headers, "").remedy;
    let wait = |pause| Remedy::Wait(Some(pause));
    assert_eq!(after(&[("retry-after", "7")]), wait(Duration::from_secs(7)));
    assert_eq!(
        after(&[("retry-after-ms", "250"), ("retry-after", "7")]),
        wait(Duration::from_millis(250))
    );
    assert_eq!(
        after(&[("retry-after", "Thu, 01 Jan 1970 00:00:30 GMT")]),
        wait(Duration::from_secs(30))
    );
    assert_eq!(after(&[("retry-after", "1e300")]), wait(LONGEST_PAUSE));
    for nonsense in ["soon", "-1", "-0.5", "NaN", "inf", ""] {
        let fields = [("retry-after", nonsense)];
        assert_eq!(after(&fields), Remedy::Wait(None), "{nonsense:?}");
    }
    assert_eq!(
        after(&[("retry-after-ms", "-1"), ("retry-after", "7")]),
        wait(Duration::from_secs(7))
    );
    assert_eq!(after(&[("x-should-retry", "false")]), Remedy::Nothing);
    assert_eq!(
        sorted(400, &[("x-should-retry", "true")], "").remedy,
        Remedy::Retry(None)
    );
}

#[test]
fn an_error_inside_an_answer_means_what_it_would_alone() {
    let headers = HeaderMap::new();
    for (json, code, remedy) in [
        (
            r#"{"type":"invalid_request_error","message":"No such size.","code":null}"#,
            "provider_refused",
            Remedy::Nothing,
        ),
        (
            r#"{"type":"image_generation_user_error","code":"moderation_blocked"}"#,
            "content_refused",
            Remedy::Nothing,
        ),
        (
            r#"{"type":"tokens","code":"rate_limit_exceeded"}"#,
            "provider_busy",
            Remedy::Wait(None),
        ),
        (r#"{"code":429}"#, "provider_busy", Remedy::Wait(None)),
        (r#"{"code":"401"}"#, "provider_key_refused", Remedy::Nothing),
        (
            r#"{"code":"invalid_value"}"#,
            "provider_refused",
            Remedy::Nothing,
        ),
        (
            r#"{"type":"server_error"}"#,
            "provider_failed",
            Remedy::Retry(None),
        ),
        (
            r#""no words for it""#,
            "provider_failed",
            Remedy::Retry(None),
        ),
        (r#"{"code":200}"#, "provider_failed", Remedy::Retry(None)),
    ] {
        let error = told(&serde_json::from_str(json).unwrap(), &headers);
        assert_eq!((error.code, error.remedy), (code, remedy), "{json}");
        assert_eq!(error.cost, Cost::Nothing, "{json}");
    }
    let error = serde_json::json!({"type": "invalid_request_error", "message": "No such size."});
    assert!(told(&error, &headers).message.ends_with("No such size."));
}
