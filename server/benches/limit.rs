//! How many checks the limits make: over Redis where `ATELIER_BENCH_REDIS_URL`
//! names one, and in the embedded store; and how long a check takes when it is
//! alone. One JSON object per measurement on stdout; `cargo xtask bench limit`
//! runs this beside rate-limiter-flexible.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that fails should say where"
)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use atelier::{
    app::schema,
    limit::{Demand, Limiter, Policy, RedisLimiter, Scope, SqliteLimiter},
    store::redis::Redis,
};
use jiff::Timestamp;
use serde_json::json;
use tokio::task::JoinSet;

const CHECKS: usize = 200_000;
const IN_FLIGHT: usize = 200;
const IDENTITIES: usize = 1_000;
const ALONE: usize = 2_000;

#[tokio::main]
async fn main() {
    if let Ok(url) = std::env::var("ATELIER_BENCH_REDIS_URL") {
        let redis = Redis::open(url.parse().unwrap());
        redis.ping().await.unwrap();
        measure("redis", Arc::new(RedisLimiter::new(redis))).await;
    }
    let folder = tempfile::tempdir().unwrap();
    let database = schema::open(&folder.path().join("atelier.db")).unwrap();
    measure("sqlite", Arc::new(SqliteLimiter::new(database))).await;
}

async fn measure(store: &str, limiter: Arc<dyn Limiter>) {
    for policies in [one(), four()] {
        check_all(&limiter, &policies).await;
        let rate = check_all(&limiter, &policies).await;
        let alone = alone(&limiter, &policies).await;
        println!(
            "{}",
            json!({
                "name": "limit", "store": store, "policies": policies.len(),
                "checks": CHECKS, "in_flight": IN_FLIGHT, "identities": IDENTITIES,
                "checks_per_second": rate,
                "alone_p50_us": percentile(&alone, 50), "alone_p99_us": percentile(&alone, 99),
            })
        );
    }
}

fn one() -> Vec<Arc<Policy>> {
    vec![policy("one", "ip", "fixed_window")]
}

/// One of each kind, and one that everybody shares.
fn four() -> Vec<Arc<Policy>> {
    vec![
        policy("first", "ip", "fixed_window"),
        policy("second", "ip", "sliding_window"),
        policy("third", "ip", "token_bucket"),
        policy("fourth", "global", "fixed_window"),
    ]
}

fn policy(name: &str, scope: &str, algorithm: &str) -> Arc<Policy> {
    let text = format!(
        "name = '{name}'\nscope = '{scope}'\nunit = 'requests'\nalgorithm = '{algorithm}'\n\
         quota = 10000000\nwindow = '1m'"
    );
    Arc::new(toml::from_str(&text).unwrap())
}

fn demands(policies: &[Arc<Policy>], number: usize) -> Vec<Demand> {
    let subject = format!("10.0.0.{}", number % IDENTITIES);
    let demand = |policy: &Arc<Policy>| {
        let everybody = policy.scope == Scope::Global;
        Demand::new(policy, if everybody { "" } else { &subject }, 1)
    };
    policies.iter().map(demand).collect()
}

async fn check_all(limiter: &Arc<dyn Limiter>, policies: &[Arc<Policy>]) -> u64 {
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..IN_FLIGHT {
        let (limiter, next, policies) = (Arc::clone(limiter), Arc::clone(&next), policies.to_vec());
        clients.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= CHECKS {
                    return;
                }
                let demands = demands(&policies, number);
                let decision = limiter.charge(demands, Timestamp::now()).await.unwrap();
                assert!(decision.receipts.is_some());
            }
        });
    }
    clients.join_all().await;
    (CHECKS as f64 / started.elapsed().as_secs_f64()) as u64
}

/// One check after the other; the shortest first.
async fn alone(limiter: &Arc<dyn Limiter>, policies: &[Arc<Policy>]) -> Vec<Duration> {
    let mut times = Vec::with_capacity(ALONE);
    for number in 0..ALONE {
        let started = Instant::now();
        let demands = demands(policies, number);
        limiter.charge(demands, Timestamp::now()).await.unwrap();
        times.push(started.elapsed());
    }
    times.sort();
    times
}

fn percentile(sorted: &[Duration], percent: usize) -> u64 {
    let index = (sorted.len() * percent / 100).min(sorted.len() - 1);
    u64::try_from(sorted[index].as_micros()).unwrap_or(u64::MAX)
}
