//! Connections and their settings.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, config::DbConfig, hooks::Wal};

use super::{
    Error,
    checkpoints::Checkpoints,
    schema::{Schema, migrate},
};

/// Maximum part of the file that the writer caches.
const CACHE_KIB: i64 = 32 * 1024;

/// Opens or creates the file and brings its schema up to date.
pub(super) fn open_to_write(
    path: &Path,
    earlier: &[&str],
    schemas: &[Schema],
) -> Result<Connection, Error> {
    let mut connection = Connection::open(path)?;
    prepare(&connection)?;
    migrate(&mut connection, earlier, schemas)?;
    let checkpoints = Checkpoints::start(path)?;
    connection.wal_hook(Some(move |log: &mut Wal, pages| {
        checkpoints.after_commit(log, pages)
    }))?;
    Ok(connection)
}

pub(super) fn open_to_read(path: &Path) -> Result<Connection, Error> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    tune(&connection)?;
    Ok(connection)
}

/// A connection that moves the log into the file.
pub(super) fn open_to_checkpoint(path: &Path) -> Result<Connection, Error> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    tune(&connection)?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    Ok(connection)
}

/// The settings of readers and the writer.
fn tune(connection: &Connection) -> Result<(), Error> {
    // Without this a statement is planned again for every bound value.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn prepare(connection: &Connection) -> Result<(), Error> {
    tune(connection)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    Ok(())
}

/// Runs a frequent statement, cached.
pub(super) fn run(connection: &Connection, sql: &str) -> Result<(), Error> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}
