//! What is secret is in no log, however much is logged, and in nothing that is told.

use image::ImageFormat;
use reqwest::RequestBuilder;
use serde_json::json;

use crate::{
    provider::refusal,
    support::{Atelier, OPENAI_KEY, OpenAi, Setup, photo},
};

const ADMIN_TOKEN: &str = "an-admin-token-of-ours";
const SITE_SECRET: &str = "a-secret-of-the-site-0123456789";
const WRONG: &str = "nearly-the-right-key-0123456789";

/// Adds what is answered, head and body, to all that was told.
async fn hear(told: &mut String, request: RequestBuilder) -> u16 {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    *told += &format!("{:?}", answer.headers());
    *told += &String::from_utf8_lossy(&answer.bytes().await.unwrap());
    status
}

/// Good and bad requests with every key there is.
async fn ask_around(server: &Atelier, key: &str) -> String {
    let mut told = String::new();
    for (token, status) in [
        (key, 202),
        (WRONG, 401),
        (OPENAI_KEY, 401),
        (ADMIN_TOKEN, 401),
    ] {
        let order = server.post("/api/images").bearer_auth(token);
        let order = order.json(&json!({ "prompt": "a boat", "fresh": true }));
        assert_eq!(hear(&mut told, order).await, status, "{token}");
    }
    for (path, token, status) in [
        ("/api/jobs", key, 200),
        ("/api/limits", key, 200),
        ("/api/jobs/nothing", key, 404),
        ("/api/admin/limits", ADMIN_TOKEN, 200),
        ("/api/admin/dead", ADMIN_TOKEN, 200),
        ("/api/admin/limits", key, 403),
        ("/metrics", key, 200),
        ("/readyz", key, 200),
        ("/", key, 200),
    ] {
        let request = server.get(path).bearer_auth(token);
        assert_eq!(hear(&mut told, request).await, status, "{path}");
    }
    let wrong = server.post("/api/images").bearer_auth(key).body("{");
    assert_eq!(hear(&mut told, wrong).await, 415);
    told
}

#[tokio::test]
async fn keys_are_in_no_log_and_in_no_answer() {
    // A service that is not careful with what it was sent.
    let repeated = format!("Incorrect API key provided: {OPENAI_KEY}.");
    let careless = |status| refusal(status, "invalid_request_error", "x", &repeated);
    let script = vec![careless(400), careless(401), careless(500), careless(400)];
    let openai = OpenAi::start(script).await;
    let file =
        "log = 'trace'\nlimits = []\n[queue]\nretry_base = '10ms'\n[semantic]\nencoder = 'openai'";
    let setup = Setup::with_file(file)
        .openai(&openai)
        .set("ATELIER_ADMIN_TOKEN", ADMIN_TOKEN)
        .set("ATELIER_SECRET", SITE_SECRET);
    let key = setup.key("ada");
    let server = setup.start();
    let mut told = ask_around(&server, &key).await;
    for prompt in ["a lighthouse", "a mill", "a bridge"] {
        told += &server
            .finished(&server.paint(prompt).await)
            .await
            .to_string();
    }
    hear(&mut told, server.get("/gallery")).await;
    let restored = server.restore(photo(40, 30, ImageFormat::Png)).await;
    let restored: serde_json::Value = restored.json().await.unwrap();
    server.finished(&restored).await;
    let unnamed = server.without_session();
    let own = unnamed.succeeded(&unnamed.paint("a harbour").await).await;
    let own = crate::support::text(&own["url"])
        .split_once("?key=")
        .unwrap()
        .1;

    told += &String::from_utf8(setup.run(&["config"]).stdout).unwrap();
    let log = unnamed.whole_log();
    assert!(log.contains("TRACE"), "all is logged");
    for secret in [
        key.as_str(),
        OPENAI_KEY,
        ADMIN_TOKEN,
        SITE_SECRET,
        WRONG,
        own,
    ] {
        assert!(!told.contains(secret), "{secret} is told: {told}");
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is logged");
    }
}

#[test]
fn every_secret_of_the_configuration_is_hidden() {
    let secrets = [
        ("OPENAI_API_KEY", "openai-key-0123456789"),
        ("REPLICATE_API_TOKEN", "replicate-token-0123456789"),
        (
            "REPLICATE_WEBHOOK_SECRET",
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        ),
        ("ATELIER_ADMIN_TOKEN", ADMIN_TOKEN),
        ("ATELIER_SECRET", SITE_SECRET),
    ];
    let database = "a-password-of-redis";
    let setup = secrets
        .iter()
        .fold(Setup::with_file("log = 'trace'"), |setup, (name, value)| {
            setup.set(name, value)
        })
        .set(
            "ATELIER_REDIS_URL",
            &format!("redis://user:{database}@127.0.0.1:1/"),
        )
        .set("ATELIER_PUBLIC_URL", "https://example.org");
    let config = setup.run(&["config"]);
    assert!(config.status.success(), "{config:?}");
    // Nobody answers there, and it says so.
    let dead = setup.run(&["dead", "list"]);
    for output in [config, dead] {
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        for (name, secret) in secrets.iter().chain(&[("password", database)]) {
            assert!(!said.contains(secret), "{name} in {said}");
        }
    }
}
