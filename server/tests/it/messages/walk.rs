//! The same walk through the door over every store.

use serde_json::json;

use super::{Site, URL, key, status, told};
use crate::support::{Setup, redis_database};

async fn stores() -> Vec<Setup> {
    let setup = || Setup::with_file("limits = []");
    let redis = redis_database().await;
    vec![setup(), setup().set("ATELIER_REDIS_URL", &redis)]
}

#[tokio::test]
async fn every_store_keeps_what_is_published_and_arranged() {
    for setup in stores().await {
        let key = key(&setup, &[]);
        let server = setup.start().without_session();
        walk(Site { server, setup, key }).await;
    }
}

async fn walk(site: Site) {
    let queue = json!({ "queueName": "line", "parallelism": 2 });
    told(site.post("/v2/queues").json(&queue), 200).await;
    let endpoints =
        json!({ "endpoints": [{ "url": "https://a.example" }, { "url": "https://b.example" }] });
    told(
        site.post("/v2/topics/group/endpoints").json(&endpoints),
        200,
    )
    .await;
    let later = json!({
        "upstash-delay": "1d",
        "upstash-flow-control-key": "flow",
        "upstash-flow-control-value": "rate=1,parallelism=2",
        "upstash-label": "walk",
    });
    let batch = json!([
        { "destination": URL, "headers": later, "queue": "line", "body": "one" },
        { "destination": "group", "headers": later },
        { "destination": URL, "headers": { "upstash-delay": "1d", "upstash-deduplication-id": "x" } },
        { "destination": URL, "headers": { "upstash-delay": "1d", "upstash-deduplication-id": "x" } },
    ]);
    let sent = told(site.post("/v2/batch").json(&batch), 200).await;
    assert_eq!(sent[3]["deduplicated"], true, "{sent}");
    assert_eq!(sent[2]["messageId"], sent[3]["messageId"]);
    let id = sent[0]["messageId"].as_str().unwrap();
    assert_eq!(
        site.json(&format!("/v2/messages/{id}")).await["body"],
        "one"
    );
    let created = site.json("/v2/events?state=CREATED&label=walk").await;
    assert_eq!(created["events"].as_array().unwrap().len(), 3);
    let schedule = site
        .post("/v2/schedules/group")
        .header("upstash-cron", "1 1 1 1 *")
        .header("upstash-schedule-id", "plan")
        .body(vec![0xff, 0xfe]);
    told(schedule, 201).await;
    told(site.post("/v2/schedules/plan/pause"), 200).await;
    let plan = site.json("/v2/schedules/plan").await;
    assert_eq!(
        (&plan["isPaused"], &plan["bodyBase64"], &plan["destination"]),
        (&json!(true), &json!("//4="), &json!("group"))
    );
    told(site.post("/v2/flowControl/flow/pin?parallelism=7"), 200).await;
    assert_eq!(site.json("/v2/flowControl/flow").await["parallelismMax"], 7);
    let keys = site.json("/v2/keys").await;
    let rotated = told(site.post("/v2/keys/rotate"), 200).await;
    assert_eq!(rotated["current"], keys["next"]);
    let cancelled = site.delete("/v2/messages?label=walk");
    assert_eq!(told(cancelled, 200).await, json!({ "cancelled": 3 }));
    assert_eq!(
        told(site.delete("/v2/messages"), 200).await,
        json!({ "cancelled": 1 })
    );
    told(site.delete("/v2/schedules/plan"), 200).await;
    told(site.delete("/v2/topics/group"), 200).await;
    told(site.delete("/v2/queues/line"), 200).await;
    assert_eq!(status(site.get("/v2/queues/line")).await, 404);
    assert_eq!(site.json("/v2/queues").await, json!([]));
}
