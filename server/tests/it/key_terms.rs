//! What API keys open, what they are held to, and when they end.

use serde_json::{Value, json};

use crate::{
    access::{create, order, run, until, with_key},
    support::{OpenAi, Setup, problem, taken, text},
};

const LIMITS: &str = "
    [[limits]]
    name = 'users'
    scope = 'user'
    unit = 'requests'
    algorithm = 'fixed_window'
    quota = 1
    window = '365d'
";

#[tokio::test]
async fn a_key_is_held_to_all_its_own_limits_and_shown_with_all_its_terms() {
    let openai = OpenAi::start(vec![]).await;
    let setup = Setup::with_file(LIMITS).openai(&openai);
    let server = setup.start();
    let arguments = [
        "Ada",
        "--scope",
        "studio",
        "--scope",
        "gateway",
        "--models",
        "gpt-*,small",
        "--limit",
        "20 usd / 1mo",
        "--limit",
        "2 requests / 365d",
        "--expires",
        "90d",
        "--tag",
        "team=a b",
    ];
    let key = create(&setup, &arguments);
    for prompt in ["one", "two"] {
        taken(with_key(&server, &key, prompt).await).await;
    }
    let (status, problem) = problem(with_key(&server, &key, "three").await).await;
    let violated = &problem["violated-policies"];
    assert_eq!(
        (status, violated),
        (429, &json!(["key-quota-requests-365days"]))
    );

    let list: Value = serde_json::from_str(&run(&setup, &["keys", "list", "--json"])).unwrap();
    let expected = json!([
        { "name": "key-quota-usd-1mo", "quota": 20.0, "unit": "usd", "window": "1mo" },
        { "name": "key-quota-requests-365days", "quota": 2.0, "unit": "requests", "window": "365days" },
    ]);
    assert_eq!((&list["limits"], &list["quota"]), (&expected, &Value::Null));
    assert_eq!(list["scopes"], json!(["studio", "gateway"]));
    assert_eq!(list["models"], json!(["gpt-*", "small"]));
    assert_eq!(list["tags"], json!({ "team": "a b" }));
    let instant = |field: &str| text(&list[field]).parse::<jiff::Timestamp>().unwrap();
    let valid = instant("expires_at").duration_since(instant("created_at"));
    assert_eq!(valid.as_hours(), 90 * 24);
    let table = run(&setup, &["keys", "list"]);
    for shown in [
        "studio, gateway",
        "gpt-*, small",
        "20 usd / 1mo, 2 requests",
        "team=a b",
    ] {
        assert!(table.contains(shown), "{table}");
    }
}

#[tokio::test]
async fn what_a_key_does_not_open_is_refused_with_the_scope_it_lacks() {
    let openai = OpenAi::start(vec![]).await;
    let setup = Setup::with_file("limits = []").openai(&openai);
    let server = setup.start();
    let usual = create(&setup, &["usual"]);
    let key = create(&setup, &["gateway", "--scope", "gateway"]);
    let job = taken(with_key(&server, &usual, "a boat").await).await;
    let refused = [
        order(&server, "a boat"),
        server.post("/api/restorations"),
        server.get("/api/jobs"),
        server.get("/api/limits"),
        server.post("/api/jobs/zip"),
    ];
    for request in refused {
        let (status, problem) = problem(request.bearer_auth(&key).send().await.unwrap()).await;
        assert_eq!((status, text(&problem["code"])), (403, "scope"));
        assert!(text(&problem["detail"]).contains("\"studio\""), "{problem}");
    }
    // Whatever anybody may see.
    let path = text(&job["url"]);
    let seen = server.get(path).bearer_auth(&key).send().await.unwrap();
    assert_eq!(seen.status(), 200);
}

#[tokio::test]
async fn an_operator_may_be_a_key_with_that_scope() {
    let setup = Setup::with_file("limits = []");
    let server = setup.start();
    let (usual, admin) = (
        create(&setup, &["usual"]),
        create(&setup, &["Ops", "--scope", "admin"]),
    );
    let path = "/api/admin/dead";
    let asked = async |key: Option<&str>| {
        let request = server.get(path);
        let request = key.map_or(server.get(path), |key| request.bearer_auth(key));
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(asked(Some(&admin)).await, 200);
    assert_eq!(asked(Some(&usual)).await, 403);
    assert_eq!(asked(Some("atl_guessed")).await, 401);
    assert_eq!(asked(Some("guessed")).await, 404);
    assert_eq!(asked(None).await, 404);
    let studio = order(&server, "a boat").bearer_auth(&admin);
    assert_eq!(studio.send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn a_key_that_has_expired_is_refused_and_says_so() {
    let setup = Setup::with_file("limits = []");
    let server = setup.start();
    let key = create(&setup, &["Ada", "--expires", "1s"]);
    until(|| server.get("/api/limits").bearer_auth(&key), 401).await;
    let answer = server.get("/api/limits").bearer_auth(&key).send().await;
    let (status, problem) = problem(answer.unwrap()).await;
    assert_eq!((status, text(&problem["code"])), (401, "key_expired"));
    // Its name is free for the next.
    create(&setup, &["Ada"]);
    run(&setup, &["keys", "revoke", "Ada"]);
}

/// The record of a key as it was before there were scopes.
const OLD: &str = r#"{"id":"key_0123456789","name":"Ada","created_at":"2026-11-20T08:00:00Z",
    "revoked_at":null,"own":{"name":"key-quota","scope":"user","unit":"requests",
    "algorithm":"fixed_window","quota":2.0,"window":"365days","on_error":"allow"}}"#;

#[tokio::test]
async fn a_key_from_before_there_were_scopes_goes_on_opening_the_studio_alone() {
    let openai = OpenAi::start(vec![]).await;
    let setup = Setup::with_file(LIMITS).openai(&openai);
    let key = create(&setup, &["Ada"]);
    let database = rusqlite::Connection::open(setup.data().join("atelier.db")).unwrap();
    let replaced = database
        .execute("UPDATE keys SET record = ?1", [OLD])
        .unwrap();
    drop(database);
    assert_eq!(replaced, 1);
    let server = setup.start();
    for prompt in ["one", "two"] {
        taken(with_key(&server, &key, prompt).await).await;
    }
    assert_eq!(with_key(&server, &key, "three").await.status(), 429);
    let check = server.post("/api/limits/check").bearer_auth(&key);
    let check = check.json(&json!([{ "policy": "users", "identity": "a" }]));
    assert_eq!(check.send().await.unwrap().status(), 403);
    let list: Value = serde_json::from_str(&run(&setup, &["keys", "list", "--json"])).unwrap();
    assert_eq!(list["scopes"], json!(["studio"]));
    assert_eq!(list["quota"]["quota"], 2.0);
    run(&setup, &["keys", "revoke", "Ada"]);
    until(|| server.get("/api/limits").bearer_auth(&key), 401).await;
}

#[test]
fn a_key_that_cannot_be_is_not_made() {
    let setup = Setup::with_file("limits = []");
    for (arguments, expected) in [
        (&["--scope", "moon"][..], "moon"),
        (&["--models", "gpt 5"], "no pattern"),
        (&["--models", ""], "no pattern"),
        (&["--limit", "20 gold / 1mo"], "no limit"),
        (&["--limit", "20 usd / soon"], "no window"),
        (
            &["--limit", "1 usd / 1d", "--limit", "2 usd / 24h"],
            "two limits",
        ),
        (&["--limit", "1 images / 1d", "--quota", "2"], "two limits"),
        (&["--expires", "0s"], "--expires"),
        (&["--expires", "99999y"], "--expires"),
        (&["--tag", "team"], "no tag"),
        (&["--tag", "=a"], "no tag"),
        (&["--tag", "team="], "no tag"),
        (&["--tag", "team=a", "--tag", "team=b"], "twice"),
    ] {
        let output = setup.run(&[&["keys", "create", "Ada"], arguments].concat());
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{arguments:?}");
        assert!(complaint.contains(expected), "{arguments:?}: {complaint}");
    }
    assert_eq!(run(&setup, &["keys", "list", "--json"]), "");
}
