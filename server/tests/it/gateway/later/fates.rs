//! What can happen to a call between its acceptance and its answer.

use std::time::{Duration, Instant};

use atelier_upstream_mock::Behaviour;
use futures::future::join_all;
use reqwest::Response;
use serde_json::{Value, json};

use super::{
    super::{chat, error, header},
    CHAT, FILE, ready, sites,
};
use crate::support::{PATIENCE, Setup, eventually, text};

#[tokio::test]
async fn a_killed_server_makes_its_calls_after_all() {
    for site in sites("[gateway]\njobs = 1\n").await {
        site.upstream.then([Behaviour::Hang]);
        let running = site.accepted(site.later(CHAT, &chat("one"))).await;
        site.upstream.called("/v1/chat/completions", 1).await;
        let queued = site.accepted(site.later(CHAT, &chat("two"))).await;
        let site = site.kill_and_start(|setup| setup);
        for job in [running, queued] {
            let job = site.ended(&job).await;
            assert_eq!(job["status"], "succeeded", "{job}");
        }
        assert_eq!(site.upstream.calls_to("/v1/chat/completions"), 3);
    }
}

#[tokio::test]
async fn an_answer_that_was_paid_for_survives_a_kill() {
    for site in sites("").await {
        // Deliveries go nowhere.
        let site =
            site.kill_and_start(|setup| setup.set("ATELIER_CALLBACK_URL", "http://127.0.0.1:9/"));
        let job = site.accepted(site.later(CHAT, &chat("Hi"))).await;
        site.until(&job, &["delivering"]).await;
        let site = site.kill_and_start(|setup| setup.without("ATELIER_CALLBACK_URL"));
        let job = site.ended(&job).await;
        assert_eq!(job["status"], "succeeded", "{job}");
        assert_eq!(site.upstream.calls_to("/v1/chat/completions"), 1);
    }
}

#[tokio::test]
async fn a_picture_of_uncertain_fate_is_not_bought_again() {
    for site in sites("").await {
        site.upstream.then([Behaviour::Hang]);
        let body = json!({ "model": "gpt-image-2", "prompt": "a boat" });
        let job = site
            .accepted(site.later("/images/generations", &body))
            .await;
        site.upstream.called("/v1/images/generations", 1).await;
        let site = site.kill_and_start(|setup| setup);
        let job = site.ended(&job).await;
        assert_eq!(
            (&job["status"], &job["error"]["code"]),
            (&json!("failed"), &json!("interrupted")),
            "{job}"
        );
        assert_eq!(site.upstream.calls_to("/v1/images/generations"), 1);
    }
}

#[tokio::test]
async fn an_idempotency_key_names_one_job() {
    for site in sites("").await {
        let send = |words: &str| {
            let request = site.later(CHAT, &chat(words));
            request.header("idempotency-key", "order-1").send()
        };
        let answers = join_all((0..8).map(|_| send("Hi"))).await;
        let mut ids = Vec::new();
        for answer in answers {
            let job: Value = answer.unwrap().json().await.unwrap();
            ids.push(text(&job["id"]).to_owned());
        }
        ids.dedup();
        assert_eq!(ids.len(), 1);
        let job = site.ended(&json!({ "id": ids[0] })).await;
        assert_eq!(job["status"], "succeeded", "{job}");
        let again: Value = send("Hi").await.unwrap().json().await.unwrap();
        assert_eq!(
            (&again["id"], &again["status"]),
            (&job["id"], &json!("succeeded"))
        );
        let (status, told) = error(send("Ho").await.unwrap()).await;
        assert_eq!(
            (status, text(&told["code"])),
            (400, "idempotency_key_reused")
        );
        assert_eq!(site.upstream.calls_to("/v1/chat/completions"), 1);
    }
}

#[tokio::test]
async fn a_call_can_be_called_off_while_it_waits_and_while_it_runs() {
    for site in sites("[gateway]\njobs = 1\n").await {
        site.upstream.then([Behaviour::Hang]);
        let running = site.accepted(site.later(CHAT, &chat("one"))).await;
        site.upstream.called("/v1/chat/completions", 1).await;
        let queued = site.accepted(site.later(CHAT, &chat("two"))).await;
        for job in [&queued, &running] {
            let cancelled = site.delete(job).await;
            assert_eq!(cancelled.status(), 200);
            let cancelled: Value = cancelled.json().await.unwrap();
            assert_eq!(cancelled["status"], "cancelled", "{cancelled}");
            assert_eq!(cancelled.get("answer"), None);
        }
        tokio::time::timeout(PATIENCE, site.upstream.abandoned(1))
            .await
            .unwrap();
        let third = site.accepted(site.later(CHAT, &chat("three"))).await;
        assert_eq!(site.ended(&third).await["status"], "succeeded");
        assert_eq!(site.upstream.calls_to("/v1/chat/completions"), 2);
        for job in [queued, running] {
            assert_eq!(site.delete(&job).await.status(), 204);
        }
    }
}

#[tokio::test]
async fn limits_are_charged_when_a_call_is_accepted_and_settled_when_it_has_ended() {
    let limit = [
        "--limit",
        "100000 tokens / 1d",
        "--limit",
        "4 requests / 1d",
    ];
    let setup = Setup::with_file(&format!("{FILE}[gateway]\njobs = 1\n"));
    let site = ready(setup, &limit).await;
    site.upstream.then([Behaviour::Hang]);
    let mut body = chat("Hi");
    body["max_tokens"] = json!(50_000);
    let running = site.later(CHAT, &body).send().await.unwrap();
    let left = |answer: &Response| -> u64 {
        let left = header(answer, "x-ratelimit-remaining-tokens");
        left.parse().unwrap()
    };
    assert!(left(&running) < 50_000);
    let running: Value = running.json().await.unwrap();
    site.upstream.called("/v1/chat/completions", 1).await;
    body["max_tokens"] = json!(10_000);
    let queued = site.accepted(site.later(CHAT, &body)).await;
    let cancelled = site.delete(&queued).await;
    assert_eq!(cancelled.status(), 200);
    site.upstream.release();
    site.ended(&running).await;
    let after = site.later(CHAT, &chat("Hi")).send().await.unwrap();
    let reserved_now = 5_000;
    assert!(left(&after) > 100_000 - reserved_now, "{}", left(&after));
    for expected in [202, 429] {
        let next = site.later(CHAT, &chat("Hi")).send().await.unwrap();
        assert_eq!(next.status(), expected);
    }
}

#[tokio::test]
async fn a_call_of_a_key_that_was_revoked_is_not_made() {
    let site = ready(
        Setup::with_file(&format!("{FILE}[gateway]\njobs = 1\n")),
        &[],
    )
    .await;
    site.upstream.then([Behaviour::Hang]);
    site.accepted(site.later(CHAT, &chat("one"))).await;
    site.upstream.called("/v1/chat/completions", 1).await;
    let queued = site.accepted(site.later(CHAT, &chat("two"))).await;
    let revoked = site._setup.run(&["keys", "revoke", "test"]);
    assert!(revoked.status.success(), "{revoked:?}");
    let path = format!("/api/jobs/{}", text(&queued["id"]));
    let started = Instant::now();
    loop {
        let read = site.server.get(&path).bearer_auth(&site.key);
        if read.send().await.unwrap().status() == 401 {
            break;
        }
        assert!(started.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    site.upstream.release();
    eventually("the call fails", || {
        let dead = site._setup.run(&["dead", "list", "--json"]).stdout;
        let dead = String::from_utf8(dead).unwrap();
        dead.contains(text(&queued["id"])) && dead.contains("invalid_api_key")
    })
    .await;
    assert_eq!(site.upstream.calls_to("/v1/chat/completions"), 1);
}
