//! The header fields of draft-ietf-httpapi-ratelimit-headers, which tell callers their
//! limits.

use std::{fmt::Write as _, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue};

use super::{Policy, Standing, Unit};

/// Sets `RateLimit-Policy` and `RateLimit`; neither, if there are no standings. US
/// dollars are given in cents, as these fields hold whole numbers only.
pub fn set(headers: &mut HeaderMap, standings: &[Standing]) {
    for (name, value) in fields(standings) {
        headers.insert(name, value);
    }
}

/// As [`set`], beside what the fields hold already: further limits.
pub fn append(headers: &mut HeaderMap, standings: &[Standing]) {
    for (name, value) in fields(standings) {
        headers.append(name, value);
    }
}

fn fields(standings: &[Standing]) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let (mut policies, mut limits) = (String::new(), String::new());
    for standing in standings {
        let policy = &standing.policy;
        let comma = if policies.is_empty() { "" } else { ", " };
        let (name, window) = (&policy.name, policy.window.as_secs());
        let (quota, unit) = (whole(policy, policy.quota), unit(policy));
        let (left, reset) = (whole(policy, standing.remaining), reset(standing));
        // Writing to a String cannot fail.
        let _ = write!(policies, "{comma}\"{name}\";q={quota};w={window}{unit}");
        let _ = write!(limits, "{comma}\"{name}\";r={left};t={reset}");
    }
    let fields = [("ratelimit-policy", policies), ("ratelimit", limits)].into_iter();
    fields
        .filter(|(_, value)| !value.is_empty())
        .filter_map(|(name, value)| {
            let value = HeaderValue::from_str(&value).ok()?;
            Some((HeaderName::from_static(name), value))
        })
}

/// Returns the seconds until the full quota is available again or, if too little is left,
/// until enough is; a window if there will never be enough.
pub fn reset(standing: &Standing) -> u64 {
    whole_seconds(standing.reset.unwrap_or(standing.policy.window.longest()))
}

/// Returns the violated standing that recovers last: the one to wait for.
pub fn worst(standings: &[Standing]) -> Option<&Standing> {
    let violated = standings.iter().filter(|standing| standing.violated);
    violated.max_by_key(|standing| (standing.reset.is_none(), reset(standing)))
}

/// Returns the seconds that `Retry-After` names.
pub fn retry_after(standings: &[Standing]) -> u64 {
    worst(standings).map_or(1, reset).max(1)
}

/// Returns the seconds, rounded up, so that nobody retries too early.
pub fn whole_seconds(duration: Duration) -> u64 {
    let seconds = duration.as_millis().div_ceil(1000);
    seconds.try_into().unwrap_or(u64::MAX)
}

fn whole(policy: &Policy, parts: u64) -> u64 {
    match policy.unit {
        Unit::Requests | Unit::Images | Unit::Tokens => parts,
        Unit::Usd => parts / (Unit::Usd.parts() / 100),
    }
}

fn unit(policy: &Policy) -> &'static str {
    match policy.unit {
        Unit::Requests | Unit::Images => "",
        Unit::Tokens => ";qu=\"tokens\"",
        Unit::Usd => ";qu=\"usd-cents\"",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Algorithm, Scope};

    fn standing(unit: Unit, remaining: u64, reset: Option<u64>) -> Standing {
        let (scope, algorithm) = (Scope::Ip, Algorithm::FixedWindow);
        let hour = Duration::from_secs(3600);
        let policy = Policy::new(unit.as_str(), scope, unit, algorithm, 20.0, hour).unwrap();
        Standing {
            policy: Arc::new(policy),
            remaining,
            reset: reset.map(Duration::from_millis),
            violated: true,
        }
    }

    #[test]
    fn money_is_told_in_cents_and_time_in_whole_seconds() {
        let standings = [
            standing(Unit::Images, 7, Some(1_001)),
            standing(Unit::Usd, 1_239_999, Some(59_000)),
            standing(Unit::Tokens, 3, Some(1_000)),
        ];
        let mut fields = HeaderMap::new();
        set(&mut fields, &standings);
        let policies = "\"images\";q=20;w=3600, \"usd\";q=2000;w=3600;qu=\"usd-cents\", \
                        \"tokens\";q=20;w=3600;qu=\"tokens\"";
        assert_eq!(fields["ratelimit-policy"], policies);
        let left = "\"images\";r=7;t=2, \"usd\";r=123;t=59, \"tokens\";r=3;t=1";
        assert_eq!(fields["ratelimit"], left);

        let mut none = HeaderMap::new();
        set(&mut none, &[]);
        assert!(none.is_empty());
    }

    #[test]
    fn whoever_is_limited_waits_for_the_last_that_comes_back() {
        let soon = standing(Unit::Images, 0, Some(0));
        let later = standing(Unit::Images, 0, Some(90_000));
        let never = standing(Unit::Usd, 0, None);
        let fine = Standing {
            violated: false,
            ..standing(Unit::Requests, 0, Some(900_000))
        };
        assert_eq!(retry_after(std::slice::from_ref(&soon)), 1);
        let both = [soon.clone(), later.clone(), fine.clone()];
        assert_eq!((retry_after(&both), worst(&both)), (90, Some(&later)));
        // What can never be had comes back with the window, as far as anybody can tell.
        let all = [soon, never.clone(), later];
        assert_eq!((retry_after(&all), worst(&all)), (3600, Some(&never)));
        let fine = [fine];
        assert_eq!((retry_after(&fine), worst(&fine)), (1, None));
    }
}
