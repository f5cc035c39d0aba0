//! Kills, restarts and deliveries that fail: nothing accepted is lost, and
//! nothing paid for is paid twice.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Router, http::StatusCode, routing::post};
use serde_json::json;
use tokio::net::TcpListener;

use crate::support::{Answer, OpenAi, Setup, text};

#[tokio::test]
async fn a_job_killed_during_its_call_finishes_after_the_restart() {
    let provider = OpenAi::start(vec![Answer::Hang]).await;
    let setup = Setup::new().openai(&provider);
    let server = setup.start();
    let job = server.paint("a bridge").await;
    provider.called(1).await;
    server.kill();

    let server = setup.start();
    let job = server.succeeded(&job).await;
    assert_eq!(job["attempt"], 2);
    assert_eq!(provider.calls().len(), 2);
}

#[tokio::test]
async fn queued_jobs_survive_a_kill() {
    let provider = OpenAi::start(vec![Answer::Hang]).await;
    let setup = Setup::new().openai(&provider).set("ATELIER_WORKERS", "1");
    let server = setup.start();
    let mut jobs = Vec::new();
    for index in 0..5 {
        jobs.push(server.paint(&format!("picture {index}")).await);
    }
    provider.called(1).await;
    server.kill();

    let server = setup.start();
    for job in &jobs {
        server.succeeded(job).await;
    }
    assert_eq!(
        provider.calls().len(),
        6,
        "one call was under way at the kill"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_hands_back_what_cannot_finish() {
    let provider = OpenAi::start(vec![Answer::Hang]).await;
    let file = "limits = []\n[queue]\ngrace = '100ms'";
    let setup = Setup::with_file(file).openai(&provider);
    let mut server = setup.start();
    let job = server.paint("a tower").await;
    provider.called(1).await;
    server.ask_to_stop();
    assert!(server.ended().success());

    let server = setup.start();
    let job = server.succeeded(&job).await;
    assert_eq!(
        job["attempt"], 1,
        "a job handed back has not used up an attempt"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_lets_running_jobs_finish() {
    let provider = OpenAi::start(vec![Answer::Hang]).await;
    let setup = Setup::new().openai(&provider);
    let mut server = setup.start();
    let job = server.paint("a harbour").await;
    provider.called(1).await;
    server.ask_to_stop();
    server.logged("stopping");
    provider.release();
    assert!(server.ended().success());

    let server = setup.start();
    let job = server.job(text(&job["id"])).await;
    assert_eq!(
        (&job["status"], &job["attempt"]),
        (&json!("succeeded"), &json!(1))
    );
    assert_eq!(provider.calls().len(), 1);
}

/// Jobs wait for the provider they were accepted for; the built-in engine is
/// always there.
#[tokio::test]
async fn a_change_of_providers_leaves_accepted_jobs_where_they_are() {
    let provider = OpenAi::start(vec![Answer::Hang]).await;
    let openai = Setup::new().openai(&provider);
    let server = openai.start();
    let theirs = server.paint("a bridge").await;
    provider.called(1).await;
    server.kill();

    let local = openai.again().set("ATELIER_PROVIDER", "local");
    let server = local.start();
    let quick = server.paint("a brook").await;
    server.succeeded(&quick).await;
    assert_eq!(server.job(text(&theirs["id"])).await["status"], "queued");
    let ours = json!({ "prompt": "a broad bay", "size": "3840x2160" });
    let ours = server.submit(&ours).await;
    server.kill();

    let server = openai.start();
    let (theirs, ours) = tokio::join!(server.succeeded(&theirs), server.succeeded(&ours));
    assert_eq!(provider.calls().len(), 2);
    assert_eq!(theirs["images"][0]["width"], 64);
    assert_eq!(ours["images"][0]["width"], 3840);
}

/// A callback that refuses everything, and counts.
async fn refusing_callback() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&count);
    let refuse = async move || {
        counting.fetch_add(1, Ordering::SeqCst);
        StatusCode::INTERNAL_SERVER_ERROR
    };
    let router = Router::new().route("/api/callback", post(refuse));
    tokio::spawn(axum::serve(listener, router).into_future());
    (url, count)
}

#[tokio::test]
async fn a_failed_delivery_is_repeated_alone() {
    let provider = OpenAi::start(Vec::new()).await;
    let (callback, deliveries) = refusing_callback().await;
    let file = "limits = []\n[queue]\nretry_base = '20ms'";
    let setup = Setup::with_file(file)
        .openai(&provider)
        .set("ATELIER_CALLBACK_URL", &callback);
    let server = setup.start();
    let job = server.paint("a windmill").await;
    let job = server
        .until(&job, |job| job["status"] == "delivering")
        .await;
    while deliveries.load(Ordering::SeqCst) < 3 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.job(text(&job["id"])).await["status"], "delivering");
    server.kill();

    // With the callback mended, the outcome arrives without another call.
    let server = setup.set("ATELIER_CALLBACK_URL", "").start();
    let job = server.succeeded(&job).await;
    assert_eq!(job["attempt"], 1);
    assert_eq!(provider.calls().len(), 1);
}
