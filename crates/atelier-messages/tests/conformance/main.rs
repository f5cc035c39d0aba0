//! One suite, run over every store.

#![expect(clippy::unwrap_used, reason = "a test that fails should say where")]

mod events;
mod groups;
mod keys;
mod schedules;

use atelier_messages::{MessageStore, RedisMessageStore, SqliteMessageStore};
use atelier_store::{conformance, stores};
use jiff::{SignedDuration, Timestamp};

stores! { dyn MessageStore: SqliteMessageStore, RedisMessageStore }

/// Names that might be taken for something else: by SQL, by patterns, as parts of keys.
const NAMES: [&str; 12] = [
    "",
    " ",
    "a",
    "A",
    "a:door",
    "a}:events:b",
    "{queue}",
    "%_*?[a]",
    "'; DROP TABLE schedules; --",
    "line\nbreak\0nul",
    "日本語 😀 é",
    "\u{10ffff}",
];

/// So many milliseconds after the beginning of the test's time.
fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap() + SignedDuration::from_millis(milliseconds)
}

conformance! { sqlite, redis, cluster, redis_8:
    groups::a_group_is_kept_to_the_letter,
    groups::endpoints_replace_those_with_their_url_or_name,
    groups::a_group_goes_with_its_last_endpoint,
    groups::a_group_has_so_many_endpoints_at_most,
    groups::an_owner_has_so_many_groups_at_most,
    groups::fifty_at_once_add_fifty_endpoints,
    groups::owners_do_not_share_groups,
    schedules::a_schedule_is_kept_to_the_letter,
    schedules::a_schedule_replaces_everything_of_the_one_before,
    schedules::a_revision_never_comes_again,
    schedules::owners_have_so_many_schedules_and_do_not_share_them,
    schedules::a_slot_is_advanced_once_by_ten_processes,
    schedules::slots_that_were_missed_are_one,
    schedules::a_paused_schedule_is_not_due,
    schedules::a_schedule_without_a_slot_is_never_due,
    schedules::what_was_replaced_or_deleted_is_not_advanced,
    schedules::the_last_ten_messages_are_known,
    schedules::the_earliest_of_many_are_found,
    keys::generations_count_up_for_each_owner,
    keys::twenty_at_once_begin_twenty_generations,
    keys::one_of_twenty_messages_has_the_key,
    keys::a_key_is_free_after_its_window,
    keys::a_key_is_forgotten_by_its_message_alone,
    keys::owners_and_keys_do_not_share_messages,
    keys::what_has_expired_is_swept,
    events::events_are_kept_to_the_letter,
    events::events_are_listed_newest_first_in_pages,
    events::a_cursor_stays_while_events_come,
    events::events_of_a_millisecond_keep_their_order,
    events::each_owner_keeps_the_last,
    events::adding_again_changes_nothing,
    events::old_events_are_swept,
    events::ten_recorders_lose_nothing,
    events::any_cursor_is_answered,
}
