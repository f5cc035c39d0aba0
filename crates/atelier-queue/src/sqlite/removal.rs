//! Deletes jobs.

use rusqlite::Connection;

use super::{
    super::{Error, Event, Illegal, Payload, Result, readable},
    Changes,
    row::Withdrawn,
    table::{self, load, save},
    unread,
};

/// Deletes a finished job. Returns the blobs that no other job refers to.
pub(super) fn delete<P: Payload>(
    c: &Connection,
    changed: &mut Changes,
    id: &str,
) -> Result<Vec<String>> {
    let Some(row) = readable(id, load(c, id))? else {
        return unread::forget::<P>(c, changed, id);
    };
    let mut row = row.ok_or(Error::NotFound)?;
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
