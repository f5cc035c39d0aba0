//! Calls in flight. Whoever asks for the same may read along; a call that nobody reads any
//! more is given up, unless it is to be finished in any case.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use atelier_gateway::ApiError;
use bytes::Bytes;
use futures::Stream;
use tokio::sync::Notify;

use super::{
    Error,
    serve::{COST, Head, dollars},
};

/// How many bytes of an answer wait for its slowest reader. Beyond it the call waits, too.
const WAITING: usize = 256 * 1024;

/// The calls in flight of one process, by what they are the same in.
#[derive(Default)]
pub(super) struct Flights(Mutex<HashMap<String, Arc<Flight>>>);

/// One call in flight: what has arrived of its answer.
pub(super) struct Flight {
    /// Of the call that is made.
    digest: String,
    state: Mutex<State>,
    /// More has arrived.
    arrived: Notify,
    /// Somebody has read, or left.
    read: Notify,
    /// The call is finished even if nobody reads it.
    finished_anyway: bool,
    /// What a stream has cost, in US dollars, once that is known.
    cost: Arc<OnceLock<f64>>,
}

#[derive(Default)]
struct State {
    head: Option<Result<Arc<Head>, Arc<Error>>>,
    chunks: VecDeque<Bytes>,
    /// The number of the first of the chunks; those before it are gone.
    first: usize,
    bytes: usize,
    ended: bool,
    /// The number of the chunk before which the cost is told.
    priced: Option<usize>,
    /// The number of the next chunk of each reader.
    readers: HashMap<u64, usize>,
    next_reader: u64,
}

/// Nobody reads the answer any more.
#[derive(Debug)]
pub(super) struct Abandoned;

impl Flights {
    /// Begins a call, unless one is in flight under this key whose answer can still be read
    /// from its beginning. A call that is not `shared` is begun in any case; as long as it is
    /// the only one under its key, others may join it.
    pub(super) fn join_or_begin(
        &self,
        key: &str,
        digest: &str,
        shared: bool,
        finished_anyway: bool,
    ) -> (Reader, Option<Arc<Flight>>) {
        let mut flights = self.lock();
        match flights.entry(key.to_owned()) {
            Entry::Occupied(other) => {
                let joined = shared.then(|| Arc::clone(other.get()).join()).flatten();
                if let Some(reader) = joined {
                    return (reader, None);
                }
                let (flight, reader) = Flight::begin(digest, finished_anyway);
                (reader, Some(flight))
            }
            Entry::Vacant(vacant) => {
                let (flight, reader) = Flight::begin(digest, finished_anyway);
                vacant.insert(Arc::clone(&flight));
                (reader, Some(flight))
            }
        }
    }

    /// Whether a call is in flight under this key.
    pub(super) fn holds(&self, key: &str) -> bool {
        self.lock().contains_key(key)
    }

    /// Removes a call that has ended.
    pub(super) fn remove(&self, key: &str, flight: &Arc<Flight>) {
        let mut flights = self.lock();
        if flights.get(key).is_some_and(|one| Arc::ptr_eq(one, flight)) {
            flights.remove(key);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Flight>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flight {
    /// A call that has just begun, and its first reader.
    fn begin(digest: &str, finished_anyway: bool) -> (Arc<Self>, Reader) {
        let flight = Arc::new(Self {
            digest: digest.to_owned(),
            state: Mutex::default(),
            arrived: Notify::new(),
            read: Notify::new(),
            finished_anyway,
            cost: Arc::default(),
        });
        let reader = Reader::add(&flight, &mut flight.lock(), true);
        (flight, reader)
    }

    fn join(self: Arc<Self>) -> Option<Reader> {
        let mut state = self.lock();
        // One that has ended stays until its answer is in the cache.
        let is_read = self.finished_anyway || state.ended || !state.readers.is_empty();
        let whole = state.first == 0 && is_read;
        whole.then(|| Reader::add(&self, &mut state, false))
    }

    /// The answer begins, or there is none.
    pub(super) fn head(&self, head: Result<Head, Error>) {
        let mut state = self.lock();
        state.ended |= head.is_err();
        state.head = Some(head.map(Arc::new).map_err(Arc::new));
        drop(state);
        self.arrived.notify_waiters();
    }

    /// Nothing more comes. Whoever still waits for the beginning is told that it failed.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        state.ended = true;
        let failed = || Err(Arc::new(ApiError::internal().into()));
        state.head.get_or_insert_with(failed);
        drop(state);
        self.arrived.notify_waiters();
    }

    /// Adds to the answer, and waits while too much of it is unread.
    pub(super) async fn write(&self, chunk: Bytes) -> Result<(), Abandoned> {
        loop {
            let read = self.read.notified();
            {
                let mut state = self.lock();
                if self.is_abandoned(&state) {
                    return Err(Abandoned);
                }
                state.forget_read(chunk.len());
                if state.chunks.is_empty() || state.bytes + chunk.len() <= WAITING {
                    state.bytes += chunk.len();
                    state.chunks.push_back(chunk);
                    break;
                }
                // A reader that leaves between here and the wait is not missed: `notified`
                // counts from its creation.
            }
            read.await;
        }
        self.arrived.notify_waiters();
        Ok(())
    }

    /// Says what a stream costs, once. It is told before whatever is added next.
    pub(super) fn price(&self, usd: f64) {
        if self.cost.set(usd).is_ok() {
            let mut state = self.lock();
            state.priced = Some(state.first + state.chunks.len());
        }
    }

    /// The answer has ended.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.arrived.notify_waiters();
    }

    /// Waits until nobody reads the answer any more; for ever, if it is to be finished anyway.
    pub(super) async fn abandoned(&self) {
        loop {
            let read = self.read.notified();
            if self.is_abandoned(&self.lock()) {
                return;
            }
            read.await;
        }
    }

    fn is_abandoned(&self, state: &State) -> bool {
        state.readers.is_empty() && !self.finished_anyway
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Forgets what all have read, if there is no room for `more` bytes otherwise.
    fn forget_read(&mut self, more: usize) {
        let slowest = self.readers.values().min().copied();
        let slowest = slowest.unwrap_or(self.first + self.chunks.len());
        while self.bytes + more > WAITING && self.first < slowest {
            let Some(chunk) = self.chunks.pop_front() else {
                break;
            };
            self.bytes -= chunk.len();
            self.first += 1;
        }
    }
}

/// Reads the answer of a call in flight from its beginning.
pub(super) struct Reader {
    flight: Arc<Flight>,
    id: u64,
    /// Whether it is who pays for the call, and is told what it cost.
    pays: bool,
}

impl Reader {
    fn add(flight: &Arc<Flight>, state: &mut State, pays: bool) -> Self {
        let id = state.next_reader;
        state.next_reader += 1;
        state.readers.insert(id, 0);
        Self {
            flight: Arc::clone(flight),
            id,
            pays,
        }
    }

    /// Whether it is the call with this digest that is read.
    pub(super) fn reads(&self, digest: &str) -> bool {
        self.flight.digest == digest
    }

    /// What a stream has cost, in US dollars: known at its end.
    pub(super) fn cost(&self) -> Arc<OnceLock<f64>> {
        Arc::clone(&self.flight.cost)
    }

    /// Waits for the beginning of the answer.
    pub(super) async fn head(&self) -> Result<Arc<Head>, Arc<Error>> {
        loop {
            let arrived = self.flight.arrived.notified();
            if let Some(head) = &self.flight.lock().head {
                return head.clone();
            }
            arrived.await;
        }
    }

    /// Waits for the next part; `None` at the end.
    async fn next(&self) -> Option<Bytes> {
        loop {
            let arrived = self.flight.arrived.notified();
            {
                let mut state = self.flight.lock();
                let at = state.readers.get(&self.id).copied()?;
                if self.pays && state.priced == Some(at) {
                    state.priced = None;
                    return self.flight.cost.get().map(|usd| comment(*usd));
                }
                // What a reader has not read is never forgotten.
                if let Some(chunk) = state.chunks.get(at - state.first).cloned() {
                    state.readers.insert(self.id, at + 1);
                    drop(state);
                    self.flight.read.notify_waiters();
                    return Some(chunk);
                }
                if state.ended {
                    return None;
                }
            }
            arrived.await;
        }
    }

    /// Waits for all that is still to come.
    pub(super) async fn rest(self) -> Bytes {
        let first = self.next().await.unwrap_or_default();
        let Some(second) = self.next().await else {
            return first;
        };
        let mut whole = [first, second].concat();
        while let Some(chunk) = self.next().await {
            whole.extend_from_slice(&chunk);
        }
        whole.into()
    }

    /// The parts as they arrive.
    pub(super) fn stream(self) -> impl Stream<Item = Bytes> + Send {
        futures::stream::unfold(self, async |reader| {
            let chunk = reader.next().await?;
            Some((chunk, reader))
        })
    }
}

/// The cost of a stream, which is not known when its head is sent.
fn comment(usd: f64) -> Bytes {
    format!(": {COST} {}\n\n", dollars(usd)).into()
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.flight.lock().readers.remove(&self.id);
        self.flight.read.notify_waiters();
    }
}
