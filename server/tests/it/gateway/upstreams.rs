//! Several upstreams, several processes, and what they ask of us.

use std::{collections::BTreeMap, time::Duration};

use atelier_upstream_mock::{Behaviour, KEY, Upstream};
use serde_json::{Value, json};

use super::{Site, chat, error, header, site, started, streamed};
use crate::support::{Atelier, PATIENCE, Setup, redis_database};

#[tokio::test]
async fn anthropics_clients_are_served_by_an_upstream_that_speaks_their_language() {
    let upstream = Upstream::start().await.unwrap();
    let file = format!(
        "limits = []\n[[upstreams]]\nname = 'claude'\nkind = 'anthropic'\nbase_url = '{}'\n\
         api_key_env = 'A'\nmodels = ['claude-*']",
        upstream.url()
    );
    let site = started(Setup::with_file(&file).set("A", KEY), upstream, &[]);
    let body = json!({ "model": "claude-sonnet-5", "max_tokens": 20, "temperature": 0,
        "messages": [{ "role": "user", "content": "Hi" }] });
    let ask = async |body: &Value| {
        let request = site
            .server
            .post("/v1/messages")
            .header("x-api-key", &site.key);
        let request = request.header("anthropic-version", "2023-06-01");
        request.json(body).send().await.unwrap()
    };
    let answer = ask(&body).await;
    assert_eq!(
        (answer.status().as_u16(), header(&answer, "x-atelier-cache")),
        (200, "miss")
    );
    assert!(!header(&answer, "request-id").is_empty());
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["type"], "message");
    let calls = site.upstream.calls();
    let call = calls
        .iter()
        .find(|call| call.path() == "/v1/messages")
        .unwrap();
    assert_eq!(call.header("x-api-key"), Some(KEY));
    assert_eq!(call.header("anthropic-version"), Some("2023-06-01"));
    let stream = ask(&streamed(body)).await.text().await.unwrap();
    assert!(stream.contains("event: message_start") && stream.contains("event: message_stop"));
    let bad = ask(&json!({ "model": "claude-sonnet-5", "max_tokens": "x", "messages": [] })).await;
    assert_eq!(bad.status(), 400);
    let told: Value = bad.json().await.unwrap();
    assert_eq!(
        (&told["type"], &told["error"]["type"]),
        (&json!("error"), &json!("invalid_request_error"))
    );
    let request = site
        .server
        .post("/v1/messages/count_tokens")
        .header("x-api-key", &site.key);
    let request = request.header("anthropic-version", "2023-06-01");
    let count =
        json!({ "model": "claude-sonnet-5", "messages": [{ "role": "user", "content": "Hi" }] });
    let count: Value = request
        .json(&count)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert!(count["input_tokens"].as_u64().unwrap() > 0);
}

/// A gateway, and another process of it on the same Redis.
async fn two_processes() -> (Site, Atelier) {
    let upstream = Upstream::start().await.unwrap();
    let setup = Setup::new()
        .set("ATELIER_REDIS_URL", &redis_database().await)
        .set("OPENAI_API_KEY", KEY)
        .set("OPENAI_BASE_URL", &upstream.url());
    let again = setup.again();
    let site = started(setup, upstream, &[]);
    (site, again.start().without_session())
}

#[tokio::test]
async fn what_one_process_is_asked_to_wait_all_wait() {
    let (site, other) = two_processes().await;
    site.upstream.then([Behaviour::Status {
        status: 429,
        headers: BTreeMap::from([("retry-after".into(), "100".into())]),
        body: json!({ "error": { "message": "Slow down.", "type": "requests", "param": null, "code": "rate_limit_exceeded" } }),
    }]);
    let first = site.ask("/chat/completions", &chat("Hi")).await;
    assert_eq!(header(&first, "retry-after"), "100");
    assert_eq!(header(&first, "x-should-retry"), "false");
    assert_eq!(error(first).await.0, 429);
    let started = std::time::Instant::now();
    loop {
        let request = other.post("/v1/chat/completions").bearer_auth(&site.key);
        let answer = request.json(&chat("Hi")).send().await.unwrap();
        if answer.status() == 503 {
            let pause: u64 = header(&answer, "retry-after").parse().unwrap();
            assert!((60..=100).contains(&pause), "{pause}");
            break;
        }
        assert!(
            started.elapsed() < PATIENCE,
            "the other process does not wait"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_call_under_way_is_finished_at_shutdown() {
    let site = site("").await;
    site.upstream.then([Behaviour::SlowFirstByte {
        milliseconds: 1_000,
    }]);
    let body = chat("Hi");
    let call = site.ask("/chat/completions", &body);
    let stop = async {
        while site.upstream.calls_to("/v1/chat/completions") == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        site.server.ask_to_stop();
    };
    let (answer, ()) = tokio::join!(call, stop);
    assert_eq!(answer.status(), 200);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["choices"][0]["message"]["content"], "You said: Hi");
}

fn boat() -> Value {
    json!({ "model": "gpt-image-2", "prompt": "a boat" })
}

/// The load balancer sends the second try to another process.
#[tokio::test]
async fn a_repeat_at_another_process_does_not_buy_again() {
    let (site, other) = two_processes().await;
    site.upstream.then([Behaviour::SlowFirstByte {
        milliseconds: 2_000,
    }]);
    let hasty = site.request("/images/generations", &boat());
    let hasty = hasty.timeout(Duration::from_millis(500)).send().await;
    assert!(hasty.unwrap_err().is_timeout());
    let repeat = other
        .post("/v1/images/generations")
        .bearer_auth(&site.key)
        .json(&boat());
    let repeat = repeat
        .header("x-stainless-retry-count", "1")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (repeat.status().as_u16(), header(&repeat, "x-atelier-cache")),
        (200, "hit")
    );
    assert_eq!(site.upstream.calls_to("/v1/images/generations"), 1);
}

/// Nobody knows whether the picture was paid for.
#[tokio::test]
async fn a_repeat_after_the_death_of_its_process_does_not_buy_again() {
    let upstream = Upstream::start().await.unwrap();
    let setup = Setup::new()
        .set("OPENAI_API_KEY", KEY)
        .set("OPENAI_BASE_URL", &upstream.url());
    let site = started(setup, upstream, &[]);
    site.upstream.then([Behaviour::Hang]);
    let hasty = site.request("/images/generations", &boat());
    let hasty = hasty.timeout(Duration::from_millis(500)).send().await;
    assert!(hasty.unwrap_err().is_timeout());
    let Site {
        upstream,
        server,
        key,
        _setup,
    } = site;
    server.kill();
    let server = _setup.start().without_session();
    let ask = async |retry: &str| {
        let request = server
            .post("/v1/images/generations")
            .bearer_auth(&key)
            .json(&boat());
        let request = request.header("x-stainless-retry-count", retry);
        request.send().await.unwrap()
    };
    let repeat = ask("1").await;
    assert_eq!(header(&repeat, "x-should-retry"), "false");
    let (status, told) = error(repeat).await;
    assert_eq!((status, told["code"].as_str()), (502, Some("interrupted")));
    assert_eq!(upstream.calls_to("/v1/images/generations"), 1);
    // Asked anew it is another one.
    assert_eq!(ask("0").await.status(), 200);
}

/// Also where requests are passed on as they are, whose errors are the client's otherwise.
#[tokio::test]
async fn the_operators_key_is_not_the_clients_fault() {
    let site = site("[gateway]\npassthrough = true\n").await;
    for status in [401, 403] {
        site.upstream.then([Behaviour::Status {
            status,
            headers: BTreeMap::new(),
            body: json!({ "error": { "message": format!("Incorrect API key provided: {KEY}."), "type": "invalid_request_error", "param": null, "code": "invalid_api_key" } }),
        }]);
        let request = site.server.get("/v1/files").bearer_auth(&site.key);
        let (told, failed) = error(request.send().await.unwrap()).await;
        assert_eq!(told, 502);
        assert!(!failed.to_string().contains(KEY), "{failed}");
    }
}
