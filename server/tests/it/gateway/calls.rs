//! What is passed on, and what is refused.

use serde_json::{Value, json};

use super::{chat, cold, error, header, site};
use crate::support::Setup;

#[tokio::test]
async fn a_call_reaches_the_upstream_as_it_was_sent_and_comes_back_as_it_was_answered() {
    let site = site("").await;
    let body = r#"{ "messages":[{"role":"user","content":"caf\u00e9"}],"model" : "gpt-4o-mini", "unknown":1.50e0 }"#;
    let request = site.server.post("/v1/chat/completions");
    let answer = request
        .bearer_auth(&site.key)
        .header("content-type", "application/json")
        .header("cookie", "a=b")
        .header("openai-beta", "x")
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(header(&answer, "cache-control"), "private, no-store");
    assert_eq!(header(&answer, "x-atelier-cache"), "off");
    assert_eq!(header(&answer, "x-atelier-upstream"), "openai");
    assert!(
        header(&answer, "x-atelier-cost-usd")
            .parse::<f64>()
            .unwrap()
            > 0.0
    );
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["choices"][0]["message"]["content"], "You said: café");
    let calls = site.upstream.calls();
    let call = calls
        .iter()
        .find(|call| call.path().ends_with("/chat/completions"));
    let call = call.unwrap();
    assert_eq!(call.body, body.as_bytes());
    assert_eq!(call.header("authorization"), Some("Bearer sk-upstream"));
    assert_eq!(call.header("openai-beta"), Some("x"));
    assert_eq!(call.header("cookie"), None);
    let all = format!("{:?}", call.headers);
    assert!(!all.contains(&site.key), "{all}");
}

#[tokio::test]
async fn who_has_no_key_is_told_so_in_the_form_of_the_api() {
    let site = site("").await;
    let bare = site.server.post("/v1/chat/completions").json(&chat("Hi"));
    let (status, told) = error(bare.send().await.unwrap()).await;
    assert_eq!(
        (status, told["code"].as_str()),
        (401, Some("invalid_api_key"))
    );
    let wrong = site.server.post("/v1/chat/completions").json(&chat("Hi"));
    let (status, _) = error(wrong.bearer_auth("atl_wrong").send().await.unwrap()).await;
    assert_eq!(status, 401);
    // Anthropic's clients have other headers, and another form of errors.
    let message = json!({ "model": "m", "max_tokens": 9, "messages": [] });
    let bare = site
        .server
        .post("/v1/messages")
        .json(&message)
        .send()
        .await
        .unwrap();
    assert_eq!(bare.status(), 401);
    let told: Value = bare.json().await.unwrap();
    assert_eq!(
        (&told["type"], &told["error"]["type"]),
        (&json!("error"), &json!("authentication_error"))
    );
    for (path, expected) in [("/v1/nothing", 404), ("/v1/chat/completions", 405)] {
        let answer = site
            .server
            .get(path)
            .bearer_auth(&site.key)
            .send()
            .await
            .unwrap();
        assert_eq!(error(answer).await.0, expected, "{path}");
    }
    assert_eq!(site.upstream.calls_to("/v1/chat/completions"), 0);
}

#[tokio::test]
async fn bad_bodies_are_refused_with_their_field_and_reach_nobody() {
    let site = site("[gateway]\nmax_body = 10_000").await;
    for (body, field) in [
        ("{", None),
        ("[]", None),
        ("{}", None),
        (
            r#"{"model":1,"messages":[{"role":"user","content":"Hi"}]}"#,
            Some("model"),
        ),
        (
            r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hi"}],"n":1000000000}"#,
            Some("n"),
        ),
        (
            r#"{"model":"gpt-4o-mini","model":"x","messages":[{"role":"user","content":"Hi"}]}"#,
            Some("model"),
        ),
    ] {
        let request = site
            .server
            .post("/v1/chat/completions")
            .bearer_auth(&site.key);
        let request = request
            .header("content-type", "application/json")
            .body(body);
        let (status, told) = error(request.send().await.unwrap()).await;
        assert_eq!(status, 400, "{body}");
        if let Some(field) = field {
            assert_eq!(told["param"], field, "{body}");
        }
    }
    let deep = "[".repeat(4_000);
    let request = site
        .server
        .post("/v1/chat/completions")
        .bearer_auth(&site.key);
    let request = request
        .header("content-type", "application/json")
        .body(deep);
    assert_eq!(error(request.send().await.unwrap()).await.0, 400);
    let (status, _) = error(
        site.ask("/chat/completions", &chat(&"x".repeat(20_000)))
            .await,
    )
    .await;
    assert_eq!(status, 413);
    assert_eq!(site.upstream.calls_to("/v1/chat/completions"), 0);
}

#[tokio::test]
async fn a_busy_cache_does_not_forget_where_a_response_is() {
    let site = site("[cache]\nentries = 1\n").await;
    let body = json!({ "model": "gpt-4o-mini", "input": "Hi" });
    let made = site.ask("/responses", &body).await;
    let made: Value = made.json().await.unwrap();
    for number in 0..3 {
        let call = site.request("/chat/completions", &cold(&format!("number {number}")));
        // With such a key the answer is kept before it is told.
        let call = call.header("idempotency-key", number.to_string());
        assert_eq!(call.send().await.unwrap().status(), 200);
    }
    let path = format!("/v1/responses/{}", made["id"].as_str().unwrap());
    let answer = site.server.get(&path).bearer_auth(&site.key).send().await;
    assert_eq!(answer.unwrap().status(), 200);
}

#[tokio::test]
async fn a_stored_response_is_for_whoever_made_it() {
    let site = site("").await;
    let made: Value = site
        .ask(
            "/responses",
            &json!({ "model": "gpt-4o-mini", "input": "Hi" }),
        )
        .await
        .json()
        .await
        .unwrap();
    let path = format!("/v1/responses/{}", made["id"].as_str().unwrap());
    let own = site
        .server
        .get(&path)
        .bearer_auth(&site.key)
        .send()
        .await
        .unwrap();
    assert_eq!(own.json::<Value>().await.unwrap()["id"], made["id"]);
    let created = site
        ._setup
        .run(&["keys", "create", "other", "--scope", "gateway"]);
    let other = String::from_utf8(created.stdout).unwrap();
    let foreign = site
        .server
        .get(&path)
        .bearer_auth(other.trim())
        .send()
        .await
        .unwrap();
    assert_eq!(error(foreign).await.0, 404);
    let mut next =
        json!({ "model": "gpt-4o-mini", "input": "And?", "previous_response_id": made["id"] });
    assert_eq!(site.ask("/responses", &next).await.status(), 200);
    next["previous_response_id"] = json!("resp_guess");
    assert_eq!(error(site.ask("/responses", &next).await).await.0, 404);
    let deleted = site
        .server
        .delete(&path)
        .bearer_auth(&site.key)
        .send()
        .await
        .unwrap();
    assert_eq!(deleted.status(), 200);
}

#[tokio::test]
async fn without_upstreams_the_engines_answer() {
    let setup = Setup::with_file("limits = []\n[gateway]\nopen = true");
    let server = setup.start().without_session();
    let models: Value = server.json("/v1/models").await;
    let names: Vec<_> = models["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["id"].clone())
        .collect();
    assert!(names.contains(&json!("sketch-1")) && names.contains(&json!("restorer-1")));
    let ask = async |path: &str, body: Value| {
        let request = server.post(&format!("/v1{path}")).json(&body);
        request.send().await.unwrap()
    };
    let picture = json!({ "model": "sketch-1", "prompt": "a boat", "size": "256x256" });
    let picture: Value = ask("/images/generations", picture)
        .await
        .json()
        .await
        .unwrap();
    assert!(
        picture["data"][0]["b64_json"]
            .as_str()
            .unwrap()
            .starts_with("iVBOR")
    );
    let vectors = json!({ "model": "encoder-1", "input": ["a", "b"], "encoding_format": "base64" });
    let vectors: Value = ask("/embeddings", vectors).await.json().await.unwrap();
    assert!(vectors["data"][1]["embedding"].is_string());
    let (status, told) = error(ask("/chat/completions", chat("Hi")).await).await;
    assert_eq!(
        (status, told["code"].as_str()),
        (404, Some("model_not_found"))
    );
    assert!(told["message"].as_str().unwrap().contains("OPENAI_API_KEY"));
}

#[tokio::test]
async fn a_key_opens_what_it_was_made_for() {
    let site = site("").await;
    let key = |arguments: &[&str]| {
        let arguments = [&["keys", "create"], arguments].concat();
        let created = site._setup.run(&arguments);
        String::from_utf8(created.stdout).unwrap().trim().to_owned()
    };
    let ask = async |key: &str| {
        let request = site.server.post("/v1/chat/completions").bearer_auth(key);
        request.json(&chat("Hi")).send().await.unwrap()
    };
    let (status, told) = error(ask(&key(&["painter", "--scope", "studio"])).await).await;
    assert_eq!(
        (status, told["type"].as_str()),
        (403, Some("permission_error"))
    );
    let other = key(&["other", "--scope", "gateway", "--models", "gpt-5*"]);
    let (status, told) = error(ask(&other).await).await;
    assert_eq!(
        (status, told["code"].as_str()),
        (404, Some("model_not_found"))
    );
    let models = site.server.get("/v1/models").bearer_auth(&other);
    let models: Value = models.send().await.unwrap().json().await.unwrap();
    let models = models["data"].as_array().unwrap();
    assert!(
        models
            .iter()
            .all(|model| model["id"].as_str().unwrap().starts_with("gpt-5"))
    );
    assert_eq!(models.len(), 1, "{models:?}");
    let own = key(&["own", "--scope", "gateway", "--limit", "1 requests / 1d"]);
    assert_eq!(ask(&own).await.status(), 200);
    assert_eq!(error(ask(&own).await).await.0, 429);
}
