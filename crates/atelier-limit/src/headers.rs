//! The fields of draft-ietf-httpapi-ratelimit-headers, by which callers learn how they
//! stand.

use std::{fmt::Write as _, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue};

use super::{Policy, Standing, Unit};

/// Sets `RateLimit-Policy` and `RateLimit`; neither, if there are no standings. US
/// dollars are told in cents, since these fields hold whole numbers only.
pub fn set(headers: &mut HeaderMap, standings: &[Standing]) {
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
    for (name, value) in [("ratelimit-policy", policies), ("ratelimit", limits)] {
        if let (false, Ok(value)) = (value.is_empty(), HeaderValue::from_str(&value)) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

/// Returns the seconds until all of a quota is there again, or, while too little is
/// left, until enough is; of what can never be had, a window.
pub fn reset(standing: &Standing) -> u64 {
    whole_seconds(standing.reset.unwrap_or(standing.policy.window))
}

/// Returns the violated standing that comes back last: it is the one to wait for.
pub fn worst(standings: &[Standing]) -> Option<&Standing> {
    let violated = standings.iter().filter(|standing| standing.violated);
    violated.max_by_key(|standing| (standing.reset.is_none(), reset(standing)))
}

/// Returns the seconds that `Retry-After` names.
pub fn retry_after(standings: &[Standing]) -> u64 {
    worst(standings).map_or(1, reset).max(1)
}

/// Returns the seconds, rounded up, so that nobody comes back too early.
pub fn whole_seconds(duration: Duration) -> u64 {
    let seconds = duration.as_millis().div_ceil(1000);
    seconds.try_into().unwrap_or(u64::MAX)
}

fn whole(policy: &Policy, parts: u64) -> u64 {
    match policy.unit {
        Unit::Requests | Unit::Images => parts,
        Unit::Usd => parts / (Unit::Usd.parts() / 100),
    }
}

fn unit(policy: &Policy) -> &'static str {
    match policy.unit {
        Unit::Requests | Unit::Images => "",
        Unit::Usd => ";qu=\"usd-cents\"",
    }
}
