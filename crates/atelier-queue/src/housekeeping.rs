//! What the jobs refer to, and what is to be discarded because none does.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Result;

/// Keeps the blobs in step with the jobs. A blob that loses its last reference
/// is noted in the same transaction, and the note stays until the blob is gone:
/// whatever fails or is killed in between, it is tried again.
#[async_trait]
pub trait Housekeeping: Send + Sync + 'static {
    /// Those of the blobs that no job refers to.
    async fn unreferenced(&self, blobs: &[String]) -> Result<Vec<String>>;
    /// Notes that blobs are to be discarded.
    async fn note_discards(&self, blobs: &[String]) -> Result<()>;
    /// Some of the blobs that are to be discarded, other ones each time, at most `limit`.
    async fn discards(&self, limit: usize) -> Result<Vec<String>>;
    /// Whether the blob is to be discarded.
    async fn is_discarded(&self, blob: &str) -> Result<bool>;
    /// Clears the notes: the blobs are gone.
    async fn discarded(&self, blobs: &[String]) -> Result<()>;
    /// Returns up to when somebody has looked through the finished jobs; the epoch at
    /// first. The name is the one who looks' own.
    async fn mark(&self, name: &str) -> Result<Timestamp>;
    /// Moves the mark on to this instant, and never back.
    async fn advance(&self, name: &str, until: Timestamp) -> Result<()>;
    /// Lets the jobs fail that cannot be read, and that no claim would meet.
    async fn set_aside_unreadable(&self, now: Timestamp) -> Result<()>;
}
