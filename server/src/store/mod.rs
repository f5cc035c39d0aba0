//! Where everything is kept: [`sqlite`], one file beside the pictures, or
//! [`redis`], which any number of processes share. The rooms build their
//! operations on either; this one knows how to ask and how an answer fails,
//! and by [`clock`] what time it is.

pub mod clock;
pub mod redis;
pub mod sqlite;
pub(crate) mod gather;

use std::{io, sync::Arc, time::Duration};

use ::redis::RedisError;
use jiff::Timestamp;
use serde::de::{DeserializeOwned, Error as _};
use tracing::error;

/// A failure of a store, shared by all operations it took down.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    #[error("the database failed: {0}")]
    Sqlite(Arc<rusqlite::Error>),
    #[error("a record in the store cannot be read: {0}")]
    Record(Arc<serde_json::Error>),
    #[error("the database is closed")]
    Closed,
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
    Newer { found: String, known: String },
    /// It cannot be reached or does not answer. It comes back by itself, and
    /// whether the operation was carried out is not known.
    #[error("Redis is away: {0}")]
    Away(RedisError),
    /// It has no memory left for more. Nothing was carried out; what makes room,
    /// and what finishes work that was taken, still is.
    #[error("Redis is full: {0}")]
    Full(RedisError),
    /// It answers, but not as it should: a fault of ours or of its settings.
    #[error("Redis failed: {0}")]
    Redis(RedisError),
}

impl Error {
    /// The store is away, not broken: to try again later may help.
    pub const fn is_away(&self) -> bool {
        matches!(self, Self::Away(_))
    }

    /// Redis has no memory left for more.
    pub const fn is_out_of_memory(&self) -> bool {
        matches!(self, Self::Full(_))
    }

    /// There is no room left for what was to be written.
    pub fn is_full(&self) -> bool {
        let code = match self {
            Self::Sqlite(error) => error.sqlite_error_code(),
            _ => None,
        };
        code == Some(rusqlite::ErrorCode::DiskFull)
    }

    /// More wait for the store already than it will serve soon.
    pub(crate) fn crowded() -> Self {
        let text = "too many operations wait for the store";
        Self::Away(io::Error::new(io::ErrorKind::WouldBlock, text).into())
    }

    /// Whoever asked has stopped waiting before the store came to it.
    pub(crate) fn late() -> Self {
        let text = "it came too late, and nothing was done";
        Self::Away(io::Error::new(io::ErrorKind::TimedOut, text).into())
    }

    /// The store did not answer in time.
    pub(crate) fn silent(patience: Duration) -> Self {
        let text = format!("no answer within {} s", patience.as_secs());
        Self::Away(io::Error::new(io::ErrorKind::TimedOut, text).into())
    }
}

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

impl From<RedisError> for Error {
    fn from(error: RedisError) -> Self {
        if redis::is_away(&error) {
            Self::Away(error)
        } else if redis::is_full(&error) {
            Self::Full(error)
        } else if let Some((found, known)) = redis::newer(&error) {
            Self::Newer { found, known }
        } else {
            Self::Redis(error)
        }
    }
}

/// The record; nothing, if it is damaged or of a later version. It must not stand
/// in the way of others.
pub(crate) fn readable<T: DeserializeOwned>(id: &str, record: &str) -> Option<T> {
    let read = serde_json::from_str(record);
    read.inspect_err(|error| error!(%error, id, "a record cannot be read"))
        .ok()
}

/// The instant that a store keeps as Unix milliseconds.
pub fn instant(milliseconds: i64) -> Result<Timestamp, Error> {
    Timestamp::from_millisecond(milliseconds)
        .map_err(|error| serde_json::Error::custom(error).into())
}

/// Milliseconds.
pub const HOUR: i64 = 60 * 60 * 1000;

/// When the hour began that an instant lies in, in Unix milliseconds.
pub fn hour(now: Timestamp) -> i64 {
    let now = now.as_millisecond();
    now - now.rem_euclid(HOUR)
}

/// A length of time as the stores count it.
pub fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 4)
}
