//! Claims: one script serves equal ones.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    super::super::{Claim, Error, Outcome as _, Payload, Ticket, expired, unreadable},
    Lane, Record, Redis, Result, Results, TAG, milliseconds, record, reply, scripts,
};
use atelier_store::instant;

/// Claims within this number of milliseconds count as made at the last of them.
const SAME_TIME: i64 = 1000;

/// A worker's claim.
pub(in super::super) struct Wanted {
    lanes: Vec<Lane>,
    now: Timestamp,
    lease: Duration,
}

impl Wanted {
    pub(in super::super) fn new(lanes: &[Lane], now: Timestamp, lease: Duration) -> Self {
        Self {
            lanes: lanes.to_vec(),
            now,
            lease,
        }
    }

    fn goes_with(&self, other: &Self) -> bool {
        let apart = self.now.as_millisecond() - other.now.as_millisecond();
        apart.abs() < SAME_TIME && self.lease == other.lease && self.lanes == other.lanes
    }
}

/// Its result.
#[derive(Debug)]
pub(in super::super) enum Taken {
    Call(Record),
    Deliver(Record, u32),
    /// Nothing, until the instant if there is one.
    Idle(Option<Timestamp>),
}

impl Taken {
    /// The ticket of the claimed job; an empty one if there is none.
    pub(in super::super) fn ticket(&self) -> Ticket {
        match self {
            Self::Call(record) | Self::Deliver(record, _) => record.ticket(),
            Self::Idle(_) => Ticket {
                id: String::new(),
                token: 0,
            },
        }
    }

    pub(in super::super) fn into_claim<P: Payload>(self) -> Result<Claim<P>> {
        Ok(match self {
            Self::Call(record) => Claim::Call(Box::new(record.into_job()?)),
            Self::Deliver(record, tried) => Claim::Deliver(Box::new(record.into_job()?), tried),
            Self::Idle(wake) => Claim::Idle(wake),
        })
    }
}

/// The limit of calls in progress, in the scripts' format.
pub(in super::super) fn bound(lane: &Lane) -> String {
    lane.parallel
        .map_or_else(String::new, |bound| bound.to_string())
}

pub(in super::super) async fn claim<P: Payload>(
    redis: Redis,
    items: Vec<Wanted>,
) -> Results<Taken> {
    let mut results: Vec<Option<Result<Taken, Error>>> = items.iter().map(|_| None).collect();
    while let Some(first) = results.iter().position(Option::is_none) {
        let same: Vec<usize> = (first..items.len())
            .filter(|index| results[*index].is_none() && items[*index].goes_with(&items[first]))
            .collect();
        let now = same.iter().map(|index| items[*index].now).max();
        let claims = take::<P>(&redis, &items[first], now.unwrap_or_default(), same.len()).await;
        match claims {
            Ok(claims) => {
                for (index, claim) in same.into_iter().zip(claims) {
                    results[index] = Some(claim);
                }
            }
            Err(error) => {
                for index in same {
                    results[index] = Some(Err(error.clone().into()));
                }
            }
        }
    }
    Ok(results.into_iter().flatten().collect())
}

/// A number of equal claims.
async fn take<P: Payload>(
    redis: &Redis,
    wanted: &Wanted,
    now: Timestamp,
    count: usize,
) -> Results<Taken> {
    let until = now
        .as_millisecond()
        .saturating_add(milliseconds(wanted.lease));
    let mut call = redis
        .script(&scripts::CLAIM)
        .key(TAG)
        .arg(count)
        .arg(now.as_millisecond())
        .arg(until)
        .arg(expiry(now)?)
        .arg(record::outcome(&P::Outcome::failed(
            unreadable(now).failure,
        ))?);
    for lane in &wanted.lanes {
        call = call.arg(&lane.name).arg(bound(lane)).arg(lane.spacing());
    }
    let [wake, tried, records] = reply::array(call.run().await?)?;
    let wake = reply::number(&wake)?;
    let mut tried = reply::list(tried)?.into_iter();
    let mut claims = Vec::with_capacity(count);
    for record in reply::records(records)? {
        claims.push(Ok(match tried.next() {
            None => Taken::Call(record),
            Some(tried) => {
                let tried = u32::try_from(reply::number(&tried)?).unwrap_or(0);
                Taken::Deliver(record, tried)
            }
        }));
    }
    let wake = (wake >= 0).then(|| instant(wake)).transpose()?;
    claims.resize_with(count, || Ok(Taken::Idle(wake)));
    Ok(claims)
}

/// The failure of an expired lease, without the numbers of the attempt and the claim, which
/// only the script knows.
fn expiry(now: Timestamp) -> Result<String> {
    let text = serde_json::to_string(&expired(0, 0, now))?;
    let rest = text.strip_prefix(r#"{"attempt":0,"token":0"#);
    let rest =
        rest.ok_or_else(|| super::super::unreadable::unreadable("an attempt has no number"))?;
    Ok(rest.to_owned())
}
