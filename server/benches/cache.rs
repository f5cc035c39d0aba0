//! The caches: a search among 100,000 vectors, an encoding, and an answer for the
//! same words from HTTP to HTTP. One JSON object per measurement on stdout;
//! `cargo xtask bench cache` runs this beside NumPy.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that fails should say where"
)]

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use atelier::cache::semantic::{Encoder as _, Index, Pocket, Record, quantize};
use jiff::Timestamp;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};
use uuid::Uuid;

const ENTRIES: usize = 100_000;
const DIMENSIONS: usize = 384;
const LOOKUPS: usize = 1_000;
const COMPARED: usize = 200;
const NEIGHBOURS: usize = 8;

const HITS: usize = 40_000;
const CONNECTIONS: usize = 50;

fn main() {
    search();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(encode());
    runtime.block_on(answer());
}

/// Random directions, every tenth near another, as prompts are.
fn vector(random: &mut fastrand::Rng, near: Option<&[f32]>) -> Vec<f32> {
    let noise = if near.is_some() { 0.3 } else { 1.0 };
    let vector: Vec<f32> = (0..DIMENSIONS)
        .map(|at| noise * (random.f32() - 0.5) + near.map_or(0.0, |near| 8.0 * near[at]))
        .collect();
    let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.into_iter().map(|x| x / norm).collect()
}

fn search() {
    let mut random = fastrand::Rng::with_seed(7);
    let mut vectors: Vec<Vec<f32>> = Vec::with_capacity(ENTRIES);
    for n in 0..ENTRIES {
        let near = (n % 10 == 9).then(|| vectors[random.usize(..n)].clone());
        let new = vector(&mut random, near.as_deref());
        vectors.push(new);
    }
    let before = memory();
    let index = Index::new(ENTRIES);
    for (n, vector) in vectors.iter().enumerate() {
        let (vector, scale) = quantize(vector);
        let record = Record {
            scope: 1,
            scale,
            vector,
            expires_at: i64::MAX,
            used_at: 0,
        };
        index.put(&job(n), &record);
    }
    let bytes = (memory() - before) as f64 / ENTRIES as f64;
    let queries: Vec<_> = (0..LOOKUPS)
        .map(|_| {
            let near = vectors[random.usize(..ENTRIES)].clone();
            vector(&mut random, Some(&near))
        })
        .collect();
    let now = Timestamp::UNIX_EPOCH;
    let mut times = Vec::with_capacity(LOOKUPS);
    for query in &queries {
        let started = Instant::now();
        std::hint::black_box(index.nearest(1, query, 0.6, NEIGHBOURS, now));
        times.push(started.elapsed());
    }
    let recall = recall(&index, &vectors, &queries[..COMPARED]);
    let (p50, p99) = percentiles(&mut times);
    println!(
        "{}",
        json!({
            "name": "semantic-search", "entries": ENTRIES, "p50_ms": p50, "p99_ms": p99,
            "bytes_per_entry": bytes.round(), "recall": recall,
            "ok": p99 <= 3.0 && bytes <= 600.0 && recall >= 0.99,
        })
    );
}

/// How many of the neighbours that an exact search finds are found.
fn recall(index: &Index, vectors: &[Vec<f32>], queries: &[Vec<f32>]) -> f64 {
    let (mut found, mut all) = (0, 0);
    for query in queries {
        let mut exact: Vec<(f32, usize)> = vectors
            .iter()
            .enumerate()
            .map(|(n, vector)| (vector.iter().zip(query).map(|(a, b)| a * b).sum(), n))
            .filter(|(similarity, _)| *similarity >= 0.6)
            .collect();
        exact.sort_by(|a, b| b.0.total_cmp(&a.0));
        exact.truncate(NEIGHBOURS);
        let near = index.nearest(1, query, 0.59, NEIGHBOURS, Timestamp::UNIX_EPOCH);
        all += exact.len();
        found += exact
            .iter()
            .filter(|(_, n)| near.iter().any(|c| c.job == job(*n)))
            .count();
    }
    found as f64 / all.max(1) as f64
}

fn job(n: usize) -> String {
    Uuid::from_u128(n as u128).simple().to_string()
}

async fn encode() {
    let encoder = Pocket::new();
    let started = Instant::now();
    encoder
        .encode("a first prompt loads the model")
        .await
        .unwrap();
    let load = milliseconds(started.elapsed());
    let mut times = Vec::new();
    for n in 0..200 {
        let prompt = format!(
            "a watercolor of {n} small boats in a quiet harbor at dawn, soft light, mist over the water"
        );
        let started = Instant::now();
        encoder.encode(&prompt).await.unwrap();
        times.push(started.elapsed());
    }
    let (p50, p99) = percentiles(&mut times);
    println!(
        "{}",
        json!({
            "name": "encode", "load_ms": load, "p50_ms": p50, "p99_ms": p99, "budget_ms": 8.0, "ok": p50 <= 8.0,
        })
    );
}

/// A server of its own, and clients that all ask for what it has painted.
async fn answer() {
    let folder = tempfile::tempdir().unwrap();
    let (mut server, address) = start(folder.path());
    let body = json!({ "prompt": "a boat" }).to_string();
    let request = format!(
        "POST /api/images HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let started = Instant::now();
    loop {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        if exchange(&mut stream, request.as_bytes())
            .await
            .contains("detail=exact")
        {
            break;
        }
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "the picture is painted"
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let left = Arc::new(AtomicUsize::new(HITS));
    let request: Arc<str> = request.into();
    let started = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (left, request, address) = (Arc::clone(&left), Arc::clone(&request), address.clone());
        clients.spawn(async move {
            let mut stream = TcpStream::connect(&address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            let mut times = Vec::new();
            while left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1))
                .is_ok()
            {
                let started = Instant::now();
                let head = exchange(&mut stream, request.as_bytes()).await;
                assert!(
                    head.starts_with("HTTP/1.1 200") && head.contains("detail=exact"),
                    "{head}"
                );
                times.push(started.elapsed());
            }
            times
        });
    }
    let mut times: Vec<Duration> = clients.join_all().await.into_iter().flatten().collect();
    let per_second = times.len() as f64 / started.elapsed().as_secs_f64();
    server.kill().unwrap();
    server.wait().unwrap();
    let (p50, p99) = percentiles(&mut times);
    println!(
        "{}",
        json!({
            "name": "exact-hit", "store": "sqlite", "connections": CONNECTIONS, "per_second": per_second.round(),
            "p50_ms": p50, "p99_ms": p99, "ok": per_second >= 10_000.0 && p99 < 10.0,
        })
    );
}

fn start(folder: &std::path::Path) -> (Child, String) {
    let file = folder.join("atelier.toml");
    fs::write(&file, "limits = []").unwrap();
    let mut server = Command::new(env!("CARGO_BIN_EXE_atelier"))
        .env_clear()
        .env("ATELIER_CONFIG", file)
        .env("ATELIER_DATA", folder.join("data"))
        .env("ATELIER_LISTEN", "127.0.0.1:0")
        .env("RUST_LOG", "atelier::serve=info,warn")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
    let line = lines
        .find_map(|line| line.ok().filter(|line| line.contains("serving at")))
        .unwrap();
    std::thread::spawn(move || lines.for_each(drop));
    let address = line.split("http://").nth(1).unwrap().trim_end_matches('/');
    (server, address.to_owned())
}

/// Sends the request and reads the whole answer; its head.
async fn exchange(stream: &mut TcpStream, request: &[u8]) -> String {
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::with_capacity(4096);
    loop {
        assert!(
            stream.read_buf(&mut answer).await.unwrap() > 0,
            "the server hung up"
        );
        let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
        let length = head
            .split("content-length: ")
            .nth(1)
            .and_then(|rest| rest.split("\r\n").next()?.parse::<usize>().ok());
        if answer.len() >= end + 4 + length.unwrap() {
            return String::from_utf8_lossy(&answer[..end]).into_owned();
        }
    }
}

fn percentiles(times: &mut [Duration]) -> (f64, f64) {
    times.sort();
    let at = |share: f64| milliseconds(times[((times.len() - 1) as f64 * share) as usize]);
    (at(0.5), at(0.99))
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e5).round() / 100.0
}

/// Bytes of this process in memory.
fn memory() -> usize {
    let status = fs::read_to_string("/proc/self/statm").unwrap();
    status.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}
