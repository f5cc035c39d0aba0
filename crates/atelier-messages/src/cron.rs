//! When a schedule is due: `CRON_TZ=Europe/Berlin 30 7 * * MON-FRI`.

use std::{fmt, str::FromStr, sync::LazyLock};

use croner::parser::{CronParser, Seconds, Year};
use jiff::{
    Timestamp,
    civil::DateTime,
    tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase},
};

/// Maximum length of an expression, in bytes.
const MAX_LENGTH: usize = 256;

/// What a zone is named after.
const ZONE_PREFIXES: [&str; 2] = ["CRON_TZ=", "TZ="];

/// The zones are those in the binary: all processes agree on them, and a machine needs none.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A cron expression: minute, hour, day of the month, month and day of the week, by the clock of a
/// zone, which is UTC unless the prefix `CRON_TZ=Area/City ` names another.
///
/// Fields are numbers, names (`MON`, `JAN`), `*`, lists, ranges and steps, and `L`, `W` and `#` of
/// the days; if both days are given, either suffices. A time that the clock skips in spring is due
/// when it has skipped it, one that it repeats in autumn is due once. An expression with `*` or a
/// step for the minute or the hour means an interval instead: it is due at every real minute that
/// it names, and at none that is skipped.
///
/// # Examples
///
/// ```
/// use atelier_messages::cron::Cron;
/// use jiff::Timestamp;
///
/// let cron: Cron = "CRON_TZ=Europe/Berlin 30 7 * * MON-FRI".parse()?;
/// let friday: Timestamp = "2026-11-27T12:00:00Z".parse()?;
/// assert_eq!(cron.after(friday), Some("2026-11-30T06:30:00Z".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Cron {
    text: String,
    pattern: croner::Cron,
    zone: TimeZone,
    is_interval: bool,
}

/// Why a text is not a cron expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCron {
    /// It is longer than is reasonable.
    #[error("a cron expression cannot be longer than {MAX_LENGTH} bytes")]
    TooLong,
    /// It does not have five fields.
    #[error(
        "a cron expression has five fields: minute, hour, day of the month, month and day of the week; there are {0}"
    )]
    Fields(usize),
    /// A field cannot be read.
    #[error("the cron expression cannot be read: {0}")]
    Malformed(String),
    /// The zone is not known.
    #[error("there is no time zone {0:?}: zones are named as in CRON_TZ=Europe/Berlin")]
    Zone(String),
    /// It is never due, for example on February 30th.
    #[error("the cron expression is never due")]
    Never,
}

impl Cron {
    /// When it is due next after `instant`, to the minute; `None` if never in thousands of years.
    pub fn after(&self, instant: Timestamp) -> Option<Timestamp> {
        let here = instant.to_zoned(self.zone.clone());
        if self.is_interval {
            let next = self.pattern.find_next_occurrence(&here, false);
            return next.ok().map(|next| next.timestamp());
        }
        let mut shown = here.datetime();
        loop {
            shown = self.pattern.find_next_occurrence(&shown, false).ok()?;
            let next = self.first_instant(shown)?;
            // Not so for what the clock shows for the second time.
            if next > instant {
                return Some(next);
            }
        }
    }

    /// When the clock shows this time first, or has skipped it.
    fn first_instant(&self, shown: DateTime) -> Option<Timestamp> {
        let ambiguous = self.zone.to_ambiguous_timestamp(shown);
        let is_skipped = matches!(ambiguous.offset(), AmbiguousOffset::Gap { .. });
        let instant = ambiguous.earlier().ok()?;
        if !is_skipped {
            return Some(instant);
        }
        let skip = self.zone.following(instant).next()?;
        Some(skip.timestamp())
    }
}

impl fmt::Debug for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cron").field(&self.text).finish()
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Cron {
    type Err = InvalidCron;

    fn from_str(text: &str) -> Result<Self, InvalidCron> {
        let text = text.trim();
        if text.len() > MAX_LENGTH {
            return Err(InvalidCron::TooLong);
        }
        let (zone, fields) = split_zone(text)?;
        let cron = Self {
            text: text.to_owned(),
            pattern: parse_fields(fields)?,
            zone,
            is_interval: fields
                .split_whitespace()
                .take(2)
                .any(|field| field.contains(['*', '/', '@'])),
        };
        let is_ever_due = cron.after(Timestamp::UNIX_EPOCH).is_some();
        is_ever_due.then_some(cron).ok_or(InvalidCron::Never)
    }
}

/// The zone that a prefix names, and what follows it.
fn split_zone(text: &str) -> Result<(TimeZone, &str), InvalidCron> {
    let named = ZONE_PREFIXES
        .iter()
        .find_map(|prefix| text.strip_prefix(prefix));
    let Some(named) = named else {
        return Ok((TimeZone::UTC, text));
    };
    let (name, fields) = named.split_once(char::is_whitespace).unwrap_or((named, ""));
    let zone = ZONES
        .get(name)
        .map_err(|_| InvalidCron::Zone(name.to_owned()))?;
    Ok((zone, fields))
}

fn parse_fields(fields: &str) -> Result<croner::Cron, InvalidCron> {
    let count = fields.split_whitespace().count();
    let is_nickname = count == 1 && fields.trim().starts_with('@');
    if count != 5 && !is_nickname {
        return Err(InvalidCron::Fields(count));
    }
    let is_plain = |char: char| {
        char.is_ascii_alphanumeric() || char.is_ascii_whitespace() || "*,-/?#@".contains(char)
    };
    if let Some(char) = fields.chars().find(|char| !is_plain(*char)) {
        return Err(InvalidCron::Malformed(format!("{char:?} is unexpected")));
    }
    if fields
        .split_whitespace()
        .any(|field| field.split(',').any(str::is_empty))
    {
        return Err(InvalidCron::Malformed(
            "a list has an empty part".to_owned(),
        ));
    }
    let parser = CronParser::builder()
        .seconds(Seconds::Disallowed)
        .year(Year::Disallowed);
    let parsed = parser.build().parse(fields);
    parsed.map_err(|error| InvalidCron::Malformed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The next so many times after an instant.
    fn times(cron: &str, after: &str, count: usize) -> Vec<String> {
        let cron: Cron = cron.parse().unwrap();
        let mut at: Timestamp = after.parse().unwrap();
        let mut times = Vec::new();
        for _ in 0..count {
            at = cron.after(at).unwrap();
            times.push(at.to_string());
        }
        times
    }

    #[test]
    fn times_follow_each_other() {
        assert_eq!(
            times("*/20 * * * *", "2026-11-27T00:00:00Z", 4),
            [
                "2026-11-27T00:20:00Z",
                "2026-11-27T00:40:00Z",
                "2026-11-27T01:00:00Z",
                "2026-11-27T01:20:00Z"
            ]
        );
        assert_eq!(
            times("* * * * *", "2026-11-27T00:00:59.999Z", 1),
            ["2026-11-27T00:01:00Z"]
        );
        assert_eq!(
            times("0 0 29 2 *", "2026-11-27T00:00:00Z", 2),
            ["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]
        );
        assert_eq!(
            times("@daily", "2026-11-27T00:00:00Z", 1),
            ["2026-11-28T00:00:00Z"]
        );
        // Either day suffices; Sunday is 0 and 7.
        assert_eq!(
            times("0 0 13 * FRI", "2026-11-07T00:00:00Z", 2),
            ["2026-11-13T00:00:00Z", "2026-11-20T00:00:00Z"]
        );
        assert_eq!(
            times("0 0 * * 7", "2026-11-27T00:00:00Z", 1),
            times("0 0 * * 0", "2026-11-27T00:00:00Z", 1)
        );
    }

    #[test]
    fn a_fixed_time_that_the_clock_skips_is_due_after_the_gap() {
        // Berlin's clock goes from 02:00 to 03:00 on March 29th, 2026.
        assert_eq!(
            times(
                "CRON_TZ=Europe/Berlin 30 2 * * *",
                "2026-03-28T00:00:00Z",
                3
            ),
            [
                "2026-03-28T01:30:00Z",
                "2026-03-29T01:00:00Z",
                "2026-03-30T00:30:00Z"
            ]
        );
        assert_eq!(
            times(
                "CRON_TZ=Europe/Berlin 0 1-4 * * *",
                "2026-03-29T00:00:00Z",
                2
            ),
            ["2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"]
        );
        // Two times in the gap are due once.
        assert_eq!(
            times(
                "CRON_TZ=Europe/Berlin 15,45 2 * * *",
                "2026-03-29T00:00:00Z",
                2
            ),
            ["2026-03-29T01:00:00Z", "2026-03-30T00:15:00Z"]
        );
    }

    #[test]
    fn a_fixed_time_that_the_clock_repeats_is_due_once() {
        // Berlin's clock goes from 03:00 to 02:00 on October 25th, 2026.
        assert_eq!(
            times(
                "CRON_TZ=Europe/Berlin 30 2 * * *",
                "2026-10-24T12:00:00Z",
                2
            ),
            ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
        );
        assert_eq!(
            times(
                "CRON_TZ=Europe/Berlin 0,30 2,3 * * *",
                "2026-10-25T00:15:00Z",
                4
            ),
            [
                "2026-10-25T00:30:00Z",
                "2026-10-25T02:00:00Z",
                "2026-10-25T02:30:00Z",
                "2026-10-26T01:00:00Z"
            ]
        );
        // The second time that Berlin shows 02:15.
        assert_eq!(
            times(
                "CRON_TZ=Europe/Berlin 30 2 * * *",
                "2026-10-25T01:15:00Z",
                1
            ),
            ["2026-10-26T01:30:00Z"]
        );
    }

    #[test]
    fn an_interval_takes_every_real_time() {
        assert_eq!(
            times(
                "CRON_TZ=America/New_York */30 * * * *",
                "2026-11-01T05:00:00Z",
                4
            ),
            [
                "2026-11-01T05:30:00Z",
                "2026-11-01T06:00:00Z",
                "2026-11-01T06:30:00Z",
                "2026-11-01T07:00:00Z"
            ]
        );
        assert_eq!(
            times(
                "CRON_TZ=America/New_York */30 * * * *",
                "2026-03-08T06:00:00Z",
                3
            ),
            [
                "2026-03-08T06:30:00Z",
                "2026-03-08T07:00:00Z",
                "2026-03-08T07:30:00Z"
            ]
        );
    }

    #[test]
    fn zones_are_by_name_with_the_quarters_that_they_have() {
        assert_eq!(
            times(
                "CRON_TZ=Asia/Kathmandu 0 12 * * *",
                "2026-11-27T00:00:00Z",
                1
            ),
            ["2026-11-27T06:15:00Z"]
        );
        assert_eq!(
            times("TZ=UTC 0 12 * * *", "2026-11-27T00:00:00Z", 1),
            ["2026-11-27T12:00:00Z"]
        );
    }

    #[test]
    fn it_is_shown_as_it_was_given() {
        let cron: Cron = "  CRON_TZ=Europe/Berlin  0 1 * * * ".parse().unwrap();
        assert_eq!(cron.to_string(), "CRON_TZ=Europe/Berlin  0 1 * * *");
    }

    #[test]
    fn what_is_no_expression_is_told_so() {
        let error = |text: &str| text.parse::<Cron>().unwrap_err();
        assert_eq!(error(""), InvalidCron::Fields(0));
        assert_eq!(error("* * * *"), InvalidCron::Fields(4));
        assert_eq!(error("* * * * * *"), InvalidCron::Fields(6));
        assert_eq!(error("CRON_TZ=Europe/Berlin"), InvalidCron::Fields(0));
        assert_eq!(error("0 0 30 2 *"), InvalidCron::Never);
        assert_eq!(error("0 0 31 2,4,6,9,11 *"), InvalidCron::Never);
        for zone in ["Mars/Phobos", "", "../../etc/passwd", "Europe", "+02:00"] {
            assert_eq!(
                error(&format!("CRON_TZ={zone} * * * * *")),
                InvalidCron::Zone(zone.to_owned())
            );
        }
        assert_eq!(error(&"*/1,".repeat(100_000)), InvalidCron::TooLong);
        for text in [
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * 32 * *",
            "* * * 13 *",
            "* * * * 8",
            "*/0 * * * *",
            "5-1 * * * *",
            "-1 * * * *",
            "a * * * *",
            "* * * * FUN",
            "@reboot",
            "@every 5m * * *",
            "* * * * +1",
            "99999999999999999999 * * * *",
            "1,, * * * *",
            "é * * * *",
        ] {
            assert!(
                matches!(error(text), InvalidCron::Malformed(_)),
                "{text:?}: {:?}",
                error(text)
            );
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in ".{0,80}") {
            let _ = text.parse::<Cron>();
        }

        #[test]
        fn anything_like_an_expression_is_due_later_or_refused(
            fields in proptest::collection::vec("[0-9*,/?LW#-]{1,4}|MON|JAN|[0-9]{1,2}", 5),
            second in 0_i64..4_000_000_000,
        ) {
            let after = Timestamp::from_second(second).unwrap();
            if let Ok(cron) = fields.join(" ").parse::<Cron>()
                && let Some(next) = cron.after(after)
            {
                prop_assert!(next > after);
                prop_assert_eq!(next.as_second() % 60, 0);
            }
        }
    }
}
