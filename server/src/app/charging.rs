//! What an order costs: charged when it is taken, settled when it has ended.

use std::sync::Arc;

use atelier_api::Kind;
use jiff::Timestamp;
use tracing::{debug, warn};

use super::{Caller, Error, Studio, Terms, new_id};
use crate::{
    job::Request,
    limit::{
        self, Asker, Costs, Decision, Demand, HourlyStats, OnError, Policy, Receipt, Scope,
        Settlement, Standing, Unit, micros,
    },
    policies,
    providers::Work,
    queue::{self, Bill, Hooks, Job},
    telemetry::metrics,
};

/// A fare that was charged.
pub(super) struct Fare {
    pub(super) standings: Vec<Standing>,
    pub(super) receipts: Vec<Receipt>,
    /// How the limits stood that let nothing be made for it: only what has been made before may be given.
    pub(super) over: Option<Vec<Standing>>,
}

impl Studio {
    /// Charges the order. Who has no pictures or no money left is still given
    /// what has been made before.
    pub(super) async fn admit(
        &self,
        caller: &Caller,
        request: &Request,
        terms: &Terms,
        now: Timestamp,
    ) -> Result<Fare, Error> {
        let kind = request.task.kind();
        let costs = Costs {
            requests: 1,
            images: request.images().into(),
            usd: self.provider.estimate((&request.task).into()),
        };
        let demands = self.order_demands(caller, kind, costs, terms);
        let fare = match self.charge_order(caller, demands.clone(), now).await {
            Err(Error::Limited(standings)) if !terms.fresh && may_look(&standings) => {
                match self.answer(caller, request, now).await? {
                    // It is looked up again: it may be gone by the time that is charged.
                    Some(_) => {
                        let demands = self.asking(caller, kind, terms);
                        let asking = self.charge_order(caller, demands, now).await;
                        asking.map(|fare| Fare {
                            over: Some(standings),
                            ..fare
                        })
                    }
                    None => Err(Error::Limited(standings)),
                }
            }
            fare => fare,
        };
        if let Ok(Fare { standings, .. }) | Err(Error::Limited(standings)) = &fare {
            metrics::decided(standings);
            self.stats.note(&demands, standings, now);
        }
        fare
    }

    /// Charges a request that needs nothing to be made.
    pub(super) async fn charge_request(
        &self,
        caller: &Caller,
        kind: Kind,
        terms: &Terms,
        now: Timestamp,
    ) -> Result<Vec<Standing>, Error> {
        let demands = self.asking(caller, Some(kind), terms);
        let fare = self.charge_order(caller, demands.clone(), now).await;
        if let Ok(Fare { standings, .. }) | Err(Error::Limited(standings)) = &fare {
            metrics::decided(standings);
            self.stats.note(&demands, standings, now);
        }
        Ok(fare?.standings)
    }

    /// Charges a request for which something was done, though it led to no job.
    pub async fn charge_for_nothing(&self, caller: &Caller, kind: Kind) -> Result<(), Error> {
        let (terms, now) = (Terms::default(), self.clock.now());
        self.charge_request(caller, kind, &terms, now).await?;
        Ok(())
    }

    /// What an order asks of the policies that needs nothing to be made.
    fn asking(&self, caller: &Caller, kind: Option<Kind>, terms: &Terms) -> Vec<Demand> {
        let costs = Costs {
            requests: 1,
            ..Costs::default()
        };
        self.order_demands(caller, kind, costs, terms)
    }

    /// Charges an order, unless the caller is held.
    async fn charge_order(
        &self,
        caller: &Caller,
        mut demands: Vec<Demand>,
        now: Timestamp,
    ) -> Result<Fare, Error> {
        let ordered = demands.len();
        demands.extend(self.refusals.looks(caller.is_held_as()));
        let mut fare = match self.charge(demands, now).await {
            Err(Error::Limited(mut standings)) => {
                hold(&mut standings, ordered);
                return Err(Error::Limited(standings));
            }
            fare => fare?,
        };
        if hold(&mut fare.standings, ordered) {
            self.refund(&new_id(now), fare.receipts).await;
            return Err(Error::Limited(fare.standings));
        }
        // Callbacks are given back to nobody, however the job ends.
        fare.receipts
            .retain(|receipt| !self.callbacks.gave(receipt));
        let watched = self.refusals.receipts(caller.is_counted_as(), now);
        fare.receipts.extend(watched);
        Ok(fare)
    }

    async fn charge(&self, demands: Vec<Demand>, now: Timestamp) -> Result<Fare, Error> {
        let forgiving = demands
            .iter()
            .all(|demand| demand.policy.on_error == OnError::Allow);
        let fare = |standings, receipts| Fare {
            standings,
            receipts,
            over: None,
        };
        match self.limiter.charge(demands, now).await {
            Ok(Decision {
                standings,
                receipts: Some(receipts),
            }) => Ok(fare(standings, receipts)),
            Ok(Decision { standings, .. }) => Err(Error::Limited(standings)),
            Err(error) if forgiving && error.is_away() => {
                warn!(%error, "the limits cannot be asked; their policies let everybody in");
                Ok(fare(Vec::new(), Vec::new()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What an order asks of the policies, ours among them.
    fn order_demands(
        &self,
        caller: &Caller,
        kind: Option<Kind>,
        costs: Costs,
        terms: &Terms,
    ) -> Vec<Demand> {
        let mut demands = self.demands(caller, kind, costs);
        if terms.hooks != Hooks::default() {
            demands.push(Demand::new(&self.callbacks, caller.counted_as(), 1));
        }
        demands
    }

    fn demands(&self, caller: &Caller, kind: Option<Kind>, costs: Costs) -> Vec<Demand> {
        let asker = Asker {
            ip: &caller.ip,
            user: caller.holder.as_ref().map(|holder| holder.id.as_str()),
            own: caller
                .holder
                .as_ref()
                .and_then(|holder| holder.own.as_ref()),
            provider: self.provider.name(),
        };
        limit::demands(&self.policies, kind.map(Kind::as_str), asker, costs)
    }

    /// Takes to the store what the policies have decided.
    pub async fn record_figures(&self) {
        let figures = self.stats.take();
        if figures.is_empty() {
            return;
        }
        let kept = figures.clone();
        let (now, keep) = (self.clock.now(), self.figures_kept);
        if let Err(error) = self.limiter.record(figures, now, keep).await {
            debug!(%error, "figures wait for the store");
            self.stats.put_back(kept);
        }
    }

    /// How the caller stands with every policy.
    pub async fn limits(&self, caller: &Caller) -> Result<Vec<Standing>, Error> {
        self.look(caller, None).await
    }

    /// How the caller stands with the policies for one kind of order.
    pub async fn standings(&self, caller: &Caller, kind: Kind) -> Result<Vec<Standing>, Error> {
        self.look(caller, Some(kind)).await
    }

    /// Errors if a photo of the caller's would be refused at the moment.
    /// Nothing is charged.
    pub async fn check_room_for_photo(&self, caller: &Caller) -> Result<(), Error> {
        let costs = Costs {
            requests: 1,
            images: 1,
            usd: self.provider.estimate(Work::Restoration),
        };
        let demands = self.demands(caller, Some(Kind::Restoration), costs);
        let wanted: Vec<_> = demands.iter().map(|demand| demand.cost).collect();
        let looks = demands
            .into_iter()
            .map(|demand| Demand { cost: 0, ..demand });
        let looks = looks
            .chain(self.refusals.looks(caller.is_held_as()))
            .collect();
        let mut standings = self.charge(looks, self.clock.now()).await?.standings;
        let held = hold(&mut standings, wanted.len());
        for (standing, wanted) in standings.iter_mut().zip(wanted) {
            standing.violated |= standing.remaining < wanted;
        }
        if held || standings.iter().any(|standing| standing.violated) {
            return Err(Error::Limited(standings));
        }
        Ok(())
    }

    /// How everybody together stands with the policies that all share.
    pub async fn shared_standings(&self) -> Result<Vec<Standing>, Error> {
        let shared = |policy: &&Arc<Policy>| policy.scope == Scope::Global;
        let looks = self.policies.iter().filter(shared);
        let looks = looks.map(|policy| Demand::new(policy, "", 0)).collect();
        let decision = self.limiter.charge(looks, self.clock.now()).await?;
        Ok(decision.standings)
    }

    /// What the policies decided since an instant, the oldest hour first.
    pub async fn figures(&self, since: Timestamp) -> Result<Vec<HourlyStats>, Error> {
        self.record_figures().await;
        Ok(self.limiter.stats(since, self.clock.now()).await?)
    }

    async fn look(&self, caller: &Caller, kind: Option<Kind>) -> Result<Vec<Standing>, Error> {
        let demands = self.demands(caller, kind, Costs::default());
        let decision = self.limiter.charge(demands, self.clock.now()).await?;
        Ok(decision.standings)
    }

    /// Gives back all that was charged for an order that was not taken.
    pub(super) async fn refund(&self, id: &str, receipts: Vec<Receipt>) {
        let refunds = receipts.into_iter().map(Settlement::refund).collect();
        if let Err(error) = self.settle(id, refunds).await {
            warn!(%error, id, "a charge could not be given back");
        }
    }

    /// Settles what was charged for a job, once.
    pub(super) async fn settle(
        &self,
        id: &str,
        settlements: Vec<Settlement>,
    ) -> Result<(), limit::Error> {
        if settlements.is_empty() {
            return Ok(());
        }
        self.limiter.settle(id, settlements, self.clock.now()).await
    }
}

/// Leaves the standings of the order's own demands, and those of looks that find
/// no refusal left; whether there are any.
fn hold(standings: &mut Vec<Standing>, ordered: usize) -> bool {
    let looks = standings.split_off(ordered.min(standings.len()));
    let held = looks.into_iter().filter(|look| look.remaining == 0);
    standings.extend(held.map(|look| Standing {
        violated: true,
        ..look
    }));
    standings.len() > ordered
}

/// Why an order was not taken. Who is over a limit, and was to be given an answer
/// that is gone meanwhile, is refused by the limit after all.
pub(super) fn refusal(error: Error, over: Option<Vec<Standing>>) -> Error {
    match (error, over) {
        (Error::Queue(queue::Error::NoAnswer), Some(standings)) => Error::Limited(standings),
        (error, _) => error,
    }
}

/// Requests are counted to keep the door; who is over that is not even looked up for.
fn may_look(standings: &[Standing]) -> bool {
    standings
        .iter()
        .all(|standing| !standing.violated || standing.policy.unit != Unit::Requests)
}

/// What the job's receipts come to. Requests were made, whatever became of them.
pub(super) fn settlements(job: &Job, bill: &Bill) -> Vec<Settlement> {
    let settled = receipts(job).into_iter().filter_map(|receipt| {
        let actual = match receipt.unit {
            Unit::Requests => receipt.cost,
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

/// What an order gets back that needs nothing to be made. Its job keeps no other receipts: where there is nothing
/// to give back, the queue need not note its end.
pub(super) fn returnable(receipts: &[Receipt]) -> Vec<&Receipt> {
    let returned = |receipt: &&Receipt| receipt.cost > 0 && receipt.unit != Unit::Requests;
    receipts.iter().filter(returned).collect()
}

fn made(bill: &Bill) -> Option<u64> {
    bill.made.and_then(|count| count.try_into().ok())
}

/// What was charged for the job.
pub(super) fn receipts(job: &Job) -> Vec<Receipt> {
    policies::receipts(&job.charge)
}
