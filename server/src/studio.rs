//! The studio joins the rooms: it takes an order through the limits, the cache
//! and the queue, and brings its outcome home.

use std::{sync::Arc, time::Duration};

use atelier_app::wire::{Failure, Kind, Status};
use jiff::Timestamp;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use crate::{
    blob::{self, Blobs},
    cache::{self, Cache},
    callback::Message,
    job::{ImageTask, Outcome, Picture, Request, RestorationTask, Task},
    limit::{self, Decision, Limiter, Policy, Receipt, Standing},
    provider::Provider,
    queue::{self, Cancellation, Completion, Job, Join, NewJob, Queue, Ticket},
};

/// How long after a success the same request is still joined to it by the
/// queue itself. It bridges the moment in which an answer is no longer in
/// flight and its cache entry was not there yet when we looked.
const JOIN_WINDOW: Duration = Duration::from_secs(60);

/// A waiting poll reads its job again after this long, in case a ring was missed.
const REREAD: Duration = Duration::from_secs(5);

/// The rooms and the rules.
pub struct Studio {
    pub queue: Arc<dyn Queue>,
    pub cache: Arc<dyn Cache>,
    pub limiter: Arc<dyn Limiter>,
    pub blobs: Blobs,
    pub provider: Arc<dyn Provider>,
    pub policies: Vec<Policy>,
    pub cache_ttl: Duration,
    /// Cancelled when the process is about to end: nothing new is accepted.
    pub drain: CancellationToken,
}

/// Who is asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// An IPv4 address or an IPv6 /64 network; what limits count by.
    pub ip: String,
    /// What jobs belong to: a session, or the address where there is none.
    pub owner: String,
}

/// What is wanted.
#[derive(Debug, Clone)]
pub enum Order {
    Image(ImageTask),
    Restoration(RestorationTask),
}

/// An accepted order.
#[derive(Debug)]
pub struct Accepted {
    pub job: Job,
    /// What is left of each limit that applies.
    pub standings: Vec<Standing>,
}

/// Why the studio did not do as it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("over a limit")]
    Limited(Vec<Standing>),
    #[error("the studio is closing")]
    Closing,
    #[error("the job belongs to somebody else")]
    NotYours,
    #[error(transparent)]
    Queue(#[from] queue::Error),
    #[error(transparent)]
    Cache(#[from] cache::Error),
    #[error(transparent)]
    Limit(#[from] limit::Error),
    #[error(transparent)]
    Blob(#[from] blob::Error),
}

impl Studio {
    /// Takes an order: limits, cache, queue. A `fresh` order is answered by
    /// the provider, whatever was made before.
    pub async fn submit(
        &self,
        caller: &Caller,
        order: Order,
        fresh: bool,
    ) -> Result<Accepted, Error> {
        if self.drain.is_cancelled() {
            return Err(Error::Closing);
        }
        let now = Timestamp::now();
        let request = self.request(order, fresh);
        let (standings, receipts) = self.charge(caller, &request, now).await?;
        let job = match self.enqueue(caller, request, &receipts, fresh, now).await {
            Ok(job) => job,
            Err(error) => {
                self.refund(receipts).await;
                return Err(error);
            }
        };
        if job.status != Status::Succeeded {
            return Ok(Accepted { job, standings });
        }
        self.refund(receipts).await;
        let standings = self.standings(caller, job.request.kind()).await?;
        Ok(Accepted { job, standings })
    }

    fn request(&self, order: Order, fresh: bool) -> Request {
        let task = match order {
            Order::Image(task) => Task::Image(task),
            Order::Restoration(task) => Task::Restoration(task),
        };
        let kind = match task {
            Task::Image(_) => Kind::Image,
            Task::Restoration(_) => Kind::Restoration,
        };
        Request {
            provider: self.provider.name().into(),
            model: self.provider.model(kind).into(),
            variation: if fresh { fastrand::u64(1..) } else { 0 },
            task,
        }
    }

    async fn charge(
        &self,
        caller: &Caller,
        request: &Request,
        now: Timestamp,
    ) -> Result<(Vec<Standing>, Vec<Receipt>), Error> {
        let demands = limit::demands(&self.policies, request.kind(), &caller.ip, request.images());
        match self.limiter.charge(demands, now).await? {
            Decision {
                standings,
                receipts: Some(receipts),
            } => Ok((standings, receipts)),
            Decision {
                standings,
                receipts: None,
            } => Err(Error::Limited(standings)),
        }
    }

    async fn enqueue(
        &self,
        caller: &Caller,
        request: Request,
        receipts: &[Receipt],
        fresh: bool,
        now: Timestamp,
    ) -> Result<Job, Error> {
        let digest = request.digest();
        let answer = if fresh {
            None
        } else {
            self.cached(&digest, now).await?
        };
        let job = NewJob {
            id: Uuid::now_v7().simple().to_string(),
            owner: caller.owner.clone(),
            charge: serde_json::to_value(receipts).unwrap_or_default(),
            join: (!fresh).then_some(Join {
                digest,
                window: JOIN_WINDOW,
            }),
            request,
            answer,
        };
        let job = self.queue.enqueue(job, now).await?;
        info!(id = job.id, kind = ?job.request.kind(), cache = ?job.cache, "accepted");
        Ok(job)
    }

    /// The answer given to the same request before.
    async fn cached(&self, digest: &str, now: Timestamp) -> Result<Option<Outcome>, Error> {
        let Some(entry) = self.cache.get(digest, now).await? else {
            return Ok(None);
        };
        let outcome = self
            .queue
            .get(&entry.job)
            .await?
            .and_then(|job| job.outcome);
        if outcome.is_none() {
            self.cache.remove(digest).await?;
        }
        Ok(outcome.filter(|outcome| outcome.status() == Status::Succeeded))
    }

    /// The job; with `after`, as soon as its version exceeds that, or as it is
    /// after `wait`.
    pub async fn status(
        &self,
        id: &str,
        after: Option<u64>,
        wait: Duration,
    ) -> Result<Option<Job>, Error> {
        let deadline = Instant::now() + wait;
        loop {
            let ring = self.queue.bell().listen(id);
            let job = self.queue.get(id).await?;
            let unchanged =
                matches!((&job, after), (Some(job), Some(after)) if job.version <= after);
            if !unchanged || Instant::now() >= deadline || self.drain.is_cancelled() {
                return Ok(job);
            }
            let woken = async {
                tokio::select! {
                    () = ring => {}
                    () = sleep(REREAD) => {}
                    () = self.drain.cancelled() => {}
                }
            };
            let _ = timeout_at(deadline, woken).await;
        }
    }

    /// The caller's jobs, newest first, older than the job `before`.
    pub async fn jobs(
        &self,
        caller: &Caller,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Job>, Error> {
        Ok(self.queue.list(&caller.owner, before, limit).await?)
    }

    /// How the caller stands with every policy.
    pub async fn limits(&self, caller: &Caller) -> Result<Vec<Standing>, Error> {
        let looks = limit::looks(&self.policies, &caller.ip);
        Ok(self
            .limiter
            .charge(looks, Timestamp::now())
            .await?
            .standings)
    }

    /// How the caller stands with the policies for one kind of order.
    pub async fn standings(&self, caller: &Caller, kind: Kind) -> Result<Vec<Standing>, Error> {
        let mut standings = self.limits(caller).await?;
        standings.retain(|standing| standing.policy.actions.contains(&kind.into()));
        Ok(standings)
    }

    /// Brings a delivered outcome home. Doing so twice changes nothing.
    pub async fn complete(&self, message: &Message) -> Result<(), Error> {
        let ticket = &message.data.ticket;
        self.remember(ticket).await?;
        let jobs = match self.queue.complete(ticket, Timestamp::now()).await {
            Ok(Completion::Applied(jobs)) => jobs,
            // A deleted job needs no outcome any more.
            Ok(Completion::Repeated) | Err(queue::Error::NotFound) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        for job in jobs {
            info!(id = job.id, status = job.status.as_str(), "finished");
            if matches!(job.outcome, Some(Outcome::Failed(_))) {
                self.refund(receipts(&job)).await;
            }
        }
        Ok(())
    }

    /// Fills the cache before the job is finished: whoever asks the same in
    /// between finds it in flight, whoever asks later finds it here.
    async fn remember(&self, ticket: &Ticket) -> Result<(), Error> {
        let Some(job) = self.queue.get(&ticket.id).await? else {
            return Ok(());
        };
        let delivered = job.status == Status::Delivering && job.token == ticket.token;
        if delivered && matches!(job.outcome, Some(Outcome::Succeeded { .. })) {
            self.cache
                .put(
                    &job.request.digest(),
                    &job.id,
                    Timestamp::now(),
                    self.cache_ttl,
                )
                .await?;
        }
        Ok(())
    }

    /// Cancels the caller's job, or, unless `only_cancel`, deletes it with its
    /// files if it is finished; then the answer is `None`.
    pub async fn cancel(
        &self,
        caller: &Caller,
        id: &str,
        only_cancel: bool,
    ) -> Result<Option<Job>, Error> {
        let job = self.queue.get(id).await?.ok_or(queue::Error::NotFound)?;
        if job.owner != caller.owner {
            return Err(Error::NotYours);
        }
        if job.status.is_terminal() && !only_cancel {
            self.delete(id).await?;
            return Ok(None);
        }
        let Cancellation { job, before_call } = self.queue.cancel(id, Timestamp::now()).await?;
        if before_call {
            self.refund(receipts(&job)).await;
        }
        info!(id, before_call, "cancelled");
        Ok(Some(job))
    }

    async fn delete(&self, id: &str) -> Result<(), Error> {
        for key in self.queue.delete(id).await? {
            self.blobs.delete(&key).await?;
        }
        info!(id, "deleted");
        Ok(())
    }

    /// Gives back what was charged. Failing to is logged and not passed on:
    /// the visitor's job matters more.
    async fn refund(&self, receipts: Vec<Receipt>) {
        if receipts.is_empty() {
            return;
        }
        if let Err(error) = self.limiter.refund(receipts, Timestamp::now()).await {
            warn!(%error, "a charge could not be refunded");
        }
    }

    /// Forgets a picture that was kept for an order that was not taken.
    pub async fn discard(&self, picture: &Picture) {
        if let Err(error) = self.blobs.delete(&picture.key).await {
            warn!(%error, key = picture.key, "an unwanted photo could not be deleted");
        }
    }

    /// Forgets what has expired, now and then.
    pub async fn sweep(&self) -> Result<(), Error> {
        let now = Timestamp::now();
        self.cache.sweep(now).await?;
        self.limiter.sweep(now).await?;
        Ok(())
    }
}

fn receipts(job: &Job) -> Vec<Receipt> {
    serde_json::from_value(job.charge.clone()).unwrap_or_default()
}

/// The failure a job ended with.
pub fn failure(job: &Job) -> Option<&Failure> {
    match &job.outcome {
        Some(Outcome::Failed(failure)) => Some(failure),
        _ => None,
    }
}
