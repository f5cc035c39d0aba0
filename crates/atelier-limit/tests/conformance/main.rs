//! One suite, run over every store.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that fails should say where"
)]

mod limits;
mod model;

use atelier_limit::{Limiter, RedisLimiter, SqliteLimiter};
use atelier_store::{conformance, stores};
use jiff::{SignedDuration, Timestamp};

stores! { dyn Limiter: SqliteLimiter, RedisLimiter }

/// So many milliseconds after the beginning of the test's time.
fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap() + SignedDuration::from_millis(milliseconds)
}

conformance! { sqlite, redis, cluster, redis_8:
    limits::the_quota_is_given_out_once_per_window,
    limits::a_rejected_request_consumes_nothing_anywhere,
    limits::a_refund_gives_back_what_was_charged,
    limits::a_refund_after_the_window_changes_nothing,
    limits::subjects_do_not_share,
    limits::a_look_changes_nothing,
    limits::fifty_at_once_never_get_more_than_the_quota,
    limits::a_quota_lowered_is_obeyed,
    limits::a_refund_is_given_once,
    limits::a_settlement_may_cost_more_than_is_left,
    limits::a_cost_above_the_quota_never_fits,
    limits::a_policy_of_another_shape_begins_anew,
    limits::statistics_add_up_and_grow_old,
    limits::a_month_ends_with_the_calendars,
    limits::what_is_forgotten_says_nothing_any_more,
    model::any_sequence_agrees_with_the_pure_functions,
    model::a_memory_refuses_only_what_the_store_would,
}
