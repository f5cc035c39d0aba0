//! Waiting for an answer.

use super::{Job, Payload, Queue, Result};

/// Returns the job once it has succeeded, failed or been cancelled; nothing if there is
/// none. It waits for as long as that takes: put a time-out around it.
///
/// # Errors
/// If the store cannot be asked.
pub async fn wait<P: Payload>(queue: &dyn Queue<P>, id: &str) -> Result<Option<Job<P>>> {
    loop {
        let change = queue.notifier().listen(id);
        match queue.get(id).await? {
            Some(job) if !job.status.is_terminal() => change.await,
            ended => return Ok(ended),
        }
    }
}
