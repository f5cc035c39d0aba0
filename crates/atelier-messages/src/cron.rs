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
mod tests;
