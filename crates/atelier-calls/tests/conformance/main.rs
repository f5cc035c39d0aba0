//! One suite, run over every store.

#![expect(clippy::unwrap_used, reason = "a test that fails should say where")]

mod calls;
mod pins;

use atelier_calls::{CallStore, RedisCallStore, SqliteCallStore};
use atelier_store::{conformance, stores};
use jiff::{SignedDuration, Timestamp};

stores! { dyn CallStore: SqliteCallStore, RedisCallStore }

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
    calls::contents_are_kept_for_a_while,
    calls::contents_of_the_last_calls_are_kept,
    calls::counters_are_added_up_by_what_is_asked,
}
