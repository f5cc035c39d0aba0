//! The stores for tests. `cargo xtask test` starts the Redis servers and passes their
//! addresses in the environment.

#![expect(clippy::expect_used, reason = "a test has no other way to fail")]

mod opened;
mod sequences;

use std::sync::atomic::{AtomicU8, Ordering};

pub use self::{opened::Opened, sequences::try_sequences};
use crate::redis::Redis;

const SINGLE: &str = "ATELIER_TEST_REDIS_URL";
const CLUSTER: &str = "ATELIER_TEST_REDIS_CLUSTER_URL";
const EIGHT: &str = "ATELIER_TEST_REDIS_8_URL";

/// The single server, with a unique prefix.
pub fn redis() -> Redis {
    open(SINGLE)
}

/// The cluster, likewise.
pub fn redis_cluster() -> Redis {
    open(CLUSTER)
}

/// The server that has vector sets, likewise.
pub fn redis_8() -> Redis {
    open(EIGHT)
}

fn open(variable: &str) -> Redis {
    let redis = Redis::open(url(variable).parse().expect("the address of a Redis"));
    redis.with_prefix(&format!("test:{:016x}:", fastrand::u64(..)))
}

fn url(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!(
            "{variable} names no Redis to test with: run `cargo xtask test`, which starts one, or set it."
        )
    })
}

/// The address of an empty database of the single server, for processes whose prefix
/// cannot be set. There are 63 per test program.
pub async fn redis_database() -> String {
    database(SINGLE).await
}

/// An empty database of the server that has vector sets.
pub async fn redis_8_database() -> String {
    database(EIGHT).await
}

async fn database(variable: &str) -> String {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let number = NEXT.fetch_add(1, Ordering::SeqCst);
    let url = format!("{}/{number}", url(variable).trim_end_matches('/'));
    let database = Redis::open(url.parse().expect("the address of a Redis"));
    let flushed = database.query::<()>(&::redis::cmd("FLUSHDB")).await;
    flushed.expect("the server answers");
    url
}

/// Runs each test of a suite over each store, in a module named after the store. A
/// store is a function of the crate that opens an empty one; a test is a function that
/// takes it.
#[macro_export]
macro_rules! conformance {
    ($($store:ident),+ : $($room:ident :: $test:ident),+ $(,)?) => {
        $crate::conformance!(@ [$($store),+] [$($room :: $test),+]);
    };
    (@ [$($store:ident),+] $tests:tt) => {
        $(mod $store { $crate::conformance!(@tests $store $tests); })+
    };
    (@tests $store:ident [$($room:ident :: $test:ident),+]) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            super::$room::$test(super::$store().await).await;
        })+
    };
}
