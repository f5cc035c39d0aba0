//! The real binary on a free port with a folder of its own, a client, and a
//! strict stand-in for the one thing that costs money.

mod money;
mod names;
mod openai;
mod painters;
mod photos;
mod process;
mod recorder;
mod replicate;
mod server;
mod setup;
#[path = "../../skew/mod.rs"]
pub(crate) mod skew;

use std::{path::Path, sync::Arc, time::Duration};

use atelier::{
    app::Settings,
    config::Mode,
    job::ImageTask,
    limit::Policy,
    policies,
    providers::{Choice, Models, Provider, Ranked},
};
use atelier_api::Size;
use reqwest::Response;
use serde_json::Value;

pub(crate) use self::{
    money::{CHARGED, ESTIMATED, budget},
    names::Names,
    openai::{Answer, KEY as OPENAI_KEY, OpenAi, picture, usage},
    painters::{Painter, Stroke, Wire},
    photos::{encode, form, photo},
    process::{Process, signal},
    recorder::{Delivery, Recorder},
    replicate::{Fate, Replicate, WEBHOOK_SECRET, sign as replicate_webhook},
    server::Atelier,
    setup::Setup,
};
pub(crate) use atelier_store::testing::{
    redis, redis_8, redis_8_database, redis_cluster, redis_database,
};

/// Settings of a studio under these policies, which keeps everything for so long.
pub(crate) fn settings(policies: Vec<Arc<Policy>>, kept: Duration) -> Settings {
    Settings {
        policies,
        callbacks: policies::callbacks(1000).unwrap(),
        mode: Mode::Off,
        cache_ttl: kept,
        jobs_kept: kept,
        messages_kept: kept,
        messages_per_host: 64,
        photos_kept: kept,
        stats_kept: kept,
        contents_kept: None,
        events_kept: kept,
        public_url: None,
    }
}

/// A model of this provider for everything.
pub(crate) fn models(provider: &Arc<dyn Provider>) -> Models {
    let model = || Ranked::single(Choice::new(Arc::clone(provider), "test"));
    Models {
        pictures: model(),
        photos: model(),
    }
}

/// Everything must happen within this; nothing is expected to take long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The job of a submission that was taken.
pub(crate) async fn taken(response: Response) -> Value {
    let status = response.status();
    let location = response
        .headers()
        .get("location")
        .map(|value| value.to_str().unwrap().to_owned());
    let job: Value = response.json().await.unwrap();
    let expected = if job["status"] == "succeeded" {
        200
    } else {
        202
    };
    assert_eq!(status.as_u16(), expected, "{job}");
    let url = text(&job["url"]);
    assert_eq!(location.as_deref(), Some(url));
    let plain = format!("/api/jobs/{}", text(&job["id"]));
    assert_eq!(url.split('?').next(), Some(plain.as_str()));
    job
}

/// A refusal: its status and its problem document.
pub(crate) async fn problem(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["status"], status);
    for field in ["type", "title", "detail", "code"] {
        assert!(!text(&problem[field]).is_empty(), "{field} in {problem}");
    }
    (status, problem)
}

pub(crate) fn image_task(prompt: &str) -> ImageTask {
    ImageTask::of(prompt.into(), Size::Auto, 1)
}

pub(crate) fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
}

/// Waits until it is so.
pub(crate) async fn eventually(what: &str, so: impl Fn() -> bool) {
    let started = std::time::Instant::now();
    while !so() {
        assert!(started.elapsed() < PATIENCE, "waited too long: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Names of the blobs kept in a data folder.
pub(crate) fn blobs(data: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(data.join("images")).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}
