//! The pause before a retry.

use std::time::Duration;

use crate::config::QueueConfig;

/// Exponential with full jitter: a random part of `retry_base`, doubled with
/// every attempt made and never above `retry_cap`. `random` lies in 0..1.
/// (<https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>)
pub(super) fn pause(settings: &QueueConfig, attempts: u32, random: f64) -> Duration {
    let doublings = attempts.saturating_sub(1).min(31);
    let ceiling = settings
        .retry_base
        .saturating_mul(1 << doublings)
        .min(settings.retry_cap);
    ceiling.mul_f64(random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_the_cap() {
        let settings = QueueConfig {
            lease: Duration::from_secs(60),
            attempts: 5,
            retry_base: Duration::from_secs(2),
            retry_cap: Duration::from_secs(300),
            grace: Duration::from_secs(20),
            keep: Duration::from_secs(60),
        };
        let longest = |attempts| pause(&settings, attempts, 1.0).as_secs();
        assert_eq!(
            [
                longest(1),
                longest(2),
                longest(3),
                longest(20),
                longest(u32::MAX)
            ],
            [2, 4, 8, 300, 300]
        );
        assert_eq!(pause(&settings, 3, 0.0), Duration::ZERO);
    }
}
