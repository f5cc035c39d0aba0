//! Charges for orders: charged when accepted, settled when the job has ended.

use std::sync::Arc;

use atelier_api::Kind;
use jiff::Timestamp;
use tracing::{debug, warn};

use super::{Caller, Error, Studio, Terms, order::new_id};
use crate::{
    job::{Outcome, Request, Task},
    limit::{
        self, Asker, Costs, Decision, Demand, HourlyStats, OnError, Policy, Receipt, Scope,
        Settlement, Standing, Unit, micros,
    },
    policies,
    providers::Work,
    queue::{self, Bill, Hooks, Job},
    telemetry::metrics,
};

/// What was charged for an order.
pub(super) struct Charge {
    pub(super) standings: Vec<Standing>,
    pub(super) receipts: Vec<Receipt>,
    /// The limits that forbid a new call, if only an earlier answer may be given.
    pub(super) over: Option<Vec<Standing>>,
}

impl Studio {
    /// Charges the order. A caller without pictures or money left may still be
    /// given an earlier answer.
    pub(super) async fn admit(
        &self,
        caller: &Caller,
        request: &Request,
        terms: &Terms,
        now: Timestamp,
    ) -> Result<Charge, Error> {
        let kind = request.task.kind();
        let costs = Costs {
            requests: 1,
            images: request.images().into(),
            usd: self.models.estimate(request),
            ..Costs::default()
        };
        let demands = self.order_demands(caller, kind, costs, terms);
        let charge = match self.charge_order(caller, demands.clone(), now).await {
            Err(Error::Limited(standings)) if !terms.fresh && may_look(&standings) => {
                match self.find_answer(caller, request, now).await? {
                    // It is looked up again later: it may be gone once the request is charged.
                    Some(_) => {
                        let demands = self.request_demands(caller, kind, terms);
                        let charge = self.charge_order(caller, demands, now).await;
                        charge.map(|charge| Charge {
                            over: Some(standings),
                            ..charge
                        })
                    }
                    None => Err(Error::Limited(standings)),
                }
            }
            charge => charge,
        };
        if let Ok(Charge { standings, .. }) | Err(Error::Limited(standings)) = &charge {
            metrics::decided(standings);
            self.recorders.stats.note(&demands, standings, now);
        }
        charge
    }

    /// Charges an order that needs no call.
    pub(super) async fn charge_request(
        &self,
        caller: &Caller,
        kind: Kind,
        terms: &Terms,
        now: Timestamp,
    ) -> Result<Vec<Standing>, Error> {
        let demands = self.request_demands(caller, Some(kind), terms);
        let charge = self.charge_order(caller, demands.clone(), now).await;
        if let Ok(Charge { standings, .. }) | Err(Error::Limited(standings)) = &charge {
            metrics::decided(standings);
            self.recorders.stats.note(&demands, standings, now);
        }
        Ok(charge?.standings)
    }

    /// Charges a request that cost work but led to no job.
    pub async fn charge_failed_request(&self, caller: &Caller, kind: Kind) -> Result<(), Error> {
        let (terms, now) = (Terms::default(), self.stores.clock.now());
        self.charge_request(caller, kind, &terms, now).await?;
        Ok(())
    }

    /// What an order demands of the policies if it needs no call.
    fn request_demands(&self, caller: &Caller, kind: Option<Kind>, terms: &Terms) -> Vec<Demand> {
        let costs = Costs {
            requests: 1,
            ..Costs::default()
        };
        self.order_demands(caller, kind, costs, terms)
    }

    /// Charges an order, unless the caller is blocked for its refusals.
    async fn charge_order(
        &self,
        caller: &Caller,
        mut demands: Vec<Demand>,
        now: Timestamp,
    ) -> Result<Charge, Error> {
        let ordered = demands.len();
        demands.extend(self.refusals.looks(caller.blocked_by()));
        let mut charge = match self.charge(demands, now).await {
            Err(Error::Limited(mut standings)) => {
                keep_blocking(&mut standings, ordered);
                return Err(Error::Limited(standings));
            }
            charge => charge?,
        };
        if keep_blocking(&mut charge.standings, ordered) {
            self.refund(&new_id(now), charge.receipts).await;
            return Err(Error::Limited(charge.standings));
        }
        // Callbacks are not refunded, however the job ends.
        charge
            .receipts
            .retain(|receipt| !self.settings.callbacks.gave(receipt));
        let watched = self.refusals.receipts(caller.refusals_count_for(), now);
        charge.receipts.extend(watched);
        Ok(charge)
    }

    pub(super) async fn charge(
        &self,
        demands: Vec<Demand>,
        now: Timestamp,
    ) -> Result<Charge, Error> {
        let forgiving = demands
            .iter()
            .all(|demand| demand.policy.on_error == OnError::Allow);
        let charge = |standings, receipts| Charge {
            standings,
            receipts,
            over: None,
        };
        match self.stores.limiter.charge(demands, now).await {
            Ok(Decision {
                standings,
                receipts: Some(receipts),
            }) => Ok(charge(standings, receipts)),
            Ok(Decision { standings, .. }) => Err(Error::Limited(standings)),
            Err(error) if forgiving && error.is_away() => {
                warn!(%error, "the limits are unreachable; their policies let everybody in");
                Ok(charge(Vec::new(), Vec::new()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What an order demands of the configured policies and of the built-in ones.
    fn order_demands(
        &self,
        caller: &Caller,
        kind: Option<Kind>,
        costs: Costs,
        terms: &Terms,
    ) -> Vec<Demand> {
        let model = (self.models).chosen(kind.unwrap_or(Kind::Image), terms.model.as_ref());
        let mut demands = self.demands(caller, kind, model.name(), costs);
        if terms.hooks != Hooks::default() {
            demands.push(Demand::new(
                &self.settings.callbacks,
                caller.counted_as(),
                1,
            ));
        }
        demands
    }

    fn demands(
        &self,
        caller: &Caller,
        kind: Option<Kind>,
        provider: &str,
        costs: Costs,
    ) -> Vec<Demand> {
        let asker = Asker {
            ip: &caller.ip,
            user: caller.holder.as_ref().map(|holder| holder.id.as_str()),
            own: caller
                .holder
                .as_ref()
                .map_or(&[], |holder| &holder.policies),
            provider,
        };
        limit::demands(
            &self.settings.policies,
            kind.map(Kind::as_str),
            asker,
            costs,
        )
    }

    /// Writes the decisions of the policies to the store.
    pub async fn record_stats(&self) {
        let stats = self.recorders.stats.take();
        if stats.is_empty() {
            return;
        }
        let kept = stats.clone();
        let (now, keep) = (self.stores.clock.now(), self.settings.stats_kept);
        if let Err(error) = self.stores.limiter.record(stats, now, keep).await {
            debug!(%error, "limit statistics could not be recorded; retrying later");
            self.recorders.stats.put_back(kept);
        }
    }

    /// The caller's standing with every policy.
    pub async fn limits(&self, caller: &Caller) -> Result<Vec<Standing>, Error> {
        self.look(caller, None).await
    }

    /// The caller's standing with the policies for one kind of order.
    pub async fn standings(&self, caller: &Caller, kind: Kind) -> Result<Vec<Standing>, Error> {
        self.look(caller, Some(kind)).await
    }

    /// Errors if a photo of the caller would be refused at the moment. Charges
    /// nothing.
    pub async fn check_room_for_photo(&self, caller: &Caller, kind: Kind) -> Result<(), Error> {
        let costs = Costs {
            requests: 1,
            images: 1,
            usd: match kind {
                // What it costs depends on the order, which has not been read.
                Kind::Image => 0.0,
                Kind::Restoration => (self.models.photos.offered())
                    .map(|model| model.estimate(Work::Restoration))
                    .fold(f64::INFINITY, f64::min),
            },
            ..Costs::default()
        };
        let usual = self.models.of(kind).name();
        let demands = self.demands(caller, Some(kind), usual, costs);
        let wanted: Vec<_> = demands.iter().map(|demand| demand.cost).collect();
        let looks = demands
            .into_iter()
            .map(|demand| Demand { cost: 0, ..demand });
        let looks = looks
            .chain(self.refusals.looks(caller.blocked_by()))
            .collect();
        let mut standings = self.charge(looks, self.stores.clock.now()).await?.standings;
        let blocked = keep_blocking(&mut standings, wanted.len());
        for (standing, wanted) in standings.iter_mut().zip(wanted) {
            standing.violated |= standing.remaining < wanted;
        }
        if blocked || standings.iter().any(|standing| standing.violated) {
            return Err(Error::Limited(standings));
        }
        Ok(())
    }

    /// The common standing with the policies that all callers share.
    pub async fn shared_standings(&self) -> Result<Vec<Standing>, Error> {
        let shared = |policy: &&Arc<Policy>| policy.scope == Scope::Global;
        let looks = self.settings.policies.iter().filter(shared);
        let looks = looks.map(|policy| Demand::new(policy, "", 0)).collect();
        let decision = self
            .stores
            .limiter
            .charge(looks, self.stores.clock.now())
            .await?;
        Ok(decision.standings)
    }

    /// What the policies decided since `since`, oldest hour first.
    pub async fn hourly_stats(&self, since: Timestamp) -> Result<Vec<HourlyStats>, Error> {
        self.record_stats().await;
        Ok(self
            .stores
            .limiter
            .stats(since, self.stores.clock.now())
            .await?)
    }

    async fn look(&self, caller: &Caller, kind: Option<Kind>) -> Result<Vec<Standing>, Error> {
        let usual = self.models.of(kind.unwrap_or(Kind::Image)).name();
        let demands = self.demands(caller, kind, usual, Costs::default());
        let decision = self
            .stores
            .limiter
            .charge(demands, self.stores.clock.now())
            .await?;
        Ok(decision.standings)
    }

    /// Refunds all that was charged for an order that was not accepted.
    pub(super) async fn refund(&self, id: &str, receipts: Vec<Receipt>) {
        let refunds = receipts.into_iter().map(Settlement::refund).collect();
        if let Err(error) = self.settle(id, refunds).await {
            warn!(%error, id, "refund failed");
        }
    }

    /// Settles the charge for a job, once.
    pub(super) async fn settle(
        &self,
        id: &str,
        settlements: Vec<Settlement>,
    ) -> Result<(), limit::Error> {
        if settlements.is_empty() {
            return Ok(());
        }
        self.stores
            .limiter
            .settle(id, settlements, self.stores.clock.now())
            .await
    }
}

/// Keeps the standings of the first `ordered` demands, and of the others (which look
/// at refusals) those that block the caller. Returns whether any does.
fn keep_blocking(standings: &mut Vec<Standing>, ordered: usize) -> bool {
    let looks = standings.split_off(ordered.min(standings.len()));
    let blocking = looks.into_iter().filter(|look| look.remaining == 0);
    standings.extend(blocking.map(|look| Standing {
        violated: true,
        ..look
    }));
    standings.len() > ordered
}

/// Why an order was refused. A caller over a limit, whose earlier answer has
/// gone meanwhile, is refused by that limit.
pub(super) fn refusal(error: Error, over: Option<Vec<Standing>>) -> Error {
    match (error, over) {
        (Error::Queue(queue::Error::NoAnswer), Some(standings)) => Error::Limited(standings),
        (error, _) => error,
    }
}

/// Whether an earlier answer may be looked up. Not if the requests themselves are over
/// the limit: that limit protects the lookup, too.
fn may_look(standings: &[Standing]) -> bool {
    standings
        .iter()
        .all(|standing| !standing.violated || standing.policy.unit != Unit::Requests)
}

/// The settlements of the job's receipts. Requests are not refunded, whatever the outcome.
pub(super) fn settlements(job: &Job, bill: &Bill) -> Vec<Settlement> {
    let settled = receipts(job).into_iter().filter_map(|receipt| {
        let actual = match receipt.unit {
            Unit::Requests => receipt.cost,
            Unit::Tokens => tokens(job, bill, receipt.cost),
            Unit::Images => made(bill).map_or(receipt.cost, |made| made.min(receipt.cost)),
            Unit::Usd => {
                let estimates = receipt.cost.saturating_mul(bill.estimates.into());
                micros(bill.usd).saturating_add(estimates)
            }
        };
        (actual != receipt.cost).then_some(Settlement { receipt, actual })
    });
    settled.collect()
}

/// The receipts refunded to an order that needs no call. Its job keeps only these: if there are none, the queue
/// need not put its end into the outbox.
pub(super) fn returnable(receipts: &[Receipt]) -> Vec<&Receipt> {
    let returned = |receipt: &&Receipt| receipt.cost > 0 && receipt.unit != Unit::Requests;
    receipts.iter().filter(returned).collect()
}

/// The tokens that the calls took; those of which nobody knows took the estimate. Pictures
/// of the studio are charged none.
fn tokens(job: &Job, bill: &Bill, estimate: u64) -> u64 {
    let told = match (&job.request.task, &job.outcome) {
        (Task::Call(_), Some(Outcome::Answered(answered))) => match answered.failure {
            None => answered.tokens,
            Some(_) => 0,
        },
        (Task::Call(_), _) => 0,
        _ => return estimate,
    };
    told.saturating_add(estimate.saturating_mul(bill.estimates.into()))
}

fn made(bill: &Bill) -> Option<u64> {
    bill.made.and_then(|count| count.try_into().ok())
}

/// What was charged for the job.
pub(super) fn receipts(job: &Job) -> Vec<Receipt> {
    policies::receipts(&job.charge)
}
