//! One suite, run over every store.

#![expect(clippy::unwrap_used, reason = "a test that fails should say where")]

mod calls;

use std::{ops::Deref, sync::Arc};

use atelier_calls::{CallStore, RedisCallStore, SqliteCallStore};
use atelier_store::{conformance, redis::Redis, sqlite::Database, testing};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

/// A store, empty.
struct Store {
    calls: Arc<dyn CallStore>,
    _folder: Option<TempDir>,
}

impl Deref for Store {
    type Target = dyn CallStore;

    fn deref(&self) -> &(dyn CallStore + 'static) {
        &*self.calls
    }
}

async fn sqlite() -> Store {
    let folder = tempfile::tempdir().unwrap();
    let schemas = [SqliteCallStore::SCHEMA];
    let database = Database::open(&folder.path().join("calls.db"), &schemas).unwrap();
    Store {
        calls: Arc::new(SqliteCallStore::new(database)),
        _folder: Some(folder),
    }
}

fn over_redis(redis: Redis) -> Store {
    Store {
        calls: Arc::new(RedisCallStore::new(redis)),
        _folder: None,
    }
}

async fn redis() -> Store {
    over_redis(testing::redis())
}

async fn cluster() -> Store {
    over_redis(testing::redis_cluster())
}

async fn redis_8() -> Store {
    over_redis(testing::redis_8())
}

/// So many minutes after the beginning of the test's time, which is that of an hour.
fn at(minutes: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap() + SignedDuration::from_mins(minutes)
}

conformance! { sqlite, redis, cluster, redis_8:
    calls::two_processes_count_together,
    calls::a_batch_is_added_once,
    calls::the_last_thousand_are_listed,
    calls::an_hour_has_a_bounded_number_of_lines,
    calls::old_hours_are_forgotten,
    calls::counters_are_added_up_by_what_is_asked,
}
