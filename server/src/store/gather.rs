//! Group commit: while one round trip is under way, the calls of its operation
//! gather, and the next takes them all.

use std::{future::Future, sync::Arc};

use tokio::{
    sync::{
        Mutex,
        mpsc::{self, UnboundedReceiver, UnboundedSender},
        oneshot,
    },
    task::yield_now,
};

use super::Error;

/// How many calls one round trip serves at most: enough to spread its cost, few
/// enough that nobody else waits for it longer than a few milliseconds.
pub(crate) const BATCH: usize = 128;

/// Round trips of one operation that are under way at once: while the store
/// works on one, the answer of the other is read.
const UNDER_WAY: usize = 2;

/// A result for each of the calls, or the failure that took them all down.
pub(crate) type Results<O, E> = Result<Vec<Result<O, E>>, Error>;

type Answer<O, E> = oneshot::Sender<Result<O, E>>;
type Inbox<I, O, E> = Arc<Mutex<UnboundedReceiver<(I, Answer<O, E>)>>>;

/// The calls of one operation. Nobody waits for company: a call that finds no
/// round trip under way is sent at once.
pub(crate) struct Gather<I, O, E> {
    inbox: UnboundedSender<(I, Answer<O, E>)>,
}

impl<I, O, E> Gather<I, O, E>
where
    I: Send + 'static,
    O: Send + 'static,
    E: From<Error> + Send + 'static,
{
    /// Starts the tasks that call `run` with what has gathered; they end with
    /// the value returned. `run` gives a result for every item, in order.
    pub(crate) fn start<S, R, F>(store: &S, run: R) -> Self
    where
        S: Clone + Send + Sync + 'static,
        R: Fn(S, Vec<I>) -> F + Copy + Send + 'static,
        F: Future<Output = Results<O, E>> + Send + 'static,
    {
        let (inbox, gathered) = mpsc::unbounded_channel();
        let gathered = Arc::new(Mutex::new(gathered));
        for _ in 0..UNDER_WAY {
            tokio::spawn(serve(store.clone(), run, Arc::clone(&gathered)));
        }
        Self { inbox }
    }

    /// Waits for the result of one call.
    pub(crate) async fn call(&self, item: I) -> Result<O, E> {
        let (answer, result) = oneshot::channel();
        self.inbox.send((item, answer)).map_err(|_| Error::Closed)?;
        result.await.map_err(|_| Error::Closed)?
    }
}

/// What has come, at least one call; nothing when none can come any more.
async fn gather<I, O, E>(
    inbox: &Mutex<UnboundedReceiver<(I, Answer<O, E>)>>,
) -> Option<Vec<(I, Answer<O, E>)>> {
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
    S: Clone,
    E: From<Error>,
    R: Fn(S, Vec<I>) -> F,
    F: Future<Output = Results<O, E>>,
{
    loop {
        let Some(mut gathered) = gather(&inbox).await else {
            return;
        };
        // Whoever has gone may have wanted a claim: it would be lost.
        gathered.retain(|(_, answer)| !answer.is_closed());
        let (items, answers): (Vec<_>, Vec<_>) = gathered.into_iter().unzip();
        match run(store.clone(), items).await {
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
