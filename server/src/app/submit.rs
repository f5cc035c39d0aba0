//! Taking an order: limits, cache, queue.

use std::{sync::Arc, time::Duration};

use atelier_api::Status;
use jiff::Timestamp;
use tracing::warn;

use super::{
    Caller, Error, Order, Studio, Terms,
    charging::{Charge, refusal, returnable},
    order::new_id,
    reuse::Answer,
};
use crate::{
    config::Mode,
    job::{JobId, Request},
    limit::{Receipt, Standing},
    queue::{self, Ended, Job, Join, NewJob, Priority},
    store,
};

/// How long after a success the queue itself still joins the same request to it.
/// This bridges the moment in which an answer is no longer in flight and its
/// cache entry did not exist yet when it was looked up.
const JOIN_WINDOW: Duration = Duration::from_secs(10);

/// An accepted order.
#[derive(Debug)]
pub struct Accepted {
    pub job: Job,
    /// What is left of each limit that applies to it.
    pub standings: Vec<Standing>,
}

/// An order that has been charged and is about to be queued.
struct Entry<'a> {
    id: JobId,
    request: Request,
    receipts: &'a [Receipt],
    /// How long ago the same request may have succeeded for this one to share its answer.
    join_window: Duration,
    /// The charge covers an earlier answer only, no new call.
    answered_only: bool,
    /// The job, if it is unknown whether the queue has it.
    uncertain: Option<NewJob>,
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
        let now = self.stores.clock.now();
        let kind = order.kind();
        let request = self.request(order, &terms);
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
            if answer.is_none() && self.settings.mode == Mode::Suggest {
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
        self.stores
            .queue
            .acknowledge(&Ended::answered(&job).key)
            .await?;
        let lost = std::mem::replace(&mut entry.id, new_id(now));
        entry.join_window = Duration::ZERO;
        let added = self.add(caller, entry, None, terms, now).await;
        let settled = matches!(added, Ok(_) | Err(Error::Queue(queue::Error::NoAnswer)));
        if settled && let Err(error) = self.delete(&lost).await {
            warn!(%error, id = &*lost, "a job whose picture is lost could not be deleted");
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
        // What was charged and is not noted could never be given back.
        let charge = charge.map_err(|error| queue::Error::Store(store::Error::from(error)))?;
        let (answer, found) = answer.map(|answer| (answer.outcome, answer.found)).unzip();
        let mut request = entry.request.clone();
        request.found = found.or(request.found);
        let owner = caller.owner_of(&entry.id);
        let job = NewJob {
            id: entry.id.to_string(),
            priority: Priority::Normal,
            not_before: None,
            hooks: terms.hooks.clone(),
            charge,
            join: (!terms.fresh).then(|| Join {
                digest: request.digest(Some(&owner)),
                window: entry.join_window,
            }),
            owner: owner.to_string(),
            request,
            answer,
            answered_only: entry.answered_only,
            gates: Vec::new(),
            inherits: None,
        };
        let added = self.enqueue_or_retry(&job, now).await;
        if matches!(&added, Err(queue::Error::Store(error)) if error.is_away()) {
            entry.uncertain = Some(job);
        }
        Ok(added?)
    }
}
