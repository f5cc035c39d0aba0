//! Pictures that are seen while they are drawn.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use image::ImageFormat;
use serde_json::{Value, json};

use super::provider::{refusal, studio};
use crate::support::{
    Answer, OpenAi, PATIENCE, Setup, photo, picture, redis_database, taken, text, usage,
};

#[tokio::test]
async fn a_picture_is_seen_while_it_is_drawn() {
    let (_setup, openai, server) = studio(vec![Answer::Partly]).await;
    let job = server.paint("a lighthouse").await;
    let running = server.until(&job, |job| job["preview"].is_string()).await;
    let preview = server.get(text(&running["preview"])).send().await.unwrap();
    let preview = image::load_from_memory(&preview.bytes().await.unwrap()).unwrap();
    assert_eq!((preview.width(), preview.height()), (32, 24));
    openai.release();
    let job = server.succeeded(&running).await;
    assert_eq!(job["images"][0]["width"], 64);
    assert!(job["cost_usd"].as_f64().is_some(), "{job}");
    // Cleared away once the job is finished.
    let gone = async {
        let preview = text(&running["preview"]);
        while server.get(preview).send().await.unwrap().status() != 404 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, gone)
        .await
        .expect("no preview is left");
}

#[tokio::test]
async fn who_joined_a_call_sees_how_far_it_is() {
    let redis = redis_database().await;
    for store in [None, Some(redis)] {
        let openai = OpenAi::start(vec![Answer::Hang, Answer::Partly]).await;
        let setup = Setup::with_file("limits = []\n[openai]\nparallel = 1").openai(&openai);
        let server = match store {
            Some(url) => setup.set("ATELIER_REDIS_URL", &url).start(),
            None => setup.start(),
        };
        server.paint("a boat").await;
        openai.called(1).await;
        let leader = server.paint("a lighthouse").await;
        let follower = server.paint("a lighthouse").await;
        assert_eq!(
            (&leader["cache"], &follower["cache"]),
            (&"miss".into(), &"joined".into())
        );
        openai.release();
        let shown = |job: &Value| job["preview"].is_string();
        let running = server.until(&follower, shown).await;
        assert_eq!(
            server.until(&leader, shown).await["preview"],
            running["preview"]
        );
        // The call goes on for the follower alone, and is still seen.
        assert_eq!(
            server
                .delete(text(&leader["url"]))
                .send()
                .await
                .unwrap()
                .status(),
            200
        );
        let left = server.json(text(&leader["url"])).await;
        assert_eq!(
            (left["status"].as_str(), &left["preview"]),
            (Some("cancelled"), &Value::Null)
        );
        let still = server.json(text(&follower["url"])).await;
        assert_eq!(still["preview"], running["preview"]);
        openai.release();
        let done = server.succeeded(&still).await;
        assert!(done["preview"].is_null(), "{done}");
    }
}

#[tokio::test]
async fn a_photo_is_seen_while_it_is_restored() {
    let (_setup, openai, server) = studio(vec![Answer::Partly]).await;
    let photo = photo(64, 48, ImageFormat::Png);
    let job = taken(server.restore(photo).await).await;
    let running = server.until(&job, |job| job["preview"].is_string()).await;
    let preview = server.get(text(&running["preview"])).send().await.unwrap();
    let caching = &preview.headers()["cache-control"];
    assert_eq!(caching, "private, no-cache");
    openai.release();
    let job = server.succeeded(&running).await;
    assert_eq!(job["images"][0]["width"], 64);
    assert_eq!(openai.calls()[0]["stream"], true);
}

#[tokio::test]
async fn who_cannot_stream_is_asked_for_the_whole() {
    let invalid = "invalid_request_error";
    for refused in [
        refusal(
            400,
            invalid,
            "unknown_parameter",
            "Unknown parameter: 'stream'.",
        ),
        Answer::Error(
            422,
            vec![],
            json!("unknown field `partial_images`, expected `n`"),
        ),
    ] {
        let (_setup, openai, server) = studio(vec![refused]).await;
        server.succeeded(&server.paint("a lighthouse").await).await;
        server.succeeded(&server.paint("a windmill").await).await;
        let calls = openai.calls();
        let streamed: Vec<bool> = calls.iter().map(|call| call["stream"] == true).collect();
        assert_eq!(streamed, [true, false, false]);
    }
    let other = refusal(400, invalid, "invalid_value", "The prompt is too odd.");
    let (_setup, openai, server) = studio(vec![other]).await;
    server.finished(&server.paint("a lighthouse").await).await;
    assert_eq!(openai.calls().len(), 1);
}

#[tokio::test]
async fn an_error_in_the_stream_is_told_in_its_words() {
    for error in [
        json!({ "type": "error", "error": { "type": "invalid_request_error", "message": "No such size." } }),
        json!({ "type": "error", "code": "invalid_value", "message": "No such size." }),
    ] {
        let events = Answer::Events(format!("event: error\ndata: {error}\n\n"));
        let (_setup, openai, server) = studio(vec![events]).await;
        let job = server.finished(&server.paint("a lighthouse").await).await;
        assert_eq!(job["error"]["code"], "provider_refused", "{job}");
        assert_eq!(job["error"]["retryable"], false);
        assert!(text(&job["error"]["message"]).contains("No such size."));
        assert_eq!(openai.calls().len(), 1);
    }
}

#[tokio::test]
async fn every_legal_stream_is_read() {
    let event = json!({ "type": "image_generation.completed", "b64_json": BASE64.encode(picture()), "usage": usage() });
    let event = serde_json::to_string_pretty(&event).unwrap();
    let lines: Vec<String> = event.lines().map(|line| format!("data: {line}")).collect();
    for events in [
        format!("\u{feff}{}\n\n", lines.join("\n")),
        format!(": hello\r\r{}\r\r", lines.join("\r")),
        format!(
            "id: 1\r\n{}\r\n\r\ndata: [DONE]\r\n\r\n",
            lines.join("\r\n")
        ),
    ] {
        let (_setup, openai, server) = studio(vec![Answer::Events(events)]).await;
        let job = server.succeeded(&server.paint("a lighthouse").await).await;
        assert_eq!(job["images"][0]["width"], 64);
        assert!(job["cost_usd"].as_f64().is_some(), "{job}");
        assert_eq!(openai.calls().len(), 1);
    }
}

#[tokio::test]
async fn several_pictures_are_not_streamed() {
    let (_setup, openai, server) = studio(vec![]).await;
    let order = json!({ "prompt": "a lighthouse", "n": 2 });
    let job = server.succeeded(&server.submit(&order).await).await;
    assert_eq!(job["images"].as_array().unwrap().len(), 2);
    assert!(openai.calls()[0]["stream"].is_null());
}
