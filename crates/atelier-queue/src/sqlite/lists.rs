//! Jobs as their owners see them, one by one and in lists.

use rusqlite::{Connection, params};

use super::{
    super::{In, Job, Payload, Result, readable},
    lifecycle,
    row::Row,
    scheduler,
    table::{self, Found},
};

pub(super) type Placed = (Row, Option<u64>);

/// The rows as their owners see them.
pub(super) fn seen(c: &Connection, rows: Vec<Row>) -> Result<Vec<Placed>> {
    let seen = rows.into_iter().filter_map(Row::seen_by_owner);
    seen.map(|row| placed(c, row)).collect()
}

pub(super) fn placed(c: &Connection, mut row: Row) -> Result<Placed> {
    let leader = lifecycle::leader_of(c, &row)?;
    let position = scheduler::position(c, leader.as_ref().unwrap_or(&row))?;
    if let Some(leader) = &leader {
        row.share_reports(leader);
    }
    Ok((row, position))
}

pub(super) fn into_job<P: Payload>((row, position): Placed) -> Result<Job<P>> {
    row.into_job(position)
}

/// The readable ones.
pub(super) fn into_jobs<P: Payload>(rows: Vec<Placed>) -> Result<Vec<Job<P>>> {
    let jobs = rows.into_iter().map(|placed| {
        let id = placed.0.id.clone();
        readable(&id, into_job(placed))
    });
    jobs.filter_map(Result::transpose).collect()
}

/// At most `limit` jobs of a list, newest first, as their owners see them. Unreadable ones
/// are skipped. `part` returns what precedes an id.
pub(super) fn newest<P: Payload>(
    c: &Connection,
    before: &str,
    limit: usize,
    part: impl Fn(&str, usize) -> Result<Vec<Found>>,
) -> Result<Vec<Job<P>>> {
    let (mut jobs, mut before) = (Vec::new(), before.to_owned());
    loop {
        let wanted = limit - jobs.len();
        let found = part(&before, wanted)?;
        let more = found.len() == wanted;
        if let Some(last) = found.last() {
            before = last
                .as_ref()
                .map_or_else(String::clone, |row| row.id.clone());
        }
        jobs.extend(into_jobs(seen(c, found.into_iter().flatten().collect())?)?);
        if !more || jobs.len() >= limit {
            return Ok(jobs);
        }
    }
}

/// At most `limit` of the owner's jobs.
pub(super) fn of_owner<P: Payload>(
    c: &Connection,
    owner: &str,
    before: &str,
    limit: usize,
) -> Result<Vec<Job<P>>> {
    const OF_OWNER: &str =
        "WHERE owner = ?1 AND id < ?2 AND withdrawn < 2 ORDER BY id DESC LIMIT ?3";
    newest(c, before, limit, |before, limit| {
        table::find(c, OF_OWNER, params![owner, before, limit])
    })
}

/// Those that are tracked and in that state.
pub(super) fn in_state<P: Payload>(
    c: &Connection,
    owner: &str,
    state: In,
    before: &str,
    limit: usize,
) -> Result<Vec<Job<P>>> {
    const UNFINISHED: &str = "WHERE owner = ?1 AND id < ?2 AND tracked = 1 AND withdrawn = 0
         AND status IN ('queued', 'running', 'delivering') ORDER BY id DESC LIMIT ?3";
    const FAILED: &str = "WHERE owner = ?1 AND id < ?2 AND tracked = 1 AND status = 'failed'
         ORDER BY id DESC LIMIT ?3";
    let condition = match state {
        In::Unfinished => UNFINISHED,
        In::Failed => FAILED,
    };
    newest(c, before, limit, |before, limit| {
        table::find(c, condition, params![owner, before, limit])
    })
}
