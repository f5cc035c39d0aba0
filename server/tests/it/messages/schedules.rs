//! Schedules, as they are kept and shown.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Site, URL, site, status, told};

const YEARLY: &str = "1 1 1 1 1";

async fn scheduled(site: &Site, id: &str) -> Value {
    let request = site
        .post(&format!("/v2/schedules/{URL}?a=b"))
        .header("upstash-cron", " */10 * * * * ")
        .header("upstash-schedule-id", id)
        .header("upstash-forward-test-header", "test-value")
        .header("content-type", "application/json")
        .header("upstash-delay", "10s")
        .header("upstash-callback", "https://example.com")
        .body("{}");
    told(request, 201).await
}

#[tokio::test]
async fn a_schedule_is_kept_as_it_was_given() {
    let site = site("");
    assert_eq!(
        scheduled(&site, "mine").await,
        json!({ "scheduleId": "mine" })
    );
    let schedule = site.json("/v2/schedules/mine").await;
    for (field, expected) in [
        ("scheduleId", json!("mine")),
        ("cron", json!("*/10 * * * *")),
        ("destination", json!(format!("{URL}?a=b"))),
        ("method", json!("POST")),
        ("retries", json!(3)),
        ("delay", json!(10)),
        ("body", json!("{}")),
        ("callback", json!("https://example.com")),
        ("isPaused", json!(false)),
        (
            "header",
            json!({ "Content-Type": ["application/json"], "Test-Header": ["test-value"] }),
        ),
    ] {
        assert_eq!(schedule[field], expected, "{field} of {schedule}");
    }
    assert!(schedule["nextScheduleTime"].as_i64() > schedule["createdAt"].as_i64());
    let all = site.json("/v2/schedules").await;
    assert_eq!(all, json!([schedule]));
    // Whatever there was is gone.
    let overwrite = site
        .post("/v2/schedules/https://other.example")
        .header("upstash-cron", "CRON_TZ=Europe/Berlin 0 8 * * *")
        .header("upstash-schedule-id", "mine");
    told(overwrite, 201).await;
    let schedule = site.json("/v2/schedules/mine").await;
    assert_eq!(schedule["destination"], "https://other.example");
    for gone in ["body", "callback", "lastScheduleTime"] {
        assert_eq!(schedule.get(gone), None, "{schedule}");
    }
    let all = site.json("/v2/schedules").await;
    assert_eq!(all.as_array().unwrap().len(), 1);
    assert_eq!(site.json("/v2/queues").await, json!([]));
}

#[tokio::test]
async fn schedules_are_paused_resumed_and_deleted() {
    let site = site("[messages]\nmax_schedules = 2");
    for id in ["a-b", "c.d"] {
        scheduled(&site, id).await;
    }
    let third = site
        .post(&format!("/v2/schedules/{URL}"))
        .header("upstash-cron", YEARLY);
    assert_eq!(status(third).await, 412);
    for (method, change, paused) in [
        (Method::PATCH, "pause", true),
        (Method::PATCH, "resume", false),
        (Method::POST, "pause", true),
        (Method::POST, "resume", false),
    ] {
        let path = format!("/v2/schedules/a-b/{change}");
        told(site.request(method, &path), 200).await;
        assert_eq!(site.json("/v2/schedules/a-b").await["isPaused"], paused);
    }
    told(site.delete("/v2/schedules/a-b"), 200).await;
    assert_eq!(status(site.delete("/v2/schedules/a-b")).await, 404);
    let made = site
        .post(&format!("/v2/schedules/{URL}"))
        .header("upstash-cron", YEARLY);
    let made = told(made, 201).await;
    assert!(made["scheduleId"].as_str().unwrap().starts_with("scd_"));
}

#[tokio::test]
async fn a_schedule_that_makes_no_sense_is_refused() {
    let site = site("");
    for cron in [
        "* * * * * *",
        "0 0 30 2 *",
        "CRON_TZ=Mars/Olympus 0 0 * * *",
        "often",
        "",
        "61 * * * *",
    ] {
        let request = site
            .post(&format!("/v2/schedules/{URL}"))
            .header("upstash-cron", cron);
        assert_eq!(status(request).await, 400, "{cron}");
    }
    assert_eq!(
        status(site.post(&format!("/v2/schedules/{URL}"))).await,
        400
    );
    let request = |path: &str, id: &str| {
        let request = site.post(path).header("upstash-cron", YEARLY);
        request.header("upstash-schedule-id", id)
    };
    assert_eq!(
        status(request("/v2/schedules/no-such-group", "x")).await,
        404
    );
    assert_eq!(
        status(request("/v2/schedules/http://10.0.0.1/", "x")).await,
        400
    );
    assert_eq!(
        status(request(&format!("/v2/schedules/{URL}"), "a/b")).await,
        400
    );
    assert_eq!(site.json("/v2/schedules").await, json!([]));
}
