//! The batched operations: the input of one call, and one script for many of them.

mod claim;
mod work;

use std::collections::HashSet;

use ::redis::Value;
use jiff::Timestamp;

pub(super) use self::{
    claim::{Taken, Wanted, bound, claim},
    work::{Completed, Extension, Finish, Settlement, complete, extend, finish, settle},
};
use super::{
    super::{Error, Join, Lane, NewJob, Payload, due},
    TAG,
    record::{self, Record},
    reply, scripts,
};
use atelier_store::{self as store, batcher, milliseconds, redis::Redis};

type Result<T, E = store::Error> = std::result::Result<T, E>;
type Results<T> = batcher::Results<T, Error>;

/// A job to be added.
pub(super) struct Addition {
    id: String,
    body: Vec<u8>,
    /// The digest of what it may join.
    digest: String,
    /// Options: empty unless it is delayed, may join, has an answer, or needs one.
    special: Vec<u8>,
}

/// The result of adding it.
pub(super) enum Added {
    /// Queued, with this number of jobs ahead.
    Alone(Option<u64>),
    Record(Record),
}

impl Addition {
    pub(super) fn new<P: Payload>(job: &NewJob<P>, now: Timestamp) -> Result<Self> {
        let at = now.as_millisecond();
        Ok(Self {
            id: job.id.clone(),
            body: record::body(job, now)?,
            digest: job
                .join
                .as_ref()
                .map(|join| join.digest.clone())
                .unwrap_or_default(),
            special: special(job, at)?,
        })
    }
}

fn since(join: &Join, now: i64) -> i64 {
    now.saturating_sub(milliseconds(join.window)).max(0)
}

/// The options of a job in the format of `enqueue.lua`.
fn special<P: Payload>(job: &NewJob<P>, now: i64) -> Result<Vec<u8>> {
    let due = job.not_before.map_or(0, |time| due(time, now));
    let arrival = record::arrival(job)?;
    let only_joins = due == 0 && job.answer.is_none() && !job.answered_only && arrival.is_empty();
    if only_joins && job.join.is_none() {
        return Ok(Vec::new());
    }
    let since = job.join.as_ref().map_or(now, |join| since(join, now));
    let mut packed = [now.to_be_bytes(), since.to_be_bytes()].concat();
    if only_joins {
        return Ok(packed);
    }
    packed.extend(due.to_be_bytes());
    packed.push(job.answer.as_ref().map_or(b'-', record::ended));
    packed.push(job.answered_only.into());
    if arrival.is_empty() {
        packed.extend([0; 4]);
    }
    packed.extend(arrival);
    if let Some(answer) = &job.answer {
        packed.extend(record::outcome(answer)?);
    }
    Ok(packed)
}

/// 1 if there are no duplicates.
fn distinct<'a>(mut texts: impl Iterator<Item = &'a str>) -> u8 {
    let mut seen = HashSet::new();
    let distinct = texts.all(|text| seen.insert(text));
    distinct.into()
}

pub(super) async fn enqueue(redis: Redis, items: Vec<Addition>) -> Results<Added> {
    let mut call = redis.script(&scripts::ENQUEUE).key(TAG);
    let ids = items.iter().map(|item| item.id.as_str());
    let digests = items.iter().map(|item| item.digest.as_str());
    let digests = digests.filter(|digest| !digest.is_empty());
    call = call.arg(distinct(ids) & distinct(digests));
    for item in items {
        let call_with_id = call.arg(item.id).arg(item.body);
        call = call_with_id.arg(item.digest).arg(item.special);
    }
    let answers = reply::list(call.run().await?)?;
    answers
        .into_iter()
        .map(|answer| Ok(added(answer)))
        .collect()
}

fn added(answer: Value) -> Result<Added, Error> {
    match answer {
        Value::Int(-2) => Err(Error::NotFound),
        Value::Int(-3) => Err(Error::NoAnswer),
        Value::Int(place) => Ok(Added::Alone(u64::try_from(place).ok())),
        record => {
            let record = reply::records(record)?.pop();
            Ok(Added::Record(record.ok_or(Error::NotFound)?))
        }
    }
}

pub(super) async fn acknowledge(redis: Redis, keys: Vec<String>) -> Results<()> {
    let call = redis.script(&scripts::ACKNOWLEDGE).key(TAG).arg(&keys);
    let () = call.run().await?;
    Ok(keys.iter().map(|_| Ok(())).collect())
}

pub(super) async fn get(redis: Redis, ids: Vec<String>) -> Results<Option<Record>> {
    let call = redis.script(&scripts::GET).key(TAG).arg(&ids);
    let [found, records] = reply::array(call.run().await?)?;
    let mut results: Vec<_> = ids.iter().map(|_| Ok(None)).collect();
    for (index, record) in reply::list(found)?.iter().zip(reply::records(records)?) {
        let index = usize::try_from(reply::number(index)? - 1).unwrap_or(usize::MAX);
        if let Some(result) = results.get_mut(index) {
            *result = Ok(Some(record));
        }
    }
    Ok(results)
}
