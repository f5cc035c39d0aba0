//! Runs work to its end even if its client hangs up.

use tokio_util::sync::CancellationToken;

use crate::http::Result;

/// Runs the work in a task of its own, which continues when the request is dropped. The
/// work gets a token that is cancelled in that case.
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
