//! Group commit: while one script runs, the calls of its operation gather, and
//! the next script takes them all.

use std::{future::Future, sync::Arc};

use tokio::{
    sync::{
        Mutex,
        mpsc::{self, UnboundedReceiver, UnboundedSender},
        oneshot,
    },
    task::yield_now,
};

use super::super::Result;
use crate::store::{self, redis::Redis};

/// How many calls one script serves at most: enough to spread its cost, few
/// enough that nobody else waits for it longer than a few milliseconds.
pub(super) const BATCH: usize = 128;

/// Scripts of one operation that are under way at once: while Redis runs one,
/// the answer of the other is read.
const UNDER_WAY: usize = 2;

/// A result for each of the calls, or the failure that took them all down.
pub(super) type Results<O> = std::result::Result<Vec<Result<O>>, store::Error>;

type Answer<O> = oneshot::Sender<Result<O>>;
type Inbox<I, O> = Arc<Mutex<UnboundedReceiver<(I, Answer<O>)>>>;

/// The calls of one operation. Nobody waits for company: a call that finds no
/// script under way is sent at once.
pub(super) struct Gather<I, O> {
    inbox: UnboundedSender<(I, Answer<O>)>,
}

impl<I: Send + 'static, O: Send + 'static> Gather<I, O> {
    /// Starts the tasks that call `run` with what has gathered; they end with
    /// the value returned. `run` gives a result for every item, in order.
    pub(super) fn start<R, F>(redis: &Redis, run: R) -> Self
    where
        R: Fn(Redis, Vec<I>) -> F + Copy + Send + 'static,
        F: Future<Output = Results<O>> + Send + 'static,
    {
        let (inbox, gathered) = mpsc::unbounded_channel();
        let gathered = Arc::new(Mutex::new(gathered));
        for _ in 0..UNDER_WAY {
            tokio::spawn(serve(redis.clone(), run, Arc::clone(&gathered)));
        }
        Self { inbox }
    }

    /// Waits for the result of one call.
    pub(super) async fn call(&self, item: I) -> Result<O> {
        let (answer, result) = oneshot::channel();
        self.inbox
            .send((item, answer))
            .map_err(|_| store::Error::Closed)?;
        result.await.map_err(|_| store::Error::Closed)?
    }
}

/// What has come, at least one call; nothing when none can come any more.
async fn gather<I, O>(
    inbox: &Mutex<UnboundedReceiver<(I, Answer<O>)>>,
) -> Option<Vec<(I, Answer<O>)>> {
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

async fn serve<I, O, R, F>(redis: Redis, run: R, inbox: Inbox<I, O>)
where
    R: Fn(Redis, Vec<I>) -> F,
    F: Future<Output = Results<O>>,
{
    loop {
        let Some(mut gathered) = gather(&inbox).await else {
            return;
        };
        // Whoever has gone may have wanted a claim: it would be lost.
        gathered.retain(|(_, answer)| !answer.is_closed());
        let (items, answers): (Vec<_>, Vec<_>) = gathered.into_iter().unzip();
        match run(redis.clone(), items).await {
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
