//! The Redis servers that `cargo xtask test` starts.

use std::sync::atomic::{AtomicU8, Ordering};

use atelier::store::redis::Redis;

const SINGLE: &str = "ATELIER_TEST_REDIS_URL";
const EIGHT: &str = "ATELIER_TEST_REDIS_8_URL";

/// The single server, under a prefix of this test's own.
pub(crate) fn redis() -> Redis {
    open(SINGLE)
}

/// The cluster, likewise.
pub(crate) fn redis_cluster() -> Redis {
    open("ATELIER_TEST_REDIS_CLUSTER_URL")
}

/// The one that has vector sets.
pub(crate) fn redis_8() -> Redis {
    open(EIGHT)
}

fn open(variable: &str) -> Redis {
    let redis = Redis::open(url(variable).parse().unwrap());
    redis.with_prefix(&format!("test:{:016x}:", fastrand::u64(..)))
}

fn url(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!(
            "{variable} names no Redis to test with: run `cargo xtask test`, which starts one, or set it."
        )
    })
}

/// The address of an empty database of the single server, for processes that
/// cannot be told a prefix. There are 63.
pub(crate) async fn redis_database() -> String {
    database(SINGLE).await
}

/// One of the server that has vector sets.
pub(crate) async fn redis_8_database() -> String {
    database(EIGHT).await
}

async fn database(variable: &str) -> String {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let number = NEXT.fetch_add(1, Ordering::SeqCst);
    let url = format!("{}/{number}", url(variable).trim_end_matches('/'));
    let database = Redis::open(url.parse().unwrap());
    database.query::<()>(&redis::cmd("FLUSHDB")).await.unwrap();
    url
}
