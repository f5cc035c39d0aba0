//! Publishing, and what is shown of it.

use atelier_upstream_mock::{KEY, Upstream};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::Method;
use serde_json::{Value, json};

use super::{LATER, URL, refused, site, site_with, status, told};
use crate::support::{Setup, redis_database};

#[tokio::test]
async fn a_message_is_accepted_and_shown_as_it_was_published() {
    let site = site("");
    let request = site
        .later("/v2/publish/https://example.com/123//a/?asdasd=ooo&upstash-retries=2")
        .header("content-type", "text/plain")
        .header("upstash-method", "PUT")
        .header("upstash-label", "one, two")
        .header(
            "upstash-forward-test-case",
            "value-uppercase, value-lowercase",
        )
        .header("upstash-callback", "https://example.org?foo=bar")
        .header("upstash-flow-control-key", "mine")
        .header(
            "upstash-flow-control-value",
            "parallelism=3, rate=5, period=1m",
        )
        .body("Grüße");
    let answer = told(request, 201).await;
    let id = answer["messageId"].as_str().unwrap();
    assert!(id.starts_with("msg_"));
    let url = "https://example.com/123//a/?asdasd=ooo";
    assert_eq!(answer, json!({ "messageId": id, "url": url }));
    let message = site.json(&format!("/v2/messages/{id}")).await;
    for (field, expected) in [
        ("messageId", json!(id)),
        ("url", json!(url)),
        ("method", json!("PUT")),
        ("body", json!("Grüße")),
        ("maxRetries", json!(2)),
        ("label", json!("one")),
        ("labels", json!(["one", "two"])),
        ("callback", json!("https://example.org?foo=bar")),
        ("flowControlKey", json!("mine")),
        ("parallelism", json!(3)),
        ("rate", json!(5)),
        ("period", json!(60)),
        ("callerIP", json!("127.0.0.1")),
    ] {
        assert_eq!(message[field], expected, "{field} of {message}");
    }
    let header = &message["header"];
    let test_case = json!(["value-uppercase, value-lowercase"]);
    assert_eq!(header["Test-Case"], test_case, "{header}");
    assert_eq!(header["Content-Type"], json!(["text/plain"]), "{header}");
    let wait = message["notBefore"].as_i64().unwrap() - message["createdAt"].as_i64().unwrap();
    assert_eq!(wait, 24 * 60 * 60 * 1000);
}

#[tokio::test]
async fn binary_and_large_bodies_survive() {
    let site = site("");
    for body in [vec![0xff, 0x00], vec![0xfe; 900_000]] {
        let request = site.later(&format!("/v2/publish/{URL}")).body(body.clone());
        let id = site.published(request).await;
        let message = site.json(&format!("/v2/messages/{id}")).await;
        let shown = message["bodyBase64"].as_str().unwrap();
        assert!(STANDARD.decode(shown).unwrap() == body);
        assert_eq!(message.get("body"), None);
    }
    let large = site.later(&format!("/v2/publish/{URL}"));
    assert_eq!(status(large.body(vec![b'a'; 1_000_001])).await, 413);
}

#[tokio::test]
async fn a_key_is_needed_and_may_come_in_the_query() {
    let site = site("");
    let path = format!("/v2/publish/{URL}");
    let client = &site.server.client;
    let url = format!("{}{path}", site.server.url);
    let none = client.post(&url).send().await.unwrap();
    assert_eq!(none.headers()["www-authenticate"], "Bearer");
    assert_eq!(refused(none).await.0, 401);
    let wrong = client.post(&url).bearer_auth("atl_wrong");
    assert_eq!(status(wrong).await, 401);
    let key = &site.key;
    let by_query = client.post(format!("{url}?a=1&qstash_token={key}"));
    let answer = told(by_query.header(LATER.0, LATER.1), 201).await;
    assert_eq!(answer["url"], format!("{URL}?a=1"));
    let reading = client.get(format!("{}/v2/queues?qstash_token={key}", site.server.url));
    assert_eq!(status(reading).await, 401);
    let created = site
        .setup
        .run(&["keys", "create", "other", "--scope", "studio"]);
    let other = String::from_utf8(created.stdout).unwrap();
    let other = client.post(&url).bearer_auth(other.trim());
    let (code, text) = refused(other.send().await.unwrap()).await;
    assert!(code == 403 && text.contains("messages"), "{text}");
}

#[tokio::test]
async fn duplicates_are_published_once() {
    let site = site("");
    let path = format!("/v2/publish/{URL}");
    for field in [
        ("upstash-deduplication-id", "order 1"),
        ("upstash-content-based-deduplication", "True"),
    ] {
        let request = || site.later(&path).header(field.0, field.1).body("same");
        let first = told(request(), 201).await;
        let second = told(request(), 202).await;
        let mut expected = first.clone();
        expected["deduplicated"] = true.into();
        assert_eq!(second, expected);
        let id = first["messageId"].as_str().unwrap();
        let cancelled = told(site.delete(&format!("/v2/messages/{id}")), 200).await;
        assert_eq!(cancelled, json!({ "cancelled": 1 }));
        // What was cancelled can be published again.
        let third = told(request(), 201).await;
        assert_ne!(third["messageId"], first["messageId"]);
    }
    let by_content = site
        .later(&path)
        .header("upstash-content-based-deduplication", "true");
    told(by_content.body("other"), 201).await;
}

#[tokio::test]
async fn a_batch_is_published_in_order_or_not_at_all() {
    let site = site("");
    let endpoints = json!({ "endpoints": [{ "url": "https://a.example" }, { "url": "https://b.example", "name": "b" }] });
    told(site.post("/v2/topics/both/endpoints").json(&endpoints), 200).await;
    let later = json!({ "upstash-delay": "1d", "upstash-forward-content-type": "text/plain" });
    let batch = json!([
        { "destination": URL, "headers": later, "body": "one" },
        { "destination": "both", "headers": later, "queue": "line" },
        { "destination": URL, "headers": later, "body": null, "queue": null },
    ]);
    let answer = told(site.post("/v2/batch").json(&batch), 200).await;
    assert_eq!(answer[0]["url"], URL);
    assert_eq!(answer[1][1]["url"], "https://b.example");
    let id = answer[1][0]["messageId"].as_str().unwrap();
    let message = site.json(&format!("/v2/messages/{id}")).await;
    assert_eq!(
        (&message["topicName"], &message["queueName"]),
        (&json!("both"), &json!("line"))
    );
    let bad = json!([
        { "destination": URL, "headers": { "upstash-delay": "1d", "upstash-label": "none" } },
        { "destination": "ftp://example.com" },
    ]);
    let (code, text) = refused(site.post("/v2/batch").json(&bad).send().await.unwrap()).await;
    assert!(code == 400 && text.contains("message 2"), "{text}");
    let bad = json!([
        { "destination": URL, "headers": { "upstash-delay": "1d", "upstash-label": "none" } },
        { "destination": "http://10.0.0.1", "queue": "none" },
    ]);
    let (code, text) = refused(site.post("/v2/batch").json(&bad).send().await.unwrap()).await;
    assert!(code == 400 && text.contains("message 2"), "{text}");
    assert_eq!(status(site.get("/v2/queues/none")).await, 404);
    let label = site.delete("/v2/messages?label=none");
    assert_eq!(told(label, 200).await, json!({ "cancelled": 0 }));
    let single = json!([{ "destination": URL, "headers": later }]);
    let answer = told(site.post("/v2/batch").json(&single), 200).await;
    assert_eq!(answer.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn messages_are_cancelled_one_by_one_by_filter_and_all() {
    let site = site("");
    let one = site.said("1").await;
    let path = format!("/v2/messages/{one}");
    assert_eq!(
        told(site.delete(&path), 200).await,
        json!({ "cancelled": 1 })
    );
    assert_eq!(
        told(site.delete(&path), 200).await,
        json!({ "cancelled": 0 })
    );
    assert_eq!(status(site.get(&path)).await, 404);
    assert_eq!(status(site.delete("/v2/messages/msg_unknown")).await, 404);
    let mut ids = Vec::new();
    for number in 0..6 {
        let label = format!("label-{number}");
        let url = format!("/v2/publish/https://example.com/{number}");
        let request = site.later(&url).header("upstash-label", label);
        ids.push(site.published(request).await);
    }
    let cancelled = |count: usize| json!({ "cancelled": count });
    let two = format!("/v2/messages?messageIds={}&messageIds={}", ids[0], ids[1]);
    assert_eq!(told(site.delete(&two), 200).await, cancelled(2));
    let body = json!({ "messageIds": [ids[0], ids[2]] });
    let listed = site.delete("/v2/messages").json(&body);
    assert_eq!(told(listed, 200).await, cancelled(1));
    let labels = site.delete("/v2/messages?label=label-3&label=label-0&count=100");
    assert_eq!(told(labels, 200).await, cancelled(1));
    let unknown = site.delete("/v2/messages?labeel=label-4");
    assert_eq!(status(unknown).await, 400);
    let path = site.delete("/v2/messages?path=/4");
    assert_eq!(told(path, 200).await, cancelled(1));
    assert_eq!(told(site.delete("/v2/messages"), 200).await, cancelled(1));
    assert_eq!(told(site.delete("/v2/messages"), 200).await, cancelled(0));
    let events = site.json("/v2/events?state=CANCELED&count=100").await;
    assert_eq!(events["events"].as_array().unwrap().len(), 7);
    let created = site
        .json(&format!("/v2/logs?messageId={one}&state=CREATED"))
        .await;
    assert_eq!(created["logs"][0]["url"], URL);
}

#[tokio::test]
async fn what_is_to_be_hidden_is_shown_nowhere() {
    let site = site("");
    let request = site
        .later(&format!("/v2/publish/{URL}"))
        .header("upstash-redact-fields", "body, header[x-secret]")
        .header("upstash-forward-x-secret", "hush-header")
        .header("upstash-forward-x-other", "seen")
        .body("hush-body");
    let id = site.published(request).await;
    let message = site.json(&format!("/v2/messages/{id}")).await;
    let events = site.json(&format!("/v2/events?messageId={id}")).await;
    for shown in [&message, &events] {
        let text = shown.to_string();
        assert!(!text.contains("hush"), "{text}");
    }
    assert!(message["body"].as_str().unwrap().starts_with("REDACTED:"));
    assert_eq!(message["header"]["X-Other"], json!(["seen"]));
}

#[tokio::test]
async fn what_is_not_there_is_told_in_one_form() {
    let site = site("");
    for (method, path, code) in [
        (Method::GET, "/v2/nothing", 404),
        (Method::GET, "/v2", 404),
        (Method::POST, "/v2/publish", 404),
        (Method::GET, "/v2/batch", 405),
        (Method::PUT, "/v2/queues", 405),
        (Method::PATCH, "/v2/schedules/x/stop", 405),
        (Method::GET, "/v2/messages/msg_1", 404),
        (Method::GET, "/v2/messages/%FF", 400),
        (Method::GET, "/v2/queues/x", 404),
        (Method::GET, "/v2/schedules/x", 404),
        (Method::DELETE, "/v2/schedules/x", 404),
        (Method::PATCH, "/v2/schedules/x/pause", 404),
        (Method::GET, "/v2/topics/x", 404),
        (Method::GET, "/v2/dlq/1-msg_1", 404),
        (Method::DELETE, "/v2/dlq/x", 404),
        (Method::POST, "/v2/dlq/retry/x", 404),
        (Method::GET, "/v2/flowControl/x", 404),
        (Method::POST, "/v2/flowControl/x/stop", 404),
        (Method::POST, "/v2/publish/no-such-group", 404),
        (Method::POST, "/v2/publish/api/other", 400),
        (Method::DELETE, "/v2/workflows/runs/wfr_1?cancel=true", 501),
        (Method::POST, "/v2/notify/event", 501),
    ] {
        let request = site.request(method.clone(), path);
        let (answered, text) = refused(request.send().await.unwrap()).await;
        assert_eq!(answered, code, "{method} {path}: {text}");
    }
}

#[tokio::test]
async fn a_call_of_our_own_gateway_is_recognised() {
    let site = site("");
    let model = json!({ "model": "gpt-4o-mini", "messages": [] });
    let own = format!("{}/v1/chat/completions", site.server.url);
    for path in ["api/llm", &own] {
        let request = site.later(&format!("/v2/publish/{path}")).json(&model);
        let answer = told(request, 201).await;
        assert_eq!(answer["url"], own);
    }
    // The address is private, but for the gateway.
    let other = site.later(&format!("/v2/publish/{}/v1/models", site.server.url));
    assert_eq!(status(other).await, 400);
}

#[tokio::test]
async fn a_message_survives_a_kill() {
    let site = site("");
    let ids = [site.said("one").await, site.said("two").await];
    site.server.kill();
    let server = site.setup.start().without_session();
    for id in ids {
        let url = format!("{}/v2/messages/{id}", server.url);
        let found = server.client.get(url).bearer_auth(&site.key);
        let message: Value = told(found, 200).await;
        assert_eq!(message["messageId"], *id);
    }
}

#[tokio::test]
async fn two_servers_publish_a_duplicate_once() {
    let url = redis_database().await;
    let setup = Setup::with_file("limits = []").set("ATELIER_REDIS_URL", &url);
    let key = super::key(&setup, &[]);
    let servers = [setup.start(), setup.start()];
    let publish = |number: usize| {
        let server = &servers[number % 2];
        let request = server.post(&format!("/v2/publish/{URL}"));
        let request = request.bearer_auth(&key).header(LATER.0, LATER.1);
        request.header("upstash-deduplication-id", "one").send()
    };
    let answers = futures::future::join_all((0..16).map(publish)).await;
    let mut ids = std::collections::HashSet::new();
    for answer in answers {
        let answer: Value = answer.unwrap().json().await.unwrap();
        ids.insert(answer["messageId"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids.len(), 1, "{ids:?}");
    let all = servers[0].delete("/v2/messages").bearer_auth(&key);
    assert_eq!(told(all, 200).await, json!({ "cancelled": 1 }));
}

#[tokio::test]
async fn keys_are_stable_until_they_are_rotated() {
    let site = site_with("", &[]);
    let keys = site.json("/v2/keys").await;
    assert_eq!(keys, site.json("/v2/keys").await);
    assert_ne!(keys["current"], keys["next"]);
    let rotated = told(site.post("/v2/keys/rotate"), 200).await;
    assert_eq!(rotated["current"], keys["next"]);
    assert_eq!(rotated, site.json("/v2/keys").await);
}

#[tokio::test]
async fn a_chat_is_answered_as_the_gateway_answers_it() {
    let upstream = Upstream::start().await.unwrap();
    let setup = Setup::with_file("limits = []")
        .set("OPENAI_API_KEY", KEY)
        .set("OPENAI_BASE_URL", &upstream.url());
    let key = super::key(&setup, &["--scope", "gateway"]);
    let server = setup.start().without_session();
    let chat = json!({ "model": "gpt-4o-mini", "messages": [{ "role": "user", "content": "Hi" }] });
    let ask = |key: &str| {
        let request = server.post("/llm/v1/chat/completions");
        request.bearer_auth(key).json(&chat)
    };
    let answer = told(ask(&key), 200).await;
    assert_eq!(answer["object"], "chat.completion", "{answer}");
    let alone = super::key(&setup, &[]);
    let refused = told(ask(&alone), 403).await;
    assert!(refused["error"]["message"].is_string(), "{refused}");
}
