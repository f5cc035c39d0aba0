//! Work on pictures takes memory and a processor: so much of each kind at a
//! time, and no kind waits for another.

use std::sync::Arc;

use anyhow::Result;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
};

/// The kinds of work.
pub struct Pools {
    /// Uploads being decoded: up to a few hundred megabytes each.
    pub(super) uploads: Pool,
    /// Pages show many small copies, most of small pictures.
    pub(super) thumbnails: Pool,
    /// Pictures encoded anew to be saved.
    pub(super) downloads: Pool,
    /// Many pictures written into one file.
    pub(super) archives: Pool,
}

impl Default for Pools {
    fn default() -> Self {
        Self {
            uploads: Pool::new(1),
            thumbnails: Pool::new(2),
            downloads: Pool::new(1),
            archives: Pool::new(2),
        }
    }
}

/// Places for work. Who waits for one and hangs up has left the line.
#[derive(Clone)]
pub(super) struct Pool(Arc<Semaphore>);

/// A place for one piece of work.
pub(super) struct Turn(OwnedSemaphorePermit);

impl Pool {
    fn new(places: usize) -> Self {
        Self(Arc::new(Semaphore::new(places)))
    }

    /// A place, as soon as one is free. What the work needs is better read
    /// after that than held while it waits.
    pub(super) async fn turn(&self) -> Result<Turn> {
        Ok(Turn(Arc::clone(&self.0).acquire_owned().await?))
    }
}

impl Turn {
    /// Does the work on a thread for it. Once begun it goes on when its client
    /// hangs up, so the place belongs to it and not to the request.
    pub(super) async fn work<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let done = spawn_blocking(move || {
            let done = work();
            drop(self.0);
            done
        });
        Ok(done.await?)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn work_keeps_its_place_when_nobody_waits_for_it() {
        let (pool, (finish, wait)) = (Pool::new(1), mpsc::channel::<()>());
        let turn = pool.turn().await.unwrap();
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let request = tokio::spawn(turn.work(move || {
            begun.send(()).unwrap();
            let _ = wait.recv();
        }));
        has_begun.await.unwrap();
        request.abort();
        assert!(request.await.is_err());
        let mut next = Box::pin(pool.turn());
        assert!((&mut next).now_or_never().is_none(), "the work goes on");
        // Who waits behind and hangs up is not waited for.
        drop(Box::pin(pool.turn()));
        drop(finish);
        next.await.unwrap().work(|| ()).await.unwrap();
    }
}
