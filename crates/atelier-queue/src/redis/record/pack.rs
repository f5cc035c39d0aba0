//! Packs the parts that this process writes.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

use super::{
    super::{
        super::{GateRef, Hold, Hooks, NewJob, Outcome, Payload, in_order, outbox::is_charged},
        gates::period,
    },
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

/// The way of a new job through its gates, in the format of `way.lua`, and the job whose
/// slots it inherits; empty if there is neither.
pub(in super::super) fn arrival<P: Payload>(job: &NewJob<P>) -> Result<Vec<u8>> {
    let tracked = job.request.is_tracked();
    if !tracked && job.gates.is_empty() && job.inherits.is_none() {
        return Ok(Vec::new());
    }
    let mut way = Vec::new();
    if tracked || !job.gates.is_empty() {
        way.push(tracked.into());
        for gate in in_order(&job.gates) {
            pass(&mut way, gate)?;
        }
    }
    let mut packed = Vec::with_capacity(way.len() + 64);
    long(&mut packed, &way)?;
    long(
        &mut packed,
        job.inherits.as_deref().unwrap_or_default().as_bytes(),
    )?;
    Ok(packed)
}

fn pass(packed: &mut Vec<u8>, gate: &GateRef) -> Result<()> {
    const TO_THE_END: u8 = 1;
    const HAS_TERMS: u8 = 64;
    long(packed, gate.name.as_bytes())?;
    let mut flags = 0;
    if gate.hold == Hold::End {
        flags |= TO_THE_END;
    }
    if gate.terms.is_some() {
        flags |= HAS_TERMS;
    }
    packed.push(flags);
    let terms = gate.terms.unwrap_or_default();
    let (rate, length) = terms
        .rate
        .map_or((-1.0, 0), |rate| (f64::from(rate.count), period(rate)));
    let parallel = terms.parallel.map_or(-1.0, f64::from);
    // No place in the line yet.
    for number in [0.0, parallel, rate, length as f64] {
        packed.extend(number.to_be_bytes());
    }
    Ok(())
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
