//! How long a quota lasts.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// How long a quota lasts: a length such as `"90s"` or `"7d"`, or `"1mo"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// Always the same length.
    Span(Duration),
    /// A calendar month in UTC: 28 to 31 days.
    Month,
}

/// A calendar month as it is written. The `1month` of other durations is a twelfth of a
/// year.
const MONTH: &str = "1mo";

const DAY: Duration = Duration::from_hours(24);

impl Window {
    /// Its length, or the longest that it may have.
    pub const fn longest(self) -> Duration {
        match self {
            Self::Span(length) => length,
            Self::Month => Duration::from_hours(31 * 24),
        }
    }

    /// The same in whole seconds.
    pub const fn as_secs(self) -> u64 {
        self.longest().as_secs()
    }
}

impl From<Duration> for Window {
    fn from(length: Duration) -> Self {
        Self::Span(length)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Otherwise a year were 11 months, 30 days and some hours.
            Self::Span(length) if *length > DAY && length.as_nanos() % DAY.as_nanos() == 0 => {
                write!(f, "{}days", length.as_secs() / DAY.as_secs())
            }
            Self::Span(length) => humantime::format_duration(*length).fmt(f),
            Self::Month => f.write_str(MONTH),
        }
    }
}

/// The text is not a window.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text:?} is no window such as \"90s\", \"7d\" or \"1mo\": {fault}")]
pub struct InvalidWindow {
    text: String,
    fault: humantime::DurationError,
}

impl FromStr for Window {
    type Err = InvalidWindow;

    fn from_str(text: &str) -> Result<Self, InvalidWindow> {
        if text.trim() == MONTH {
            return Ok(Self::Month);
        }
        let length = humantime::parse_duration(text);
        length.map(Self::Span).map_err(|fault| InvalidWindow {
            text: text.to_owned(),
            fault,
        })
    }
}

impl Serialize for Window {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Window {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_written_as_it_is_read() {
        let days = |days: u64| Window::Span(Duration::from_hours(days * 24));
        for (text, window, written) in [
            ("90s", Window::Span(Duration::from_secs(90)), "1m 30s"),
            ("1d", days(1), "1day"),
            ("7d", days(7), "7days"),
            ("365d", days(365), "365days"),
            ("1mo", Window::Month, "1mo"),
            (" 1mo ", Window::Month, "1mo"),
        ] {
            let read: Window = text.parse().unwrap();
            assert_eq!((read, &*read.to_string()), (window, written), "{text}");
            assert_eq!(read.to_string().parse::<Window>().unwrap(), window);
        }
        assert_eq!(Window::Month.as_secs(), 31 * 24 * 60 * 60);
        for text in ["", "1", "mo", "2mo", "1mo 3d", "1 Mo", "-1s"] {
            let error = text.parse::<Window>().unwrap_err().to_string();
            assert!(error.contains("no window"), "{error}");
        }
    }
}
