//! The use cases. [`Studio::submit`] takes an order through the limits, the cache and the queue (`charging` charges
//! for it), and [`Studio::complete`] applies its outcome (`complete`). Ended jobs are settled from the outbox
//! (`outbox`), and API users get a notice (`notices`). Results are kept for their time (`retention`), files until
//! nothing refers to them (`discard`), and failed jobs for an operator (`dead`). Earlier results are reused for the
//! same request (`reuse`) and for one that means the same (`similar`), and hidden again once they are gone
//! (`withdrawn`). `visibility` decides who sees which job.

mod similar;
mod caller;
mod charging;
mod complete;
pub mod context;
pub mod data_dir;
mod dead;
mod discard;
mod uncertain;
mod gallery;
mod withdrawn;
mod notices;
mod order;
mod outbox;
mod permits;
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
    gallery::SearchPermits,
    order::{Order, Terms},
    permits::{Permit, Permits},
    reuse::RecentOrders,
    uncertain::UncertainOrders,
};
use self::{
    charging::{Charge, refusal, returnable},
    reuse::Answer,
};
use crate::{
    access::{self, AccessStore},
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

/// How long after a success the queue itself still joins the same request to it.
/// This bridges the moment in which an answer is no longer in flight and its
/// cache entry did not exist yet when it was looked up.
const JOIN_WINDOW: Duration = Duration::from_secs(10);

/// What the use cases work with: stores, policies and settings.
pub struct Studio {
    pub clock: Clock,
    pub queue: Arc<DynQueue>,
    /// Which files the queue's jobs need.
    pub files: Arc<dyn Housekeeping>,
    /// Answers that are paid for and not recorded yet; their files are still needed.
    pub journal: Journal,
    pub access: Arc<dyn AccessStore>,
    pub cache: Arc<dyn Cache>,
    /// `None` if meanings are not compared.
    pub semantic: Option<Arc<Semantic>>,
    pub mode: Mode,
    pub recent_orders: RecentOrders,
    pub uncertain_orders: UncertainOrders,
    /// What the caches saved, for the operator.
    pub savings: Savings,
    pub limiter: Arc<dyn Limiter>,
    pub blobs: Blobs,
    pub provider: Arc<dyn Provider>,
    pub policies: Vec<Arc<Policy>>,
    /// Limits how many callbacks a caller requests.
    pub callbacks: Arc<Policy>,
    pub search_permits: SearchPermits,
    /// Blocks callers whose orders the provider refuses too often.
    pub refusals: Refusals,
    /// What the policies decided, for the operator.
    pub stats: Stats,
    pub stats_kept: Duration,
    pub cache_ttl: Duration,
    /// How long finished jobs are kept.
    pub keep: Duration,
    /// How long photos are kept, with what was made of them.
    pub photos_kept: Duration,
    /// The site's URL as visitors see it.
    pub public_url: Option<Url>,
    /// Cancelled at shutdown: nothing new is accepted from then on.
    pub drain: CancellationToken,
}

/// An accepted order.
#[derive(Debug)]
pub struct Accepted {
    pub job: Job,
    /// What is left of each limit that applies to it.
    pub standings: Vec<Standing>,
}

/// An order that has been charged and is about to be queued.
struct Entry<'a> {
    id: String,
    request: Request,
    receipts: &'a [Receipt],
    /// How long ago the same request may have succeeded for this one to share its answer.
    join_window: Duration,
    /// The charge covers an earlier answer only, no new call.
    answered_only: bool,
    /// The job, if it is unknown whether the queue has it.
    uncertain: Option<NewJob>,
}

/// Why the studio refused or failed a request.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("over a limit")]
    Limited(Vec<Standing>),
    #[error("the server is shutting down")]
    Closing,
    #[error("the caller has too many requests at a time")]
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
        if let Some(accepted) = self.reuse_recent(caller, &request, &terms, now).await? {
            return Ok(accepted);
        }
        let Charge {
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
            uncertain: None,
        };
        let added = self.enqueue(caller, &mut entry, &terms, now).await;
        let Entry { id, uncertain, .. } = entry;
        let job = match (added, uncertain) {
            (Ok(job), _) => job,
            (Err(error), Some(job)) => {
                self.uncertain_orders.note(job, receipts);
                return Err(error);
            }
            (Err(error), None) => {
                self.refund(&id, receipts).await;
                return Err(refusal(error, over));
            }
        };
        self.note_accepted(&job, now);
        if job.status != Status::Succeeded || !self.process_answered(&job).await {
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
            answer = self.find_answer(caller, &entry.request, now).await?;
            if answer.is_none() && self.mode == Mode::Suggest {
                entry.request.found = self.suggestion(caller, &entry.request, now).await;
            }
        }
        let job = match answer {
            Some(answer) => match self.add(caller, entry, Some(answer), terms, now).await {
                // It has been deleted since it was found: the charge pays for a call instead.
                Err(Error::Queue(queue::Error::NoAnswer)) if !entry.answered_only => {
                    self.add_unanswered(caller, entry, terms, now).await?
                }
                added => added?,
            },
            None => self.add_unanswered(caller, entry, terms, now).await?,
        };
        if job.status == Status::Succeeded {
            self.recent_orders.note(&job);
        }
        Ok(job)
    }

    /// Adds an order for which no answer was found. The queue may still have one; if its files are lost, the
    /// picture is made again at no further charge.
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
        // The old job is deleted only after the new one is added: it keeps the order's own upload until then.
        self.queue.acknowledge(&Ended::answered(&job).key).await?;
        let lost = std::mem::replace(&mut entry.id, new_id(now));
        entry.join_window = Duration::ZERO;
        let added = self.add(caller, entry, None, terms, now).await;
        let settled = matches!(added, Ok(_) | Err(Error::Queue(queue::Error::NoAnswer)));
        if settled && let Err(error) = self.delete(&lost).await {
            warn!(%error, id = lost, "a job whose picture is lost could not be deleted");
        }
        added
    }

    /// Adds the order, with the answer found for it.
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
        let added = self.enqueue_or_retry(&job, now).await;
        if matches!(&added, Err(queue::Error::Store(error)) if error.is_away()) {
            entry.uncertain = Some(job);
        }
        Ok(added?)
    }
}

/// Ids sort by the store's time, whichever process makes them.
fn new_id(now: Timestamp) -> String {
    static ORDER: Mutex<ContextV7> = Mutex::new(ContextV7::new());
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    let nanoseconds = now.subsec_nanosecond().unsigned_abs();
    Uuid::new_v7(uuid::Timestamp::from_unix(&ORDER, seconds, nanoseconds))
        .simple()
        .to_string()
}
