//! One suite for each cache, run over every store.

#![expect(clippy::unwrap_used, reason = "a test that fails should say where")]

mod exact;
mod log;
mod vectors;

use std::sync::Arc;

use atelier_cache::{
    Cache, RedisCache, SqliteCache,
    semantic::{InProcessIndex, RedisVectorLog, SqliteVectorLog, VectorLog, VectorSet, Vectors},
};
use atelier_store::{conformance, redis::Redis, sqlite::Database, testing};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

/// How many entries the caches keep.
const MOST: usize = 5;

/// The caches of one store, empty.
struct Stores {
    cache: Arc<dyn Cache>,
    log: Arc<dyn VectorLog>,
    /// Of two processes.
    vectors: [Box<dyn Vectors>; 2],
    _folder: Option<TempDir>,
}

async fn sqlite() -> Stores {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&folder.path().join("cache.db"), &[SqliteCache::SCHEMA]).unwrap();
    let log = || SqliteVectorLog::new(database.clone());
    Stores {
        cache: Arc::new(SqliteCache::new(database.clone(), MOST as u64)),
        log: Arc::new(log()),
        vectors: two(|| Box::new(InProcessIndex::new(log(), MOST))),
        _folder: Some(folder),
    }
}

async fn redis() -> Stores {
    over_redis(&testing::redis())
}

async fn cluster() -> Stores {
    over_redis(&testing::redis_cluster())
}

async fn redis_8() -> Stores {
    let redis = testing::redis_8();
    Stores {
        vectors: two(|| Box::new(VectorSet::new(redis.clone(), MOST))),
        ..over_redis(&redis)
    }
}

fn over_redis(redis: &Redis) -> Stores {
    let log = || RedisVectorLog::new(redis.clone());
    Stores {
        log: Arc::new(log()),
        vectors: two(|| Box::new(InProcessIndex::new(log(), MOST))),
        cache: Arc::new(RedisCache::new(redis.clone(), MOST as u64)),
        _folder: None,
    }
}

fn two(make: impl Fn() -> Box<dyn Vectors>) -> [Box<dyn Vectors>; 2] {
    [make(), make()]
}

/// So many milliseconds after the beginning of the test's time.
fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap() + SignedDuration::from_millis(milliseconds)
}

conformance! { sqlite, redis, cluster, redis_8:
    exact::an_entry_is_found_until_its_time_is_over,
    exact::a_later_entry_replaces_an_earlier,
    exact::removed_and_swept_entries_are_gone,
    exact::the_longest_unused_makes_room,
    exact::all_entries_are_forgotten_at_once,
    exact::savings_add_up_by_the_hour,
    log::changes_come_in_their_order_and_the_last_counts,
    log::what_is_over_is_forgotten,
    vectors::the_nearest_with_the_same_parameters_are_found,
    vectors::no_more_neighbours_are_found_than_asked_for,
    vectors::vectors_of_other_lengths_are_no_neighbours,
    vectors::a_later_vector_replaces_an_earlier,
    vectors::what_is_removed_is_found_by_nobody,
    vectors::what_has_expired_is_not_found,
    vectors::the_longest_unused_vector_makes_room,
    vectors::all_vectors_are_forgotten_at_once,
}
