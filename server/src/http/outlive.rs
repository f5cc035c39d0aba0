//! What is begun for a client is brought to its end, though the client may leave.

use tokio_util::sync::CancellationToken;

use crate::http::Result;

/// Runs the work in a task of its own, which goes on when the request is dropped.
/// The work is handed a token that is cancelled then.
pub(crate) async fn outlive<T, F>(work: impl FnOnce(CancellationToken) -> F) -> Result<T>
where
    T: Send + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
{
    let left = CancellationToken::new();
    let _waiting = left.clone().drop_guard();
    tokio::spawn(work(left))
        .await
        .map_err(anyhow::Error::from)?
}
