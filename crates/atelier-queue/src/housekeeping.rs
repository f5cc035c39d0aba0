//! Which blobs the jobs refer to, and which are to be discarded because none does.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Result;

/// Keeps the blobs in step with the jobs. A blob that loses its last reference
/// is noted in the same transaction, and the note is kept until the blob is gone: the
/// deletion is retried whatever fails in between.
#[async_trait]
pub trait Housekeeping: Send + Sync + 'static {
    /// Returns those of the blobs that no job refers to.
    async fn unreferenced(&self, blobs: &[String]) -> Result<Vec<String>>;
    /// Notes that blobs are to be discarded.
    async fn note_discards(&self, blobs: &[String]) -> Result<()>;
    /// Returns at most `limit` of the blobs to be discarded, different ones each time.
    async fn discards(&self, limit: usize) -> Result<Vec<String>>;
    /// Returns whether the blob is to be discarded.
    async fn is_discarded(&self, blob: &str) -> Result<bool>;
    /// Clears the notes of blobs that are gone.
    async fn discarded(&self, blobs: &[String]) -> Result<()>;
    /// Returns the mark up to which finished jobs have been searched; the epoch at first.
    /// Each searcher chooses its name.
    async fn mark(&self, name: &str) -> Result<Timestamp>;
    /// Advances the mark to this instant, never back.
    async fn advance(&self, name: &str, until: Timestamp) -> Result<()>;
    /// Removes the gates that no job has named since then and that are neither kept, pinned
    /// nor paused.
    async fn remove_idle_gates(&self, before: Timestamp) -> Result<()>;
    /// Fails unreadable jobs that no claim would find.
    async fn set_aside_unreadable(&self, now: Timestamp) -> Result<()>;
}
