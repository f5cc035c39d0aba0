//! `Retry-After` of other servers.

use std::time::{Duration, SystemTime};

use http::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

const RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");

/// Maximum pause that is accepted from another server.
pub const LONGEST_PAUSE: Duration = Duration::from_hours(24);

/// Parses `Retry-After`, in seconds or as a date (RFC 9110, 10.2.3); `None` if absent or malformed.
///
/// A date is compared with the response's own `Date`, as the clocks may differ; with `now` only if the
/// response has none.
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    if let Some(seconds) = number(headers, &RETRY_AFTER) {
        return Some(pause(seconds));
    }
    let asked = date(headers, &RETRY_AFTER)?;
    let from = date(headers, &DATE).unwrap_or(now);
    let pause = asked.duration_since(from).unwrap_or_default();
    Some(pause.min(LONGEST_PAUSE))
}

/// The pause that a server asks for: by `retry-after-ms`, or by [`retry_after`].
pub fn asked_pause(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let precise = number(headers, &RETRY_AFTER_MS);
    let precise = precise.map(|milliseconds| pause(milliseconds / 1000.0));
    precise.or_else(|| retry_after(headers, now))
}

/// At most [`LONGEST_PAUSE`].
pub fn pause(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds.clamp(0.0, LONGEST_PAUSE.as_secs_f64()))
}

/// The header's value as a number, if it is one.
pub fn number(headers: &HeaderMap, name: &HeaderName) -> Option<f64> {
    let number: f64 = text(headers, name)?.parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number)
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(text(headers, name)?).ok()
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(fields: &[(HeaderName, &str)]) -> Option<u64> {
        let fields = fields
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().unwrap()));
        let pause = retry_after(&fields.collect(), SystemTime::UNIX_EPOCH);
        pause.map(|pause| pause.as_secs())
    }

    const DAY: u64 = 24 * 60 * 60;

    #[test]
    fn seconds_are_a_pause_of_a_day_at_most() {
        for (value, pause) in [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("86401", Some(DAY)),
            ("99999999999999999999", Some(DAY)),
            ("-1", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(asked(&[(RETRY_AFTER, value)]), pause, "{value:?}");
        }
    }

    #[test]
    fn a_date_is_a_pause_by_the_clock_that_wrote_it() {
        let later = "Thu, 01 Jan 2026 00:00:30 GMT";
        let own = |date| asked(&[(RETRY_AFTER, later), (DATE, date)]);
        assert_eq!(own("Thu, 01 Jan 2026 00:00:10 GMT"), Some(20));
        assert_eq!(own("Thu, 01 Jan 2026 00:01:00 GMT"), Some(0));
        // Without one, by ours.
        let soon = "Thu, 01 Jan 1970 00:00:30 GMT";
        assert_eq!(asked(&[(RETRY_AFTER, soon)]), Some(30));
        assert_eq!(asked(&[(RETRY_AFTER, later)]), Some(DAY));
    }
}
