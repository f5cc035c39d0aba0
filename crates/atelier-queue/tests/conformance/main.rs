//! One suite, run over every store, and over a model of the queue: it is right when
//! what the stores are compared with passes too.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on has failed"
)]

mod queue;
mod work;
mod worker;

use std::sync::Arc;

use atelier_queue::{Housekeeping, RedisQueue, SqliteQueue};
use atelier_store::{conformance, redis::Redis, sqlite::Database, testing};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;

use crate::work::{DynCollection, DynQueue, Request};

/// The queue of one store, empty.
struct Stores {
    queue: Arc<DynQueue>,
    files: Arc<dyn Housekeeping>,
    collection: Arc<DynCollection>,
    _folder: Option<TempDir>,
}

async fn sqlite() -> Stores {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(
        &folder.path().join("queue.db"),
        &[SqliteQueue::<Request>::SCHEMA],
    )
    .unwrap();
    let queue = SqliteQueue::<Request>::take_over(database, at(0)).await;
    let queue = Arc::new(queue.unwrap());
    Stores {
        files: Arc::clone(&queue) as Arc<dyn Housekeeping>,
        collection: Arc::clone(&queue) as Arc<DynCollection>,
        queue,
        _folder: Some(folder),
    }
}

async fn redis() -> Stores {
    over_redis(testing::redis())
}

async fn cluster() -> Stores {
    over_redis(testing::redis_cluster())
}

async fn redis_8() -> Stores {
    over_redis(testing::redis_8())
}

fn over_redis(redis: Redis) -> Stores {
    let queue = Arc::new(RedisQueue::<Request>::new(redis));
    Stores {
        files: Arc::clone(&queue) as Arc<dyn Housekeeping>,
        collection: Arc::clone(&queue) as Arc<DynCollection>,
        queue,
        _folder: None,
    }
}

async fn model() -> Stores {
    Stores {
        queue: Arc::new(queue::Model::default()),
        ..sqlite().await
    }
}

/// So many milliseconds after the beginning of the test's time.
fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap() + SignedDuration::from_millis(milliseconds)
}

conformance! { sqlite, redis, cluster, redis_8, model:
    queue::a_job_goes_from_queued_to_succeeded,
    queue::a_failed_call_ends_failed_with_its_attempts,
    queue::every_change_raises_the_version_and_rings,
    queue::progress_is_seen_only_while_running,
    queue::cancelling_is_for_jobs_that_are_not_finished,
    queue::jobs_are_listed_newest_first_by_owner,
    queue::unknown_jobs_are_not_found,
    queue::adding_the_same_id_twice_adds_it_once,
    queue::what_was_given_is_kept_to_the_letter,
    queue::a_preview_is_seen_until_the_call_has_ended,
    queue::a_failure_may_have_an_outcome_that_tells_more,
    queue::two_workers_never_hold_one_job,
    queue::a_retry_waits_for_its_time,
    queue::a_lease_that_runs_out_gives_the_job_to_another,
    queue::a_heartbeat_keeps_the_lease,
    queue::a_heartbeat_that_comes_late_shortens_no_lease,
    queue::an_old_token_can_do_nothing,
    queue::a_recorded_outcome_is_delivered_again_but_not_called_again,
    queue::a_released_job_is_due_at_once_and_costs_no_attempt,
    queue::an_expired_lease_is_kept_as_a_failed_attempt,
    queue::tokens_grow_and_are_never_below_the_time,
    queue::recording_again_changes_nothing,
    queue::a_verdict_that_the_state_does_not_allow_is_refused,
    queue::completing_twice_changes_nothing,
    queue::jobs_are_claimed_in_the_order_they_came,
    queue::positions_count_the_jobs_ahead,
    queue::a_thousand_jobs_of_one_owner_delay_another_by_one,
    queue::pictures_count_as_turns,
    queue::a_higher_priority_goes_first,
    queue::a_retried_job_keeps_its_turn,
    queue::a_job_that_yields_goes_behind_others,
    queue::a_delayed_job_waits_for_its_time,
    queue::a_cancelled_job_gives_its_turn_back,
    queue::a_delivery_that_is_due_goes_before_calls,
    queue::lanes_do_not_block_each_other,
    queue::only_the_lanes_named_are_served_in_their_order,
    queue::a_lane_makes_so_many_calls_at_once,
    queue::calls_begin_evenly_spaced,
    queue::a_throttled_lane_is_held,
    queue::a_throttled_lane_halves_and_grows_by_one_a_second,
    queue::one_call_at_once_is_always_allowed,
    queue::identical_requests_in_flight_share_one_call,
    queue::fifty_identical_requests_at_once_make_one_call,
    queue::a_request_just_answered_is_not_called_again,
    queue::a_call_that_nobody_joined_lands_as_any,
    queue::followers_fail_with_their_leader,
    queue::a_leader_cancelled_is_carried_on_for_its_followers,
    queue::a_leader_deleted_is_carried_on_for_its_followers,
    queue::a_call_nobody_waits_for_is_stopped,
    queue::followers_have_the_outcome_once_they_have_ended,
    queue::an_answer_from_the_cache_is_finished_at_once,
    queue::an_answer_whose_picture_is_gone_is_not_given,
    queue::followers_are_queued_again_with_their_leader,
    queue::followers_read_reports_from_their_leader,
    queue::a_follower_that_leaves_disturbs_nobody,
    queue::what_pays_for_no_call_is_answered_at_once_or_not_at_all,
    queue::an_answer_is_wanted_while_the_call_may_be_made_again,
    queue::deleting_frees_only_what_nobody_else_needs,
    queue::a_deleted_leaders_blobs_go_when_its_call_ends,
    queue::a_deleted_leaders_blobs_go_when_nobody_waits_any_more,
    queue::a_deleted_leaders_blobs_stay_while_another_job_needs_them,
    queue::a_cancelled_leader_keeps_nothing_of_its_call,
    queue::deliveries_at_once_name_their_own_orphans,
    queue::an_end_is_noted_until_it_is_acknowledged,
    queue::who_has_nothing_to_settle_or_to_hear_is_not_noted,
    queue::every_attempt_is_owed_whatever_became_of_it,
    queue::an_answer_recorded_under_a_later_claim_is_owed_once,
    queue::an_answer_that_was_settled_when_it_was_lost_is_not_owed_again,
    queue::a_follower_pays_when_the_leader_left_before_the_call,
    queue::a_leader_that_leaves_during_the_call_still_owes_it,
    queue::the_last_to_leave_owes_the_call_that_was_stopped,
    queue::an_end_outlives_its_job,
    queue::what_a_call_cost_before_it_was_revived_is_not_owed_again,
    queue::an_answer_from_a_cache_is_noted_and_free,
    queue::a_secluded_job_is_joined_by_nobody,
    queue::a_follower_that_was_secluded_is_alone_when_it_is_tried_again,
    queue::owners_that_differ_in_a_part_share_a_turn,
    queue::dead_letters_are_listed_newest_first_in_pages,
    queue::a_deleted_dead_letter_is_gone,
    queue::a_revived_job_begins_anew,
    queue::a_revived_jobs_deliveries_are_counted_anew,
    queue::only_failed_jobs_are_revived,
    queue::a_revived_job_joins_the_flight,
    queue::a_ticket_from_before_is_no_right_to_a_follower,
    queue::finished_jobs_are_named_oldest_first,
    queue::a_line_is_kept_through_retries,
    queue::a_line_is_kept_through_expired_leases,
    queue::the_next_in_line_waits_for_what_inherits_the_slot,
    queue::acknowledging_an_end_lets_the_next_in_line_begin,
    queue::no_more_jobs_hold_a_gate_than_it_has_slots,
    queue::many_workers_hold_no_more_than_there_are_slots,
    queue::no_more_calls_begin_in_a_period_than_its_rate_allows,
    queue::a_retry_counts_towards_the_rate,
    queue::a_paused_gate_starts_nothing,
    queue::a_raised_limit_lets_more_begin,
    queue::a_lowered_limit_holds_for_what_has_not_begun,
    queue::pinned_terms_are_not_changed_by_jobs,
    queue::a_reset_rate_begins_a_new_period,
    queue::a_removed_gate_lets_those_who_wait_pass,
    queue::a_dead_letter_that_is_retried_passes_anew,
    queue::who_leaves_a_line_leaves_it_in_order,
    queue::a_delayed_job_comes_to_its_gates_when_it_is_due,
    queue::gates_are_passed_in_one_order,
    queue::what_waits_for_a_gate_has_no_position,
    queue::jobs_that_wait_at_a_gate_hold_up_nobody,
    queue::gates_are_listed_by_prefix_in_pages,
    queue::a_call_is_finished_in_one_step,
    queue::what_is_done_together_keeps_to_the_gates,
    queue::an_owners_jobs_are_listed_by_state,
}

/// What the model does not do.
mod shared {
    use super::{Stores, queue, worker};

    async fn sqlite() -> Stores {
        super::sqlite().await
    }

    async fn redis() -> Stores {
        super::redis().await
    }

    async fn cluster() -> Stores {
        super::cluster().await
    }

    async fn redis_8() -> Stores {
        super::redis_8().await
    }

    super::conformance! { sqlite, redis, cluster, redis_8:
        queue::what_loses_its_last_reference_is_to_be_discarded,
        queue::notes_of_discards_are_cleared,
        queue::a_mark_moves_on_and_never_back,
        queue::gates_that_nothing_names_are_removed,
        queue::gates_that_stay_are_bounded,
        queue::many_who_make_gates_at_once_make_no_more_than_there_may_be,
        queue::jobs_are_found_by_the_beginnings_of_their_words,
        queue::only_an_owners_own_successes_are_found,
        queue::what_is_found_comes_in_pages,
        queue::what_is_searched_for_does_no_harm,
        queue::every_store_finds_what_the_words_say,
        queue::what_is_deleted_meanwhile_is_not_found,
        queue::favourites_are_found,
        queue::jobs_are_sorted_into_folders,
        queue::only_an_owners_own_successes_are_marked,
        queue::folders_are_bounded_in_number,
        queue::marks_made_at_once_add_up,
        worker::a_call_is_made_again_and_its_end_attended_to,
        worker::a_call_that_fails_for_good_is_told_of,
        worker::what_is_in_progress_is_finished_before_workers_stop,
        worker::a_worker_that_dies_is_replaced,
    }
}
