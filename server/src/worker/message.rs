//! Delivers messages: jobs whose call is another server's, or one of this server's gateway.
//!
//! 1. [`Worker::deliver_messages`] claims them in a loop of its own, with several claims at a
//!    time while there is much to do: the stores answer them together.
//! 2. One attempt is made, under a lease that is extended only if the call is long.
//! 3. A 2xx delivers the message. Otherwise it is repeated after the pause that the answer or
//!    the message asks for, as often as the message says, and is then a dead letter. Attempts
//!    that were lost with their process do not count as repetitions.
//! 4. Whoever is to be told of it gets a message as well (`callbacks`).

mod callbacks;
mod claim;
mod judge;
mod keys;
mod own;
mod request;

use std::{
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use atelier_messages::{Event, Events, MessageStore, State};
use atelier_webhook::HttpClient;
use axum::Router;
use bytes::Bytes;
use tokio::time::{interval, sleep};
use tracing::{debug, info, warn};

use self::judge::Made;
pub use self::{callbacks::CallbackQueue, keys::SigningKeys, own::Publisher};
use super::{
    Interrupted, Worker,
    heartbeat::{Beat, RETRY},
};
use crate::{
    job::{Cost, MESSAGES, MessageTask, OWN_MESSAGES, owner_of_messages},
    queue::{Job, Lane, Notified, Report, Verdict},
    telemetry::metrics,
};

/// Maximum time for a call of the gateway, if the message does not say: as clients wait.
const PATIENCE: Duration = Duration::from_secs(600);

/// Interval between writes of events to the store.
const RECORD: Duration = Duration::from_millis(100);

/// Minimum interval between looks at a job during its call: other jobs are heard as well.
const HEARD: Duration = Duration::from_millis(500);

/// Maximum number of events of an owner that are kept.
pub const MOST_EVENTS: usize = 10_000;

/// What messages are delivered with.
pub struct MessageDelivery {
    pub client: HttpClient,
    pub keys: Arc<SigningKeys>,
    pub callbacks: CallbackQueue,
    /// What became of messages, until the store has it.
    pub events: Arc<Events>,
    pub store: Arc<dyn MessageStore>,
    /// The site, which answers calls of its own gateway; `None` in a process without one.
    pub site: Option<Router>,
    /// Maximum number of calls at a time, over all processes.
    pub parallel: u32,
    /// Maximum time for a call, if the message does not say.
    pub timeout: Duration,
    /// How much is kept of an answer, in bytes.
    pub max_answer: usize,
}

impl MessageDelivery {
    /// The lanes that this process delivers messages of, each with a number of calls at a time.
    pub(super) fn lanes(&self) -> Vec<(Lane, usize)> {
        let size = self.parallel as usize;
        let outside = Lane {
            parallel: Some(self.parallel),
            ..Lane::open(MESSAGES)
        };
        let own = self.site.as_ref().map(|_| (Lane::open(OWN_MESSAGES), size));
        std::iter::once((outside, size)).chain(own).collect()
    }
}

/// What an event tells of an attempt.
#[derive(Debug, Clone, Default)]
struct Told {
    status: Option<u16>,
    headers: Vec<(String, String)>,
    body: Option<String>,
    error: Option<String>,
    next: Option<i64>,
}

/// One attempt at a message.
struct Attempt<'a> {
    job: &'a Job,
    task: &'a MessageTask,
    /// Whose message it is.
    owner: &'a str,
    /// How often the call has been repeated before.
    retried: u32,
}

impl<'a> Attempt<'a> {
    fn new(job: &'a Job, task: &'a MessageTask) -> Self {
        Self {
            job,
            task,
            owner: owner_of_messages(&job.owner).unwrap_or(&job.owner),
            retried: judge::answered(job),
        }
    }

    /// Whether it is a call of this server's gateway.
    fn is_own(&self) -> bool {
        self.job.request.provider == OWN_MESSAGES
    }

    /// Whether more attempts were lost with their processes than there may be: the message may
    /// be why they died.
    fn is_lost(&self, most: u32) -> bool {
        self.job.attempt.saturating_sub(1 + self.retried) > most
    }
}

impl Worker {
    /// Makes one attempt at a message, and records what became of it.
    pub(super) async fn deliver_message(&self, job: &Job, task: &MessageTask) {
        let attempt = Attempt::new(job, task);
        if attempt.is_lost(self.settings.attempts) {
            return self.conclude_message(&attempt, Made::lost()).await;
        }
        self.note_event(&attempt, State::Active, Told::default());
        let started = Instant::now();
        match self.while_held(job, self.make_attempt(&attempt)).await {
            Ok(made) => {
                metrics::attempted(made.class(), started.elapsed());
                self.conclude_message(&attempt, made).await;
            }
            Err(Interrupted::Lost) => {
                info!("call stopped: the message was cancelled or claimed by another worker");
            }
            Err(Interrupted::HandedBack(_) | Interrupted::NoStorage) => {
                info!("message handed back");
                self.settle(&job.ticket(), Verdict::Release(None)).await;
            }
        }
    }

    async fn make_attempt(&self, attempt: &Attempt<'_>) -> Made {
        let body = match attempt.task.body.read(&self.blobs).await {
            Ok(body) => body,
            Err(error) => {
                warn!(%error, "the body of a message could not be read");
                return Made::without_body(error.is_missing());
            }
        };
        let asked = attempt.task.message.timeout.map(Duration::from_millis);
        if attempt.is_own() {
            return match &self.messages.site {
                Some(site) => {
                    let patience = asked.unwrap_or(PATIENCE);
                    own::call(site.clone(), attempt, body, patience, &self.clock).await
                }
                // Its lane is claimed by nobody else.
                None => Made::no_gateway(),
            };
        }
        let timeout = asked.unwrap_or(self.messages.timeout);
        self.call_receiver(attempt, body, timeout).await
    }

    async fn call_receiver(&self, attempt: &Attempt<'_>, body: Bytes, timeout: Duration) -> Made {
        let key = match self.messages.keys.current(attempt.owner).await {
            Ok(key) => key,
            Err(error) => {
                warn!(%error, "a message could not be signed");
                return Made::unsigned();
            }
        };
        let now = self.clock.now();
        let call = request::call(attempt, body, &key, now, timeout, self.messages.max_answer);
        match call {
            Ok(call) => Made::from_call(self.messages.client.call(call).await, now),
            Err(error) => Made::refused(&error),
        }
    }

    /// Extends the lease until the call has ended, or the job is not ours any more, which is
    /// noticed soon: whoever cancels it is heard.
    async fn while_held<T>(
        &self,
        job: &Job,
        call: impl Future<Output = T>,
    ) -> Result<T, Interrupted> {
        let (mut call, ticket) = (pin!(call), job.ticket());
        // Nothing is claimed while the store is unreachable, so that the lease is extended
        // before a claim finds it expired.
        let mut unanswered = None;
        let mut notified = self.queue.notifier().listen(&ticket.id);
        loop {
            tokio::select! {
                biased;
                made = &mut call => return Ok(made),
                () = self.hand_back.cancelled() => {
                    return Err(Interrupted::HandedBack(Cost::Nothing));
                }
                () = self.until_beat(notified, unanswered.is_some()) => {}
            }
            notified = self.queue.notifier().listen(&ticket.id);
            match self.extend(&ticket, Report::default()).await {
                Beat::Extended => unanswered = None,
                Beat::Unanswered => unanswered = unanswered.or_else(|| Some(self.claims.hold())),
                Beat::Lost => return Err(Interrupted::Lost),
            }
        }
    }

    /// Waits until the lease is to be extended: after a third of it, or soon if something has
    /// happened to a job, perhaps to this one.
    async fn until_beat(&self, notified: Notified, unanswered: bool) {
        if unanswered {
            return sleep(RETRY).await;
        }
        let third = self.settings.lease / 3;
        let pace = HEARD.min(third);
        sleep(pace).await;
        tokio::select! {
            () = notified => {}
            () = sleep(third - pace) => {}
        }
    }

    /// Notes an event of the message.
    fn note_event(&self, attempt: &Attempt<'_>, state: State, told: Told) {
        let event = Event {
            time: self.clock.now().as_millisecond(),
            message: attempt.job.id.clone(),
            state,
            about: Box::new(attempt.task.message.without_headers()),
            next: told.next,
            status: told.status,
            headers: told.headers,
            body: told.body,
            error: told.error,
        };
        debug!(?state, "message");
        self.messages.events.note(attempt.owner, event);
    }

    /// Adds events to the store that have not been added yet.
    pub async fn record_events(&self) {
        let messages = &self.messages;
        if let Err(error) = messages.events.flush(&*messages.store, MOST_EVENTS).await {
            debug!(%error, "events could not be recorded; retrying later");
        }
    }

    /// Does so all the time.
    pub(super) async fn keep_recording_events(self: Arc<Self>) {
        let mut tick = interval(RECORD);
        loop {
            tick.tick().await;
            self.record_events().await;
        }
    }
}
