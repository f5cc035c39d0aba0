//! The studio joins the rooms: it takes an order through the limits, the cache
//! and the queue (what it costs is told in `charging`), and brings its outcome home (`complete`). What has
//! ended is settled (`outbox`), and API users are told of it by a notice (`notices`). Then it keeps what was made for its
//! time (`retention`), until nothing needs its files (`discard`), what failed for an operator (`dead`), and what serves
//! again (`reuse`, `alike`) or is told of beside another (`mentions`). Who sees which job is decided in `visibility`.

mod alike;
mod caller;
mod charging;
mod complete;
pub mod context;
pub mod data_dir;
mod dead;
mod discard;
mod doubt;
mod gallery;
mod mentions;
mod notices;
mod order;
mod outbox;
mod places;
mod retention;
mod reuse;
pub mod schema;
pub mod view;
mod visibility;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use atelier_api::Status;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use url::Url;
use uuid::{ContextV7, Uuid};

pub use self::{
    caller::Caller,
    doubt::Doubts,
    gallery::Searches,
    order::{Order, Terms},
    places::{Place, Places},
    reuse::Given,
};
use self::{
    charging::{Fare, refusal, returnable},
    reuse::Answer,
};
use crate::{
    access::{self, Register},
    blob::{self, Blobs, journal::Journal},
    cache::{self, Cache, Savings, semantic::Semantic},
    config::Mode,
    job::Request,
    limit::{self, Limiter, Policy, Receipt, Standing, Stats},
    policies::Refusals,
    providers::Provider,
    queue::{self, DynQueue, Ended, Housekeeping, Job, Join, NewJob, Priority},
    store::clock::Clock,
};

/// How long after a success the same request is still joined to it by the
/// queue itself. It bridges the moment in which an answer is no longer in
/// flight and its cache entry was not there yet when we looked.
const JOIN_WINDOW: Duration = Duration::from_secs(10);

/// The rooms and the rules.
pub struct Studio {
    pub clock: Clock,
    pub queue: Arc<DynQueue>,
    /// Which files the queue's jobs need.
    pub files: Arc<dyn Housekeeping>,
    /// Which files its jobs are about to need.
    pub journal: Journal,
    pub register: Arc<dyn Register>,
    pub cache: Arc<dyn Cache>,
    /// Unset where meanings are not compared.
    pub semantic: Option<Arc<Semantic>>,
    pub mode: Mode,
    pub given: Given,
    pub doubts: Doubts,
    /// What the caches saved, for the operator.
    pub savings: Savings,
    pub limiter: Arc<dyn Limiter>,
    pub blobs: Blobs,
    pub provider: Arc<dyn Provider>,
    pub policies: Vec<Arc<Policy>>,
    /// Bounds whom a caller has called.
    pub callbacks: Arc<Policy>,
    pub searches: Searches,
    /// Holds whose orders are refused too often.
    pub refusals: Refusals,
    /// What the policies decided, for the operator.
    pub stats: Stats,
    pub figures_kept: Duration,
    pub cache_ttl: Duration,
    /// How long finished jobs are kept.
    pub keep: Duration,
    /// How long photos are kept, with what was made of them.
    pub photos_kept: Duration,
    /// The site's address as visitors see it.
    pub public_url: Option<Url>,
    /// Cancelled when the process is about to end: nothing new is accepted.
    pub drain: CancellationToken,
}

/// An accepted order.
#[derive(Debug)]
pub struct Accepted {
    pub job: Job,
    /// What is left of each limit that applies.
    pub standings: Vec<Standing>,
}

/// An order that was charged, to be queued.
struct Entry<'a> {
    id: String,
    request: Request,
    receipts: &'a [Receipt],
    /// How long ago the same request may have been answered that it shares the answer of.
    join_window: Duration,
    /// What was charged pays for no call.
    answered_only: bool,
    /// The job, where nobody knows whether the queue has it.
    doubt: Option<NewJob>,
}

/// Why the studio did not do as it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("over a limit")]
    Limited(Vec<Standing>),
    #[error("the studio is closing")]
    Closing,
    #[error("the caller asks for too much at a time")]
    Busy,
    #[error("the job belongs to somebody else")]
    NotYours,
    #[error(transparent)]
    Queue(#[from] queue::Error),
    #[error(transparent)]
    Cache(#[from] cache::Error),
    #[error(transparent)]
    Limit(#[from] limit::Error),
    #[error(transparent)]
    Access(#[from] access::Error),
    #[error(transparent)]
    Blob(#[from] blob::Error),
}

impl Studio {
    /// Takes an order: limits, cache, queue.
    pub async fn submit(
        self: &Arc<Self>,
        caller: &Caller,
        order: Order,
        terms: Terms,
    ) -> Result<Accepted, Error> {
        if self.drain.is_cancelled() {
            return Err(Error::Closing);
        }
        let now = self.clock.now();
        let kind = order.kind();
        let request = self.request(order, terms.fresh);
        if let Some(accepted) = self.again(caller, &request, &terms, now).await? {
            return Ok(accepted);
        }
        let Fare {
            standings,
            receipts,
            over,
        } = self.admit(caller, &request, &terms, now).await?;
        let mut entry = Entry {
            id: new_id(now),
            request,
            receipts: &receipts,
            join_window: JOIN_WINDOW,
            answered_only: over.is_some(),
            doubt: None,
        };
        let added = self.enqueue(caller, &mut entry, &terms, now).await;
        let Entry { id, doubt, .. } = entry;
        let job = match (added, doubt) {
            (Ok(job), _) => job,
            (Err(error), Some(job)) => {
                self.doubts.note(job, receipts);
                return Err(error);
            }
            (Err(error), None) => {
                self.refund(&id, receipts).await;
                return Err(refusal(error, over));
            }
        };
        self.note_accepted(&job, now);
        if job.status != Status::Succeeded || !self.attend_answered(&job).await {
            return Ok(Accepted { job, standings });
        }
        let standings = self.standings(caller, kind).await?;
        Ok(Accepted { job, standings })
    }

    async fn enqueue(
        &self,
        caller: &Caller,
        entry: &mut Entry<'_>,
        terms: &Terms,
        now: Timestamp,
    ) -> Result<Job, Error> {
        let mut answer = None;
        if !terms.fresh {
            answer = self.answer(caller, &entry.request, now).await?;
            if answer.is_none() && self.mode == Mode::Suggest {
                entry.request.found = self.suggestion(caller, &entry.request, now).await;
            }
        }
        let job = match answer {
            Some(answer) => match self.add(caller, entry, Some(answer), terms, now).await {
                // It was deleted since it was found: what was charged pays for a call.
                Err(Error::Queue(queue::Error::NoAnswer)) if !entry.answered_only => {
                    self.add_unanswered(caller, entry, terms, now).await?
                }
                added => added?,
            },
            None => self.add_unanswered(caller, entry, terms, now).await?,
        };
        if job.status == Status::Succeeded {
            self.given.note(&job);
        }
        Ok(job)
    }

    /// Adds an order for which no answer was found. The queue may still have one: if its files are lost, it
    /// is made again, for what was charged already.
    async fn add_unanswered(
        &self,
        caller: &Caller,
        entry: &mut Entry<'_>,
        terms: &Terms,
        now: Timestamp,
    ) -> Result<Job, Error> {
        let job = self.add(caller, entry, None, terms, now).await?;
        if job.status != Status::Succeeded || self.has_files(job.outcome.as_ref()).await {
            return Ok(job);
        }
        // Until the new job is there, the old one holds on to the order's own upload.
        self.queue.acknowledge(&Ended::answered(&job).key).await?;
        let lost = std::mem::replace(&mut entry.id, new_id(now));
        entry.join_window = Duration::ZERO;
        let added = self.add(caller, entry, None, terms, now).await;
        let settled = matches!(added, Ok(_) | Err(Error::Queue(queue::Error::NoAnswer)));
        if settled && let Err(error) = self.delete(&lost).await {
            warn!(%error, id = lost, "a job that was answered with a lost picture stays");
        }
        added
    }

    /// Adds the order, with what was found for it.
    async fn add(
        &self,
        caller: &Caller,
        entry: &mut Entry<'_>,
        answer: Option<Answer>,
        terms: &Terms,
        now: Timestamp,
    ) -> Result<Job, Error> {
        let charge = match &answer {
            Some(_) => serde_json::to_value(returnable(entry.receipts)),
            None => serde_json::to_value(entry.receipts),
        };
        let (answer, found) = answer.map(|answer| (answer.outcome, answer.found)).unzip();
        let mut request = entry.request.clone();
        request.found = found.or(request.found);
        let owner = caller.owner_of(&entry.id);
        let job = NewJob {
            id: entry.id.clone(),
            priority: Priority::Normal,
            not_before: None,
            hooks: terms.hooks.clone(),
            charge: charge.unwrap_or_default(),
            join: (!terms.fresh).then(|| Join {
                digest: request.digest(&owner),
                window: entry.join_window,
            }),
            owner,
            request,
            answer,
            answered_only: entry.answered_only,
        };
        let added = self.put(&job, now).await;
        if matches!(&added, Err(queue::Error::Store(error)) if error.is_away()) {
            entry.doubt = Some(job);
        }
        Ok(added?)
    }
}

/// Ids are in the order of the store's time, whoever makes them.
fn new_id(now: Timestamp) -> String {
    static ORDER: Mutex<ContextV7> = Mutex::new(ContextV7::new());
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    let nanoseconds = now.subsec_nanosecond().unsigned_abs();
    Uuid::new_v7(uuid::Timestamp::from_unix(&ORDER, seconds, nanoseconds))
        .simple()
        .to_string()
}
