#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod batcher;
pub mod clock;
pub mod duration;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(feature = "testing")]
pub mod testing;

use std::{io, sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::de::{DeserializeOwned, Error as _};
use tracing::error;

/// A failure of a store, shared by all operations that it affects.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// SQLite failed.
    #[cfg(feature = "sqlite")]
    #[error("the database failed: {0}")]
    Sqlite(Arc<rusqlite::Error>),
    /// A record is damaged, or of an unknown version.
    #[error("a record in the store cannot be read: {0}")]
    Record(Arc<serde_json::Error>),
    /// The store's threads or tasks have ended.
    #[error("the database is closed")]
    Closed,
    /// A bug in an operation.
    #[error("an operation on the database panicked and was undone")]
    Panicked,
    /// A failure of another operation, such as a full disk, undid the transaction that
    /// this one was part of.
    #[error("the database undid a transaction that another operation broke")]
    RolledBack,
    /// A newer version has written the data, which this one could damage.
    #[error(
        "what is kept there was written by a newer version of Atelier (schema {found}, this one knows {known}). \
         Start that version, or restore a backup from before"
    )]
    Newer {
        /// The version that was found.
        found: String,
        /// The newest version that this program knows.
        known: String,
    },
    /// The store is unreachable, does not answer in time, or has too many operations
    /// waiting. It recovers by itself. Whether the operation was carried out is unknown.
    #[error("the store is unreachable: {0}")]
    Away(Arc<dyn std::error::Error + Send + Sync>),
    /// Redis has no memory left. Nothing was carried out. Scripts that free memory or
    /// finish work still run.
    #[cfg(feature = "redis")]
    #[error("Redis is full: {0}")]
    Full(::redis::RedisError),
    /// Redis answered with an unexpected error: a bug here, or a setting there.
    #[cfg(feature = "redis")]
    #[error("Redis failed: {0}")]
    Redis(::redis::RedisError),
}

impl Error {
    /// Whether the store is unreachable rather than broken, so that a retry may help.
    pub const fn is_away(&self) -> bool {
        matches!(self, Self::Away(_))
    }

    /// Whether Redis has no memory left.
    pub const fn is_out_of_memory(&self) -> bool {
        match self {
            #[cfg(feature = "redis")]
            Self::Full(_) => true,
            _ => false,
        }
    }

    /// Whether the disk is full.
    pub fn is_full(&self) -> bool {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(error) => error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull),
            _ => false,
        }
    }

    /// Too many operations are waiting for the store.
    pub fn crowded() -> Self {
        Self::away(
            io::ErrorKind::WouldBlock,
            "too many operations wait for the store",
        )
    }

    /// The caller had stopped waiting before the store came to the operation.
    pub fn late() -> Self {
        Self::away(
            io::ErrorKind::TimedOut,
            "it came too late, and nothing was done",
        )
    }

    /// The store did not answer in time.
    pub fn silent(patience: Duration) -> Self {
        let text = format!("no answer within {} s", patience.as_secs());
        Self::away(io::ErrorKind::TimedOut, text)
    }

    fn away(kind: io::ErrorKind, text: impl Into<String>) -> Self {
        Self::Away(Arc::new(io::Error::new(kind, text.into())))
    }
}

#[cfg(feature = "sqlite")]
impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(Arc::new(error))
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Record(Arc::new(error))
    }
}

#[cfg(feature = "redis")]
impl From<::redis::RedisError> for Error {
    fn from(error: ::redis::RedisError) -> Self {
        if redis::is_away(&error) {
            Self::Away(Arc::new(error))
        } else if redis::is_full(&error) {
            Self::Full(error)
        } else if let Some((found, known)) = redis::newer(&error) {
            Self::Newer { found, known }
        } else {
            Self::Redis(error)
        }
    }
}

/// Returns the record, or `None` if it is damaged or of a later version, which is
/// logged: it must not block others. `id` names it in the log.
pub fn readable<T: DeserializeOwned>(id: &str, record: &str) -> Option<T> {
    let read = serde_json::from_str(record);
    read.inspect_err(|error| error!(%error, id, "a record cannot be read"))
        .ok()
}

/// Returns the instant that a store keeps as Unix milliseconds.
///
/// # Errors
/// [`Error::Record`] if it lies outside the years -9999 to 9999.
pub fn instant(milliseconds: i64) -> Result<Timestamp, Error> {
    Timestamp::from_millisecond(milliseconds)
        .map_err(|error| serde_json::Error::custom(error).into())
}

/// An hour in milliseconds.
pub const HOUR: i64 = 60 * 60 * 1000;

/// Returns the beginning of the hour of an instant, in Unix milliseconds.
pub fn hour(now: Timestamp) -> i64 {
    let now = now.as_millisecond();
    now - now.rem_euclid(HOUR)
}

/// Returns a duration in milliseconds, as the stores count it.
pub fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}
