//! Packs the parts that this process writes.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

use super::{
    super::super::{Hooks, NewJob, Outcome, Payload, outbox::is_charged},
    Result, unreadable,
};

/// The immutable part, except for the charge, which a retry voids.
#[derive(Serialize)]
struct BodyText<'a, P> {
    created: i64,
    request: &'a P,
    charge: &'a serde_json::Value,
    hooks: &'a Hooks,
}

/// The part of the record that only the caller determines, and the body.
pub(in super::super) fn body<P: Payload>(job: &NewJob<P>, now: Timestamp) -> Result<Vec<u8>> {
    let mut packed = Vec::with_capacity(512);
    short(&mut packed, job.request.lane().as_bytes())?;
    packed.push(job.priority.band() | flags(job));
    packed.extend(job.request.turns().to_be_bytes());
    long(&mut packed, job.owner.as_bytes())?;
    long(&mut packed, &names(job.request.blobs()))?;
    if let Some(join) = &job.join {
        long(&mut packed, join.digest.as_bytes())?;
    }
    let body = BodyText {
        created: now.as_millisecond(),
        request: &job.request,
        charge: &job.charge,
        hooks: &job.hooks,
    };
    serde_json::to_writer(&mut packed, &body)?;
    Ok(packed)
}

/// The digest of what the job may join precedes the body.
pub(super) const JOINS: u8 = 0x20;

/// The flags that the scripts read with the band: `said` and `digest_of`.
fn flags<P: Payload>(job: &NewJob<P>) -> u8 {
    const UNCHARGED: u8 = 0x80;
    const UNTOLD: u8 = 0x40;
    let mut flags = 0;
    if job.join.is_some() {
        flags |= JOINS;
    }
    if !is_charged(&job.charge) {
        flags |= UNCHARGED;
    }
    if job.hooks == Hooks::default() {
        flags |= UNTOLD;
    }
    flags
}

/// The outcome, after the blobs it refers to.
pub(in super::super) fn outcome(outcome: &impl Outcome) -> Result<Vec<u8>> {
    let mut packed = Vec::with_capacity(256);
    long(&mut packed, &names(outcome.blobs()))?;
    serde_json::to_writer(&mut packed, outcome)?;
    Ok(packed)
}

/// The letter for the kind of outcome.
pub(in super::super) fn ended(outcome: &impl Outcome) -> u8 {
    if outcome.failure().is_none() {
        b's'
    } else {
        b'f'
    }
}

/// The names without duplicates, one per line.
fn names(blobs: Vec<&str>) -> Vec<u8> {
    let names: BTreeSet<&str> = blobs.into_iter().collect();
    names
        .into_iter()
        .collect::<Vec<_>>()
        .join("\n")
        .into_bytes()
}

fn short(packed: &mut Vec<u8>, text: &[u8]) -> Result<()> {
    let length = u8::try_from(text.len()).map_err(|_| unreadable("a name is too long"))?;
    packed.push(length);
    packed.extend(text);
    Ok(())
}

fn long(packed: &mut Vec<u8>, text: &[u8]) -> Result<()> {
    let length = u16::try_from(text.len()).map_err(|_| unreadable("a name is too long"))?;
    packed.extend(length.to_be_bytes());
    packed.extend(text);
    Ok(())
}
