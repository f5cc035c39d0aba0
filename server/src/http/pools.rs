//! Limits concurrent work on pictures, which takes memory and processor time. No kind
//! of work waits for another, and no caller waits for all that another has requested.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use anyhow::Result;
use atelier_connections::{Permit, Permits};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
};

use crate::app::Caller;

/// Maximum number of one owner's uploads being received, waiting or being decoded. Each is a file of up to
/// `photos.max_bytes`, or up to four that are attached to a prompt.
const UPLOADS_EACH: usize = 64;

/// The same for an address, which several people may share.
const UPLOADS_PER_ADDRESS: usize = 256;

/// The pools of all kinds of work.
pub struct Pools {
    /// Uploads being decoded: up to a few hundred megabytes each.
    pub(crate) uploads: Pool,
    /// Smaller copies for pages.
    pub(crate) thumbnails: Pool,
    /// Pictures re-encoded for downloads.
    pub(crate) downloads: Pool,
    /// Pictures written into archives.
    pub(crate) archives: Pool,
    pub(crate) upload_permits: UploadPermits,
}

impl Default for Pools {
    fn default() -> Self {
        Self {
            uploads: Pool::new(1),
            thumbnails: Pool::new(2),
            downloads: Pool::new(1),
            archives: Pool::new(2),
            upload_permits: UploadPermits::default(),
        }
    }
}

/// Who requested the work. Anybody can have many sessions, so the owners at one address share its turns.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    owner: String,
    address: String,
}

impl Origin {
    /// The origin of work whose owner is unknown.
    pub(crate) fn address(address: String) -> Self {
        Self {
            owner: address.clone(),
            address,
        }
    }
}

impl From<&Caller> for Origin {
    fn from(caller: &Caller) -> Self {
        let address = caller.counted_as().to_owned();
        Self {
            owner: (caller.owner.as_ref()).map_or_else(|| address.clone(), ToString::to_string),
            address,
        }
    }
}

/// Permits for uploads, which are files on disk until their turn.
pub(crate) struct UploadPermits {
    owners: Arc<Permits>,
    addresses: Arc<Permits>,
}

impl Default for UploadPermits {
    fn default() -> Self {
        Self {
            owners: Permits::new(UPLOADS_EACH),
            addresses: Permits::new(UPLOADS_PER_ADDRESS),
        }
    }
}

impl UploadPermits {
    /// Returns permits for another upload, or `None` if there are too many.
    pub(crate) fn try_acquire(&self, origin: &Origin) -> Option<(Permit, Permit)> {
        let own = self.owners.try_acquire(&origin.owner)?;
        Some((own, self.addresses.try_acquire(&origin.address)?))
    }
}

/// Permits for work, granted in turn to the waiting addresses, to the owners at each
/// address, and to each owner's requests in order. A client that hangs up leaves the queue.
///
/// Each request passes three first-in, first-out queues: its owner's, its address's and a
/// common one. Every queue admits to the next at most as many as there are permits, so
/// nobody has more than that ahead of others.
pub(crate) struct Pool {
    owners: Queues,
    addresses: Queues,
    permits: Arc<Semaphore>,
}

/// A permit for one piece of work, released when all clones are dropped.
#[derive(Clone)]
pub(crate) struct Turn(
    #[expect(dead_code, reason = "held to be dropped")] Arc<[OwnedSemaphorePermit; 3]>,
);

impl Pool {
    fn new(permits: usize) -> Self {
        Self {
            owners: Queues::new(permits),
            addresses: Queues::new(permits),
            permits: Arc::new(Semaphore::new(permits)),
        }
    }

    /// Waits for a permit. Read what the work needs only afterwards, so as not to hold
    /// it in memory while waiting.
    pub(crate) async fn turn(&self, origin: &Origin) -> Result<Turn> {
        let own = self.owners.of(&origin.owner).acquire_owned().await?;
        let address = self.addresses.of(&origin.address).acquire_owned().await?;
        let permit = Arc::clone(&self.permits).acquire_owned().await?;
        Ok(Turn(Arc::new([permit, address, own])))
    }
}

impl Turn {
    /// Runs the work on a blocking thread. Once started it continues if its client
    /// hangs up, so it owns the permit, not the request.
    pub(crate) async fn work<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let done = spawn_blocking(move || {
            let done = work();
            drop(self);
            done
        });
        Ok(done.await?)
    }
}

/// A queue per name, which exists while anybody waits in it.
struct Queues {
    permits: usize,
    queues: Mutex<HashMap<String, Weak<Semaphore>>>,
}

impl Queues {
    fn new(permits: usize) -> Self {
        Self {
            permits,
            queues: Mutex::default(),
        }
    }

    fn of(&self, who: &str) -> Arc<Semaphore> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = queues.get(who).and_then(Weak::upgrade) {
            return queue;
        }
        queues.retain(|_, queue| queue.strong_count() > 0);
        let queue = Arc::new(Semaphore::new(self.permits));
        queues.insert(who.to_owned(), Arc::downgrade(&queue));
        queue
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures::FutureExt;

    use super::*;

    fn origin(owner: &str, address: &str) -> Origin {
        Origin {
            owner: owner.into(),
            address: address.into(),
        }
    }

    #[tokio::test]
    async fn work_keeps_its_place_when_nobody_waits_for_it() {
        let (pool, (finish, wait)) = (Pool::new(1), mpsc::channel::<()>());
        let (ada, ben) = (origin("ada", "1"), origin("ben", "2"));
        let turn = pool.turn(&ada).await.unwrap();
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let request = tokio::spawn(turn.work(move || {
            begun.send(()).unwrap();
            let _ = wait.recv();
        }));
        has_begun.await.unwrap();
        request.abort();
        assert!(request.await.is_err());
        let mut next = Box::pin(pool.turn(&ben));
        assert!((&mut next).now_or_never().is_none(), "the work goes on");
        // Who waits behind and hangs up is not waited for.
        drop(Box::pin(pool.turn(&ada)));
        drop(finish);
        next.await.unwrap().work(|| ()).await.unwrap();
    }

    /// The order in which those who wait get their turn while `first` has the place.
    async fn order(first: Origin, waiting: &[Origin]) -> Vec<usize> {
        let pool = Pool::new(1);
        let mut turn = pool.turn(&first).await.ok();
        let mut waiting: Vec<_> = (waiting.iter())
            .map(|origin| Some(Box::pin(pool.turn(origin))))
            .collect();
        let mut order = Vec::new();
        let mut poll = || {
            let mut got = None;
            for (number, place) in waiting.iter_mut().enumerate() {
                if let Some(turn) = place.as_mut().and_then(FutureExt::now_or_never) {
                    *place = None;
                    got = Some((number, turn.unwrap()));
                }
            }
            got
        };
        assert!(poll().is_none());
        while turn.take().is_some() {
            // One leaves a line before another moves up in the next.
            for _ in 0..3 {
                if let Some((number, next)) = poll() {
                    order.push(number);
                    turn = Some(next);
                    break;
                }
            }
        }
        order
    }

    #[tokio::test]
    async fn turns_go_round_among_owners_and_addresses() {
        let flood = origin("eve", "6");
        let other = origin("ada", "7");
        let many = [&flood, &flood, &flood, &other].map(Clone::clone);
        assert_eq!(order(flood.clone(), &many).await, [3, 0, 1, 2]);
        // New sessions give an address no more turns.
        let sessions = ["e1", "e2", "e3"].map(|owner| origin(owner, "6"));
        let many = [&sessions[..], &[other]].concat();
        assert_eq!(order(flood.clone(), &many).await, [3, 0, 1, 2]);
        // Nor does one owner keep a neighbour at the same address waiting.
        let neighbour = origin("ben", "6");
        let many = [&flood, &flood, &neighbour].map(Clone::clone);
        assert_eq!(order(flood, &many).await, [2, 0, 1]);
    }

    #[tokio::test]
    async fn a_line_is_there_while_somebody_stands_in_it() {
        let pool = Pool::new(1);
        for number in 0..100 {
            let owner = origin(&number.to_string(), "6");
            pool.turn(&owner).await.unwrap().work(|| ()).await.unwrap();
        }
        assert!(pool.owners.queues.lock().unwrap().len() <= 2);
    }

    #[test]
    fn uploads_have_places_by_owner_and_by_address() {
        let permits = UploadPermits::default();
        let take = |owner: &str, count: usize| -> Vec<_> {
            let taken = (0..count).map(|_| permits.try_acquire(&origin(owner, "6")));
            taken.collect::<Option<_>>().unwrap()
        };
        let mut held = vec![take("eve", UPLOADS_EACH)];
        assert!(permits.try_acquire(&origin("eve", "6")).is_none());
        assert!(permits.try_acquire(&origin("ada", "7")).is_some());
        let owners = UPLOADS_PER_ADDRESS / UPLOADS_EACH;
        held.extend((1..owners).map(|number| take(&number.to_string(), UPLOADS_EACH)));
        assert!(permits.try_acquire(&origin("ben", "6")).is_none());
        drop(held);
        assert!(permits.try_acquire(&origin("ben", "6")).is_some());
    }
}
