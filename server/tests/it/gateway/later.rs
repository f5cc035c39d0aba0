//! Calls that are made later, by the queue (`Prefer: respond-async`).

mod fates;

use std::time::Duration;

use atelier::callback::outgoing_secret;
use atelier_upstream_mock::{Behaviour, KEY, Upstream};
use reqwest::{RequestBuilder, Response, multipart};
use serde_json::{Value, json};

use super::{Site, chat, cold, error, header, site, started};
use crate::{
    notices::{Receiver, SECRET},
    support::{PATIENCE, Setup, blobs, redis_database, text},
};

const FILE: &str = "limits = []\n[callbacks]\nallow_private = true\n\
                    [queue]\nretry_base = '10ms'\nretry_cap = '20ms'\nlease = '2s'\n";

/// Sites over either store.
async fn sites(file: &str) -> [Site; 2] {
    let redis = redis_database().await;
    let in_redis = Setup::with_file(&format!("{FILE}{file}")).set("ATELIER_REDIS_URL", &redis);
    [
        ready(Setup::with_file(&format!("{FILE}{file}")), &[]).await,
        ready(in_redis, &[]).await,
    ]
}

async fn ready(setup: Setup, key: &[&str]) -> Site {
    let upstream = Upstream::start().await.unwrap();
    let setup = setup
        .set("OPENAI_API_KEY", KEY)
        .set("OPENAI_BASE_URL", &upstream.url())
        .set("ATELIER_SECRET", SECRET);
    started(setup, upstream, key)
}

impl Site {
    fn later(&self, path: &str, body: &Value) -> RequestBuilder {
        self.request(path, body).header("prefer", "respond-async")
    }

    async fn accepted(&self, request: RequestBuilder) -> Value {
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let location = header(&answer, "location").to_owned();
        let job: Value = answer.json().await.unwrap();
        assert_eq!(status, 202, "{job}");
        assert_eq!(location, format!("/api/jobs/{}", text(&job["id"])));
        job
    }

    async fn job(&self, job: &Value, query: &str) -> Value {
        let path = format!("/api/jobs/{}{query}", text(&job["id"]));
        let answer = self.server.get(&path).bearer_auth(&self.key);
        let answer = answer.send().await.unwrap().error_for_status().unwrap();
        answer.json().await.unwrap()
    }

    async fn until(&self, job: &Value, statuses: &[&str]) -> Value {
        let started = std::time::Instant::now();
        let mut now = self.job(job, "").await;
        while !statuses.contains(&text(&now["status"])) {
            assert!(started.elapsed() < PATIENCE, "waited too long: {now}");
            let query = format!("?after={}&wait=5", now["version"]);
            now = self.job(job, &query).await;
        }
        now
    }

    async fn ended(&self, job: &Value) -> Value {
        self.until(job, &["succeeded", "failed", "cancelled"]).await
    }

    async fn delete(&self, job: &Value) -> Response {
        let path = format!("/api/jobs/{}", text(&job["id"]));
        let request = self.server.delete(&path).bearer_auth(&self.key);
        request.send().await.unwrap()
    }

    /// Ends the server without warning, and starts it again.
    fn kill_and_start(self, setup: impl FnOnce(Setup) -> Setup) -> Self {
        let setup = setup(self._setup.again());
        self.server.kill();
        Self {
            server: setup.start().without_session(),
            upstream: self.upstream,
            key: self.key,
            _setup: setup,
        }
    }
}

fn refusing(status: u16) -> Behaviour {
    Behaviour::Status {
        status,
        headers: Default::default(),
        body: json!({ "error": { "message": "No.", "type": "server_error", "param": null, "code": "no" } }),
    }
}

const CHAT: &str = "/chat/completions";

#[tokio::test]
async fn a_call_is_made_later_and_its_answer_is_kept_for_whoever_asked() {
    for site in sites("").await {
        let answer = site.later(CHAT, &chat("Hi")).send().await.unwrap();
        assert_eq!(answer.status(), 202);
        assert_eq!(header(&answer, "preference-applied"), "respond-async");
        assert!(header(&answer, "x-request-id").starts_with("req_"));
        let request = header(&answer, "x-request-id").to_owned();
        let accepted: Value = answer.json().await.unwrap();
        assert_eq!(accepted["object"], "atelier.job");
        let job = site.ended(&accepted).await;
        assert_eq!(
            (
                &job["status"],
                &job["kind"],
                &job["endpoint"],
                &job["model"]
            ),
            (
                &json!("succeeded"),
                &json!("call"),
                &json!("/v1/chat/completions"),
                &json!("gpt-4o-mini")
            )
        );
        assert!(job["cost_usd"].as_f64().unwrap() > 0.0, "{job}");
        let answer = &job["answer"];
        assert_eq!(answer["status"], 200);
        assert_eq!(answer["headers"]["content-type"], "application/json");
        assert_eq!(answer["headers"]["x-request-id"], request);
        assert_eq!(
            answer["body"]["choices"][0]["message"]["content"],
            "You said: Hi"
        );
        let everything = site._setup.key("other");
        let path = format!("/api/jobs/{}", text(&job["id"]));
        for stranger in [
            site.server.get(&path).bearer_auth(&everything),
            site.server.delete(&path).bearer_auth(&everything),
            site.server.get(&path),
        ] {
            assert_eq!(stranger.send().await.unwrap().status(), 404);
        }
        // It is the key's, but no picture: neither a page nor a list has it.
        let page = site.server.get(&format!("/jobs/{}", text(&job["id"])));
        let page = page.bearer_auth(&site.key).send().await.unwrap();
        assert_eq!(page.status(), 404);
        assert_eq!(site.delete(&job).await.status(), 204);
        assert_eq!(site.delete(&job).await.status(), 404);
    }
}

#[tokio::test]
async fn calls_are_in_no_list_of_pictures() {
    let site = ready(Setup::with_file(FILE), &["--scope", "studio"]).await;
    let job = site.accepted(site.later(CHAT, &chat("Hi"))).await;
    site.ended(&job).await;
    let jobs = site.server.get("/api/jobs").bearer_auth(&site.key);
    let jobs: Value = jobs.send().await.unwrap().json().await.unwrap();
    assert_eq!(jobs, json!({ "jobs": [] }));
    let gallery = site.server.get("/gallery").bearer_auth(&site.key);
    let gallery = gallery.send().await.unwrap().text().await.unwrap();
    assert!(!gallery.contains(text(&job["id"])));
}

#[tokio::test]
async fn what_cannot_be_answered_later_is_refused_in_the_form_of_the_api() {
    let site = site("").await;
    let mut streamed = chat("Hi");
    streamed["stream"] = json!(true);
    let hook = |request: RequestBuilder| request.header("x-atelier-callback", "http://10.0.0.1/");
    for (request, param) in [
        (site.later(CHAT, &streamed), "stream"),
        (hook(site.request(CHAT, &chat("Hi"))), "x-atelier-callback"),
        (hook(site.later(CHAT, &chat("Hi"))), "x-atelier-callback"),
    ] {
        let (status, told) = error(request.send().await.unwrap()).await;
        assert_eq!((status, &told["param"]), (400, &json!(param)));
    }
    let wrong = site.later("/embeddings", &json!({ "model": "none", "input": 1 }));
    assert_eq!(error(wrong.send().await.unwrap()).await.0, 400);
    assert_eq!(site.upstream.calls_to("/v1/chat/completions"), 0);
}

#[tokio::test]
async fn bytes_come_in_base64_and_large_bodies_are_kept_beside_the_queue() {
    for site in sites("").await {
        let speech = json!({ "model": "gpt-4o-mini-tts", "input": "Hi", "voice": "alloy" });
        let job = site.accepted(site.later("/audio/speech", &speech)).await;
        let job = site.ended(&job).await;
        assert_eq!(job["status"], "succeeded", "{job}");
        assert!(text(&job["answer"]["headers"]["content-type"]).starts_with("audio/"));
        assert!(!text(&job["answer"]["body"]).is_empty());
        site.delete(&job).await;

        let recording = vec![7; 300_000];
        let part = multipart::Part::bytes(recording).file_name("a.mp3");
        let form = multipart::Form::new()
            .text("model", "whisper-1")
            .part("file", part);
        let request = site.server.post("/v1/audio/transcriptions");
        let request = request.bearer_auth(&site.key).multipart(form);
        let job = site
            .accepted(request.header("prefer", "respond-async"))
            .await;
        let job = site.ended(&job).await;
        assert_eq!(job["status"], "succeeded", "{job}");
        let calls = site.upstream.calls();
        assert!(calls.last().unwrap().body.len() > 300_000);
        assert_eq!(blobs(&site._setup.data()).len(), 1);
        site.delete(&job).await;

        let words = "word ".repeat(40_000);
        let job = site.accepted(site.later(CHAT, &chat(&words))).await;
        let job = site.ended(&job).await;
        let said = &job["answer"]["body"]["choices"][0]["message"]["content"];
        assert!(text(said).len() >= words.len() - 1, "{}", job["status"]);
        assert_eq!(blobs(&site._setup.data()).len(), 2);
        assert_eq!(site.delete(&job).await.status(), 204);
        assert!(blobs(&site._setup.data()).is_empty());
    }
}

#[tokio::test]
async fn what_passes_is_tried_again_and_what_does_not_is_told() {
    for site in sites("").await {
        // Each attempt asks twice.
        site.upstream.then((0..4).map(|_| refusing(503)));
        let job = site.accepted(site.later(CHAT, &chat("Hi"))).await;
        let job = site.ended(&job).await;
        assert_eq!(job["status"], "succeeded", "{job}");
        assert!(job["attempt"].as_u64().unwrap() >= 3);

        let before = site.upstream.calls_to("/v1/chat/completions");
        site.upstream.then([refusing(400)]);
        let job = site.accepted(site.later(CHAT, &chat("Hi"))).await;
        let job = site.ended(&job).await;
        assert_eq!(
            (&job["status"], &job["attempt"]),
            (&json!("failed"), &json!(1))
        );
        assert_eq!(job["error"]["message"], "No.");
        assert_eq!(job["answer"]["status"], 400);
        assert_eq!(job["answer"]["body"]["error"]["message"], "No.");
        assert_eq!(job["cost_usd"], 0.0);
        assert_eq!(site.upstream.calls_to("/v1/chat/completions"), before + 1);
        let dead = site._setup.run(&["dead", "list", "--json"]);
        let dead: Value = serde_json::from_slice(&dead.stdout).unwrap();
        assert_eq!((&dead["id"], &dead["kind"]), (&job["id"], &json!("call")));
        assert_eq!(dead["attempts"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_call_that_nobody_answers_fails_with_what_the_door_would_say() {
    let file = format!("{FILE}attempts = 2\n");
    let site = ready(Setup::with_file(&file), &[]).await;
    site.upstream.then((0..8).map(|_| refusing(503)));
    let job = site.accepted(site.later(CHAT, &chat("Hi"))).await;
    let job = site.ended(&job).await;
    assert_eq!(
        (&job["status"], &job["attempt"]),
        (&json!("failed"), &json!(2))
    );
    assert_eq!(job["answer"]["status"], 503);
    assert_eq!(job["answer"]["body"]["error"]["message"], "No.");
}

#[tokio::test]
async fn the_end_is_told_signed_with_the_answer() {
    for site in sites("").await {
        let secret = site._setup.run(&["keys", "callback-secret"]).stdout;
        let secret = String::from_utf8(secret).unwrap();
        assert_eq!(secret.trim(), outgoing_secret(SECRET));
        let (good, bad) = (Receiver::start(&[]).await, Receiver::start(&[]).await);
        let ask = async |words: &str| {
            let request = site.later(CHAT, &chat(words));
            let request = request
                .header("x-atelier-callback", &good.url)
                .header("x-atelier-failure-callback", &bad.url);
            site.accepted(request).await
        };
        let job = ask("Hi").await;
        let notice = good.next().await;
        assert_eq!(notice.body["type"], "job.succeeded");
        assert_eq!(notice.body["data"], site.ended(&job).await);

        // Its answer is too large for a record.
        let job = ask(&"word ".repeat(40_000)).await;
        let notice = good.next().await;
        assert_eq!(notice.body["data"], site.ended(&job).await);

        site.upstream.then([refusing(404)]);
        let job = ask("Ho").await;
        let notice = bad.next().await;
        assert_eq!(notice.body["type"], "job.failed");
        assert_eq!(notice.body["data"]["id"], job["id"]);
        assert_eq!(notice.body["data"]["answer"]["status"], 404);
    }
}

#[tokio::test]
async fn an_answer_from_before_ends_the_job_at_once() {
    for site in sites("").await {
        // It is kept after it was answered.
        let started = std::time::Instant::now();
        let kept: Value = loop {
            let answer = site.ask(CHAT, &cold("Hi")).await;
            if header(&answer, "x-atelier-cache") == "hit" {
                break answer.json().await.unwrap();
            }
            assert!(started.elapsed() < PATIENCE);
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let calls = site.upstream.calls_to("/v1/chat/completions");
        let job = site.accepted(site.later(CHAT, &cold("Hi"))).await;
        assert_eq!(job["status"], "succeeded");
        let job = site.job(&job, "").await;
        assert_eq!(
            (&job["answer"]["body"], &job["cost_usd"]),
            (&kept, &json!(0.0))
        );
        assert_eq!(job["answer"]["headers"]["x-atelier-cache"], "hit");
        assert_eq!(site.upstream.calls_to("/v1/chat/completions"), calls);
        // What is answered later is kept as well.
        let job = site.accepted(site.later(CHAT, &cold("Ho"))).await;
        site.ended(&job).await;
        let again = site.ask(CHAT, &cold("Ho")).await;
        assert_eq!(header(&again, "x-atelier-cache"), "hit");
    }
}

#[tokio::test]
async fn nobody_needs_a_key_where_the_door_is_open() {
    let setup = Setup::with_file("limits = []\n[gateway]\nopen = true");
    let server = setup.start().without_session();
    let request = server.post("/v1/images/generations");
    let body = json!({ "model": "sketch-1", "prompt": "a boat", "size": "64x64" });
    let request = request.json(&body).header("prefer", "respond-async");
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 202);
    let location = header(&answer, "location").to_owned();
    assert!(location.contains("?key="), "{location}");
    let bare = location.split('?').next().unwrap();
    assert_eq!(server.get(bare).send().await.unwrap().status(), 404);
    let started = std::time::Instant::now();
    let job = loop {
        let job = server.json(&location).await;
        if job["status"] == "succeeded" {
            break job;
        }
        assert!(started.elapsed() < PATIENCE, "{job}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(job["cost_usd"], 0.0);
    assert!(job["answer"]["body"]["data"][0]["b64_json"].is_string());
    assert_eq!(job["url"], location);
}
