#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod record;
mod contents;
mod pins;
mod counts;
mod recorder;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "sqlite")]
mod sqlite;
mod summary;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;

#[cfg(feature = "redis")]
pub use self::redis::RedisCallStore;
#[cfg(feature = "sqlite")]
pub use self::sqlite::SqliteCallStore;
pub use self::{
    contents::{Body, Contents, ContentsRecorder, MOST_BODY},
    counts::{BOUNDS, Counts, Histogram, Line},
    pins::{Pin, PinStore},
    record::{Failure, Record, Source},
    recorder::{Batch, Hourly, Recorder},
    summary::{
        Bucket, Dimension, Errors, Figures, Group, Hits, Latency, Query, Summary, Tokens,
        UnknownDimension, summarize,
    },
};
use atelier_store as store;

/// How many of the last calls are kept one by one.
pub const MOST_RECENT: usize = 1_000;

/// Of how many calls contents are kept, if they are.
pub const MOST_CONTENTS: usize = 500;

/// Maximum number of lines of one hour in the store. Calls beyond them are counted together,
/// in [`Line::other`].
pub const MOST_LINES: usize = 500;

/// How long a store remembers which batches it has, in seconds.
#[cfg(any(feature = "sqlite", feature = "redis"))]
const REMEMBERED: i64 = 24 * 60 * 60;

/// The store failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct Error(#[from] store::Error);

impl Error {
    /// Whether the store is unreachable rather than broken, so that a retry may help.
    pub const fn is_away(&self) -> bool {
        self.0.is_away()
    }
}

/// Where the counters and the last calls of all processes are kept.
#[async_trait]
pub trait CallStore: Send + Sync {
    /// Adds a batch, unless it has been added already. Hours older than `keep` are forgotten,
    /// not all at once.
    async fn add(&self, batch: &Arc<Batch>, now: Timestamp, keep: Duration) -> Result<(), Error>;

    /// The lines of the hour that begins then, in Unix milliseconds.
    async fn hour(&self, hour: i64) -> Result<Vec<(Line, Counts)>, Error>;

    /// The last calls, the newest first.
    async fn recent(&self) -> Result<Vec<Record>, Error>;

    /// Keeps contents of calls: those of the last [`MOST_CONTENTS`], and that long.
    async fn keep(
        &self,
        contents: &Arc<[Contents]>,
        now: Timestamp,
        keep: Duration,
    ) -> Result<(), Error>;

    /// The contents of a call, if they are kept.
    async fn contents(&self, id: &str) -> Result<Option<Contents>, Error>;

    /// Forgets contents of calls that were noted before then.
    async fn forget(&self, before: Timestamp) -> Result<(), Error>;
}
