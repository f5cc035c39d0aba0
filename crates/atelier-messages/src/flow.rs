//! Flow control: `parallelism=3, rate=5, period=1m` for a key.

use std::time::Duration;

use crate::{
    Flow,
    duration::{self, InvalidDuration},
    names::{self, InvalidName},
};

/// The period of a rate, in seconds, where none is given.
pub const DEFAULT_PERIOD: u64 = 1;

/// The longest period: a week.
const LONGEST_PERIOD: Duration = Duration::from_hours(7 * 24);

/// What a flow control value is made of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FlowValue {
    /// Maximum number of calls at a time.
    pub parallelism: Option<u32>,
    /// Maximum number of calls that start in a period.
    pub rate: Option<u32>,
    /// The period, in seconds.
    pub period: Option<u64>,
}

/// Why flow control cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFlow {
    /// The key cannot be used.
    #[error(transparent)]
    Key(#[from] InvalidName),
    /// There is a value without a key.
    #[error("a flow control value needs a key: Upstash-Flow-Control-Key")]
    NoKey,
    /// A part of the value is not known.
    #[error(
        "{0:?} is not a part of a flow control value, which is written as in parallelism=3, rate=5, period=1m"
    )]
    Part(String),
    /// A number is not one, or zero.
    #[error("{0} must be a whole number of 1 or more")]
    Number(&'static str),
    /// The period cannot be read.
    #[error("period: {0}")]
    Duration(#[from] InvalidDuration),
    /// The period is too short or too long.
    #[error("period must be between a second and seven days")]
    Period,
}

/// Reads a flow control value: `parallelism`, `rate` and `period`, separated by commas.
///
/// # Errors
///
/// An [`InvalidFlow`] if there is anything else in it.
///
/// # Examples
///
/// ```
/// use atelier_messages::flow::{FlowValue, parse};
///
/// let value = FlowValue { parallelism: Some(3), rate: Some(5), period: Some(5403) };
/// assert_eq!(parse("parallelism=3, rate=5,period=1h30m3s"), Ok(value));
/// ```
pub fn parse(text: &str) -> Result<FlowValue, InvalidFlow> {
    let mut value = FlowValue::default();
    for part in text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
    {
        let unknown = || InvalidFlow::Part(names::shorten(part));
        let (name, given) = part.split_once('=').ok_or_else(unknown)?;
        match name.trim().to_ascii_lowercase().as_str() {
            "parallelism" => value.parallelism = Some(number("parallelism", given)?),
            "rate" => value.rate = Some(number("rate", given)?),
            "period" => value.period = Some(period(given)?),
            _ => return Err(unknown()),
        }
    }
    Ok(value)
}

/// A whole number of 1 or more; `name` is what the error calls it.
///
/// # Errors
///
/// [`InvalidFlow::Number`].
pub fn number(name: &'static str, text: &str) -> Result<u32, InvalidFlow> {
    let number: Option<u32> = text.trim().parse().ok();
    number
        .filter(|number| *number > 0)
        .ok_or(InvalidFlow::Number(name))
}

/// A period in seconds, from a [duration](mod@crate::duration).
///
/// # Errors
///
/// [`InvalidFlow::Duration`], and [`InvalidFlow::Period`] if it is shorter than a second or longer
/// than seven days.
pub fn period(text: &str) -> Result<u64, InvalidFlow> {
    let period = duration::parse(text)?;
    let is_fit = (Duration::from_secs(1)..=LONGEST_PERIOD).contains(&period);
    is_fit
        .then_some(period.as_secs())
        .ok_or(InvalidFlow::Period)
}

/// Flow control by the two header fields; `None` if neither is given. A key without a value has the
/// limits that it has.
///
/// # Errors
///
/// An [`InvalidFlow`].
pub fn read(key: Option<&str>, value: Option<&str>) -> Result<Option<Flow>, InvalidFlow> {
    let value = value.map(parse).transpose()?;
    let Some(key) = key else {
        return if value.is_some() {
            Err(InvalidFlow::NoKey)
        } else {
            Ok(None)
        };
    };
    let value = value.unwrap_or_default();
    Ok(Some(Flow {
        key: names::key(key.trim())?.to_owned(),
        parallelism: value.parallelism,
        rate: value.rate,
        period: value.period.unwrap_or(DEFAULT_PERIOD),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_with_and_without_blanks() {
        let value = |parallelism, rate, period| {
            Ok(FlowValue {
                parallelism,
                rate,
                period,
            })
        };
        for (text, expected) in [
            (
                "parallelism=3, rate=5, period=1m",
                value(Some(3), Some(5), Some(60)),
            ),
            ("rate=10,period=90", value(None, Some(10), Some(90))),
            (" Parallelism = 2 ", value(Some(2), None, None)),
            ("", value(None, None, None)),
            ("rate=1,,", value(None, Some(1), None)),
        ] {
            assert_eq!(parse(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_message_has_a_period_even_with_parallelism_alone() {
        let flow = Flow {
            key: "k".to_owned(),
            parallelism: Some(2),
            rate: None,
            period: 1,
        };
        assert_eq!(read(Some("k"), Some("parallelism=2")), Ok(Some(flow)));
        assert_eq!(read(None, None), Ok(None));
        assert!(read(Some("k"), None).unwrap().is_some());
        assert_eq!(read(None, Some("rate=1")), Err(InvalidFlow::NoKey));
        assert_eq!(
            read(Some(""), Some("rate=1")),
            Err(InvalidFlow::Key(InvalidName::Key))
        );
    }

    #[test]
    fn other_values_are_refused() {
        for (text, error) in [
            ("rate=0", InvalidFlow::Number("rate")),
            ("rate=-1", InvalidFlow::Number("rate")),
            ("parallelism=1.5", InvalidFlow::Number("parallelism")),
            (
                "parallelism=99999999999",
                InvalidFlow::Number("parallelism"),
            ),
            (
                "period=1y",
                InvalidFlow::Duration(InvalidDuration::Malformed),
            ),
            ("period=0s", InvalidFlow::Period),
            ("period=10ms", InvalidFlow::Period),
            ("period=8d", InvalidFlow::Period),
            ("speed=1", InvalidFlow::Part("speed=1".to_owned())),
            ("5", InvalidFlow::Part("5".to_owned())),
        ] {
            assert_eq!(parse(text), Err(error), "{text:?}");
        }
    }
}
