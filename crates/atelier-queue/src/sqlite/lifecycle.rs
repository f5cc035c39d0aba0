//! The life of a job up to its end, alone or with those that joined it.

use atelier_api::{Cache, Status};
use rusqlite::{Connection, params};

use super::{
    super::{
        Error, Event, Illegal, NewJob, Outcome, Payload, Priority, Result, Ticket, Verdict, due,
        readable, transition,
    },
    Changes, gates,
    outbox::{self, Note},
    row::{self, Row, Withdrawn, text},
    scheduler,
    table::{self, followers, keep_files, load, save, select},
};
use atelier_store::milliseconds;

/// The states of a job that has not ended.
const IN_FLIGHT: &str = "status IN ('queued', 'running', 'delivering')";

pub(super) fn enqueue<P: Payload>(
    c: &Connection,
    changed: &mut Changes,
    mut row: Row,
    new: &NewJob<P>,
    now: i64,
) -> Result<Row> {
    if let Some(known) = load(c, &row.id)? {
        return known.seen_by_owner().ok_or(Error::NotFound);
    }
    match &new.answer {
        Some(answer) if table::still_kept(c, answer)? => row.finish_with(text(answer)?, now),
        Some(_) => return Err(Error::NoAnswer),
        None => {
            let since = new
                .join
                .as_ref()
                .map_or(0, |join| now - milliseconds(join.window));
            let shared = joinable(c, &row, since)?;
            if new.answered_only && !shared.as_ref().is_some_and(is_answer) {
                return Err(Error::NoAnswer);
            }
            if let (None, Some(from)) = (&shared, &new.inherits) {
                gates::inherit(c, &mut row, from)?;
            }
            place(c, changed, &mut row, shared, true, now)?;
        }
    }
    table::insert(c, &row)?;
    keep_files(c, &row.id, new.request.blobs())?;
    keep_answer::<P>(c, &row.id, &row)?;
    if row.status.is_terminal() {
        outbox::note(c, &row, None)?;
    }
    Ok(row)
}

/// Joins the answer or the call of the job found; otherwise queues the row, which is added
/// (`anew`) or retried.
fn place(
    c: &Connection,
    changed: &mut Changes,
    row: &mut Row,
    shared: Option<Row>,
    anew: bool,
    now: i64,
) -> Result<()> {
    match shared {
        Some(Row {
            status: Status::Succeeded,
            outcome: Some(answer),
            ..
        }) => {
            row.finish_with(answer, now);
            Ok(())
        }
        Some(leader) => {
            table::execute(
                c,
                "UPDATE jobs SET followed = 1 WHERE id = ?1",
                &[&leader.id],
            )?;
            row.follow(leader);
            Ok(())
        }
        None => gates::enter(c, changed, row, anew, now),
    }
}

fn is_answer(row: &Row) -> bool {
    row.status == Status::Succeeded && row.outcome.is_some()
}

/// The newest job that answers the row's request, was answered later than
/// `since`, or is about to be.
fn joinable(c: &Connection, row: &Row, since: i64) -> Result<Option<Row>> {
    let Some(flight) = &row.flight else {
        return Ok(None);
    };
    let found = select(
        c,
        &format!(
            "WHERE flight = ?1 AND leader IS NULL AND
             ({IN_FLIGHT} OR (status = 'succeeded' AND finished_at > ?2)) ORDER BY id DESC LIMIT 1"
        ),
        params![flight, since],
    )?;
    Ok(found.into_iter().next())
}

/// Records that the job refers to the blobs of its leader's outcome.
fn keep_answer<P: Payload>(c: &Connection, id: &str, row: &Row) -> Result<()> {
    let outcome: Option<P::Outcome> = row.outcome.as_deref().map(row::parse).transpose()?;
    keep_files(c, id, outcome.iter().flat_map(P::Outcome::blobs))
}

/// The job whose call this one shares, while that is in flight.
pub(super) fn leader_of(c: &Connection, row: &Row) -> Result<Option<Row>> {
    match &row.leader {
        Some(leader) if !row.status.is_terminal() => {
            Ok(readable(leader, load(c, leader))?.flatten())
        }
        _ => Ok(None),
    }
}

/// The job, if the ticket is still valid for it.
pub(super) fn held(c: &Connection, ticket: &Ticket) -> Result<Row> {
    let row = load(c, &ticket.id)?.ok_or(Error::NotFound)?;
    let active = matches!(row.status, Status::Running | Status::Delivering);
    // A retried follower may have the token of its own last call.
    if active && row.leader.is_none() && row.token == ticket.token {
        Ok(row)
    } else {
        Err(Error::Stale)
    }
}

pub(super) fn settle<P: Payload>(
    c: &Connection,
    changed: &mut Changes,
    ticket: &Ticket,
    verdict: Verdict<P>,
    now: i64,
) -> Result<()> {
    let mut row = held(c, ticket)?;
    let (event, before) = (verdict.event(), row.status);
    if row.status == Status::Delivering && event == Event::Record {
        return Ok(());
    }
    row.status = transition(row.status, event)?;
    row.preview = None;
    let mut yields = false;
    match verdict {
        Verdict::Record(outcome) => {
            keep_files(c, &row.id, outcome.blobs())?;
            row.outcome = Some(text(&outcome)?);
        }
        Verdict::Fail(failed) => {
            row.outcome = Some(text(&P::Outcome::failed(failed.failure.clone()))?);
            row.fail(&failed)?;
        }
        Verdict::FailWith(failed, outcome) => {
            keep_files(c, &row.id, outcome.blobs())?;
            row.outcome = Some(text(&outcome)?);
            row.fail(&failed)?;
        }
        Verdict::Retry(failed, not_before) => {
            row.fail(&failed)?;
            row.due = due(not_before, now);
        }
        Verdict::Yield(failed, not_before) => {
            row.fail(&failed)?;
            row.due = due(not_before, now);
            yields = true;
        }
        Verdict::Release(dropped) => {
            if let Some(dropped) = dropped {
                row.fail(&dropped)?;
            }
            row.attempt = row.attempt.saturating_sub(1);
            row.due = 0;
        }
        Verdict::Postpone(not_before) => row.due = not_before.as_millisecond().max(now),
    }
    if before == Status::Running {
        gates::end_attempt(c, changed, &mut row, now)?;
    }
    if row.status == Status::Queued {
        row.unreport();
        come_again(c, &mut row, yields, now)?;
    }
    save(c, &mut row, changed)
}

/// A job is queued again, in a new turn if it `yields`.
fn come_again(c: &Connection, row: &mut Row, yields: bool, now: i64) -> Result<()> {
    if row.gates.is_some() {
        return gates::come_again(c, row, yields, now);
    }
    if yields {
        scheduler::schedule(c, row)?;
        table::set_turn(c, row)?;
    }
    Ok(())
}

/// Returns the ends, the leader's first, none if they had ended before, and the blobs
/// without references.
pub(super) fn complete<P: Payload>(
    c: &Connection,
    changed: &mut Changes,
    ticket: &Ticket,
    now: i64,
) -> Result<(Vec<Note>, Vec<String>)> {
    let row = load(c, &ticket.id)?.ok_or(Error::NotFound)?;
    if row.status.is_terminal() {
        return Ok((Vec::new(), Vec::new()));
    }
    let mut row = held(c, ticket)?;
    let outcome: Option<P::Outcome> = row.outcome.as_deref().map(row::parse).transpose()?;
    let succeeded = outcome.is_some_and(|outcome| outcome.failure().is_none());
    row.status = transition(row.status, Event::Complete { succeeded })?;
    finish::<P>(c, changed, row, now)
}

/// Records the outcome and completes the job.
pub(super) fn settle_and_complete<P: Payload>(
    c: &Connection,
    changed: &mut Changes,
    ticket: &Ticket,
    verdict: Verdict<P>,
    now: i64,
) -> Result<(Vec<Note>, Vec<String>)> {
    let row = load(c, &ticket.id)?.ok_or(Error::NotFound)?;
    if row.status.is_terminal() {
        return Ok((Vec::new(), Vec::new()));
    }
    let event = verdict.event();
    if event != Event::Record {
        let status = row.status;
        return Err(Illegal { status, event }.into());
    }
    settle(c, changed, ticket, verdict, now)?;
    complete::<P>(c, changed, ticket, now)
}

/// Ends the job and those that share its call.
pub(super) fn finish<P: Payload>(
    c: &Connection,
    changed: &mut Changes,
    mut row: Row,
    now: i64,
) -> Result<(Vec<Note>, Vec<String>)> {
    row.finished_at = Some(now);
    row.due = 0;
    row.unreport();
    let shared = if row.followed {
        followers(c, &row.id)?
    } else {
        Vec::new()
    };
    save(c, &mut row, changed)?;
    for id in &shared {
        keep_answer::<P>(c, id, &row)?;
    }
    let mut rows = vec![row];
    for id in shared {
        // An unreadable one fails alone.
        rows.extend(readable(&id, load(c, &id))?.flatten());
    }
    let ended = outbox::note_all(c, &rows, false)?;
    let noted = rows[0].is_noted();
    gates::leave(c, changed, &mut rows[0], noted, now)?;
    let orphans = leave::<P>(c, &rows[0])?;
    Ok((ended, orphans))
}

/// Deletes a finished withdrawn leader's record or outcome, as its owner requested.
/// Returns the blobs without references.
fn leave<P: Payload>(c: &Connection, row: &Row) -> Result<Vec<String>> {
    match row.withdrawn {
        Withdrawn::No => Ok(Vec::new()),
        Withdrawn::Cancelled => table::forget_outcome::<P>(c, row),
        Withdrawn::Deleted => table::remove(c, &row.id),
    }
}

pub(super) fn retry(
    c: &Connection,
    changed: &mut Changes,
    id: &str,
    priority: Priority,
    now: i64,
) -> Result<Row> {
    let row = load(c, id)?.ok_or(Error::NotFound)?;
    let mut row = row.seen_by_owner().ok_or(Error::NotFound)?;
    row.status = transition(row.status, Event::Requeue)?;
    row.attempt = 0;
    row.deliveries = 0;
    row.started_at = None;
    row.finished_at = None;
    row.band = priority.band();
    row.cache = Cache::Miss;
    row.charge = "null".into();
    row.settle_failures()?;
    row.outcome = None;
    row.leader = None;
    row.followed = false;
    let flying = joinable(c, &row, now)?;
    place(c, changed, &mut row, flying, false, now)?;
    table::replace(c, &mut row, changed)?;
    Ok(row)
}
