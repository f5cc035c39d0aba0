//! Schedules that fall due: over a stop, with a clock that jumps, and with two processes.

use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use super::{FILE, Receiver, Site};
use crate::{
    redis::{PASSWORD, Server},
    support::{Setup, redis_database, skew, text},
};

const HOUR: i64 = 60 * 60;

/// What the machine's clock is made with; it is set later.
const SKEW: i64 = 1;

async fn scheduled(site: &Site, cron: &str, url: &str) {
    let path = format!("/v2/schedules/{url}");
    let request = site.server.post(&path).bearer_auth(&site.key);
    let request = request
        .header("upstash-cron", cron)
        .header("upstash-schedule-id", "plan")
        .body("hello");
    request.send().await.unwrap().error_for_status().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_fires_once_however_the_clock_jumps_and_once_after_a_stop() {
    let receiver = Receiver::start(vec![]).await;
    let site = Site::of(Setup::with_file(FILE).skewed(SKEW));
    scheduled(&site, "0 * * * *", &receiver.url).await;
    receiver.nothing_more(Duration::from_millis(500)).await;

    // It has missed five times.
    site.setup.set_clock(SKEW, 5 * HOUR);
    let call = receiver.next().await;
    assert_eq!(call.header("upstash-schedule-id"), "plan");
    assert_eq!(call.body, "hello");
    let id = call.header("upstash-message-id").to_owned();
    site.states(&id, "DELIVERED").await;
    let all = site.json("/v2/schedules").await;
    assert_eq!(all[0]["lastScheduleStates"], json!({ &id: "SUCCESS" }));

    // What was due has been published, also if it is that time again.
    site.setup.set_clock(SKEW, 3 * HOUR);
    receiver.nothing_more(Duration::from_secs(3)).await;

    let Site { setup, server, key } = site;
    server.kill();
    setup.set_clock(SKEW, 9 * HOUR);
    let server = setup.start();
    let site = Site { setup, server, key };
    let later = receiver.next().await;
    assert_ne!(later.header("upstash-message-id"), id);
    receiver.nothing_more(Duration::from_secs(3)).await;
    let schedule = site.json("/v2/schedules/plan").await;
    let next = schedule["nextScheduleTime"].as_i64().unwrap() / 1000;
    assert!(next % HOUR == 0, "{schedule}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_fire_a_schedule_once() {
    let receiver = Receiver::start(vec![]).await;
    let redis = redis_database().await;
    let site = Site::of(Setup::with_file(FILE).set("ATELIER_REDIS_URL", &redis));
    let _other = site.setup.start();
    scheduled(&site, "* * * * *", &receiver.url).await;
    let before = site.json("/v2/schedules/plan").await;
    let call = timeout(Duration::from_secs(120), receiver.next()).await;
    let id = call.unwrap().header("upstash-message-id").to_owned();
    receiver.nothing_more(Duration::from_secs(5)).await;
    let after = site.json("/v2/schedules/plan").await;
    assert_eq!(after["lastScheduleTime"], before["nextScheduleTime"]);
    let created = site.json("/v2/events?state=CREATED&scheduleId=plan").await;
    let created = created["events"].as_array().unwrap();
    assert_eq!(created.len(), 1, "{created:?}");
    assert_eq!(text(&created[0]["messageId"]), id);
}

/// Both go by the clock of their store.
#[tokio::test(flavor = "multi_thread")]
async fn two_processes_fire_a_schedule_once_and_catch_up_once_after_a_stop() {
    let receiver = Receiver::start(vec![]).await;
    let setup = Setup::with_file(FILE);
    let clock = setup.folder.path().join("clock");
    skew::set(&clock, 0);
    let mut redis = Server::new(false);
    redis.start_with(&skew::environment(&clock)).await;
    let mut site = Site::of(setup.set("ATELIER_REDIS_URL", &redis.url(PASSWORD)));
    scheduled(&site, "0 * * * *", &receiver.url).await;
    let mut ids = Vec::new();
    // It has missed so many times.
    for hours in [1, 7, 30] {
        let other = site.setup.start();
        receiver.nothing_more(Duration::from_millis(500)).await;
        let Site { setup, server, key } = site;
        server.kill();
        other.kill();
        skew::set(&clock, hours * HOUR);
        let (server, other) = (setup.start(), setup.start());
        site = Site { setup, server, key };
        let call = receiver.next().await;
        assert_eq!(call.header("upstash-schedule-id"), "plan");
        ids.push(call.header("upstash-message-id").to_owned());
        receiver.nothing_more(Duration::from_secs(2)).await;
        site.states(ids.last().unwrap(), "DELIVERED").await;
        other.kill();
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    let created = site.json("/v2/events?state=CREATED&scheduleId=plan").await;
    let created = created["events"].as_array().unwrap();
    assert_eq!(created.len(), 3, "{created:?}");
}
