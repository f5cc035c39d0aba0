//! What the operator sees of the gateway's calls.

use std::time::Duration;

use atelier_upstream_mock::Behaviour;
use futures::StreamExt as _;
use serde_json::{Value, json};

use super::{Site, TOKEN, chat, cold, header, streamed, watched};
use crate::support::redis_database;

async fn admin(site: &Site, path: &str) -> Value {
    let ask = site.server.get(path).bearer_auth(TOKEN);
    let answer = ask.send().await.unwrap().error_for_status().unwrap();
    answer.json().await.unwrap()
}

/// The last calls, once there are so many.
async fn calls(site: &Site, wanted: usize) -> Vec<Value> {
    for _ in 0..500 {
        let mut listed = admin(site, "/api/admin/calls").await;
        let Value::Array(calls) = listed["calls"].take() else {
            panic!("{listed}");
        };
        if calls.len() >= wanted {
            assert_eq!(calls.len(), wanted, "{calls:#?}");
            return calls;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("there are not {wanted} calls");
}

/// A call that was made, one from the cache, a stream, and one whose model there is not.
async fn four_calls(site: &Site) {
    // With such a key the answer is kept before it is told.
    let first = site.request("/chat/completions", &cold("Hi you"));
    let first = first.header("idempotency-key", "a").send().await.unwrap();
    first.error_for_status().unwrap().bytes().await.unwrap();
    calls(site, 1).await;
    let hit = site.ask("/chat/completions", &cold("Hi you")).await;
    assert_eq!(header(&hit, "x-atelier-cache"), "hit");
    hit.bytes().await.unwrap();
    calls(site, 2).await;
    let stream = streamed(chat("Hi all"));
    let stream = site.ask("/chat/completions", &stream).await;
    stream.bytes().await.unwrap();
    calls(site, 3).await;
    let refused = site
        .ask("/chat/completions", &json!({ "messages": [] }))
        .await;
    assert_eq!(refused.status(), 400);
}

async fn every_call_is_listed_and_counted(redis: Option<&str>) {
    let site = watched("limits = []", redis).await;
    four_calls(&site).await;
    let calls = calls(&site, 4).await;
    let [refused, stream, hit, first] = calls.as_slice() else {
        panic!("{calls:#?}");
    };
    assert_eq!(
        (&refused["status"], &refused["failure"]),
        (&json!(400), &json!("request"))
    );
    assert_eq!(refused["upstream"], Value::Null);
    assert_eq!(
        (&stream["stream"], &stream["cache"]),
        (&json!(true), &json!("off"))
    );
    assert!(stream["first_byte_ms"].as_f64() <= stream["duration_ms"].as_f64());
    assert!(stream["output_tokens"].as_u64() > Some(0) && stream["first_byte_ms"].is_number());
    assert_eq!((&hit["cache"], &hit["usd"]), (&json!("hit"), &json!(0.0)));
    assert_eq!(
        (&hit["upstream"], &hit["routed"]),
        (&first["upstream"], &first["routed"])
    );
    for field in ["id", "at", "key", "endpoint", "model", "upstream"] {
        assert!(first[field].is_string(), "{field} in {first}");
    }
    assert_eq!(
        (&first["status"], &first["cache"]),
        (&json!(200), &json!("miss"))
    );
    assert!(first["usd"].as_f64() > Some(0.0) && first["input_tokens"].as_u64() > Some(0));
    assert!(!serde_json::to_string(&calls).unwrap().contains("Hi "));

    let by_hour = "/api/admin/calls/stats?since=2h&by=upstream,model";
    let stats = admin(&site, by_hour).await;
    let total = &stats["total"];
    assert_eq!(
        (&total["calls"], &total["hits"]["exact"]),
        (&json!(4), &json!(1))
    );
    assert_eq!(
        (&total["errors"]["request"], &total["errors"]["limit"]),
        (&json!(1), &json!(0))
    );
    assert!(total["usd"].as_f64() > Some(0.0) && total["duration_ms"]["p50"].is_number());
    let groups = stats["groups"].as_array().unwrap();
    let of_upstream: Vec<_> = groups
        .iter()
        .filter(|group| group["upstream"] == "openai")
        .collect();
    assert_eq!(
        (of_upstream.len(), &of_upstream[0]["calls"]),
        (1, &json!(3)),
        "{groups:#?}"
    );
    assert_eq!(of_upstream[0]["model"], "gpt-4o-mini");

    let metrics = site
        .server
        .get("/metrics")
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    for line in [
        "atelier_gateway_calls_total{endpoint=\"chat/completions\",upstream=\"openai\",status_class=\"2xx\",cache=\"hit\"} 1",
        "atelier_gateway_calls_total{endpoint=\"chat/completions\",upstream=\"\",status_class=\"4xx\",cache=\"off\"} 1",
        "atelier_gateway_call_duration_seconds_count{endpoint=\"chat/completions\",upstream=\"openai\"} 3",
        "atelier_gateway_first_byte_seconds_count{endpoint=\"chat/completions\",upstream=\"openai\"} 1",
        "atelier_gateway_tokens_total{upstream=\"openai\",kind=\"output\"}",
        "atelier_gateway_cost_nanodollars_total{upstream=\"openai\"}",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    the_command_shows_the_same(&site);
}

fn the_command_shows_the_same(site: &Site) {
    let run = |arguments: &[&str]| {
        let output = site._setup.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let listed = run(&["calls", "--json", "--since", "1h", "--model", "gpt-4o-mini"]);
    let listed: Vec<Value> = listed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!((listed.len(), &listed[0]["stream"]), (3, &json!(true)));
    assert_eq!(run(&["calls", "--key", "key_other", "--json"]), "");
    let table = run(&["calls"]);
    assert!(
        table.starts_with("WHEN ") && table.lines().count() == 5,
        "{table}"
    );
    let stats: Value = serde_json::from_str(&run(&["calls", "stats", "--json"])).unwrap();
    assert_eq!(stats["total"]["calls"], 4);
    let table = run(&["calls", "stats", "--by", "model"]);
    assert!(table.contains("gpt-4o-mini") && table.lines().last().unwrap().starts_with("all"));
}

#[tokio::test]
async fn every_call_is_listed_and_counted_in_sqlite() {
    every_call_is_listed_and_counted(None).await;
}

#[tokio::test]
async fn every_call_is_listed_and_counted_in_redis() {
    every_call_is_listed_and_counted(Some(&redis_database().await)).await;
}

#[tokio::test]
async fn a_refusal_a_broken_upstream_and_an_abandoned_stream_are_told_apart() {
    let limits = "[[limits]]\nname = 'few'\nscope = 'global'\nunit = 'requests'\n\
                  algorithm = 'fixed_window'\nquota = 2\nwindow = '365d'\nactions = ['chat']";
    let site = watched(limits, None).await;
    site.upstream.then([Behaviour::HangMidway]);
    let stream = streamed(chat("Hi you"));
    let answer = site.ask("/chat/completions", &stream).await;
    let mut parts = answer.bytes_stream();
    parts.next().await.unwrap().unwrap();
    drop(parts);
    let left = calls(&site, 1).await;
    assert_eq!(
        (&left[0]["status"], &left[0]["failure"]),
        (&json!(499), &json!("abandoned"))
    );
    assert_eq!(left[0]["upstream"], "openai");
    assert!(left[0]["usd"].as_f64() > Some(0.0), "{left:?}");
    drop(site.ask("/chat/completions", &chat("Hi")).await);
    let limited = site.ask("/chat/completions", &chat("Hi")).await;
    assert_eq!(limited.status(), 429);
    let listed = calls(&site, 3).await;
    assert_eq!(
        (&listed[0]["status"], &listed[0]["failure"]),
        (&json!(429), &json!("limit"))
    );
    assert_eq!(listed[0]["upstream"], Value::Null);
}

#[tokio::test]
async fn the_list_is_the_operators() {
    let site = watched("limits = []", None).await;
    for path in ["/api/admin/calls", "/api/admin/calls/stats"] {
        let without = site.server.get(path).send().await.unwrap();
        assert_eq!(without.status(), 401);
        let key = site.server.get(path).bearer_auth(&site.key).send().await;
        assert_eq!(key.unwrap().status(), 403);
    }
    for query in ["?since=soon", "?limit=0", "?limit=1001", "?colour=red"] {
        let ask = site.server.get(&format!("/api/admin/calls{query}"));
        let answer = ask.bearer_auth(TOKEN).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{query}");
    }
    let ask = site.server.get("/api/admin/calls/stats?by=colour");
    let answer = ask.bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(answer.status(), 400);
}
