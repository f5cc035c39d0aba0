//! Limits and caches by themselves, for calls that are made elsewhere: over real sockets,
//! in both stores.

mod answers;
mod limits;

use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::{
    access::create,
    support::{Atelier, Setup, problem, redis_database, text},
};

/// A server, and a key that opens the blocks.
struct Site {
    setup: Setup,
    server: Atelier,
    key: String,
}

impl Site {
    fn start(setup: Setup) -> Self {
        let server = setup.start();
        let key = create(&setup, &["app", "--scope", "blocks"]);
        Self { setup, server, key }
    }

    /// Both kinds of stores.
    async fn both(file: &str) -> [Self; 2] {
        let redis = redis_database().await;
        let setups = [
            Setup::with_file(file),
            Setup::with_file(file).set("ATELIER_REDIS_URL", &redis),
        ];
        setups.map(Self::start)
    }

    /// The answer to a request that is in order.
    async fn ask(&self, path: &str, body: Value) -> Value {
        self.ask_as(&self.key, path, body).await
    }

    async fn ask_as(&self, key: &str, path: &str, body: Value) -> Value {
        let request = self.server.post(path).bearer_auth(key).json(&body);
        let answer = request.send().await.unwrap();
        let (status, cached) = (answer.status(), answer.headers()["cache-control"].clone());
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(
            (status.as_u16(), cached.as_bytes()),
            (200, &b"no-store"[..]),
            "{answer}"
        );
        answer
    }

    /// The status and the code of a request that is refused.
    async fn refused(&self, path: &str, body: impl Into<String>) -> (u16, String) {
        let request = self.server.post(path).bearer_auth(&self.key);
        let request = request
            .header(CONTENT_TYPE, "application/json")
            .body(body.into());
        let (status, problem) = problem(request.send().await.unwrap()).await;
        (status, text(&problem["code"]).to_owned())
    }
}

const ROUTES: [&str; 4] = [
    "/api/limits/check",
    "/api/limits/refund",
    "/api/cache/lookup",
    "/api/cache/store",
];

#[tokio::test]
async fn only_a_key_with_the_scope_opens_the_blocks() {
    let site = Site::start(Setup::with_file("limits = []"));
    let usual = create(&site.setup, &["usual"]);
    for path in ROUTES {
        let request = || site.server.post(path).json(&json!({}));
        let anonymous = request().send().await.unwrap();
        assert!(anonymous.headers().contains_key("www-authenticate"));
        let (status, without) = problem(anonymous).await;
        assert_eq!((status, text(&without["code"])), (401, "unauthorized"));
        assert!(text(&without["detail"]).contains("\"blocks\""), "{without}");
        let (status, other) = problem(request().bearer_auth(&usual).send().await.unwrap()).await;
        assert_eq!((status, text(&other["code"])), (403, "scope"));
        let get = site.server.get(path).bearer_auth(&site.key);
        assert_eq!(get.send().await.unwrap().status(), 405);
        let form = site.server.post(path).bearer_auth(&site.key);
        let form = form.body("policy=calls").send().await.unwrap();
        assert_eq!(problem(form).await.0, 415);
    }
    // The key opens nothing else.
    let order = site.server.post("/api/images").bearer_auth(&site.key);
    let order = order.json(&json!({ "prompt": "a boat" }));
    assert_eq!(order.send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn what_is_not_json_or_too_much_of_it_is_refused() {
    let site = Site::start(Setup::with_file("limits = []"));
    for path in ROUTES {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let bodies = [
            "",
            "{",
            "null",
            "7",
            "\"a\"",
            "{\"colour\": 1}",
            "\u{fffd}",
            &deep,
        ];
        for body in bodies {
            let refused = site.refused(path, body).await;
            assert_eq!(refused, (400, "malformed".into()), "{path} {body:.40}");
        }
        let huge = format!("{{\"text\": \"{}\"}}", "a".repeat(600_000));
        let refused = site.refused(path, huge).await;
        assert_eq!(refused, (413, "too_large".into()), "{path}");
    }
}
