//! What is said in calls is kept if the operator wants it, and only then.

use atelier_store::redis::Redis;
use atelier_upstream_mock::{Behaviour, KEY};
use serde_json::{Value, json};

use super::{Site, TOKEN, chat, cold, header, streamed, watched};
use crate::support::{PATIENCE, eventually, redis_database, text};

const RECORDED: &str = "limits = []\n[gateway]\nrecord = true\n";

/// Makes a call. Returns its id.
async fn call(site: &Site, body: &Value) -> String {
    let answer = site.ask("/chat/completions", body).await;
    let id = header(&answer, "x-request-id").to_owned();
    answer.bytes().await.unwrap();
    id
}

async fn show(site: &Site, id: &str) -> Value {
    let started = std::time::Instant::now();
    loop {
        let path = format!("/api/admin/calls/{id}");
        let answer = site.server.get(&path).bearer_auth(TOKEN).send().await;
        let answer = answer.unwrap();
        if answer.status() == 200 {
            return answer.json().await.unwrap();
        }
        assert_eq!(answer.status(), 404);
        assert!(started.elapsed() < PATIENCE, "{id} is not there");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// Everything that the data folder's database has.
fn database(site: &Site) -> String {
    let names = ["atelier.db", "atelier.db-wal"];
    let files = names.map(|name| std::fs::read(site._setup.data().join(name)).unwrap_or_default());
    String::from_utf8_lossy(&files.concat()).into_owned()
}

/// All contents that are kept.
fn kept(site: &Site) -> String {
    let file = site._setup.data().join("atelier.db");
    let database = rusqlite::Connection::open(file).unwrap();
    let mut select = database
        .prepare("SELECT contents FROM call_contents")
        .unwrap();
    let rows = select.query_map([], |row| row.get::<_, String>(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

async fn until_none_is_in_redis(url: &str) {
    let redis = Redis::open(url.parse().unwrap());
    let count = redis::Cmd::hlen("atelier:{calls}:contents");
    let started = std::time::Instant::now();
    while redis.query::<u64>(&count).await.unwrap() > 0 {
        assert!(started.elapsed() < PATIENCE, "it is not deleted");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// Starts it again, with another configuration.
fn restarted(site: Site, file: &str) -> Site {
    let Site {
        upstream,
        server,
        key,
        _setup,
    } = site;
    server.kill();
    let setup = _setup.again().file(file);
    Site {
        upstream,
        server: setup.start().without_session(),
        key,
        _setup: setup,
    }
}

async fn contents_survive_until_they_are_switched_off(redis: Option<&str>) {
    let site = watched(RECORDED, redis).await;
    let words = format!("Hi you, {} and {KEY} are keys", site.key);
    let first = call(&site, &cold(&words)).await;
    let started = std::time::Instant::now();
    let hit = loop {
        let answer = site.ask("/chat/completions", &streamed(cold(&words))).await;
        let id = header(&answer, "x-request-id").to_owned();
        let is_hit = header(&answer, "x-atelier-cache") == "hit";
        answer.bytes().await.unwrap();
        if is_hit {
            break id;
        }
        assert!(started.elapsed() < PATIENCE);
    };
    let stream = call(&site, &streamed(chat("Hi all"))).await;
    let refused = call(&site, &json!({ "messages": [] })).await;
    let mut long = chat(&"Hi ".repeat(50_000));
    long["model"] = json!("gpt-4o-mini");
    let long = call(&site, &long).await;

    let shown = show(&site, &first).await;
    assert_eq!(
        (&shown["id"], &shown["status"]),
        (&json!(first), &json!(200))
    );
    let (asked, answered) = (
        text(&shown["request"]["text"]),
        text(&shown["answer"]["text"]),
    );
    assert!(
        asked.contains("Hi you, [key] and [key] are keys"),
        "{asked}"
    );
    assert!(
        answered.contains("You said: Hi you, [key] and [key]"),
        "{answered}"
    );
    assert_eq!(shown["request"]["truncated"], false);
    for (id, said) in [(&hit, "You said: Hi you"), (&stream, "You said: Hi all")] {
        let shown = show(&site, id).await;
        let answer: Value = serde_json::from_str(text(&shown["answer"]["text"])).unwrap();
        assert_eq!(answer["object"], "chat.completion", "{answer}");
        assert!(answer.to_string().contains(said), "{answer}");
    }
    let shown = show(&site, &refused).await;
    assert!(
        text(&shown["answer"]["text"]).contains("\"error\""),
        "{shown}"
    );
    let shown = show(&site, &long).await;
    assert_eq!(shown["request"]["truncated"], true);
    assert_eq!(text(&shown["request"]["text"]).len(), 64 * 1024);

    // Lists have nothing of it, and a kill loses nothing that was shown.
    let site = restarted(site, RECORDED);
    let list = site.server.get("/api/admin/calls").bearer_auth(TOKEN);
    let list = list.send().await.unwrap().text().await.unwrap();
    assert!(list.contains(&first) && !list.contains("Hi"), "{list}");
    let shown = show(&site, &first).await;
    assert!(text(&shown["request"]["text"]).contains("Hi you"));
    let command = site._setup.run(&["calls", "show", &stream]);
    let printed = String::from_utf8(command.stdout).unwrap();
    assert!(
        printed.contains("REQUEST\n{") && printed.contains("You said: Hi all"),
        "{printed}"
    );
    assert!(
        !site
            ._setup
            .run(&["calls", "show", "req_none"])
            .status
            .success()
    );
    if redis.is_none() {
        let kept = kept(&site);
        assert!(kept.contains("Hi all") && !kept.contains(&site.key) && !kept.contains(KEY));
    }

    // Off, and on again: it is gone.
    let site = restarted(site, "limits = []");
    match redis {
        Some(url) => until_none_is_in_redis(url).await,
        None => eventually("all is deleted", || kept(&site).is_empty()).await,
    }
    let shown = show(&site, &first).await;
    assert_eq!(
        (&shown["request"], &shown["answer"]),
        (&Value::Null, &Value::Null)
    );
    let later = call(&site, &chat("Hi again")).await;
    let shown = show(&site, &later).await;
    assert_eq!(
        (&shown["request"], &shown["answer"]),
        (&Value::Null, &Value::Null)
    );
    let site = restarted(site, RECORDED);
    for id in [&first, &stream, &later] {
        assert_eq!(show(&site, id).await["request"], Value::Null);
    }
}

#[tokio::test]
async fn contents_survive_until_they_are_switched_off_in_sqlite() {
    contents_survive_until_they_are_switched_off(None).await;
}

#[tokio::test]
async fn contents_survive_until_they_are_switched_off_in_redis() {
    contents_survive_until_they_are_switched_off(Some(&redis_database().await)).await;
}

#[tokio::test]
async fn nothing_that_is_said_is_kept_by_default() {
    let site = watched("limits = []", None).await;
    let ids = [
        call(&site, &chat("a word that nobody else says")).await,
        call(&site, &streamed(chat("a word that nobody else says"))).await,
    ];
    site.upstream.then([Behaviour::CloseMidway]);
    call(&site, &streamed(chat("a word that nobody else says"))).await;
    for id in &ids {
        let shown = show(&site, id).await;
        assert_eq!(
            (&shown["request"], &shown["answer"]),
            (&Value::Null, &Value::Null)
        );
    }
    assert!(!database(&site).contains("a word that nobody"));
}

#[tokio::test]
async fn contents_are_forgotten_in_time() {
    let site = watched(&format!("{RECORDED}record_keep = '2s'\n"), None).await;
    let id = call(&site, &chat("Hi you")).await;
    let started = std::time::Instant::now();
    while show(&site, &id).await["request"] != Value::Null {
        assert!(started.elapsed() < PATIENCE, "it is kept");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
