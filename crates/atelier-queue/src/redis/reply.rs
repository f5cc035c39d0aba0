//! Parses scripts' replies.

use ::redis::Value;
use atelier_api::Status;

use super::{
    super::{Error, Event, Illegal},
    record::Record,
    unreadable::unreadable,
};
use atelier_store as store;

type Result<T, E = store::Error> = std::result::Result<T, E>;

pub(super) fn number(value: &Value) -> Result<i64> {
    match value {
        Value::Int(number) => Ok(*number),
        _ => Err(unreadable("a number was expected")),
    }
}

pub(super) fn list(value: Value) -> Result<Vec<Value>> {
    match value {
        Value::Array(values) => Ok(values),
        _ => Err(unreadable("a list was expected")),
    }
}

pub(super) fn array<const N: usize>(value: Value) -> Result<[Value; N]> {
    list(value)?
        .try_into()
        .map_err(|_| unreadable("a list has another length"))
}

pub(super) fn bytes(value: Value) -> Result<Vec<u8>> {
    match value {
        Value::BulkString(bytes) => Ok(bytes),
        _ => Err(unreadable("a text was expected")),
    }
}

pub(super) fn texts(value: Value) -> Result<Vec<String>> {
    let text =
        |value| String::from_utf8(bytes(value)?).map_err(|_| unreadable("a name is not text"));
    list(value)?.into_iter().map(text).collect()
}

/// The text, empty if absent.
fn text(value: Value) -> Result<Vec<u8>> {
    match value {
        Value::Nil => Ok(Vec::new()),
        value => bytes(value),
    }
}

/// Jobs, column by column; empty columns may be omitted.
pub(super) fn records(value: Value) -> Result<Vec<Record>> {
    let mut columns = list(value)?.into_iter();
    let mut column = || {
        columns
            .next()
            .map_or_else(|| Ok(Vec::new()), list)
            .map(Vec::into_iter)
    };
    let ids = column()?;
    let (mut heads, mut bodies, mut links) = (column()?, column()?, column()?);
    let (mut outcomes, mut failures, mut places) = (column()?, column()?, column()?);
    let mut leaders = column()?;
    ids.map(|id| {
        Ok(Record {
            id: bytes(id)?,
            head: text(heads.next().unwrap_or(Value::Nil))?,
            body: text(bodies.next().unwrap_or(Value::Nil))?,
            links: text(links.next().unwrap_or(Value::Nil))?,
            outcome: text(outcomes.next().unwrap_or(Value::Nil))?,
            failures: text(failures.next().unwrap_or(Value::Nil))?,
            leader_links: text(leaders.next().unwrap_or(Value::Nil))?,
            place: match places.next() {
                Some(place) => u64::try_from(number(&place)?).ok(),
                None => None,
            },
        })
    })
    .collect()
}

/// The refusal of an item, if any: the numbers of `rows.lua`.
pub(super) fn refusal(code: i64, event: Event) -> Result<(), Error> {
    let status = match code {
        0 => return Ok(()),
        1 => return Err(Error::NotFound),
        2 => return Err(Error::Stale),
        10 => Status::Queued,
        11 => Status::Running,
        12 => Status::Delivering,
        13 => Status::Succeeded,
        14 => Status::Failed,
        15 => Status::Cancelled,
        _ => return Err(unreadable("a job's record is damaged").into()),
    };
    Err(Illegal { status, event }.into())
}

/// The reply, unless it is the number of a refusal.
pub(super) fn unless_refused(answer: Value, event: Event) -> Result<Value, Error> {
    if let Value::Int(code) = answer {
        refusal(code, event)?;
    }
    Ok(answer)
}
