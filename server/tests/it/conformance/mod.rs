//! One suite per room, run over every store: the embedded one, a Redis, a
//! cluster of three, and a Redis that has vector sets. A new store is one more word in `suites!` and a function
//! that opens it.

mod hits;
mod ledger;
mod over_limit;
pub(crate) mod refusals;
mod sweep;

use std::sync::Arc;

use atelier::{
    access::{AccessStore, RedisAccessStore, SqliteAccessStore},
    app::schema,
    cache::{Cache, RedisCache, SqliteCache},
    calls::{CallStore, PinStore, RedisCallStore, SqliteCallStore},
    limit::{Limiter, RedisLimiter, SqliteLimiter},
    queue::{DynCollection, DynQueue, Housekeeping, RedisQueue, SqliteQueue},
    store::redis::Redis,
};
use atelier_messages::{MessageStore, RedisMessageStore, SqliteMessageStore};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use crate::support;

/// How many entries the caches keep.
const MOST: usize = 5;

/// The rooms of one store, empty.
pub(crate) struct Stores {
    queue: Arc<DynQueue>,
    collection: Arc<DynCollection>,
    files: Arc<dyn Housekeeping>,
    cache: Arc<dyn Cache>,
    limiter: Arc<dyn Limiter>,
    access: Arc<dyn AccessStore>,
    calls: Arc<dyn CallStore>,
    pins: Arc<dyn PinStore>,
    messages: Arc<dyn MessageStore>,
    _folder: TempDir,
}

async fn sqlite() -> Stores {
    let folder = tempfile::tempdir().unwrap();
    let database = schema::open(&folder.path().join("atelier.db")).unwrap();
    let queue = SqliteQueue::take_over(database.clone(), at(0)).await;
    let queue = Arc::new(queue.unwrap());
    Stores {
        collection: Arc::clone(&queue) as Arc<DynCollection>,
        files: Arc::clone(&queue) as Arc<dyn Housekeeping>,
        queue,
        cache: Arc::new(SqliteCache::new(database.clone(), MOST as u64)),
        access: Arc::new(SqliteAccessStore::new(database.clone())),
        calls: Arc::new(SqliteCallStore::new(database.clone())),
        pins: Arc::new(SqliteCallStore::new(database.clone())),
        messages: Arc::new(SqliteMessageStore::new(database.clone())),
        limiter: Arc::new(SqliteLimiter::new(database)),
        _folder: folder,
    }
}

async fn redis() -> Stores {
    over_redis(support::redis())
}

async fn cluster() -> Stores {
    over_redis(support::redis_cluster())
}

async fn redis_8() -> Stores {
    over_redis(support::redis_8())
}

fn over_redis(redis: Redis) -> Stores {
    let queue = Arc::new(RedisQueue::new(redis.clone()));
    Stores {
        collection: Arc::clone(&queue) as Arc<DynCollection>,
        files: Arc::clone(&queue) as Arc<dyn Housekeeping>,
        queue,
        cache: Arc::new(RedisCache::new(redis.clone(), MOST as u64)),
        access: Arc::new(RedisAccessStore::new(redis.clone())),
        calls: Arc::new(RedisCallStore::new(redis.clone())),
        pins: Arc::new(RedisCallStore::new(redis.clone())),
        messages: Arc::new(RedisMessageStore::new(redis.clone())),
        limiter: Arc::new(RedisLimiter::new(redis)),
        _folder: tempfile::tempdir().unwrap(),
    }
}

/// So many milliseconds after the beginning of the test's time.
fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap() + SignedDuration::from_millis(milliseconds)
}

macro_rules! suites {
    ($($store:ident),+ : $($room:ident :: $test:ident),+ $(,)?) => {
        suites!(@ [$($store),+] [$($room :: $test),+]);
    };
    (@ [$($store:ident),+] $tests:tt) => {
        $(mod $store { suites!(@tests $store $tests); })+
    };
    (@tests $store:ident [$($room:ident :: $test:ident),+]) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            crate::conformance::$room::$test(crate::conformance::$store().await).await;
        })+
    };
}

mod shared {
    suites! { sqlite, redis, cluster, redis_8:
        sweep::all_old_jobs_go_in_one_sweep,
        refusals::who_has_had_too_much_refused_is_held,
        over_limit::an_answer_is_given_to_who_is_over_a_limit,
        over_limit::an_answer_that_is_deleted_meanwhile_is_refused_by_the_limit,
        over_limit::an_answer_whose_picture_goes_meanwhile_is_refused_by_the_limit,
        hits::a_hit_asks_once_whether_its_source_is_withheld,
        hits::an_answer_that_is_deleted_after_it_was_found_is_made_again,
        hits::a_hit_with_nothing_to_give_back_is_not_noted,
        hits::a_hit_has_its_charge_back_when_it_is_answered,
    }
}
