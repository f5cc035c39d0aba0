//! Which upstream keeps a response, and whose it is: what is needed to ask for it again.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Error;

/// Where a response is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The upstream that keeps it.
    pub upstream: String,
    /// Who may ask for it.
    pub owner: String,
}

/// Where the pins of all processes are kept.
#[async_trait]
pub trait PinStore: Send + Sync {
    /// Notes where a response is, for `keep` from `now`. The id has a bounded length.
    ///
    /// # Errors
    /// If the store fails; this applies to all methods.
    async fn pin(&self, id: &str, pin: &Pin, now: Timestamp, keep: Duration) -> Result<(), Error>;

    /// Returns where a response is, unless that has been too long ago.
    async fn pinned(&self, id: &str, now: Timestamp) -> Result<Option<Pin>, Error>;

    /// Forgets what has been too long ago.
    async fn unpin_old(&self, now: Timestamp) -> Result<(), Error>;
}
