//! One suite, run over every store.

#![expect(clippy::unwrap_used, reason = "a test that fails should say where")]

mod access;

use atelier_access::{AccessStore, RedisAccessStore, SqliteAccessStore};
use atelier_store::{conformance, stores};
use jiff::{SignedDuration, Timestamp};

stores! { dyn AccessStore: SqliteAccessStore, RedisAccessStore }

/// So many milliseconds after the beginning of the test's time.
fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap() + SignedDuration::from_millis(milliseconds)
}

conformance! { sqlite, redis, cluster, redis_8:
    access::a_key_is_kept_to_the_letter,
    access::a_key_can_be_revoked,
    access::the_deny_list_has_each_subject_once,
    access::a_job_is_withheld_until_it_is_shared_again,
    access::a_gate_knows_a_new_key_at_once_and_a_revoked_one_after_its_renewal,
    access::a_key_ends_when_it_expires,
    access::wrong_keys_are_limited_and_right_ones_are_not,
    access::a_gate_denies_until_the_end,
}
