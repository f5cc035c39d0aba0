//! Durations as people write them: `90`, `60s`, `1d10h30m`, `1.5h`.

use std::time::Duration;

const SECOND: u64 = 1_000_000_000;

/// The longest duration that is accepted: ten years.
pub const LONGEST: Duration = Duration::from_hours(24 * 3660);

/// Units by name, in nanoseconds.
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", SECOND),
    ("m", 60 * SECOND),
    ("h", 60 * 60 * SECOND),
    ("d", 24 * 60 * 60 * SECOND),
];

/// Why a text is not a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDuration {
    /// There is no text.
    #[error("a duration is missing")]
    Empty,
    /// It is below zero.
    #[error("a duration cannot be negative")]
    Negative,
    /// It exceeds [`LONGEST`].
    #[error("a duration cannot exceed 3660 days")]
    TooLong,
    /// It is written differently.
    #[error(
        "a duration is a number of seconds, or numbers with the units d, h, m, s, ms, us and ns, as in 1d10h30m"
    )]
    Malformed,
}

/// Parses a duration: a number of seconds, or numbers with units (`ns us µs ms s m h d`) as Go
/// writes them, in any order. Fractions count to the nanosecond.
///
/// # Errors
///
/// An [`InvalidDuration`] if it is anything else, negative, or longer than [`LONGEST`].
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use atelier_messages::duration::{InvalidDuration, parse};
///
/// assert_eq!(parse("1d10h30m"), Ok(Duration::from_mins(34 * 60 + 30)));
/// assert_eq!(parse("90"), Ok(Duration::from_secs(90)));
/// assert_eq!(parse("1y"), Err(InvalidDuration::Malformed));
/// ```
pub fn parse(text: &str) -> Result<Duration, InvalidDuration> {
    let text = text.trim();
    if text.is_empty() {
        return Err(InvalidDuration::Empty);
    }
    if let Some(rest) = text.strip_prefix('-') {
        // What is malformed anyway is not called negative.
        return Err(parse(rest).err().unwrap_or(InvalidDuration::Negative));
    }
    let mut rest = text;
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let number = split(rest, |char| char.is_ascii_digit() || char == '.');
        let unit = split(number.1, |char| !char.is_ascii_digit() && char != '.');
        let is_bare = number.0.len() == text.len();
        let unit_nanos = if is_bare { Some(SECOND) } else { nanos(unit.0) };
        let part = amount(number.0, unit_nanos.ok_or(InvalidDuration::Malformed)?)?;
        total = total.checked_add(part).ok_or(InvalidDuration::TooLong)?;
        rest = unit.1;
    }
    let total = Duration::from_nanos(total);
    (total <= LONGEST)
        .then_some(total)
        .ok_or(InvalidDuration::TooLong)
}

/// What of `text` consists of such characters from its beginning, and the rest.
fn split(text: &str, of: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|char| !of(char)).unwrap_or(text.len()))
}

fn nanos(unit: &str) -> Option<u64> {
    let found = UNITS.iter().find(|(name, _)| *name == unit);
    found.map(|(_, nanos)| *nanos)
}

/// The nanoseconds of so many units.
fn amount(number: &str, unit: u64) -> Result<u64, InvalidDuration> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_number = whole.len() + fraction.len() > 0 && !fraction.contains('.');
    if !is_number {
        return Err(InvalidDuration::Malformed);
    }
    let whole: u64 = match whole {
        "" => 0,
        digits => digits.parse().map_err(|_| InvalidDuration::TooLong)?,
    };
    let whole = whole.checked_mul(unit).ok_or(InvalidDuration::TooLong)?;
    let (mut part, mut scale) = (0, unit);
    for digit in fraction.bytes() {
        scale /= 10;
        part += u64::from(digit - b'0') * scale;
    }
    whole.checked_add(part).ok_or(InvalidDuration::TooLong)
}

/// Whole milliseconds, which is how durations are stored.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_and_units_are_read() {
        for (text, milliseconds) in [
            ("60s", 60_000),
            ("60", 60_000),
            (" 0 ", 0),
            ("0.5", 500),
            ("1d10h30m", 124_200_000),
            ("1h30m3s", 5_403_000),
            ("6m5s", 365_000),
            ("1.5h", 5_400_000),
            (".5s", 500),
            ("1.s", 1_000),
            ("250ms", 250),
            ("5m1d", 86_700_000),
            ("1500us", 1),
            ("1500000ns", 1),
            ("3660d", 3660 * 86_400_000),
        ] {
            let parsed = parse(text).map(super::milliseconds);
            assert_eq!(parsed, Ok(milliseconds), "{text:?}");
        }
        assert_eq!(parse("2µs"), Ok(Duration::from_micros(2)));
    }

    #[test]
    fn what_is_no_duration_is_told_so() {
        use InvalidDuration::{Empty, Malformed, Negative, TooLong};

        let enormous = "9".repeat(31);
        let many = "1d".repeat(4_000);
        for (text, error) in [
            ("", Empty),
            ("  ", Empty),
            ("-", Empty),
            ("-5s", Negative),
            ("-5", Negative),
            ("-1y", Malformed),
            ("1y", Malformed),
            ("1w", Malformed),
            ("5 s", Malformed),
            ("s", Malformed),
            (".", Malformed),
            ("1.2.3s", Malformed),
            ("1h30", Malformed),
            ("1e30", Malformed),
            ("1_000", Malformed),
            ("٣s", Malformed),
            ("NaN", Malformed),
            ("3661d", TooLong),
            (&enormous, TooLong),
            (&many, TooLong),
            ("18446744073709551615ns1ns", TooLong),
        ] {
            assert_eq!(parse(text), Err(error), "{text:?}");
        }
        assert!(parse("1y").unwrap_err().to_string().contains("d, h, m, s"));
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in ".*") {
            let _ = parse(&text);
        }

        #[test]
        fn units_add_up(hours in 0_u64..1000, minutes in 0_u64..100_000, millis in 0_u64..1_000_000) {
            let text = format!("{hours}h{minutes}m{millis}ms");
            let sum = (hours * 60 + minutes) * 60_000 + millis;
            prop_assert_eq!(parse(&text), Ok(Duration::from_millis(sum)));
        }
    }
}
