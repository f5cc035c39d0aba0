//! How fast the queue is: in the embedded store, in Redis where
//! `ATELIER_BENCH_REDIS_URL` names one, and around a provider that answers at
//! once. Jobs may be joined, as real orders may. `ATELIER_BENCH_FINISHED` says
//! how many finished jobs there are before. One JSON object per measurement on
//! stdout; `cargo xtask bench queue` runs this beside BullMQ.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that fails should say where"
)]

mod overhead;

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use atelier::{
    app::schema,
    job::{ImageTask, Outcome, Request, Task},
    queue::{
        Claim, Completion, DynQueue, Hooks, Join, Lane, NewJob, Priority, RedisQueue, SqliteQueue,
        Verdict,
    },
    store::redis::Redis,
};
use jiff::Timestamp;
use serde_json::json;
use tokio::task::JoinSet;

const JOBS: usize = 20_000;
const IN_FLIGHT: usize = 200;
const CONCURRENCY: usize = 100;
const LEASE: Duration = Duration::from_secs(60);

/// How long a success is joined, as the studio has it.
const WINDOW: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let database = schema::open(&folder.path().join("atelier.db")).unwrap();
    let queue = SqliteQueue::take_over(database, Timestamp::now()).await;
    measure("sqlite", Arc::new(queue.unwrap())).await;
    if let Ok(url) = std::env::var("ATELIER_BENCH_REDIS_URL") {
        let redis = Redis::open(url.parse().unwrap());
        redis.ping().await.unwrap();
        measure("redis", Arc::new(RedisQueue::new(redis))).await;
    }
    overhead::measure().await;
}

async fn measure(store: &str, queue: Arc<DynQueue>) {
    let finished = std::env::var("ATELIER_BENCH_FINISHED");
    let finished: usize = finished.map_or(0, |number| number.parse().unwrap());
    add(&queue, JOBS..JOBS + finished, answered).await;
    let adds = rate(add(&queue, 0..JOBS, job).await);
    let jobs = rate(work(&queue).await);
    println!(
        "{}",
        json!({
            "name": "queue", "store": store, "jobs": JOBS, "finished_before": finished,
            "adds_per_second": adds, "adds_in_flight": IN_FLIGHT,
            "jobs_per_second": jobs, "concurrency": CONCURRENCY,
        })
    );
}

fn rate(took: Duration) -> u64 {
    (JOBS as f64 / took.as_secs_f64()) as u64
}

async fn add(queue: &Arc<DynQueue>, numbers: Range<usize>, new: fn(usize) -> NewJob) -> Duration {
    let next = Arc::new(AtomicUsize::new(numbers.start));
    let started = Instant::now();
    let mut adders = JoinSet::new();
    for _ in 0..IN_FLIGHT {
        let (queue, next) = (Arc::clone(queue), Arc::clone(&next));
        adders.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= numbers.end {
                    return;
                }
                queue.enqueue(new(number), Timestamp::now()).await.unwrap();
            }
        });
    }
    adders.join_all().await;
    started.elapsed()
}

/// Claimed, recorded and delivered, each step acknowledged by the store.
async fn work(queue: &Arc<DynQueue>) -> Duration {
    let done = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let mut workers = JoinSet::new();
    for _ in 0..CONCURRENCY {
        let (queue, done) = (Arc::clone(queue), Arc::clone(&done));
        workers.spawn(async move {
            let lanes = [Lane::open("test")];
            while done.load(Ordering::Relaxed) < JOBS {
                let claim = queue.claim(&lanes, Timestamp::now(), LEASE).await.unwrap();
                let Claim::Call(job) = claim else {
                    return;
                };
                let (ticket, now) = (job.ticket(), Timestamp::now());
                let verdict = Verdict::Record(outcome());
                queue.settle(&ticket, verdict, now).await.unwrap();
                let completion = queue.complete(&ticket, now).await.unwrap();
                assert!(matches!(completion, Completion::Applied { .. }));
                done.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    workers.join_all().await;
    assert_eq!(done.load(Ordering::Relaxed), JOBS);
    started.elapsed()
}

/// One that is finished at once.
fn answered(number: usize) -> NewJob {
    NewJob {
        answer: Some(outcome()),
        ..job(number)
    }
}

fn job(number: usize) -> NewJob {
    let prompt = format!("a lighthouse in the evening, waves, and gulls, number {number}");
    let task = ImageTask {
        quality: "high".into(),
        ..ImageTask::of(prompt, "1024x1024".into(), 1)
    };
    let request = Request {
        provider: "test".into(),
        model: "none".into(),
        variation: 0,
        found: None,
        task: Task::Image(task),
    };
    NewJob {
        id: format!("{number:032x}"),
        owner: format!("owner {}", number % 20),
        join: Some(Join {
            digest: request.digest(None),
            window: WINDOW,
        }),
        request,
        priority: Priority::Normal,
        not_before: None,
        charge: json!([]),
        hooks: Hooks::default(),
        answer: None,
        answered_only: false,
        gates: Vec::new(),
        inherits: None,
    }
}

fn outcome() -> Outcome {
    Outcome::Succeeded {
        pictures: Vec::new(),
        cost_usd: None,
        left_out: Vec::new(),
        earlier_claims: Vec::new(),
        made_by: None,
    }
}
