//! Operations under a ticket: extend, settle, complete.

use std::time::Duration;

use ::redis::Value;
use jiff::Timestamp;

use super::{
    super::super::{
        Completion, Ended, Error, Event, Outcome, Payload, Report, Ticket, Verdict, due,
    },
    Record, Redis, Result, Results, TAG, distinct, milliseconds, record, reply, scripts,
};
use atelier_store::redis::{Call, Script};

/// A lease to be extended.
pub(in super::super) struct Extension {
    ticket: Ticket,
    until: i64,
    progress: String,
    preview: String,
}

impl Extension {
    pub(in super::super) fn new(
        ticket: &Ticket,
        now: Timestamp,
        lease: Duration,
        report: Report,
    ) -> Self {
        // Adding 0 turns -0 into 0.
        let progress = report
            .progress
            .map_or_else(String::new, |share| (share + 0.0).to_string());
        Self {
            ticket: ticket.clone(),
            until: now.as_millisecond().saturating_add(milliseconds(lease)),
            progress,
            preview: report.preview.unwrap_or_default(),
        }
    }
}

pub(in super::super) async fn extend(redis: Redis, items: Vec<Extension>) -> Results<()> {
    let mut call = redis.script(&scripts::EXTEND).key(TAG);
    for item in items {
        call = call
            .arg(item.ticket.id)
            .arg(item.ticket.token)
            .arg(item.until)
            .arg(item.progress)
            .arg(item.preview);
    }
    let codes: Vec<i64> = call.run().await?;
    // An extension is refused as stale, never as illegal.
    Ok(codes
        .into_iter()
        .map(|code| reply::refusal(code, Event::Claim))
        .collect())
}

/// A verdict to be carried out.
pub(in super::super) struct Settlement {
    ticket: Ticket,
    event: Event,
    /// In the format of `settle.lua`: a letter, and when the job is due.
    verdict: String,
    text: Vec<u8>,
    now: i64,
}

impl Settlement {
    pub(in super::super) fn new<P: Payload>(
        ticket: &Ticket,
        verdict: Verdict<P>,
        now: Timestamp,
    ) -> Result<Self> {
        let now = now.as_millisecond();
        let event = verdict.event();
        let (verdict, text) = match verdict {
            Verdict::Record(outcome) => recorded(&outcome)?,
            Verdict::Fail(failed) => {
                let failure = serde_json::to_vec(&failed)?;
                fail(&failure, &P::Outcome::failed(failed.failure))?
            }
            Verdict::FailWith(failed, outcome) => fail(&serde_json::to_vec(&failed)?, &outcome)?,
            Verdict::Retry(failed, not_before) => {
                let due = due(not_before, now);
                (format!("r{due}"), serde_json::to_vec(&failed)?)
            }
            Verdict::Yield(failed, not_before) => {
                let due = due(not_before, now);
                (format!("y{due}"), serde_json::to_vec(&failed)?)
            }
            Verdict::Release(dropped) => {
                let text = dropped.as_ref().map(serde_json::to_vec).transpose()?;
                ("h".into(), text.unwrap_or_default())
            }
            Verdict::Postpone(not_before) => {
                let due = not_before.as_millisecond().max(now);
                (format!("p{due}"), Vec::new())
            }
        };
        Ok(Self {
            ticket: ticket.clone(),
            event,
            verdict,
            text,
            now,
        })
    }
}

fn recorded(outcome: &impl Outcome) -> Result<(String, Vec<u8>)> {
    match outcome.failure() {
        None => Ok(("s".into(), record::outcome(outcome)?)),
        Some(_) => fail(&[], outcome),
    }
}

/// The failed attempt, empty if there is none to be kept, then the outcome.
fn fail(failure: &[u8], outcome: &impl Outcome) -> Result<(String, Vec<u8>)> {
    let length = u32::try_from(failure.len())
        .map_err(|_| super::super::unreadable::unreadable("a failure is too long"))?;
    let mut text = length.to_be_bytes().to_vec();
    text.extend(failure);
    text.extend(record::outcome(outcome)?);
    Ok(("f".into(), text))
}

/// The call of a script that carries out these verdicts, all at the latest of their
/// instants.
fn settling<'a>(redis: &'a Redis, script: &'a Script, items: Vec<Settlement>) -> Call<'a> {
    let now = items.iter().map(|item| item.now).max();
    let mut call = redis
        .script(script)
        .key(TAG)
        .arg(distinct(items.iter().map(|item| item.ticket.id.as_str())))
        .arg(now.unwrap_or_default());
    for item in items {
        call = call
            .arg(item.ticket.id)
            .arg(item.ticket.token)
            .arg(item.verdict)
            .arg(item.text);
    }
    call
}

pub(in super::super) async fn finish(redis: Redis, items: Vec<Settlement>) -> Results<Completed> {
    let call = settling(&redis, &scripts::FINISH, items);
    all_completed(call.run().await?)
}

pub(in super::super) async fn settle(redis: Redis, items: Vec<Settlement>) -> Results<()> {
    let events: Vec<Event> = items.iter().map(|item| item.event).collect();
    let call = settling(&redis, &scripts::SETTLE, items);
    let codes: Vec<i64> = call.run().await?;
    let results = codes.into_iter().zip(events);
    Ok(results
        .map(|(code, event)| reply::refusal(code, event))
        .collect())
}

/// A delivery under this ticket that succeeded at the instant.
pub(in super::super) type Finish = (Ticket, Timestamp);

/// What a delivery changed.
pub(in super::super) struct Completed {
    /// The finished jobs; none if they had been finished before.
    pub(in super::super) records: Vec<Record>,
    pub(in super::super) orphans: Vec<String>,
}

impl Completed {
    pub(in super::super) fn into_completion<P: Payload>(self) -> Result<Completion<P>, Error> {
        let mut jobs = self.records.into_iter().map(Record::into_job_left::<P>);
        let Some((leader, withdrawn)) = jobs.next().transpose()? else {
            return Ok(Completion::Repeated);
        };
        let followers = jobs.map(|job| job.map(|(job, _)| job));
        let followers = followers.collect::<Result<_, _>>()?;
        Ok(Completion::Applied {
            ended: Ended::together(leader, withdrawn, followers),
            orphans: self.orphans,
        })
    }
}

pub(in super::super) async fn complete(redis: Redis, items: Vec<Finish>) -> Results<Completed> {
    let mut call = redis.script(&scripts::COMPLETE).key(TAG);
    call = call.arg(distinct(items.iter().map(|(ticket, _)| ticket.id.as_str())));
    for (ticket, now) in items {
        call = call
            .arg(ticket.id)
            .arg(ticket.token)
            .arg(now.as_millisecond());
    }
    all_completed(call.run().await?)
}

/// The results of finishing, one for each item.
fn all_completed(answer: Value) -> Results<Completed> {
    let [counts, records, orphans] = reply::array(answer)?;
    let mut records = reply::records(records)?.into_iter();
    let mut orphans = reply::list(orphans)?.into_iter();
    let counts = reply::list(counts)?;
    counts
        .iter()
        .map(|count| {
            let orphans = orphans.next().map(reply::texts).transpose()?;
            let count = reply::number(count)?;
            Ok(completed(count, &mut records, orphans.unwrap_or_default()))
        })
        .collect()
}

fn completed(
    count: i64,
    records: &mut impl Iterator<Item = Record>,
    orphans: Vec<String>,
) -> Result<Completed, Error> {
    // Only a job without an outcome is refused as illegal.
    reply::refusal(
        count.min(0).saturating_neg(),
        Event::Complete { succeeded: false },
    )?;
    let count = usize::try_from(count).unwrap_or(0);
    Ok(Completed {
        records: records.take(count).collect(),
        orphans,
    })
}
