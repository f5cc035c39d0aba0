//! Replicate as the provider: predictions, webhooks, every way they can end.

use std::time::{Duration, Instant};

use image::ImageFormat;
use serde_json::{Value, json};

use crate::support::{
    Atelier, Fate, PATIENCE, Replicate, Setup, WEBHOOK_SECRET as SECRET, photo, replicate_webhook,
    taken, text,
};

fn setup(replicate: &Replicate, file: &str) -> Setup {
    let file = format!("limits = []\n[queue]\nretry_base = '20ms'\n{file}");
    Setup::with_file(&file).replicate(replicate)
}

/// A server that webhooks find.
fn with_webhooks(setup: Setup) -> Atelier {
    setup
        .set("REPLICATE_WEBHOOK_SECRET", SECRET)
        .start_in_public()
}

#[tokio::test]
async fn a_prediction_is_asked_after_until_it_has_ended() {
    let replicate = Replicate::start(vec![]).await;
    let server = setup(&replicate, "").start();
    let body = json!({ "prompt": "a boat", "size": "1536x1024", "style": "ink" });
    let job = server.submit(&body).await;
    let job = server.succeeded(&job).await;
    server.picture(&job).await;
    let call = &replicate.calls()[0];
    assert_eq!(call["model"], "black-forest-labs/flux-schnell");
    assert_eq!(call["input"]["aspect_ratio"], "3:2");
    assert!(text(&call["input"]["prompt"]).starts_with("a boat\n\nStyle: "));
    assert!(call.get("webhook").is_none());
    assert_eq!(replicate.cancelled(), Vec::<String>::new());
}

#[tokio::test]
async fn a_webhook_tells_of_the_end() {
    let replicate = Replicate::start(vec![Fate::Tells]).await;
    let server = with_webhooks(setup(&replicate, ""));
    let job = server.paint("a boat").await;
    server.succeeded(&job).await;
    let webhook = format!("{}/api/callback/replicate", server.url);
    assert_eq!(replicate.calls()[0]["webhook"], webhook.as_str());
}

#[tokio::test]
async fn a_webhook_that_does_not_come_is_not_waited_for() {
    let replicate = Replicate::start(vec![Fate::Done]).await;
    let server = with_webhooks(setup(&replicate, ""));
    let job = server.paint("a boat").await;
    server.succeeded(&job).await;
}

#[tokio::test]
async fn only_replicate_is_believed() {
    let replicate = Replicate::start(vec![Fate::Hangs]).await;
    let server = with_webhooks(setup(&replicate, ""));
    let job = server.paint("a boat").await;
    called(&replicate, 1).await;
    let url = format!("{}/api/callback/replicate", server.url);
    let end = json!({ "id": "prediction0", "status": "succeeded", "output": replicate.picture() });
    let other = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let forged = replicate_webhook(&url, &end, other).send().await.unwrap();
    assert_eq!(forged.status(), 401);
    let unsigned = server.client.post(&url).json(&end).send().await.unwrap();
    assert_eq!(unsigned.status(), 401);
    let noise = replicate_webhook(&url, &json!("noise"), SECRET);
    assert!(noise.send().await.unwrap().status().is_client_error());
    let nobodys = json!({ "id": "nobody", "status": "failed" });
    let nobodys = replicate_webhook(&url, &nobodys, SECRET);
    assert_eq!(nobodys.send().await.unwrap().status(), 204);
    assert_eq!(server.job(text(&job["id"])).await["status"], "running");
    // Twice is once.
    for _ in 0..2 {
        let true_one = replicate_webhook(&url, &end, SECRET);
        assert_eq!(true_one.send().await.unwrap().status(), 204);
    }
    server.succeeded(&job).await;

    // Without the secret nothing is believed.
    let server = setup(&replicate, "").start();
    let url = format!("{}/api/callback/replicate", server.url);
    let unknown = replicate_webhook(&url, &end, SECRET).send().await.unwrap();
    assert_eq!(unknown.status(), 401);
}

#[tokio::test]
async fn every_end_is_an_end() {
    let end = |status: &str, error: Value| {
        Fate::Ends(json!({ "status": status, "output": null, "error": error }))
    };
    let elsewhere = json!({ "status": "succeeded", "output": "http://127.0.0.1:1/x.png" });
    for (fate, code) in [
        (
            end("failed", json!("NSFW content detected")),
            "content_refused",
        ),
        (end("failed", json!("bad input")), "provider_failed"),
        (end("canceled", Value::Null), "provider_cancelled"),
        (Fate::Ends(elsewhere), "bad_answer"),
        (
            Fate::Refused(402, json!({ "detail": "no credit" })),
            "provider_credit_exhausted",
        ),
        (
            Fate::Refused(401, json!({ "detail": "who?" })),
            "provider_key_refused",
        ),
        (
            Fate::Refused(422, json!({ "detail": "no such field" })),
            "provider_refused",
        ),
    ] {
        let replicate = Replicate::start(vec![fate]).await;
        let server = setup(&replicate, "").start();
        let job = server.finished(&server.paint("a boat").await).await;
        assert_eq!(job["status"], "failed", "{job}");
        assert_eq!(job["error"]["code"], code, "{job}");
        assert_eq!(replicate.calls().len(), 1, "{code}");
    }
    let throttled = json!({ "detail": "Request was throttled. Your rate limit resets in ~1s." });
    for fate in [
        end("aborted", Value::Null),
        end("failed", json!("Prediction interrupted; please retry")),
        Fate::Refused(429, throttled),
        Fate::Refused(503, json!("not even an object")),
    ] {
        let replicate = Replicate::start(vec![fate]).await;
        let server = setup(&replicate, "").start();
        let job = server.succeeded(&server.paint("a boat").await).await;
        assert_eq!((&job["attempt"], replicate.calls().len()), (&json!(2), 2));
    }
}

#[tokio::test]
async fn a_cancelled_job_is_called_off_at_replicate() {
    let replicate = Replicate::start(vec![Fate::Hangs]).await;
    let server = setup(&replicate, "").start();
    let job = server.paint("a boat").await;
    called(&replicate, 1).await;
    let path = format!("/api/jobs/{}?cancel=true", text(&job["id"]));
    let answer = server.delete(&path).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let started = Instant::now();
    while replicate.cancelled().is_empty() {
        assert!(started.elapsed() < PATIENCE, "it is not called off");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(replicate.cancelled(), ["prediction0"]);
}

#[tokio::test]
async fn photos_go_along_or_are_fetched() {
    let replicate = Replicate::start(vec![]).await;
    let server = setup(&replicate, "").start();
    let small = taken(server.restore(photo(64, 48, ImageFormat::Jpeg)).await).await;
    server.succeeded(&small).await;
    assert_eq!(replicate.files(), 0);
    let noise = image::RgbImage::from_fn(900, 900, |_, _| {
        image::Rgb(fastrand::u32(..).to_le_bytes()[..3].try_into().unwrap())
    });
    let large = crate::support::encode(&noise.into(), ImageFormat::Png);
    let large = taken(server.restore(large).await).await;
    server.succeeded(&large).await;
    assert_eq!(replicate.files(), 1);
    let call = &replicate.calls()[1];
    assert_eq!(call["model"], "flux-kontext-apps/restore-image");
    assert!(text(&call["input"]["input_image"]).starts_with("http"));
}

#[tokio::test]
async fn a_model_is_named_by_its_version() {
    let replicate = Replicate::start(vec![]).await;
    let file = "[replicate]\nrestoration_model = 'tencentarc/gfpgan:0123abcd'";
    let server = setup(&replicate, file).start();
    let photo = photo(64, 48, ImageFormat::Jpeg);
    let job = taken(server.restore(photo).await).await;
    server.succeeded(&job).await;
    assert_eq!(replicate.calls()[0]["input"]["version"], "v1.4");
}

async fn called(replicate: &Replicate, times: usize) {
    let started = Instant::now();
    while replicate.calls().len() < times {
        assert!(started.elapsed() < PATIENCE, "it is not called");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
