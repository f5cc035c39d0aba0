//! Ids that sort by time.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// What the id of a message begins with.
pub const MESSAGE: &str = "msg_";

/// What the id of a schedule begins with, if its maker gave none.
pub const SCHEDULE: &str = "scd_";

/// Crockford's base 32, in lower case: it sorts as the numbers do.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The number of digits: 130 bits, for 48 of time and 80 others.
const LENGTH: usize = 26;

/// The bits behind the time.
const OTHERS: u32 = 80;

/// A new id of a message, which sorts by time: `msg_` and 26 characters.
pub fn message(now: Timestamp) -> String {
    write(MESSAGE, now, Uuid::new_v4().as_u128())
}

/// A new id of a schedule.
pub fn schedule(now: Timestamp) -> String {
    write(SCHEDULE, now, Uuid::new_v4().as_u128())
}

/// The id of a message that follows from what it is: two processes that make the same message make
/// one. It sorts by `at`, which must follow from that as well.
///
/// # Examples
///
/// ```
/// use atelier_messages::ids;
/// use jiff::Timestamp;
///
/// let slot: Timestamp = "2026-11-27T07:30:00Z".parse()?;
/// let id = ids::derived(slot, &["owner", "scd_1", "3"]);
/// assert_eq!(id, ids::derived(slot, &["owner", "scd_1", "3"]));
/// assert_ne!(id, ids::derived(slot, &["owner", "scd_13", ""]));
/// assert_eq!(ids::time_of(&id), Some(slot));
/// # Ok::<(), jiff::Error>(())
/// ```
pub fn derived(at: Timestamp, parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    let digest = digest.finalize();
    let others = digest
        .iter()
        .take(16)
        .fold(0, |value, byte| value << 8 | u128::from(*byte));
    write(MESSAGE, at, others)
}

/// The id of a callback: it follows from its message and the token of the claim whose call it tells
/// of, and sorts beside its message.
pub fn callback(message: &str, token: u64) -> String {
    let at = time_of(message).unwrap_or(Timestamp::UNIX_EPOCH);
    derived(at, &[message, &token.to_string(), "callback"])
}

/// When a message with that id was made, in whole milliseconds; `None` if it is no such id.
pub fn time_of(id: &str) -> Option<Timestamp> {
    let digits = id.strip_prefix(MESSAGE)?.as_bytes();
    if digits.len() != LENGTH {
        return None;
    }
    let value = digits.iter().try_fold(0_u128, |value, digit| {
        let digit = DIGITS.iter().position(|known| known == digit)?;
        value.checked_mul(32)?.checked_add(digit as u128)
    })?;
    let milliseconds = i64::try_from(value >> OTHERS).ok()?;
    Timestamp::from_millisecond(milliseconds).ok()
}

/// The id of a dead letter: the milliseconds of its end, and its message's id.
pub fn dead_letter(ended: Timestamp, message: &str) -> String {
    format!("{}-{message}", ended.as_millisecond())
}

/// The end and the message of a dead letter's id; `None` if it is none.
pub fn read_dead_letter(id: &str) -> Option<(Timestamp, &str)> {
    let (milliseconds, message) = id.split_once('-')?;
    let ended = Timestamp::from_millisecond(milliseconds.parse().ok()?).ok()?;
    (!message.is_empty()).then_some((ended, message))
}

/// Times before 1970 are written as 1970, which no message is made in.
fn write(prefix: &str, at: Timestamp, others: u128) -> String {
    let milliseconds = u128::try_from(at.as_millisecond()).unwrap_or(0);
    let mut value = milliseconds << OTHERS | others & ((1 << OTHERS) - 1);
    let mut digits = [0; LENGTH];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(value % 32) as usize];
        value /= 32;
    }
    let digits = digits.iter().map(|digit| char::from(*digit));
    prefix.chars().chain(digits).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(milliseconds).unwrap()
    }

    #[test]
    fn ids_differ_and_sort_by_time() {
        let ids: HashSet<String> = (0..1000).map(|_| message(at(5))).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|id| id.len() == 30 && *id < message(at(6))));
        assert!(schedule(at(5)).starts_with("scd_"));
    }

    #[test]
    fn a_callback_is_the_same_however_often_it_is_made() {
        let source = message(at(1_795_000_000_000));
        let id = callback(&source, 1);
        assert_eq!(id, callback(&source, 1));
        assert_eq!(time_of(&id), time_of(&source));
        assert_ne!(id, callback(&source, 2));
        assert_ne!(id, source);
    }

    #[test]
    fn dead_letters_name_their_message() {
        let id = dead_letter(at(1_725_323_658_779), "msg_1-2");
        assert_eq!(id, "1725323658779-msg_1-2");
        assert_eq!(
            read_dead_letter(&id),
            Some((at(1_725_323_658_779), "msg_1-2"))
        );
        for id in [
            "",
            "-",
            "1-",
            "x-msg_1",
            "99999999999999999999-m",
            "9223372036854775807-m",
            "1",
        ] {
            assert_eq!(read_dead_letter(id), None, "{id:?}");
        }
    }

    #[test]
    fn other_ids_have_no_time() {
        for id in [
            "",
            "msg_",
            "msg_0",
            "scd_00000000000000000000000000",
            "msg_0000000000000000000000000u",
            "msg_zzzzzzzzzzzzzzzzzzzzzzzzzz",
        ] {
            assert_eq!(time_of(id), None, "{id:?}");
        }
    }

    proptest! {
        #[test]
        fn any_id_is_answered(id in ".*", digits in "[0-9a-z]{26}") {
            let _ = (time_of(&id), read_dead_letter(&id), time_of(&format!("msg_{digits}")));
        }

        #[test]
        fn time_is_kept_and_sorts(a in 0_i64..250_000_000_000_000, b in 0_i64..250_000_000_000_000) {
            let (first, second) = (message(at(a)), message(at(b)));
            prop_assert_eq!(time_of(&first), Some(at(a)));
            prop_assert!(a == b || (a < b) == (first < second));
        }
    }
}
