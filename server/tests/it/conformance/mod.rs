//! One suite per room, run over every store. A new store is one more line in
//! `suites!` and a function that opens it.

mod cache;
mod limit;
mod queue;

use std::sync::Arc;

use atelier::{
    cache::{Cache, SqliteCache},
    limit::{Limiter, SqliteLimiter},
    queue::{Queue, SqliteQueue},
    sqlite::Database,
};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

/// The rooms of one store, empty.
pub(crate) struct Stores {
    queue: Arc<dyn Queue>,
    cache: Arc<dyn Cache>,
    limiter: Arc<dyn Limiter>,
    _folder: TempDir,
}

async fn sqlite() -> Stores {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&folder.path().join("atelier.db")).unwrap();
    Stores {
        queue: Arc::new(
            SqliteQueue::take_over(database.clone(), at(0))
                .await
                .unwrap(),
        ),
        cache: Arc::new(SqliteCache::new(database.clone())),
        limiter: Arc::new(SqliteLimiter::new(database)),
        _folder: folder,
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
            super::$room::$test(super::$store().await).await;
        })+
    };
}

suites! { sqlite:
    queue::a_job_goes_from_queued_to_succeeded,
    queue::a_failed_call_ends_failed_with_its_attempts,
    queue::jobs_are_claimed_in_the_order_they_came,
    queue::two_workers_never_hold_one_job,
    queue::a_retry_waits_for_its_time,
    queue::a_lease_that_runs_out_gives_the_job_to_another,
    queue::a_heartbeat_keeps_the_lease,
    queue::an_old_token_can_do_nothing,
    queue::a_recorded_outcome_is_delivered_again_but_not_called_again,
    queue::a_released_job_is_due_at_once_and_costs_no_attempt,
    queue::completing_twice_changes_nothing,
    queue::every_change_raises_the_version_and_rings,
    queue::progress_is_seen_only_while_running,
    queue::positions_count_the_jobs_ahead,
    queue::identical_requests_in_flight_share_one_call,
    queue::fifty_identical_requests_at_once_make_one_call,
    queue::a_request_just_answered_is_not_called_again,
    queue::followers_fail_with_their_leader,
    queue::a_leader_cancelled_is_carried_on_for_its_followers,
    queue::a_leader_deleted_is_carried_on_for_its_followers,
    queue::a_call_nobody_waits_for_is_stopped,
    queue::cancelling_is_for_jobs_that_are_not_finished,
    queue::an_answer_from_the_cache_is_finished_at_once,
    queue::an_answer_whose_picture_is_gone_is_not_given,
    queue::deleting_frees_only_what_nobody_else_needs,
    queue::jobs_are_listed_newest_first_by_owner,
    queue::unknown_jobs_are_not_found,
    cache::an_entry_is_found_until_its_time_is_over,
    cache::a_later_entry_replaces_an_earlier,
    cache::removed_and_swept_entries_are_gone,
    limit::the_quota_is_given_out_once_per_window,
    limit::a_rejected_request_consumes_nothing_anywhere,
    limit::a_refund_gives_back_what_was_charged,
    limit::a_refund_after_the_window_changes_nothing,
    limit::subjects_do_not_share,
    limit::a_look_changes_nothing,
    limit::fifty_at_once_never_get_more_than_the_quota,
    limit::a_quota_lowered_is_obeyed,
}
