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

use atelier::{
    cache::semantic::{
        Candidate, Encoder as _, Index, Pocket, Record, VectorSet, Vectors as _, quantize,
    },
    store::redis::Redis,
};
use jiff::Timestamp;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};
use uuid::Uuid;

const ENTRIES: usize = 100_000;
const IN_REDIS: usize = 10_000;
const DIMENSIONS: usize = 384;
const LOOKUPS: usize = 1_000;
const COMPARED: usize = 200;
const NEIGHBOURS: usize = 8;
/// The similarity of a neighbour.
const LEAST: f32 = 0.5;

const HITS: usize = 40_000;
const CONNECTIONS: usize = 50;

fn main() {
    search();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(search_in_redis());
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
        std::hint::black_box(index.nearest(1, query, LEAST, NEIGHBOURS, now));
        times.push(started.elapsed());
    }
    let mut hits = Hits::default();
    for query in &queries[..COMPARED] {
        let found = index.nearest(1, query, LEAST, NEIGHBOURS, now);
        hits.count(&exact(&vectors, query, |_| true), &found);
    }
    let recall = hits.recall();
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

/// In Redis' vector sets, with other parameters for every twentieth.
async fn search_in_redis() {
    let Ok(url) = std::env::var("ATELIER_BENCH_REDIS_8_URL") else {
        return;
    };
    let redis = Redis::open(url.parse().unwrap());
    let set = VectorSet::new(redis, IN_REDIS);
    let mut random = fastrand::Rng::with_seed(7);
    let mut vectors: Vec<Vec<f32>> = Vec::with_capacity(IN_REDIS);
    let (now, until) = (Timestamp::UNIX_EPOCH, Timestamp::now());
    let scope = |n: usize| (n % 20 == 19).into();
    let started = Instant::now();
    for n in 0..IN_REDIS {
        let near = (n % 10 == 9).then(|| vectors[random.usize(..n)].clone());
        let new = vector(&mut random, near.as_deref());
        set.put(&job(n), scope(n), &new, now, until).await.unwrap();
        vectors.push(new);
    }
    let per_second = IN_REDIS as f64 / started.elapsed().as_secs_f64();
    for (wanted, share) in [(0, 0.95), (1, 0.05)] {
        let (mut times, mut hits) = (Vec::new(), Hits::default());
        for _ in 0..COMPARED {
            let near = vectors[random.usize(..IN_REDIS)].clone();
            let query = vector(&mut random, Some(&near));
            let started = Instant::now();
            let found = set.nearest(wanted, &query, LEAST, NEIGHBOURS, now).await;
            times.push(started.elapsed());
            let exact = exact(&vectors, &query, |n| scope(n) == wanted);
            hits.count(&exact, &found.unwrap());
        }
        let (p50, p99) = percentiles(&mut times);
        println!(
            "{}",
            json!({
                "name": "vector-set-search", "entries": IN_REDIS, "share_with_the_parameters": share,
                "p50_ms": p50, "p99_ms": p99, "recall": hits.recall(), "puts_per_second": per_second.round(),
                "ok": hits.recall() >= 0.99,
            })
        );
    }
}

/// How many of the neighbours that an exact search finds are found.
#[derive(Default)]
struct Hits {
    found: usize,
    all: usize,
}

impl Hits {
    fn count(&mut self, exact: &[usize], found: &[Candidate]) {
        self.all += exact.len();
        let is_found = |n: usize| found.iter().any(|c| c.id == job(n));
        self.found += exact.iter().filter(|n| is_found(**n)).count();
    }

    fn recall(&self) -> f64 {
        self.found as f64 / self.all.max(1) as f64
    }
}

/// The neighbours by 32-bit numbers.
fn exact(vectors: &[Vec<f32>], query: &[f32], wanted: impl Fn(usize) -> bool) -> Vec<usize> {
    let mut near: Vec<(f32, usize)> = (0..vectors.len())
        .filter(|n| wanted(*n))
        .map(|n| (dot(&vectors[n], query), n))
        // What is nearer to the threshold than a number in one byte can tell may be missed.
        .filter(|(similarity, _)| *similarity >= LEAST + 0.01)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    near.truncate(NEIGHBOURS);
    near.into_iter().map(|(_, n)| n).collect()
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
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
            "name": "encode", "load_ms": load, "p50_ms": p50, "p99_ms": p99, "budget_ms": 3.0, "budget_p99_ms": 6.0,
            "ok": p50 <= 3.0 && p99 <= 6.0,
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
        .env("RUST_LOG", "atelier::cli::serve=info,warn")
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
