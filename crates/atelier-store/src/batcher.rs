//! Group commit: while one round trip is under way, the calls of its operation
//! gather, and the next takes them all. A store that hangs makes nobody wait for
//! long: every call has its time, counted from when it came, and only so many
//! may wait.

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

/// How many calls one round trip serves at most: enough to spread its cost, few
/// enough that nobody else waits for it longer than a few milliseconds.
pub const BATCH: usize = 128;

/// How many calls of one operation may wait. A store that works serves as many
/// in a fraction of a second.
const INBOX: usize = 4096;

/// Round trips of one operation that are under way at once: while the store
/// works on one, the answer of the other is read.
const UNDER_WAY: usize = 2;

/// A result for each of the calls, or the failure that took them all down.
pub type Results<O, E> = Result<Vec<Result<O, E>>, Error>;

/// A store that does nothing for whoever has stopped waiting.
pub trait Until {
    /// The same store for those who wait until the deadline.
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

/// The calls of one operation. Nobody waits for company: a call that finds no
/// round trip under way is sent at once.
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
    /// Starts the tasks that call `run` with what has gathered; they end with
    /// the value returned. `run` gives a result for every item, in order. No
    /// call waits longer than `patience`.
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

    /// Waits for the result of one call.
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

/// What has come, at least one call; nothing when none can come any more.
async fn gather<I, O, E>(
    inbox: &Mutex<Receiver<Waiting<I, O, E>>>,
) -> Option<Vec<Waiting<I, O, E>>> {
    let mut inbox = inbox.lock().await;
    let mut gathered = Vec::with_capacity(BATCH);
    gathered.push(inbox.recv().await?);
    // Those who were woken together with the first caller get their turn.
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
        // Whoever has gone, or has waited too long, may have wanted a claim: it
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
