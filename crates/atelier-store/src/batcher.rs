//! Group commit: while one round trip is in progress, further calls of its operation
//! queue up, and the next round trip takes them all. A hanging store makes nobody wait
//! for long: every call has a time-out, counted from its arrival, and the queue is
//! limited.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    sync::{
        Mutex,
        mpsc::{self, Receiver, Sender, error::TrySendError},
        oneshot,
    },
    task::yield_now,
    time::timeout,
};

use super::Error;

/// Maximum number of calls per round trip: enough to spread its cost, few enough that
/// other clients wait for it no longer than a few milliseconds.
pub const BATCH: usize = 128;

/// Maximum number of waiting calls of one operation. A working store serves that many in a
/// fraction of a second.
const INBOX: usize = 4096;

/// Concurrent round trips of one operation: while the store works on one, the answer of
/// the other is read.
const UNDER_WAY: usize = 2;

/// A result for each call, or the failure of them all.
pub type Results<O, E> = Result<Vec<Result<O, E>>, Error>;

/// A store that skips operations whose callers have stopped waiting.
pub trait Until {
    /// Returns the same store, for callers that wait until the deadline.
    #[must_use]
    fn until(&self, deadline: Instant) -> Self;
}

type Answer<O, E> = oneshot::Sender<Result<O, E>>;
type Inbox<I, O, E> = Arc<Mutex<Receiver<Waiting<I, O, E>>>>;

/// A call.
struct Waiting<I, O, E> {
    item: I,
    answer: Answer<O, E>,
    until: Instant,
}

/// Batches the calls of one operation. A call is not delayed to fill a batch: if no round
/// trip is in progress, it is sent at once.
pub struct Batcher<I, O, E> {
    inbox: Sender<Waiting<I, O, E>>,
    patience: Duration,
}

impl<I, O, E> Batcher<I, O, E>
where
    I: Send + 'static,
    O: Send + 'static,
    E: From<Error> + Send + 'static,
{
    /// Starts the tasks that call `run` with the queued items; they end when the returned
    /// value is dropped. `run` returns a result for every item, in order. No call waits
    /// longer than `patience`.
    pub fn start<S, R, F>(store: &S, patience: Duration, run: R) -> Self
    where
        S: Clone + Until + Send + Sync + 'static,
        R: Fn(S, Vec<I>) -> F + Copy + Send + 'static,
        F: Future<Output = Results<O, E>> + Send + 'static,
    {
        let (inbox, gathered) = mpsc::channel(INBOX);
        let gathered = Arc::new(Mutex::new(gathered));
        for _ in 0..UNDER_WAY {
            tokio::spawn(serve(store.clone(), run, Arc::clone(&gathered)));
        }
        Self { inbox, patience }
    }

    /// Makes one call and waits for its result.
    pub async fn call(&self, item: I) -> Result<O, E> {
        let (answer, result) = oneshot::channel();
        let waiting = Waiting {
            item,
            answer,
            until: Instant::now() + self.patience,
        };
        self.inbox.try_send(waiting).map_err(|error| match error {
            TrySendError::Full(_) => Error::crowded(),
            TrySendError::Closed(_) => Error::Closed,
        })?;
        match timeout(self.patience, result).await {
            Ok(result) => result.map_err(|_| Error::Closed)?,
            Err(_) => Err(Error::silent(self.patience).into()),
        }
    }
}

/// Waits for at least one call and takes all that are queued; none once there can be no more.
async fn gather<I, O, E>(
    inbox: &Mutex<Receiver<Waiting<I, O, E>>>,
) -> Option<Vec<Waiting<I, O, E>>> {
    let mut inbox = inbox.lock().await;
    let mut gathered = Vec::with_capacity(BATCH);
    gathered.push(inbox.recv().await?);
    // Lets the tasks run that were woken together with the first caller.
    yield_now().await;
    while gathered.len() < BATCH {
        match inbox.try_recv() {
            Ok(item) => gathered.push(item),
            Err(_) => break,
        }
    }
    Some(gathered)
}

async fn serve<S, I, O, E, R, F>(store: S, run: R, inbox: Inbox<I, O, E>)
where
    S: Until,
    E: From<Error>,
    R: Fn(S, Vec<I>) -> F,
    F: Future<Output = Results<O, E>>,
{
    loop {
        let Some(mut gathered) = gather(&inbox).await else {
            return;
        };
        // Skips callers that are gone or have waited too long: a claim made for them
        // would be lost.
        gathered.retain(|waiting| !waiting.answer.is_closed());
        let Some(first) = gathered.iter().map(|waiting| waiting.until).min() else {
            continue;
        };
        let pairs = gathered.into_iter();
        let (items, answers): (Vec<_>, Vec<_>) = pairs
            .map(|Waiting { item, answer, .. }| (item, answer))
            .unzip();
        match run(store.until(first), items).await {
            Ok(results) => {
                for (answer, result) in answers.into_iter().zip(results) {
                    let _ = answer.send(result);
                }
            }
            Err(error) => {
                for answer in answers {
                    let _ = answer.send(Err(error.clone().into()));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Silent = Batcher<(), (), Error>;

    impl Until for () {
        fn until(&self, _: Instant) -> Self {}
    }

    async fn silence((): (), _: Vec<()>) -> Results<(), Error> {
        std::future::pending().await
    }

    #[tokio::test]
    async fn a_silent_store_has_so_many_waiting_and_none_for_long() {
        let gather = Arc::new(Silent::start(&(), Duration::from_secs(1), silence));
        let calls: Vec<_> = (0..INBOX)
            .map(|_| {
                let gather = Arc::clone(&gather);
                tokio::spawn(async move { gather.call(()).await })
            })
            .collect();
        let under_way = UNDER_WAY * BATCH;
        while gather.inbox.capacity() != under_way {
            yield_now().await;
        }
        let more: Vec<_> = (0..INBOX).map(|_| gather.call(())).collect();
        let more = futures::future::join_all(more).await;
        let refused = more.iter().filter(
            |result| matches!(result, Err(error) if error.to_string().contains("too many")),
        );
        assert_eq!(refused.count(), INBOX - under_way);
        for call in calls {
            assert!(call.await.unwrap().is_err_and(|error| error.is_away()));
        }
    }
}
