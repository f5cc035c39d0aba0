use http::HeaderName;
use proptest::prelude::*;

use super::*;

fn read(dialect: Dialect, status: u16, fields: &[(&'static str, &str)], body: &str) -> Refusal {
    let fields = fields
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
    let status = StatusCode::from_u16(status).unwrap();
    let (headers, now) = (fields.collect(), SystemTime::UNIX_EPOCH);
    Refusal::read(dialect, status, &headers, body.as_bytes(), now)
}

#[test]
fn pauses_are_told_in_many_ways() {
    let google = r#"[{"error":{"code":429,"message":"Please retry in 37.5s.","status":"RESOURCE_EXHAUSTED",
        "details":[{"@type":"type.googleapis.com/google.rpc.Help"},
        {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"37.5s"}]}}]"#;
    for (fields, body, milliseconds) in [
        (
            &[("retry-after-ms", "250"), ("retry-after", "9")][..],
            google,
            250,
        ),
        (&[("retry-after", "1.5")], google, 1_500),
        (&[], google, 37_500),
        (&[], r#"{"error":{"details":[{"retryDelay":"0s"}]}}"#, 0),
        (
            &[],
            r#"{"error":"Model x is currently loading","estimated_time":20.0}"#,
            20_000,
        ),
        (
            &[],
            r#"{"error":{"message":"Please try again in 1m2.5s. Visit us."}}"#,
            62_500,
        ),
        (&[], r#"{"error":{"message":"Try again in 20ms."}}"#, 20),
        (
            &[],
            r#"{"message":"Please retry after 20 seconds."}"#,
            20_000,
        ),
        (&[], r#"{"detail":"try again in 2 minutes"}"#, 120_000),
        (
            &[],
            r#"{"errors":[{"code":"c","message":"Try again in 2s."}]}"#,
            2_000,
        ),
        (&[], r#"{"error":"try again in 99h"}"#, 86_400_000),
        (&[], "Busy. Please try again in 3s", 3_000),
    ] {
        let pause = read(Dialect::OpenAi, 429, fields, body).pause;
        assert_eq!(pause, Some(Duration::from_millis(milliseconds)), "{body}");
    }
    for body in [
        "",
        "try again in a while",
        r#"{"error":{"message":"try again in 5 apples"}}"#,
        r#"{"error":{"details":[{"retryDelay":"soon"}]}}"#,
        r#"{"estimated_time":"x"}"#,
        "[]",
    ] {
        assert_eq!(read(Dialect::OpenAi, 429, &[], body).pause, None, "{body}");
    }
}

#[test]
fn what_is_spent_is_final() {
    let google = r#"[{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[
        {"violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}]}}]"#;
    let minute = google.replace("PerDay", "PerMinute");
    let ibm = r#"{"errors":[{"code":"token_quota_reached","message":"m"}],"trace":"t","status_code":403}"#;
    let limit = r#"{"type":"error","error":{"type":"rate_limit_error","message":"m",
        "details":{"code":"enforced_spend_limit_reached"}}}"#;
    let quota =
        r#"{"error":{"message":"m","type":"insufficient_quota","code":"insufficient_quota"}}"#;
    for (dialect, status, body, is_final, is_bad_key) in [
        (Dialect::HuggingFace, 402, "{}", true, false),
        (Dialect::Gemini, 429, google, true, false),
        (Dialect::Gemini, 429, &*minute, false, false),
        (Dialect::Watsonx, 403, ibm, true, false),
        (Dialect::WatsonxGateway, 403, ibm, true, false),
        (Dialect::Watsonx, 403, "{}", false, true),
        (Dialect::Anthropic, 429, limit, true, false),
        (Dialect::OpenAi, 429, quota, true, false),
        (Dialect::OpenAi, 401, "{}", false, true),
        (
            Dialect::Gemini,
            400,
            r#"[{"error":{"code":400,"message":"m","status":"INVALID_ARGUMENT","details":[{"reason":"API_KEY_INVALID"}]}}]"#,
            false,
            true,
        ),
        (Dialect::OpenAi, 500, "{}", false, false),
        // Words for humans decide nothing.
        (
            Dialect::OpenAi,
            429,
            r#"{"error":{"message":"insufficient_quota"}}"#,
            false,
            false,
        ),
    ] {
        let read = read(dialect, status, &[], body);
        let found = (read.is_final, read.is_bad_key);
        assert_eq!(found, (is_final, is_bad_key), "{dialect:?} {status} {body}");
    }
}

proptest! {
    #[test]
    fn any_refusal_is_read(status in 400..600_u16, body in any::<Vec<u8>>(), text in ".{0,40}") {
        for dialect in Dialect::ALL {
            for body in [String::from_utf8_lossy(&body).into_owned(), format!("try again in {text}")] {
                let pause = read(dialect, status, &[], &body).pause;
                prop_assert!(pause.is_none_or(|pause| pause <= Duration::from_hours(24)));
            }
        }
    }
}
