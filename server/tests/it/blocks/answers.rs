use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Site;
use crate::{
    access::create,
    support::{PATIENCE, Setup, text},
};

const LOOKUP: &str = "/api/cache/lookup";
const STORE: &str = "/api/cache/store";

fn question(text: &str) -> Value {
    json!({ "namespace": "faq", "text": text, "mode": "semantic" })
}

/// The body with another field.
fn with(mut body: Value, field: &str, value: Value) -> Value {
    body[field] = value;
    body
}

fn answer(text: &str, value: &Value) -> Value {
    json!({ "namespace": "faq", "text": text, "value": value })
}

/// Looks it up until there is a hit, or none.
async fn until(site: &Site, body: &Value, hit: bool) -> Value {
    let start = Instant::now();
    loop {
        let found = site.ask(LOOKUP, body.clone()).await;
        if found["hit"] == hit {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "{found}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn the_same_question_has_its_answer() {
    for site in Site::both("limits = []").await {
        let params = json!({ "model": "gpt-5", "temperature": 0 });
        let value = json!({ "text": "Paris \"on\" Seine", "tokens": [1, null, 2.5] });
        let given = with(
            answer("Capital of\u{20}France? ", &value),
            "params",
            params.clone(),
        );
        let asked = json!({ "namespace": "faq", "text": "Capital of France?", "params": params });
        assert_eq!(
            site.ask(LOOKUP, asked.clone()).await,
            json!({ "hit": false })
        );
        let stored = site.ask(STORE, given).await;
        assert_eq!(
            (&stored["stored"], &stored["semantic"]),
            (&json!(true), &json!(true))
        );
        let found = site.ask(LOOKUP, asked.clone()).await;
        assert_eq!(
            (&found["hit"], &found["mode"]),
            (&json!(true), &json!("exact"))
        );
        assert_eq!(found["value"], value);
        let at: jiff::Timestamp = text(&found["stored_at"]).parse().unwrap();
        assert!((jiff::Timestamp::now() - at).get_minutes() < 5);
        // The order of parameters does not matter, all else does.
        let body = r#"{"text":"Capital of France?","params":{"temperature":0,"model":"gpt-5"},"namespace":"faq"}"#;
        let reordered: Value = serde_json::from_str(body).unwrap();
        assert_eq!(site.ask(LOOKUP, reordered).await["hit"], true);
        for (field, other) in [
            ("namespace", json!("other")),
            ("text", json!("Capital of France")),
            ("text", json!("capital of France?")),
            ("params", json!({ "model": "gpt-5", "temperature": 1 })),
            ("params", Value::Null),
        ] {
            let missed = site
                .ask(LOOKUP, with(asked.clone(), field, other.clone()))
                .await;
            assert_eq!(missed["hit"], false, "{field}: {other}");
        }
        let other = create(&site.setup, &["other", "--scope", "blocks"]);
        assert_eq!(
            site.ask_as(&other, LOOKUP, asked.clone()).await["hit"],
            false
        );
        let next = with(answer("Capital of France?", &Value::Null), "params", params);
        site.ask(STORE, next).await;
        let found = site.ask(LOOKUP, asked).await;
        assert_eq!(
            (&found["hit"], &found["value"]),
            (&json!(true), &Value::Null)
        );
    }
}

#[tokio::test]
async fn a_question_that_means_the_same_has_the_answer_and_another_the_reason() {
    for site in Site::both("limits = []").await {
        let first = "How do I reset my password?";
        site.ask(STORE, answer(first, &json!("By the link."))).await;
        let same = question("how do I reset my password");
        let found = until(&site, &same, true).await;
        assert_eq!(
            (&found["mode"], &found["value"]),
            (&json!("semantic"), &json!("By the link."))
        );
        assert_eq!(found["text"], first);
        assert!(found["similarity"].as_f64() > Some(0.9), "{found}");
        assert!(found["reason"].is_string());
        let exact = with(same.clone(), "mode", json!("exact"));
        assert_eq!(site.ask(LOOKUP, exact).await["hit"], false);

        let other = site
            .ask(LOOKUP, question("How do I not reset my password?"))
            .await;
        assert_eq!(
            (&other["hit"], &other["text"]),
            (&json!(false), &json!(first))
        );
        assert!(other["similarity"].as_f64() > Some(0.5), "{other}");
        assert!(!text(&other["reason"]).is_empty() && other.get("value").is_none());
        // Other namespaces, parameters, kinds of text and keys are not compared at all.
        let far = json!({ "hit": false });
        for (field, value) in [
            ("namespace", json!("other")),
            ("params", json!({ "model": "small" })),
            ("kind", json!("picture")),
        ] {
            assert_eq!(
                site.ask(LOOKUP, with(same.clone(), field, value)).await,
                far
            );
        }
        let key = create(&site.setup, &["other", "--scope", "blocks"]);
        assert_eq!(site.ask_as(&key, LOOKUP, same).await, far);
    }
}

#[tokio::test]
async fn an_answer_has_its_time() {
    for site in Site::both("limits = []").await {
        let given = |ttl: Value| with(answer("What time is it?", &json!("noon")), "ttl", ttl);
        let asked = question("What time is it?");
        site.ask(STORE, given(json!("1h"))).await;
        assert_eq!(site.ask(LOOKUP, asked.clone()).await["hit"], true);
        site.ask(STORE, given(json!(1))).await;
        until(&site, &asked, false).await;
    }
}

#[tokio::test]
async fn what_cannot_be_compared_is_kept_exactly_and_says_why() {
    let site = Site::start(Setup::with_file("limits = []"));
    let long = "why ".repeat(3_000);
    let stored = site.ask(STORE, answer(&long, &json!(1))).await;
    assert_eq!(
        (&stored["stored"], &stored["semantic"]),
        (&json!(true), &json!(false))
    );
    assert!(text(&stored["reason"]).contains("too long"), "{stored}");
    assert_eq!(site.ask(LOOKUP, question(&long)).await["mode"], "exact");
    let longer = site.ask(LOOKUP, question(&format!("{long} not"))).await;
    assert!(text(&longer["reason"]).contains("too long"), "{longer}");

    let off = Site::start(Setup::with_file("limits = []\n[semantic]\nmode = 'off'"));
    let stored = off.ask(STORE, answer("Why?", &json!(1))).await;
    assert!(
        text(&stored["reason"]).contains("semantic.mode"),
        "{stored}"
    );
    let missed = off.ask(LOOKUP, question("But why?")).await;
    assert!(
        text(&missed["reason"]).contains("semantic.mode"),
        "{missed}"
    );
}

#[tokio::test]
async fn an_answer_that_makes_no_sense_is_named() {
    let site = Site::start(Setup::with_file("limits = []"));
    let good = || answer("Why?", &json!(1));
    for (field, value) in [
        ("namespace", json!("")),
        ("namespace", json!("a".repeat(101))),
        ("namespace", json!("a\u{0}b")),
        ("text", json!("")),
        ("text", json!(" \n ")),
        ("text", json!("a".repeat(32_001))),
        ("params", json!({ "a": "b".repeat(17_000) })),
        ("value", json!("b".repeat(300_000))),
        ("ttl", json!(0)),
        ("ttl", json!("soon")),
        ("ttl", json!("900d")),
    ] {
        let body = with(good(), field, value).to_string();
        let refused = site.refused(STORE, body).await;
        assert_eq!(refused, (422, field.into()));
    }
    let malformed = (400, "malformed".to_owned());
    for (field, value) in [
        ("ttl", json!(-1)),
        ("ttl", json!(1.5)),
        ("kind", json!("song")),
        ("colour", json!(1)),
        ("text", json!(7)),
        ("namespace", Value::Null),
    ] {
        let body = with(good(), field, value).to_string();
        assert_eq!(site.refused(STORE, &*body).await, malformed, "{body}");
    }
    for missing in ["namespace", "text", "value"] {
        let mut body = good();
        body.as_object_mut().unwrap().remove(missing);
        assert_eq!(site.refused(STORE, body.to_string()).await, malformed);
    }
    let body = with(question("Why?"), "mode", json!("fuzzy")).to_string();
    assert_eq!(site.refused(LOOKUP, body).await, malformed);
    let found = site.ask(LOOKUP, question("Why?")).await;
    assert_eq!(found["hit"], false, "nothing was stored");
}
