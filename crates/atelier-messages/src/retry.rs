//! The pause before a call that failed is repeated.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, header::DATE};
use jiff::Timestamp;

pub use crate::expression::LONGEST_PAUSE;
use crate::{Message, duration, expression::Expression};

/// What an answer may ask for a pause with, in the order in which they are looked at.
const ASKING: [&str; 4] = [
    "retry-after",
    "x-ratelimit-reset",
    "x-ratelimit-reset-requests",
    "x-ratelimit-reset-tokens",
];

/// Larger numbers of seconds are Unix times: `X-RateLimit-Reset` is both in the wild.
const EARLIEST_TIME: i64 = 1_000_000_000;

/// The pause before the next repetition: the one that the answer asked for, else the message's own,
/// else the default. `retried` is how often the call has been repeated, 0 after the first call.
pub fn pause(message: &Message, retried: u32, asked: Option<Duration>) -> Duration {
    let own = || {
        let expression: Expression = message.retry_delay.as_deref()?.parse().ok()?;
        expression.pause(retried).ok()
    };
    asked.or_else(own).unwrap_or_else(|| backoff(retried))
}

/// The default pause: `min(86400, e^(2.5 n))` seconds, where `n` is `retried + 1`. That is 12 s,
/// 2m28s, 30m8s, 6h7m6s, then a day.
pub fn backoff(retried: u32) -> Duration {
    let seconds = (2.5 * (f64::from(retried) + 1.0)).exp();
    Duration::from_secs_f64(seconds.floor().min(LONGEST_PAUSE.as_secs_f64()))
}

/// The pause that an answer asks for, at `now`: by the first of `Retry-After`, `X-RateLimit-Reset`,
/// `X-RateLimit-Reset-Requests` and `X-RateLimit-Reset-Tokens` that can be read. Their values are
/// seconds, dates as in `Retry-After` (RFC 9110, 5.6.7), or durations such as `6m5s`. What exceeds
/// [`LONGEST_PAUSE`] is ignored.
///
/// Dates are compared with the answer's own `Date`, as the clocks may differ.
pub fn asked_pause(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let read = |name: &str| read_pause(text(headers, name)?, headers, now);
    let pause = ASKING.iter().find_map(|name| read(name))?;
    (pause <= LONGEST_PAUSE).then_some(pause)
}

fn read_pause(value: &str, headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    if let Ok(at) = httpdate::parse_http_date(value) {
        let own =
            text(headers, DATE.as_str()).and_then(|date| httpdate::parse_http_date(date).ok());
        let from = own.unwrap_or_else(|| SystemTime::from(now));
        return Some(at.duration_since(from).unwrap_or_default());
    }
    if let Ok(seconds) = value.parse::<i64>()
        && seconds >= EARLIEST_TIME
    {
        return Some(Duration::from_secs(
            u64::try_from(seconds.saturating_sub(now.as_second())).unwrap_or(0),
        ));
    }
    duration::parse(value).ok()
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * 60 * 60;

    #[test]
    fn the_default_grows_to_a_day() {
        let pauses = [0, 1, 2, 3, 4, 5, u32::MAX].map(|retried| backoff(retried).as_secs());
        assert_eq!(pauses, [12, 148, 1808, 22_026, DAY, DAY, DAY]);
    }

    #[test]
    fn an_answer_goes_before_an_expression_and_that_before_the_default() {
        let mut message = Message::default();
        let asked = Some(Duration::from_secs(7));
        assert_eq!(pause(&message, 1, None).as_secs(), 148);
        message.retry_delay = Some("1000 * (3 - retried)".to_owned());
        assert_eq!(pause(&message, 1, None).as_secs(), 2);
        assert_eq!(pause(&message, 1, asked).as_secs(), 7);
        assert_eq!(pause(&message, 1, Some(Duration::ZERO)), Duration::ZERO);
        // Repeated more often than was asked for: the expression has no value.
        assert_eq!(pause(&message, 4, None), backoff(4));
    }

    fn asked(fields: &[(&'static str, &str)]) -> Option<u64> {
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        asked_pause(&headers, now).map(|pause| pause.as_secs())
    }

    #[test]
    fn pauses_are_seconds_durations_or_dates() {
        for (value, pause) in [
            ("0", Some(0)),
            ("10", Some(10)),
            ("1.9", Some(1)),
            ("6m5s", Some(365)),
            ("150ms", Some(0)),
            ("24h", Some(DAY)),
            ("Thu, 01 Jan 2026 00:00:30 GMT", Some(30)),
            ("Wed, 31 Dec 2025 00:00:30 GMT", Some(0)),
            // Beyond a day.
            ("86401", None),
            ("24h1s", None),
            ("Sat, 03 Jan 2026 00:00:30 GMT", None),
            ("99999999999999999999999999", None),
            // A Unix time.
            ("1767225630", Some(30)),
            ("1767225600000", None),
            ("-1", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(asked(&[("retry-after", value)]), pause, "{value:?}");
            assert_eq!(
                asked(&[("x-ratelimit-reset-tokens", value)]),
                pause,
                "{value:?}"
            );
        }
    }

    #[test]
    fn the_first_readable_field_counts() {
        let reset = ("x-ratelimit-reset", "20");
        let requests = ("x-ratelimit-reset-requests", "30s");
        let tokens = ("x-ratelimit-reset-tokens", "40");
        assert_eq!(
            asked(&[tokens, requests, reset, ("retry-after", "10")]),
            Some(10)
        );
        assert_eq!(
            asked(&[tokens, requests, reset, ("retry-after", "soon")]),
            Some(20)
        );
        assert_eq!(asked(&[tokens, requests]), Some(30));
        assert_eq!(asked(&[tokens]), Some(40));
        assert_eq!(asked(&[]), None);
    }

    #[test]
    fn dates_are_by_the_clock_that_wrote_them() {
        let later = ("retry-after", "Thu, 01 Jan 2026 01:00:30 GMT");
        assert_eq!(
            asked(&[later, ("date", "Thu, 01 Jan 2026 01:00:10 GMT")]),
            Some(20)
        );
        assert_eq!(asked(&[later]), Some(3630));
    }
}
