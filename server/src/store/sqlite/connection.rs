//! Connections, and the schema of the file.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, config::DbConfig};

use super::Error;

/// Applied in order; `PRAGMA user_version` counts those already applied.
const MIGRATIONS: &[&str] = &[
    include_str!("001.sql"),
    include_str!("002.sql"),
    include_str!("003.sql"),
    include_str!("004.sql"),
    include_str!("005.sql"),
    include_str!("006.sql"),
    include_str!("007.sql"),
    include_str!("008.sql"),
    include_str!("009.sql"),
    include_str!("010.sql"),
    include_str!("011.sql"),
    include_str!("012.sql"),
];

/// How much of the file the writer keeps in memory at most.
const CACHE_KIB: i64 = 32 * 1024;

/// How many pages the log may grow by before they are moved into the file,
/// which is the one moment that waits for the disk.
const CHECKPOINT_PAGES: i64 = 8192;

/// Opens or creates the file and brings its schema up to date.
pub(super) fn open_to_write(path: &Path) -> Result<Connection, Error> {
    let connection = Connection::open(path)?;
    prepare(&connection)?;
    migrate(&connection)?;
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

/// What readers and the writer have in common.
fn tune(connection: &Connection) -> Result<(), Error> {
    // Without this a statement is planned again for every value that it is given.
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
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    Ok(())
}

fn migrate(connection: &Connection) -> Result<(), Error> {
    let applied: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = MIGRATIONS.len();
    let applied = usize::try_from(applied)
        .ok()
        .filter(|applied| *applied <= known)
        .ok_or_else(|| Error::Newer {
            found: applied.to_string(),
            known: known.to_string(),
        })?;
    for (version, migration) in MIGRATIONS.iter().enumerate().skip(applied) {
        connection.execute_batch(&format!(
            "BEGIN; {migration}; PRAGMA user_version = {}; COMMIT;",
            version + 1
        ))?;
    }
    Ok(())
}

/// Runs a statement that is run often.
pub(super) fn run(connection: &Connection, sql: &str) -> Result<(), Error> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}
