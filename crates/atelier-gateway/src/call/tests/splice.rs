use super::*;

fn sent(body: &str, model: &str, ask: bool) -> String {
    let call = read(Endpoint::ChatCompletions, body).unwrap();
    String::from_utf8(call.for_upstream(model, ask).to_vec()).unwrap()
}

const HEAD: &str = "{ \"x\":1.0e0,\"\\u0061\":\"\\/\",\n\"model\" :\t";
const TAIL: &str = " ,\"messages\":[{\"role\":\"user\",\"content\":\"\\ud83d\",\"extra\":{\"b\":1,\"a\":2}}],\"n\":1.00}\n";

#[test]
fn all_but_the_model_is_passed_on_as_it_came() {
    let body = format!("{HEAD}\"sm\\u0061ll\"{TAIL}");
    let expected = format!("{HEAD}\"gpt-5-mini\"{TAIL}");
    assert_eq!(sent(&body, "gpt-5-mini", true), expected);
    assert_eq!(
        sent(&body, "a\"b", false),
        format!("{HEAD}\"a\\\"b\"{TAIL}")
    );
    // The same model in another spelling is the same.
    let call = read(Endpoint::ChatCompletions, &body).unwrap();
    assert_eq!(call.for_upstream("small", true), *call.body());
}

#[test]
fn usage_is_asked_for_where_streams_have_it() {
    let body = |more: &str| format!(r#"{{"model":"m","messages":[{{}}]{more}}}"#);
    let whole =
        r#"{"stream_options":{"include_usage":true},"model":"m","messages":[{}],"stream":true}"#;
    assert_eq!(sent(&body(r#","stream":true"#), "m", true), whole);
    for (options, expected) in [
        ("null", r#"{"include_usage":true}"#),
        ("{ }", r#"{"include_usage":true }"#),
        (r#"{"include_usage":false}"#, r#"{"include_usage":true}"#),
        (
            r#"{"include_usage": null,"y":[]}"#,
            r#"{"include_usage": true,"y":[]}"#,
        ),
        (
            r#"{"other":false}"#,
            r#"{"include_usage":true,"other":false}"#,
        ),
        (r#"{"include_usage":true}"#, r#"{"include_usage":true}"#),
    ] {
        let body = |options: &str| body(&format!(r#","stream":true, "stream_options": {options}"#));
        assert_eq!(sent(&body(options), "m", true), body(expected), "{options}");
        assert_eq!(sent(&body(options), "m", false), body(options), "{options}");
    }
    // Not without a stream, and not where the API has no such option.
    assert_eq!(sent(&body(""), "m", true), body(""));
    for endpoint in [Endpoint::Responses, Endpoint::Messages] {
        let body = r#"{"model":"m","messages":[{}],"max_tokens":1,"stream":true}"#;
        assert_eq!(read(endpoint, body).unwrap().for_upstream("m", true), body);
    }
}

#[test]
fn a_call_without_a_model_gets_one() {
    for (body, expected) in [
        ("{}", r#"{"model":"m"}"#),
        (r#" { "input":"x"}"#, r#" {"model":"m", "input":"x"}"#),
        (r#"{"model":null}"#, r#"{"model":"m"}"#),
        (r#"{"model":""}"#, r#"{"model":"m"}"#),
    ] {
        let call = read(Endpoint::Responses, body).unwrap();
        assert_eq!(call.for_upstream("m", true), expected);
        // An upstream may have a default of its own.
        assert_eq!(call.for_upstream("", true), body);
    }
}

proptest! {
    #[test]
    fn any_body_reaches_the_upstream(
        before in any::value(),
        after in any::value(),
        model in "[ -~é🦀]{1,12}",
        routed in "[^\u{0}-\u{1f}]{1,12}",
    ) {
        let named = Value::from(model.as_str());
        let head = format!(r#"{{"a": {before} ,"model" : "#);
        let tail = format!(r#", "z":{after},"stream":true,"messages":[{{}}]}}"#);
        let call = read(Endpoint::ChatCompletions, &format!("{head}{named}{tail}")).unwrap();
        let routed_as = Value::from(routed.as_str());
        prop_assert_eq!(call.for_upstream(&routed, false), format!("{head}{routed_as}{tail}"));
        let asked: Value = serde_json::from_slice(&call.for_upstream(&routed, true)).unwrap();
        prop_assert_eq!(&asked["stream_options"]["include_usage"], &Value::Bool(true));
        prop_assert_eq!(&asked["model"], &routed_as);
    }
}
