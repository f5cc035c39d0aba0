//! Owners see their own alone.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{Site, URL, key, site, status, told};

/// The request with another key.
fn by(site: &Site, key: &str, method: Method, path: &str) -> RequestBuilder {
    let url = format!("{}{path}", site.server.url);
    site.server.client.request(method, url).bearer_auth(key)
}

#[tokio::test]
async fn nobody_sees_or_changes_what_is_anothers() {
    let site = site("");
    let id = site.said("mine").await;
    let enqueued = site.later(&format!("/v2/enqueue/line/{URL}"));
    site.published(enqueued.header("upstash-flow-control-key", "flow"))
        .await;
    let endpoint = json!({ "endpoints": [{ "url": URL }] });
    told(site.post("/v2/topics/group/endpoints").json(&endpoint), 200).await;
    let schedule = site
        .post(&format!("/v2/schedules/{URL}"))
        .header("upstash-cron", "1 1 1 1 1")
        .header("upstash-schedule-id", "plan");
    told(schedule, 201).await;
    told(site.post("/v2/flowControl/flow/pause"), 200).await;
    let other = key(&site.setup, &["--tag", "owner=key_x"]);
    let get = |path: &str| by(&site, &other, Method::GET, path);
    for path in [
        "/v2/queues",
        "/v2/schedules",
        "/v2/topics",
        "/v2/flowControl",
    ] {
        assert_eq!(told(get(path), 200).await, json!([]), "{path}");
    }
    for path in ["/v2/dlq", "/v2/events", "/v2/logs"] {
        let list: Value = told(get(path), 200).await;
        let lists: Vec<_> = list.as_object().unwrap().values().collect();
        assert_eq!(lists, [&json!([])], "{path}");
    }
    for (method, path) in [
        (Method::GET, format!("/v2/messages/{id}")),
        (Method::DELETE, format!("/v2/messages/{id}")),
        (Method::GET, "/v2/queues/line".into()),
        (Method::DELETE, "/v2/queues/line".into()),
        (Method::POST, "/v2/queues/line/pause".into()),
        (Method::GET, "/v2/schedules/plan".into()),
        (Method::DELETE, "/v2/schedules/plan".into()),
        (Method::PATCH, "/v2/schedules/plan/pause".into()),
        (Method::GET, "/v2/topics/group".into()),
        (Method::GET, "/v2/flowControl/flow".into()),
        (Method::POST, "/v2/publish/group".into()),
    ] {
        let request = by(&site, &other, method.clone(), &path);
        assert_eq!(status(request).await, 404, "{method} {path}");
    }
    for path in [
        "/v2/messages".to_owned(),
        format!("/v2/messages?messageIds={id}"),
    ] {
        let all = by(&site, &other, Method::DELETE, &path);
        assert_eq!(told(all, 200).await, json!({ "cancelled": 0 }));
    }
    let [mine, theirs] = [
        site.json("/v2/keys").await,
        told(get("/v2/keys"), 200).await,
    ];
    assert_ne!(mine, theirs);
    assert_eq!(
        site.json(&format!("/v2/messages/{id}")).await["body"],
        "mine"
    );
    assert_eq!(site.json("/v2/schedules/plan").await["isPaused"], false);
}

#[tokio::test]
async fn keys_of_one_owner_see_the_same() {
    let site = super::site_with("", &["--tag", "owner=ada"]);
    let id = site.said("ours").await;
    let other = key(&site.setup, &["--tag", "owner=ada"]);
    let path = format!("/v2/messages/{id}");
    let message = told(by(&site, &other, Method::GET, &path), 200).await;
    assert_eq!(message["body"], "ours");
    let cancelled = told(by(&site, &other, Method::DELETE, &path), 200).await;
    assert_eq!(cancelled, json!({ "cancelled": 1 }));
}
