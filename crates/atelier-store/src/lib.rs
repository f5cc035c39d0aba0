#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

pub mod batcher;
pub mod clock;
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

/// A failure of a store, shared by all operations it took down.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// SQLite failed.
    #[cfg(feature = "sqlite")]
    #[error("the database failed: {0}")]
    Sqlite(Arc<rusqlite::Error>),
    /// A record is damaged, or of a version that is not known.
    #[error("a record in the store cannot be read: {0}")]
    Record(Arc<serde_json::Error>),
    /// The store's threads or tasks have ended.
    #[error("the database is closed")]
    Closed,
    /// A bug in an operation.
    #[error("an operation on the database panicked and was undone")]
    Panicked,
    /// What another operation met, such as a full disk, undid the transaction
    /// that this one was part of.
    #[error("the database undid a transaction that another operation broke")]
    RolledBack,
    /// An older version would not understand what it reads, and harm it.
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
    /// The store cannot be reached, does not answer in time, or has too many operations
    /// waiting. It comes back by itself. Whether the operation was carried out is not known.
    #[error("the store is away: {0}")]
    Away(Arc<dyn std::error::Error + Send + Sync>),
    /// Redis has no memory left for more. Nothing was carried out. Scripts that make
    /// room, or finish what was begun, still are.
    #[cfg(feature = "redis")]
    #[error("Redis is full: {0}")]
    Full(::redis::RedisError),
    /// Redis answers, but not as it should: a bug here, or a setting there.
    #[cfg(feature = "redis")]
    #[error("Redis failed: {0}")]
    Redis(::redis::RedisError),
}

impl Error {
    /// Whether the store is away and not broken: to try again later may help.
    pub const fn is_away(&self) -> bool {
        matches!(self, Self::Away(_))
    }

    /// Whether Redis has no memory left for more.
    pub const fn is_out_of_memory(&self) -> bool {
        match self {
            #[cfg(feature = "redis")]
            Self::Full(_) => true,
            _ => false,
        }
    }

    /// Whether the disk has no room left.
    pub fn is_full(&self) -> bool {
        match self {
            #[cfg(feature = "sqlite")]
            Self::Sqlite(error) => error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull),
            _ => false,
        }
    }

    /// More operations are waiting for the store than it will serve soon.
    pub fn crowded() -> Self {
        Self::away(
            io::ErrorKind::WouldBlock,
            "too many operations wait for the store",
        )
    }

    /// Whoever asked had stopped waiting before the store came to it.
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

/// Returns the record, or nothing if it is damaged or of a later version, which is
/// logged: it must not stand in the way of others. `id` names it in the log.
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

/// Returns when the hour began that an instant lies in, in Unix milliseconds.
pub fn hour(now: Timestamp) -> i64 {
    let now = now.as_millisecond();
    now - now.rem_euclid(HOUR)
}

/// Returns a length of time in milliseconds, as the stores count it.
pub fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}
