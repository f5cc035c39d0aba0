//! How fast messages are delivered: published to the real binary one by one, to a receiver that
//! answers at once, with callbacks and without, in the embedded store and in the Redis that
//! `ATELIER_BENCH_REDIS_URL` names; the delay that this adds; and what claiming costs beside a
//! hundred thousand messages that wait. `ATELIER_BENCH_MESSAGES` and `ATELIER_BENCH_WAITING` set
//! other counts. One JSON object per measurement on stdout; `cargo xtask bench messages` runs
//! this beside BullMQ.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measurement that fails should say where"
)]

mod publish;
mod receiver;
mod site;
mod waiting;

use std::{
    env,
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::time::sleep;

use self::{publish::Publisher, receiver::Receiver, site::Site};

/// Calls of each kind under way, and publishers at work.
pub(crate) const IN_FLIGHT: usize = 200;

/// Published one after the other, for the delay.
const ALONE: usize = 200;

/// Published before a measurement.
const WARMING: usize = 500;

const PATIENCE: Duration = Duration::from_secs(300);

/// At most two processors, as everything else has to share them.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let count = number("ATELIER_BENCH_MESSAGES", 20_000);
    let redis = env::var("ATELIER_BENCH_REDIS_URL").ok();
    let receiver = Receiver::start().await;
    let mut stores = vec![None];
    stores.extend(redis.as_deref().map(Some));
    for store in stores {
        let site = Site::start(store).await;
        for callbacks in [false, true] {
            deliver(&site, &receiver, count, callbacks).await;
        }
        alone(&site, &receiver).await;
    }
    waiting::measure(redis.as_deref(), number("ATELIER_BENCH_WAITING", 100_000)).await;
}

fn number(variable: &str, default: usize) -> usize {
    env::var(variable).map_or(default, |text| text.parse().unwrap())
}

/// From the first message published to the last that was delivered, and told of.
async fn deliver(site: &Site, receiver: &Receiver, count: usize, callbacks: bool) {
    eprintln!("delivering, {}, callbacks {callbacks}", site.store);
    let publisher = Publisher::new(site, receiver, callbacks);
    publish_all(&publisher, receiver, WARMING, callbacks).await;
    let started = Instant::now();
    let accepted = publish_all(&publisher, receiver, count, callbacks).await;
    let took = started.elapsed();
    let rate = |took: Duration| (count as f64 / took.as_secs_f64()).round();
    println!(
        "{}",
        json!({
            "name": "messages", "store": site.store, "callbacks": callbacks, "messages": count,
            "in_flight": IN_FLIGHT, "published_per_second": rate(accepted),
            "deliveries_per_second": rate(took),
        })
    );
}

/// Returns when the last of them had been accepted.
async fn publish_all(
    publisher: &Publisher,
    receiver: &Receiver,
    count: usize,
    callbacks: bool,
) -> Duration {
    receiver.forget();
    let started = Instant::now();
    publisher.all(count, IN_FLIGHT).await;
    let accepted = started.elapsed();
    let told = if callbacks { count } else { 0 };
    while receiver.delivered() < count || receiver.told() < told {
        assert!(
            started.elapsed() < PATIENCE,
            "{} of {count} delivered, {} of {told} told of",
            receiver.delivered(),
            receiver.told(),
        );
        sleep(Duration::from_millis(1)).await;
    }
    accepted
}

/// One message after the other: from the request to its arrival.
async fn alone(site: &Site, receiver: &Receiver) {
    eprintln!("the delay, {}", site.store);
    let publisher = Publisher::new(site, receiver, false);
    let mut delays = Vec::with_capacity(ALONE);
    for _ in 0..ALONE {
        receiver.forget();
        let sent = Instant::now();
        publisher.all(1, 1).await;
        while receiver.delivered() == 0 {
            assert!(sent.elapsed() < PATIENCE, "it never arrived");
            sleep(Duration::from_micros(200)).await;
        }
        delays.push(receiver.last().duration_since(sent));
    }
    delays.sort_unstable();
    let ms = |delay: Duration| (delay.as_secs_f64() * 10_000.0).round() / 10.0;
    println!(
        "{}",
        json!({
            "name": "messages delay", "store": site.store, "messages": ALONE,
            "p50_ms": ms(delays[ALONE / 2]), "p99_ms": ms(delays[ALONE * 99 / 100]),
        })
    );
}
