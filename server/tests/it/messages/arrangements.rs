//! Queues, URL groups and flow control keys.

use futures::future::join_all;
use serde_json::json;

use super::{URL, site, status, told};
use crate::support::{Setup, redis_database};

#[tokio::test]
async fn queues_are_made_changed_and_removed() {
    let site = site("");
    assert_eq!(site.json("/v2/queues").await, json!([]));
    let made = json!({ "queueName": "-first", "parallelism": 3 });
    told(site.post("/v2/queues").json(&made), 200).await;
    let queue = site.json("/v2/queues/-first").await;
    for (field, expected) in [
        ("name", json!("-first")),
        ("parallelism", json!(3)),
        ("lag", json!(0)),
        ("paused", json!(false)),
    ] {
        assert_eq!(queue[field], expected, "{field} of {queue}");
    }
    assert!(queue["createdAt"].is_i64() && queue["updatedAt"].is_i64());
    let enqueued = site.later(&format!("/v2/enqueue/second/{URL}"));
    let id = site.published(enqueued).await;
    let message = site.json(&format!("/v2/messages/{id}")).await;
    assert_eq!(message["queueName"], "second");
    let second = site.json("/v2/queues/second").await;
    assert_eq!(second["parallelism"], 1);
    let all = site.json("/v2/queues").await;
    assert_eq!(all, json!([queue, second]));
    told(site.post("/v2/queues/second/pause"), 200).await;
    assert_eq!(site.json("/v2/queues/second").await["paused"], true);
    let upsert = json!({ "queueName": "second", "paused": false });
    told(site.post("/v2/queues").json(&upsert), 200).await;
    let second = site.json("/v2/queues/second").await;
    assert_eq!(
        (&second["paused"], &second["parallelism"]),
        (&json!(false), &json!(1))
    );
    told(site.delete("/v2/queues/second"), 200).await;
    assert_eq!(status(site.get("/v2/queues/second")).await, 404);
    assert_eq!(status(site.get(&format!("/v2/messages/{id}"))).await, 404);
    assert_eq!(site.json("/v2/queues").await, json!([queue]));
    for bad in [
        json!({ "queueName": "a/b" }),
        json!({ "queueName": "x", "parallelism": 0 }),
        json!({ "queueName": "x", "parallelism": -1 }),
        json!({ "parallelism": 1 }),
        json!([]),
    ] {
        assert_eq!(
            status(site.post("/v2/queues").json(&bad)).await,
            400,
            "{bad}"
        );
    }
}

#[tokio::test]
async fn queues_are_counted() {
    let site = site("[messages]\nmax_queues = 1");
    let make = |name: &str| site.post("/v2/queues").json(&json!({ "queueName": name }));
    told(make("one"), 200).await;
    told(make("one"), 200).await;
    assert_eq!(status(make("two")).await, 412);
    let enqueued = site.later(&format!("/v2/enqueue/three/{URL}"));
    assert_eq!(status(enqueued).await, 412);
}

/// Those who ask at the same time, too: at two processes, or one with a file of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queues_and_flow_keys_that_stay_are_bounded_however_many_ask_at_once() {
    let file = "limits = []\n[messages]\nmax_queues = 5\nmax_flows = 3";
    let redis = redis_database().await;
    for setup in [
        Setup::with_file(file),
        Setup::with_file(file).set("ATELIER_REDIS_URL", &redis),
    ] {
        let key = super::key(&setup, &[]);
        let mut servers = vec![setup.start().without_session()];
        if setup.shares_a_store() {
            servers.push(setup.start().without_session());
        }
        let ask = |number: usize, path: String, body: serde_json::Value| {
            let request = servers[number % servers.len()].post(&path);
            let request = request.bearer_auth(&key).json(&body);
            async move { request.send().await.unwrap().status().as_u16() }
        };
        let queue = |number: usize| {
            let body = json!({ "queueName": format!("q{number}") });
            ask(number, "/v2/queues".into(), body)
        };
        let pin = |number: usize| {
            let change = if number.is_multiple_of(2) {
                "pin?parallelism=2"
            } else {
                "pause"
            };
            ask(
                number,
                format!("/v2/flowControl/f{number}/{change}"),
                json!({}),
            )
        };
        let made = join_all((0..30).map(queue)).await;
        assert_eq!(
            made.iter().filter(|status| **status == 200).count(),
            5,
            "{made:?}"
        );
        assert_eq!(
            made.iter().filter(|status| **status == 412).count(),
            25,
            "{made:?}"
        );
        let kept = join_all((0..30).map(pin)).await;
        assert_eq!(
            kept.iter().filter(|status| **status == 200).count(),
            3,
            "{kept:?}"
        );
        assert_eq!(
            kept.iter().filter(|status| **status == 412).count(),
            27,
            "{kept:?}"
        );
        let first = kept.iter().position(|status| *status == 200).unwrap();
        // It may be changed, and once it is let go there is room.
        assert_eq!(pin(first).await, 200);
        let other = kept.iter().position(|status| *status == 412).unwrap();
        assert_eq!(pin(other).await, 412);
        let change = if first.is_multiple_of(2) {
            "unpin?parallelism=true"
        } else {
            "resume"
        };
        let path = format!("/v2/flowControl/f{first}/{change}");
        assert_eq!(ask(0, path, json!({})).await, 200);
        assert_eq!(pin(other).await, 200);
    }
}

#[tokio::test]
async fn groups_are_kept_with_their_endpoints() {
    let site = site("[messages]\nmax_endpoints = 2");
    let [first, second] = ["https://oz.example", "https://oz.example/b?c=d"];
    told(site.delete("/v2/topics/unknown"), 200).await;
    let add = |endpoints: serde_json::Value| {
        let body = json!({ "endpoints": endpoints });
        site.post("/v2/topics/group/endpoints").json(&body)
    };
    told(add(json!([{ "url": first, "name": "one" }])), 200).await;
    told(add(json!([{ "url": second }])), 200).await;
    let group = site.json("/v2/topics/group").await;
    let endpoints = json!([{ "name": "one", "url": first }, { "url": second }]);
    assert_eq!(
        (&group["name"], &group["endpoints"]),
        (&json!("group"), &endpoints)
    );
    assert!(group["createdAt"].is_i64() && group["updatedAt"].is_i64());
    assert_eq!(site.json("/v2/topics").await, json!([group]));
    assert_eq!(
        status(add(json!([{ "url": "https://c.example" }]))).await,
        412
    );
    for bad in [
        "http://127.0.0.1/",
        "ftp://a.example",
        "https://u:p@a.example",
        "http://localhost",
    ] {
        assert_eq!(status(add(json!([{ "url": bad }]))).await, 400, "{bad}");
    }
    let headers = json!({ "headers": { "x-default": ["1"], "x-own": ["group"] } });
    told(
        site.request(reqwest::Method::PATCH, "/v2/topics/group")
            .json(&headers),
        200,
    )
    .await;
    let request = site
        .later("/v2/publish/group")
        .header("upstash-forward-x-own", "message");
    let sent = told(request, 201).await;
    assert_eq!(
        (&sent[0]["url"], &sent[1]["url"]),
        (&json!(first), &json!(second))
    );
    let id = sent[0]["messageId"].as_str().unwrap();
    let message = site.json(&format!("/v2/messages/{id}")).await;
    assert_eq!(
        (&message["topicName"], &message["endpointName"]),
        (&json!("group"), &json!("one"))
    );
    assert_eq!(message["header"]["X-Default"], json!(["1"]));
    assert_eq!(message["header"]["X-Own"], json!(["message"]));
    let remove = |body: serde_json::Value| {
        let body = json!({ "endpoints": [body] });
        site.delete("/v2/topics/group/endpoints").json(&body)
    };
    told(remove(json!({ "name": "one" })), 200).await;
    told(remove(json!({ "url": second })), 200).await;
    assert_eq!(status(site.get("/v2/topics/group")).await, 404);
}

#[tokio::test]
async fn flow_control_keys_are_paused_and_pinned() {
    let site = site("");
    told(site.post("/v2/flowControl/mine/pause"), 200).await;
    let key = || site.json("/v2/flowControl/mine");
    assert_eq!(key().await["isPaused"], true);
    told(site.post("/v2/flowControl/mine/resume"), 200).await;
    let pin = "/v2/flowControl/mine/pin?parallelism=3&rate=20&period=120";
    told(site.post(pin), 200).await;
    let pinned = key().await;
    for (field, expected) in [
        ("flowControlKey", json!("mine")),
        ("waitListSize", json!(0)),
        ("parallelismMax", json!(3)),
        ("parallelismCount", json!(0)),
        ("rateMax", json!(20)),
        ("rateCount", json!(0)),
        ("ratePeriod", json!(120)),
        ("isPaused", json!(false)),
        ("isPinnedParallelism", json!(true)),
        ("isPinnedRate", json!(true)),
    ] {
        assert_eq!(pinned[field], expected, "{field} of {pinned}");
    }
    told(site.post("/v2/flowControl/mine/unpin?rate=true"), 200).await;
    let unpinned = key().await;
    let pins = (&unpinned["isPinnedParallelism"], &unpinned["isPinnedRate"]);
    assert_eq!(pins, (&json!(true), &json!(false)));
    told(site.post("/v2/flowControl/mine/resetRate"), 200).await;
    let found = site.json("/v2/flowControl?search=in").await;
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!(site.json("/v2/flowControl?search=other").await, json!([]));
    for bad in [
        "pin",
        "pin?parallelism=0",
        "pin?rate=x",
        "pin?rate=1&period=0",
        "pin?colour=1",
    ] {
        let path = format!("/v2/flowControl/mine/{bad}");
        assert_eq!(status(site.post(&path)).await, 400, "{bad}");
    }
    let global = site.json("/v2/globalParallelism").await;
    assert_eq!(
        global,
        json!({ "parallelismMax": 256, "parallelismCount": 0 })
    );
}
