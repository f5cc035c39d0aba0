//! The Redis servers that `cargo xtask test` starts.

use std::sync::atomic::{AtomicU8, Ordering};

use atelier::store::redis::Redis;

/// The single server, under a prefix of this test's own.
pub(crate) fn redis() -> Redis {
    open("ATELIER_TEST_REDIS_URL")
}

/// The cluster, likewise.
pub(crate) fn redis_cluster() -> Redis {
    open("ATELIER_TEST_REDIS_CLUSTER_URL")
}

fn open(variable: &str) -> Redis {
    let Ok(url) = std::env::var(variable) else {
        panic!(
            "{variable} names no Redis to test with: run `cargo xtask test`, which starts one, or set it."
        );
    };
    Redis::open(url.parse().unwrap()).with_prefix(&format!("test:{:016x}:", fastrand::u64(..)))
}

/// The address of an empty database of the single server, for processes that
/// cannot be told a prefix. There are 63.
pub(crate) async fn redis_database() -> String {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let number = NEXT.fetch_add(1, Ordering::SeqCst);
    let server = std::env::var("ATELIER_TEST_REDIS_URL").expect("ATELIER_TEST_REDIS_URL is set");
    let url = format!("{}/{number}", server.trim_end_matches('/'));
    let database = Redis::open(url.parse().unwrap());
    database.query::<()>(&redis::cmd("FLUSHDB")).await.unwrap();
    url
}
