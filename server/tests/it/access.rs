//! API keys and the deny list, with the real commands beside real servers.

use std::time::Instant;

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

use crate::support::{Atelier, OpenAi, PATIENCE, Setup, problem, redis_database, taken, text};

/// Three for everybody without a key, two for each key.
const LIMITS: &str = "
    [[limits]]
    name = 'visitors'
    scope = 'ip'
    unit = 'requests'
    algorithm = 'fixed_window'
    quota = 3
    window = '365d'
    [[limits]]
    name = 'users'
    scope = 'user'
    unit = 'requests'
    algorithm = 'fixed_window'
    quota = 2
    window = '365d'
";

pub(crate) fn run(setup: &Setup, arguments: &[&str]) -> String {
    let output = setup.run(arguments);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {complaint}");
    String::from_utf8(output.stdout).unwrap()
}

/// A key, which is all that is printed.
pub(crate) fn create(setup: &Setup, arguments: &[&str]) -> String {
    let printed = run(setup, &[&["keys", "create"], arguments].concat());
    let key = printed.trim_end_matches('\n');
    assert!(key.starts_with("atl_") && key.len() == 47, "{printed:?}");
    key.to_owned()
}

pub(crate) fn order(server: &Atelier, prompt: &str) -> RequestBuilder {
    server
        .post("/api/images")
        .json(&json!({ "prompt": prompt }))
}

pub(crate) async fn with_key(server: &Atelier, key: &str, prompt: &str) -> Response {
    order(server, prompt).bearer_auth(key).send().await.unwrap()
}

/// Asks until the answer has this status: other processes learn within seconds.
pub(crate) async fn until(request: impl Fn() -> RequestBuilder, status: u16) {
    let start = Instant::now();
    loop {
        let answer = request().send().await.unwrap();
        if answer.status() == status {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "still {}", answer.status());
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_key_has_its_own_limits_and_its_own_jobs() {
    let openai = OpenAi::start(vec![]).await;
    let setup = Setup::with_file(LIMITS).openai(&openai);
    let server = setup.start();
    let (ada, ben) = (create(&setup, &["Ada"]), create(&setup, &["Ben"]));
    let job = taken(with_key(&server, &ada, "a boat").await).await;
    taken(with_key(&server, &ada, "a barge").await).await;
    let (status, problem) = problem(with_key(&server, &ada, "a raft").await).await;
    assert_eq!(
        (status, &problem["violated-policies"]),
        (429, &json!(["users"]))
    );
    taken(with_key(&server, &ben, "a raft").await).await;
    for prompt in ["one", "two", "three"] {
        taken(order(&server, prompt).send().await.unwrap()).await;
    }
    let limits = async |key: Option<&str>| -> Value {
        let ask = server.get("/api/limits");
        let ask = match key {
            Some(key) => ask.bearer_auth(key),
            None => ask,
        };
        ask.send().await.unwrap().json().await.unwrap()
    };
    let (with, without) = (limits(Some(&ben)).await, limits(None).await);
    assert_eq!(with["limits"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&with["limits"][0]["name"], &with["limits"][0]["remaining"]),
        (&json!("users"), &json!(1.0))
    );
    assert_eq!(
        (
            &without["limits"][0]["name"],
            &without["limits"][0]["remaining"]
        ),
        (&json!("visitors"), &json!(0.0))
    );

    let jobs: Value = server
        .get("/api/jobs")
        .bearer_auth(&ada)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(jobs["jobs"].as_array().unwrap().len(), 2);
    let path = text(&job["url"]).to_owned();
    server.succeeded(&job).await;
    let delete = |key: &str| server.delete(&path).bearer_auth(key).send();
    assert_eq!(delete(&ben).await.unwrap().status(), 403);
    assert_eq!(server.delete(&path).send().await.unwrap().status(), 403);
    assert_eq!(delete(&ada).await.unwrap().status(), 204);
}

#[tokio::test]
async fn a_keys_own_quota_stands_for_the_limits_of_users() {
    let openai = OpenAi::start(vec![]).await;
    let setup = Setup::with_file(LIMITS).openai(&openai);
    let server = setup.start();
    let key = create(
        &setup,
        &[
            "Ada", "--quota", "3", "--unit", "requests", "--window", "30d",
        ],
    );
    for prompt in ["one", "two", "three"] {
        let answer = with_key(&server, &key, prompt).await;
        let policy = answer.headers()["ratelimit-policy"]
            .to_str()
            .unwrap()
            .to_owned();
        assert_eq!(policy, "\"key-quota\";q=3;w=2592000");
        taken(answer).await;
    }
    let (status, problem) = problem(with_key(&server, &key, "four").await).await;
    assert_eq!(
        (status, &problem["violated-policies"]),
        (429, &json!(["key-quota"]))
    );
    let list: Value = serde_json::from_str(&run(&setup, &["keys", "list", "--json"])).unwrap();
    assert_eq!(
        list["quota"],
        json!({ "quota": 3.0, "unit": "requests", "window": "30days" })
    );
    assert!(run(&setup, &["keys", "list"]).contains("Ada"));
}

#[tokio::test]
async fn a_key_is_stored_hashed_and_ends_when_revoked_in_every_process() {
    let openai = OpenAi::start(vec![]).await;
    let setup = Setup::with_file("limits = []")
        .openai(&openai)
        .set("ATELIER_REDIS_URL", &redis_database().await);
    let (one, two) = (setup.start(), setup.start());
    let key = create(&setup, &["Ada"]);
    for server in [&one, &two] {
        taken(with_key(server, &key, "a boat").await).await;
    }
    run(&setup, &["keys", "revoke", "Ada"]);
    for server in [&one, &two] {
        until(|| server.get("/api/limits").bearer_auth(&key), 401).await;
    }
    let refused = setup.run(&["keys", "revoke", "Ada"]);
    assert!(!refused.status.success());

    let embedded = Setup::with_file("limits = []");
    let key = create(&embedded, &[]);
    for file in std::fs::read_dir(embedded.data()).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let content = std::fs::read(&path).unwrap();
            let found = content
                .windows(key.len())
                .any(|part| part == key.as_bytes());
            assert!(!found, "{path:?}");
        }
    }
}

#[tokio::test]
async fn guessing_keys_is_limited_and_disturbs_nobody() {
    let openai = OpenAi::start(vec![]).await;
    let setup = Setup::with_file(LIMITS).openai(&openai);
    let server = setup.start();
    let key = create(&setup, &[]);
    let guess = async |number: usize| {
        let answer = with_key(&server, &format!("atl_{number:043}"), "a boat").await;
        let retry = answer.headers().contains_key("retry-after");
        let challenge = answer.headers().contains_key("www-authenticate");
        (problem(answer).await.0, retry, challenge)
    };
    for number in 0..10 {
        assert_eq!(guess(number).await, (401, false, true));
    }
    for number in 10..30 {
        assert_eq!(guess(number).await, (429, true, false));
    }
    // Known since the last renewal, whatever the address did.
    until(|| server.get("/api/limits").bearer_auth(&key), 200).await;
    assert_eq!(
        server.get("/api/limits").send().await.unwrap().status(),
        200
    );
    let basic = order(&server, "a boat").basic_auth("ada", Some("secret"));
    taken(basic.send().await.unwrap()).await;
}

#[tokio::test]
async fn whoever_is_denied_is_turned_away_by_every_process() {
    let openai = OpenAi::start(vec![]).await;
    let setup = Setup::with_file("limits = []\n[deny]\nuser_agents = ['BadBot']")
        .openai(&openai)
        .set("ATELIER_TRUSTED_PROXIES", "127.0.0.0/8")
        .set("ATELIER_REDIS_URL", &redis_database().await);
    let servers = [setup.start(), setup.start()];
    let from = |server: &Atelier, ip: &str, path: &str| {
        server.get(path).header("x-forwarded-for", ip.to_owned())
    };
    let bot = servers[0]
        .get("/")
        .header("user-agent", "badbot/1.0")
        .header("accept", "text/html");
    let page = bot.send().await.unwrap();
    assert_eq!(page.status(), 403);
    assert!(page.text().await.unwrap().contains("does not serve you"));

    let key = create(&setup, &["Ada"]);
    run(&setup, &["deny", "add", "198.51.100.0/24"]);
    run(&setup, &["deny", "add", "2001:db8::/32", "--for", "1h"]);
    run(&setup, &["deny", "add", &key]);
    for server in &servers {
        until(|| from(server, "198.51.100.9", "/api/limits"), 403).await;
        until(|| from(server, "2001:db8::9", "/"), 403).await;
        until(|| server.get("/api/limits").bearer_auth(&key), 403).await;
        let (status, problem) = problem(
            from(server, "198.51.100.9", "/images/a.png")
                .send()
                .await
                .unwrap(),
        )
        .await;
        assert_eq!((status, text(&problem["code"])), (403, "denied"));
        let alive = from(server, "198.51.100.9", "/healthz")
            .send()
            .await
            .unwrap();
        assert_eq!(alive.status(), 200);
        let other = from(server, "203.0.113.9", "/api/limits")
            .send()
            .await
            .unwrap();
        assert_eq!(other.status(), 200);
    }
    let list = run(&setup, &["deny", "list"]);
    assert!(
        list.contains("198.51.100.0/24") && !list.contains("atl_"),
        "{list}"
    );
    run(&setup, &["deny", "remove", "198.51.100.0/24"]);
    for server in &servers {
        until(|| from(server, "198.51.100.9", "/api/limits"), 200).await;
    }
    assert!(
        !setup
            .run(&["deny", "remove", "198.51.100.0/24"])
            .status
            .success()
    );
    assert!(!setup.run(&["deny", "add", "ab"]).status.success());
}

/// A new session is a new gallery, and no new quota.
#[tokio::test]
async fn a_session_is_no_way_around_the_limits() {
    let openai = OpenAi::start(vec![]).await;
    let setup = Setup::with_file(LIMITS).openai(&openai);
    let server = setup.start();
    for prompt in ["one", "two", "three"] {
        let first_visit = server.get("/").header("cookie", "");
        let page = first_visit.send().await.unwrap();
        let cookie = page.headers()["set-cookie"].to_str().unwrap();
        assert!(
            cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
            "{cookie}"
        );
        let session = cookie.split(';').next().unwrap();
        taken(
            order(&server, prompt)
                .header("cookie", session)
                .send()
                .await
                .unwrap(),
        )
        .await;
    }
    assert_eq!(order(&server, "four").send().await.unwrap().status(), 429);
}
