//! What calls end with, and what they cost.

use atelier::{
    job::{Cost, Outcome, Picture},
    queue::{FailedAttempt, Verdict},
};
use atelier_api::Failure;
use jiff::Timestamp;

use super::ops::{End, Price};

/// Millionths of a dollar that a call is estimated at.
pub(super) const ESTIMATE: u64 = 100_000;
const CENT: u64 = 10_000;

/// What the worker tells the queue, and what the call has cost in millionths.
pub(super) fn verdict(end: End) -> (Verdict, u64) {
    match end {
        End::Picture(cents) => {
            let (usd, cost) = priced(cents);
            (Verdict::Record(outcome(usd)), cost)
        }
        End::Fail(price) => (Verdict::Fail(failed(price)), cost(price)),
        End::Retry(price) => {
            let now = Timestamp::now();
            (Verdict::Retry(failed(price), now), cost(price))
        }
        End::HandBack(sent) => {
            let dropped = sent.then(|| failed(Price::Unknown));
            (Verdict::Release(dropped), if sent { ESTIMATE } else { 0 })
        }
    }
}

/// In dollars, where it was told; and in millionths.
pub(super) fn priced(cents: Option<u8>) -> (Option<f64>, u64) {
    let usd = cents.map(|cents| f64::from(cents) / 100.0);
    (usd, cents.map_or(ESTIMATE, |cents| u64::from(cents) * CENT))
}

fn cost(price: Price) -> u64 {
    match price {
        Price::Nothing => 0,
        Price::Cents(cents) => u64::from(cents) * CENT,
        Price::Unknown => ESTIMATE,
    }
}

fn failed(price: Price) -> FailedAttempt {
    FailedAttempt {
        attempt: 1,
        token: 0,
        at: Timestamp::now(),
        failure: Failure {
            code: "test".into(),
            message: "It failed.".into(),
            retryable: true,
        },
        request_id: None,
        cost: match price {
            Price::Nothing => Cost::Nothing,
            Price::Cents(cents) => Cost::Usd(f64::from(cents) / 100.0),
            Price::Unknown => Cost::Estimate,
        },
        settled_cost: Cost::Nothing,
    }
}

pub(super) fn outcome(cost_usd: Option<f64>) -> Outcome {
    let picture = Picture {
        key: format!("{}.png", fastrand::u64(..)).into(),
        width: 1,
        height: 1,
        media_type: "image/png".into(),
        bytes: 1,
        thumbhash: String::new(),
    };
    Outcome::Succeeded {
        pictures: vec![picture],
        cost_usd,
        left_out: Vec::new(),
        earlier_claims: Vec::new(),
        made_by: None,
    }
}
