//! The OpenAI provider against a strict stand-in: the exact requests, what
//! becomes of the answers, and when none is asked for.

use std::time::{Duration, Instant};

use image::ImageFormat;
use serde_json::{Value, json};

use crate::support::{Answer, Atelier, OpenAi, Setup, photo, problem, taken, text};

/// The shortest pauses of our own choice.
pub(super) const IMPATIENT: &str = "limits = []\n[queue]\nretry_base = '10ms'";

/// A server with limits off and this stand-in; keep all three.
pub(super) async fn studio(script: Vec<Answer>) -> (Setup, OpenAi, Atelier) {
    studio_with("limits = []", script).await
}

pub(super) async fn studio_with(file: &str, script: Vec<Answer>) -> (Setup, OpenAi, Atelier) {
    let openai = OpenAi::start(script).await;
    let setup = Setup::with_file(file).openai(&openai);
    let server = setup.start();
    (setup, openai, server)
}

pub(super) fn refusal(status: u16, kind: &str, code: &str, message: &str) -> Answer {
    let body =
        json!({ "error": { "message": message, "type": kind, "param": null, "code": code } });
    Answer::Error(status, vec![], body)
}

#[tokio::test]
async fn a_picture_is_asked_for_as_the_api_wants() {
    let (_setup, openai, server) = studio(vec![]).await;
    let order = json!({
        "prompt": "a lighthouse", "size": "1536x1024", "quality": "low", "n": 3, "style": "ink",
    });
    let job = server.succeeded(&server.submit(&order).await).await;
    let expected = json!({
        "model": "gpt-image-2",
        "prompt": "a lighthouse\n\nStyle: black ink drawing with fine hatching.",
        "n": 3, "size": "1536x1024", "quality": "low",
    });
    assert_eq!(openai.calls(), [expected]);
    assert_eq!(job["images"].as_array().unwrap().len(), 3);
    assert_eq!(
        (&job["prompt"], &job["params"]["style"]),
        (&json!("a lighthouse"), &json!("ink"))
    );
}

#[tokio::test]
async fn a_picture_arrives_with_its_bytes_and_its_cost() {
    let (_setup, openai, server) = studio(vec![]).await;
    let job = server.succeeded(&server.paint("a lighthouse").await).await;
    let call = json!({
        "model": "gpt-image-2", "prompt": "a lighthouse", "n": 1, "size": "auto", "quality": "auto",
        "stream": true, "partial_images": 2,
    });
    assert_eq!(openai.calls(), [call]);
    let cost = job["cost_usd"].as_f64().unwrap();
    assert!(
        (cost - (20.0 * 5.0 + 1000.0 * 30.0) / 1e6).abs() < 1e-9,
        "{cost}"
    );
    let made = photo(64, 48, ImageFormat::Png);
    let image = &job["images"][0];
    assert_eq!(
        (&image["width"], &image["height"]),
        (&json!(64), &json!(48))
    );
    assert_eq!(
        (&image["media_type"], &image["bytes"]),
        (&json!("image/png"), &json!(made.len()))
    );
    assert_eq!(server.picture(&job).await, made);
}

#[tokio::test]
async fn a_background_is_asked_for_where_it_is_wanted() {
    let (_setup, openai, server) = studio(vec![]).await;
    let order = json!({ "prompt": "a lighthouse", "background": "transparent" });
    let job = server.succeeded(&server.submit(&order).await).await;
    assert_eq!(job["params"]["background"], "transparent");
    assert_eq!(openai.calls()[0]["background"], "transparent");
    let setup = Setup::with_file("limits = []");
    let local = setup.start();
    for (order, words) in [
        (order, "chooses the background itself"),
        (
            json!({ "prompt": "x", "background": "pink" }),
            "auto, opaque, transparent",
        ),
    ] {
        let answer = local.post("/api/images").json(&order).send().await.unwrap();
        let (status, problem) = problem(answer).await;
        assert_eq!((status, text(&problem["code"])), (422, "background"));
        assert!(text(&problem["detail"]).contains(words), "{problem}");
    }
}

#[tokio::test]
async fn a_picture_named_by_its_address_is_kept_here() {
    let (_setup, _openai, server) = studio(vec![Answer::Url]).await;
    let job = server.succeeded(&server.paint("a lighthouse").await).await;
    assert!(
        text(&job["images"][0]["url"]).starts_with("/images/"),
        "{job}"
    );
    assert!(
        job["cost_usd"].is_null(),
        "nothing is known of the cost: {job}"
    );
    assert_eq!(server.picture(&job).await, photo(64, 48, ImageFormat::Png));
}

#[tokio::test]
async fn a_photo_is_sent_with_the_instruction_to_stay_faithful() {
    let (_setup, openai, server) = studio(vec![]).await;
    let job = taken(server.restore(photo(40, 30, ImageFormat::Png)).await).await;
    let job = server.succeeded(&job).await;
    let [call] = &openai.calls()[..] else {
        panic!("one call is made")
    };
    let prompt = text(&call["prompt"]);
    for kept in ["Restore", "identity", "pose", "framing"] {
        assert!(prompt.contains(kept), "{prompt}");
    }
    let sent = json!({ "type": "image/jpeg", "name": "photo.jpg", "size": [1440, 1072] });
    let expected = json!({
        "model": "gpt-image-2", "prompt": prompt, "size": "1440x1072", "quality": "high",
        "input_fidelity": "high",
        "stream": true, "partial_images": 2,
        "image": sent, "images": [sent],
    });
    assert_eq!(*call, expected);
    assert_eq!(job["original"]["width"], 40);
    // Cut to the shape of the photo.
    let picture = image::load_from_memory(&server.picture(&job).await).unwrap();
    assert_eq!((picture.width(), picture.height()), (64, 48));
    assert!(job["cost_usd"].as_f64().is_some());
}

/// Our own pause would be drawn from up to five minutes.
#[tokio::test]
async fn a_pause_asked_for_is_obeyed() {
    const OWN: &str = "limits = []\n[queue]\nretry_base = '5m'";
    for (name, value, least) in [("retry-after", "1", 1000), ("retry-after-ms", "200", 200)] {
        let body = json!({ "error": { "message": "Slow down.", "type": "requests", "code": "rate_limit_exceeded" } });
        let busy = Answer::Error(429, vec![(name, value)], body);
        let (_setup, openai, server) = studio_with(OWN, vec![busy]).await;
        let before = Instant::now();
        let job = server.succeeded(&server.paint("a lighthouse").await).await;
        assert!(
            before.elapsed() >= Duration::from_millis(least),
            "{name} is a lower bound"
        );
        assert_eq!(
            (openai.calls().len(), &job["attempt"]),
            (2, &json!(2)),
            "{name}"
        );
    }
}

/// Our own pause would be over at once.
#[tokio::test]
async fn a_busy_service_is_left_alone_by_everybody() {
    let body = json!({ "error": { "message": "Slow down.", "code": "rate_limit_exceeded" } });
    let busy = Answer::Error(429, vec![("retry-after", "2")], body);
    let (_setup, openai, server) = studio_with(IMPATIENT, vec![busy]).await;
    let first = server.paint("a lighthouse").await;
    let waiting = |job: &Value| (&job["status"], &job["attempt"]) == (&json!("queued"), &json!(1));
    let first = server.until(&first, waiting).await;
    let before = Instant::now();
    server.succeeded(&server.paint("a boat").await).await;
    assert!(
        before.elapsed() >= Duration::from_secs(1),
        "another's job waits as well"
    );
    server.succeeded(&first).await;
    assert_eq!(openai.calls().len(), 3);
}

#[tokio::test]
async fn cancelling_drops_the_call() {
    let (_setup, openai, server) = studio(vec![Answer::Hang]).await;
    let job = server.paint("a lighthouse").await;
    openai.called(1).await;
    let response = server
        .delete(&format!("/api/jobs/{}", text(&job["id"])))
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let cancelled: Value = response.json().await.unwrap();
    assert_eq!(cancelled["status"], "cancelled", "{cancelled}");
    openai.abandoned().await;
    assert_eq!(server.job(text(&job["id"])).await["status"], "cancelled");
    // Nobody is joined to a cancelled job.
    server.succeeded(&server.paint("a lighthouse").await).await;
    assert_eq!(openai.calls().len(), 2);
}

#[tokio::test]
async fn the_same_prompt_costs_one_call() {
    let (_setup, openai, server) = studio(vec![]).await;
    let first = server.succeeded(&server.paint("a lighthouse").await).await;
    let second = server.paint("  a   lighthouse\n").await;
    assert_eq!(
        (&second["status"], &second["cache"]),
        (&json!("succeeded"), &json!("exact"))
    );
    assert!(
        second["cost_usd"].is_null(),
        "an answer from the cache costs nothing: {second}"
    );
    assert_eq!(server.picture(&second).await, server.picture(&first).await);
    assert_eq!(openai.calls().len(), 1);
}

#[tokio::test]
async fn the_same_photo_costs_one_call() {
    let (_setup, openai, server) = studio(vec![]).await;
    let first = taken(server.restore(photo(40, 30, ImageFormat::Png)).await).await;
    server.succeeded(&first).await;
    let second = taken(server.restore(photo(40, 30, ImageFormat::Png)).await).await;
    assert_eq!(
        (&second["status"], &second["cache"]),
        (&json!("succeeded"), &json!("exact"))
    );
    assert_eq!(openai.calls().len(), 1);
}

#[tokio::test]
async fn a_fresh_picture_is_made_anew_and_given_from_then_on() {
    let (_setup, openai, server) = studio(vec![]).await;
    let first = server.succeeded(&server.paint("a lighthouse").await).await;
    let fresh = server
        .submit(&json!({ "prompt": "a lighthouse", "fresh": true }))
        .await;
    let fresh = server.succeeded(&fresh).await;
    assert_eq!((openai.calls().len(), &fresh["cache"]), (2, &json!("miss")));
    assert_ne!(fresh["images"][0]["url"], first["images"][0]["url"]);
    let later = server.paint("a lighthouse").await;
    assert_eq!(
        (openai.calls().len(), &later["cache"]),
        (2, &json!("exact"))
    );
    assert_eq!(later["images"][0]["url"], fresh["images"][0]["url"]);
}

#[tokio::test]
async fn no_cache_asks_for_a_fresh_picture() {
    let (_setup, openai, server) = studio(vec![]).await;
    server.succeeded(&server.paint("a lighthouse").await).await;
    for header in ["no-cache", "max-age=0, No-Store"] {
        let request = server.post("/api/images").header("cache-control", header);
        let job = taken(
            request
                .json(&json!({ "prompt": "a lighthouse" }))
                .send()
                .await
                .unwrap(),
        )
        .await;
        assert_eq!(server.succeeded(&job).await["cache"], "miss");
    }
    assert_eq!(openai.calls().len(), 3);
}
