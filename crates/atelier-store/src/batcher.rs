//! Group commit: while one round trip is under way, the calls of its operation
//! gather, and the next takes them all. A store that hangs makes nobody wait for
//! long: every call has its time, counted from when it came, and only so many
//! may wait.

use std::{
    future::Future,
    mem,
    time::{Duration, Instant},
};

use tokio::{
    sync::{
        mpsc::{self, Receiver, Sender, error::TrySendError},
        oneshot,
    },
    task::{JoinSet, yield_now},
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
/// works on one, the answer of the other is read. The second has to be worth it
/// ([`enough`]), since every script costs the store as much as several items.
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
        tokio::spawn(serve(store.clone(), run, gathered));
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

/// Takes what comes and sends it on, until none can come any more.
async fn serve<S, I, O, E, R, F>(store: S, run: R, mut inbox: Receiver<Waiting<I, O, E>>)
where
    S: Clone + Until + Send + 'static,
    I: Send + 'static,
    O: Send + 'static,
    E: From<Error> + Send + 'static,
    R: Fn(S, Vec<I>) -> F + Copy + Send + 'static,
    F: Future<Output = Results<O, E>> + Send + 'static,
{
    let (mut gathered, mut under_way) = (Vec::with_capacity(BATCH), JoinSet::new());
    loop {
        let room = BATCH - gathered.len();
        tokio::select! {
            Some(_) = under_way.join_next() => {}
            count = inbox.recv_many(&mut gathered, room), if room > 0 && under_way.len() < UNDER_WAY => {
                if count == 0 {
                    break;
                }
            }
        }
        // Those who were woken together with the first caller get their turn.
        yield_now().await;
        while under_way.len() < UNDER_WAY && gathered.len() < BATCH {
            match inbox.try_recv() {
                Ok(waiting) => gathered.push(waiting),
                Err(_) => break,
            }
        }
        if gathered.len() >= enough(under_way.len()) {
            under_way.spawn(send(store.clone(), run, mem::take(&mut gathered)));
        }
    }
    while under_way.join_next().await.is_some() {}
}

/// How many calls are worth one more round trip beside so many.
const fn enough(under_way: usize) -> usize {
    match under_way {
        0 => 1,
        UNDER_WAY.. => usize::MAX,
        _ => BATCH / 2,
    }
}

/// One round trip, and an answer to everybody.
async fn send<S, I, O, E, R, F>(store: S, run: R, mut gathered: Vec<Waiting<I, O, E>>)
where
    S: Until,
    E: From<Error>,
    R: Fn(S, Vec<I>) -> F,
    F: Future<Output = Results<O, E>>,
{
    // Whoever has gone, or has waited too long, may have wanted a claim: it
    // would be lost.
    gathered.retain(|waiting| !waiting.answer.is_closed());
    let Some(first) = gathered.iter().map(|waiting| waiting.until).min() else {
        return;
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

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

    static SIZES: Mutex<Vec<usize>> = Mutex::new(Vec::new());

    async fn noted_silence((): (), items: Vec<()>) -> Results<(), Error> {
        SIZES.lock().unwrap().push(items.len());
        std::future::pending().await
    }

    #[tokio::test]
    async fn a_second_round_trip_is_sent_for_many_only() {
        let gather = Arc::new(Silent::start(&(), Duration::from_secs(60), noted_silence));
        let call = |_| {
            let gather = Arc::clone(&gather);
            tokio::spawn(async move { gather.call(()).await })
        };
        let sent = async |sizes: &[usize]| {
            while *SIZES.lock().unwrap() != sizes {
                yield_now().await;
            }
        };
        let _first = call(0);
        sent(&[1]).await;
        let _few: Vec<_> = (1..BATCH / 2).map(call).collect();
        for _ in 0..BATCH {
            yield_now().await;
        }
        assert_eq!(*SIZES.lock().unwrap(), [1]);
        let _one_more = call(0);
        sent(&[1, BATCH / 2]).await;
    }
}
