//! Schemas and migrations.

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior};

use super::Error;

/// The tables of one part of a program. Several parts share a file, each with its own
/// version.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// Unique in the file.
    pub name: &'static str,
    /// SQL, applied in order and each only once. A published migration never
    /// changes; new ones are appended.
    pub migrations: &'static [&'static str],
}

/// Brings a file up to date in one transaction. `earlier` are the migrations of
/// files from before the parts had versions of their own, counted by
/// `PRAGMA user_version`. After them, the pragma stays one higher, which makes programs
/// of that time refuse the file.
pub(super) fn migrate(
    connection: &mut Connection,
    earlier: &[&str],
    schemas: &[Schema],
) -> Result<(), Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    migrate_earlier(&transaction, earlier)?;
    for schema in schemas {
        migrate_part(&transaction, schema)?;
    }
    Ok(transaction.commit()?)
}

fn migrate_earlier(connection: &Connection, earlier: &[&str]) -> Result<(), Error> {
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let current = earlier.len() + 1;
    let version = usize::try_from(found)
        .ok()
        .filter(|version| *version <= current)
        .ok_or_else(|| Error::Newer {
            found: found.to_string(),
            known: current.to_string(),
        })?;
    if version == current {
        return Ok(());
    }
    if version > 0 {
        for migration in &earlier[version..] {
            connection.execute_batch(migration)?;
        }
    }
    connection.execute_batch(
        "CREATE TABLE schemas (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID",
    )?;
    Ok(connection.pragma_update(None, "user_version", current)?)
}

fn migrate_part(connection: &Connection, schema: &Schema) -> Result<(), Error> {
    let found: Option<u32> = connection
        .query_row(
            "SELECT version FROM schemas WHERE name = ?1",
            [schema.name],
            |row| row.get(0),
        )
        .optional()?;
    let applied = found.unwrap_or(0) as usize;
    let known = schema.migrations.len();
    if applied > known {
        return Err(Error::Newer {
            found: format!("{} {applied}", schema.name),
            known: known.to_string(),
        });
    }
    if applied == known {
        return Ok(());
    }
    for migration in &schema.migrations[applied..] {
        connection.execute_batch(migration)?;
    }
    connection.execute(
        "INSERT INTO schemas (name, version) VALUES (?1, ?2)
         ON CONFLICT (name) DO UPDATE SET version = excluded.version",
        (schema.name, known),
    )?;
    Ok(())
}
