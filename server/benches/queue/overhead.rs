//! What the queue, the callback and the poll add around a provider that
//! answers at once: from `POST /api/images` to the finished poll, one job
//! after the other, against the real binary with the embedded store.

use std::{
    io::{BufRead as _, BufReader, Cursor},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use atelier::app::context::start_cryptography;
use axum::{Json, Router, routing::post};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use image::{ImageFormat, RgbImage};
use reqwest::{Client, Url};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const JOBS: usize = 500;
const P50_BUDGET_MS: f64 = 15.0;
const P99_BUDGET_MS: f64 = 50.0;

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub(crate) async fn measure() {
    let provider = provider().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("atelier.toml");
    std::fs::write(&file, "limits = []").unwrap();
    let mut server = Server(
        Command::new(env!("CARGO_BIN_EXE_atelier"))
            .env_clear()
            .env("ATELIER_CONFIG", file)
            .env("ATELIER_DATA", folder.path().join("data"))
            .env("ATELIER_LISTEN", "127.0.0.1:0")
            .env("OPENAI_API_KEY", "sk-bench")
            .env("OPENAI_BASE_URL", provider)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let address = address(&mut server.0);
    start_cryptography();
    let client = Client::builder().no_proxy().build().unwrap();
    let mut took = Vec::with_capacity(JOBS);
    for number in 0..JOBS {
        took.push(submit_and_wait(&client, &address, number).await);
    }
    took.sort_unstable();
    let (p50, p99) = (ms(took[JOBS / 2]), ms(took[JOBS * 99 / 100]));
    println!(
        "{}",
        json!({
            "name": "overhead", "store": "sqlite", "jobs": JOBS, "p50_ms": p50, "p99_ms": p99,
            "p50_budget_ms": P50_BUDGET_MS, "p99_budget_ms": P99_BUDGET_MS,
            "ok": p50 <= P50_BUDGET_MS && p99 <= P99_BUDGET_MS,
        })
    );
}

fn ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10_000.0).round() / 10.0
}

/// A stand-in that answers every call with the same small picture.
async fn provider() -> String {
    let mut picture = Cursor::new(Vec::new());
    RgbImage::new(64, 64)
        .write_to(&mut picture, ImageFormat::Png)
        .unwrap();
    let answer = json!({
        "created": 0,
        "data": [{"b64_json": BASE64.encode(picture.into_inner())}],
        "usage": {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0,
                  "input_tokens_details": {"text_tokens": 0, "image_tokens": 0}},
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let router = Router::new().route(
        "/v1/images/generations",
        post(async move || Json(answer.clone())),
    );
    tokio::spawn(axum::serve(listener, router).into_future());
    url
}

/// Where the server says it serves; the rest of its log is read and dropped.
fn address(child: &mut Child) -> Url {
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let line = lines.find_map(|line| {
        let line = line.unwrap();
        line.split_once("serving at ")
            .map(|(_, url)| url.to_owned())
    });
    std::thread::spawn(move || lines.for_each(drop));
    line.unwrap().parse().unwrap()
}

async fn submit_and_wait(client: &Client, server: &Url, number: usize) -> Duration {
    let started = Instant::now();
    let order = json!({"prompt": format!("measured picture {number}")});
    let submit = client
        .post(server.join("/api/images").unwrap())
        .json(&order);
    let mut job: Value = submit.send().await.unwrap().json().await.unwrap();
    loop {
        match job["status"].as_str() {
            Some("succeeded") => return started.elapsed(),
            Some("queued" | "running" | "delivering") => {}
            _ => panic!("the job did not succeed: {job}"),
        }
        let path = format!(
            "/api/jobs/{}?after={}&wait=25",
            job["id"].as_str().unwrap(),
            job["version"]
        );
        let poll = client.get(server.join(&path).unwrap());
        job = poll.send().await.unwrap().json().await.unwrap();
    }
}
