//! How a job comes to its end: alone, or with those who joined it.

use atelier_app::wire::{Cache, Status};
use rusqlite::{Connection, params};

use super::{
    super::{Error, Event, Illegal, NewJob, Priority, Result, Ticket, Verdict, due, transition},
    order,
    row::{self, Row, Withdrawn, text},
    table::{self, followers, keep_files, load, save, select},
};
use crate::{job::Outcome, store::milliseconds};

/// The states of a job that has not ended.
const IN_FLIGHT: &str = "status IN ('queued', 'running', 'delivering')";

pub(super) fn enqueue(c: &Connection, mut row: Row, new: &NewJob, now: i64) -> Result<Row> {
    if let Some(known) = load(c, &row.id)? {
        return known.seen_by_owner().ok_or(Error::NotFound);
    }
    match &new.answer {
        Some(answer) if table::still_kept(c, answer)? => row.finish_with(text(answer)?, now),
        _ => {
            let since = new
                .join
                .as_ref()
                .map_or(0, |join| now - milliseconds(join.window));
            place(c, &mut row, since, now)?;
        }
    }
    table::insert(c, &row)?;
    keep_files(c, &row.id, new.request.files())?;
    keep_answer(c, &row.id, &row)?;
    Ok(row)
}

/// Joins the newest job that answers the same request, was answered later than
/// `since`, or is about to be; else takes a place in the order.
fn place(c: &Connection, row: &mut Row, since: i64, now: i64) -> Result<()> {
    match row
        .flight
        .as_ref()
        .map(|flight| newest(c, flight, since))
        .transpose()?
        .flatten()
    {
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
        None => order::schedule(c, row),
    }
}

fn newest(c: &Connection, flight: &str, since: i64) -> Result<Option<Row>> {
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

/// Notes that the job refers to the blobs of its leader's outcome.
fn keep_answer(c: &Connection, id: &str, row: &Row) -> Result<()> {
    let outcome: Option<Outcome> = row.outcome.as_deref().map(row::parse).transpose()?;
    keep_files(c, id, outcome.iter().flat_map(Outcome::files))
}

/// The job, if the ticket is still the right to act on it.
pub(super) fn held(c: &Connection, ticket: &Ticket) -> Result<Row> {
    let row = load(c, &ticket.id)?.ok_or(Error::NotFound)?;
    let active = matches!(row.status, Status::Running | Status::Delivering);
    // A follower that was revived may carry the token of its own last call.
    if active && row.leader.is_none() && row.token == ticket.token {
        Ok(row)
    } else {
        Err(Error::Stale)
    }
}

pub(super) fn settle(
    c: &Connection,
    changed: &mut Vec<String>,
    ticket: &Ticket,
    verdict: Verdict,
    now: i64,
) -> Result<()> {
    let mut row = held(c, ticket)?;
    let event = verdict.event();
    if row.status == Status::Delivering && event == Event::Record {
        return Ok(());
    }
    row.status = transition(row.status, event)?;
    row.preview = None;
    match verdict {
        Verdict::Record(outcome) => {
            keep_files(c, &row.id, outcome.files())?;
            row.outcome = Some(text(&outcome)?);
        }
        Verdict::Fail(failed) => {
            row.outcome = Some(text(&Outcome::Failed(failed.failure.clone()))?);
            row.fail(&failed)?;
        }
        Verdict::Retry(failed, not_before) => {
            row.fail(&failed)?;
            row.due = due(not_before, now);
        }
        Verdict::Yield(failed, not_before) => {
            row.fail(&failed)?;
            row.due = due(not_before, now);
            order::schedule(c, &mut row)?;
            table::set_turn(c, &row)?;
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
    if row.status == Status::Queued {
        row.unreport();
    }
    save(c, &mut row, changed)
}

/// The finished rows, the leader first, none if they were finished before; and
/// the blobs that nobody refers to any more.
pub(super) fn complete(
    c: &Connection,
    changed: &mut Vec<String>,
    ticket: &Ticket,
    now: i64,
) -> Result<(Vec<Row>, Vec<String>)> {
    let row = load(c, &ticket.id)?.ok_or(Error::NotFound)?;
    if row.status.is_terminal() {
        return Ok((Vec::new(), Vec::new()));
    }
    let mut row = held(c, ticket)?;
    let outcome: Option<Outcome> = row.outcome.as_deref().map(row::parse).transpose()?;
    let succeeded = matches!(outcome, Some(Outcome::Succeeded { .. }));
    row.status = transition(row.status, Event::Complete { succeeded })?;
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
        keep_answer(c, id, &row)?;
    }
    let mut orphans = Vec::new();
    match row.withdrawn {
        Withdrawn::No => {}
        Withdrawn::Cancelled => table::set_status(c, &row.id, Status::Cancelled)?,
        Withdrawn::Deleted => orphans = table::remove(c, &row.id)?,
    }
    let mut rows = vec![row];
    for id in shared {
        rows.extend(load(c, &id)?);
    }
    Ok((rows, orphans))
}

/// What a cancellation changed.
pub(super) struct Cancelled {
    /// As its owner sees it afterwards.
    pub(super) row: Row,
    pub(super) before_call: bool,
    pub(super) orphans: Vec<String>,
}

pub(super) fn cancel(
    c: &Connection,
    changed: &mut Vec<String>,
    id: &str,
    now: i64,
) -> Result<Cancelled> {
    let mut row = load(c, id)?.ok_or(Error::NotFound)?;
    let before = row.clone().seen_by_owner().ok_or(Error::NotFound)?;
    let cancelled = transition(before.status, Event::Cancel)?;
    row.finished_at = Some(now);
    if row.leader.is_none() && !followers(c, id)?.is_empty() {
        row.withdrawn = Withdrawn::Cancelled;
    } else {
        row.status = cancelled;
        row.due = 0;
        row.unreport();
        if before.attempt == 0 && row.leader.is_none() {
            order::unschedule(c, &row)?;
        }
    }
    save(c, &mut row, changed)?;
    let orphans = match &row.leader {
        Some(leader) => abandon(c, changed, leader)?,
        None => Vec::new(),
    };
    Ok(Cancelled {
        row: row.seen_by_owner().ok_or(Error::NotFound)?,
        before_call: before.status == Status::Queued || before.cache == Cache::Joined,
        orphans,
    })
}

/// Ends a withdrawn leader that nobody waits for any more; the blobs that
/// nobody refers to any more.
fn abandon(c: &Connection, changed: &mut Vec<String>, leader: &str) -> Result<Vec<String>> {
    let Some(mut row) = load(c, leader)? else {
        return Ok(Vec::new());
    };
    if row.withdrawn == Withdrawn::No || !followers(c, leader)?.is_empty() {
        return Ok(Vec::new());
    }
    // An outcome that is recorded already is delivered all the same.
    let Ok(status) = transition(row.status, Event::Cancel) else {
        return Ok(Vec::new());
    };
    row.status = status;
    row.due = 0;
    row.unreport();
    if row.attempt == 0 {
        order::unschedule(c, &row)?;
    }
    save(c, &mut row, changed)?;
    if row.withdrawn == Withdrawn::Deleted {
        return table::remove(c, leader);
    }
    Ok(Vec::new())
}

pub(super) fn delete(c: &Connection, changed: &mut Vec<String>, id: &str) -> Result<Vec<String>> {
    let mut row = load(c, id)?.ok_or(Error::NotFound)?;
    let seen = row.clone().seen_by_owner().ok_or(Error::NotFound)?;
    if !seen.status.is_terminal() {
        let event = Event::Cancel;
        let status = seen.status;
        return Err(Illegal { status, event }.into());
    }
    if !row.status.is_terminal() {
        row.withdrawn = Withdrawn::Deleted;
        save(c, &mut row, changed)?;
        return Ok(Vec::new());
    }
    changed.push(id.to_owned());
    table::remove(c, id)
}

pub(super) fn revive(
    c: &Connection,
    changed: &mut Vec<String>,
    id: &str,
    priority: Priority,
    now: i64,
) -> Result<Row> {
    let row = load(c, id)?.ok_or(Error::NotFound)?;
    let mut row = row.seen_by_owner().ok_or(Error::NotFound)?;
    row.status = transition(row.status, Event::Revive)?;
    row.attempt = 0;
    row.deliveries = 0;
    row.started_at = None;
    row.finished_at = None;
    row.band = priority.band();
    row.cache = Cache::Miss;
    row.charge = "null".into();
    row.outcome = None;
    row.leader = None;
    row.followed = false;
    place(c, &mut row, now, now)?;
    table::replace(c, &mut row, changed)?;
    Ok(row)
}
