//! One counter per calendar month in UTC.

use jiff::{Timestamp, tz::Offset};

use super::{Counter, fixed_window};

const DAY: i64 = 24 * 60 * 60 * 1000;

/// The length of the longest months.
pub(crate) const LONGEST: i64 = 31 * DAY;

/// The beginning of the month that contains `now`.
pub(crate) fn start(now: i64) -> i64 {
    let moment = Timestamp::from_millisecond(now).unwrap_or_default();
    let day = i64::from(Offset::UTC.to_datetime(moment).day());
    now - now.rem_euclid(DAY) - (day - 1) * DAY
}

/// The beginning of the month after the one that begins at `start`.
pub(super) fn end(month: i64) -> i64 {
    start(month + LONGEST)
}

pub(super) fn at(state: Option<Counter>, now: i64) -> Counter {
    fixed_window::since(start(now), LONGEST, state, now)
}
