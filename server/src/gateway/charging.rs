//! The charge of a call: reserved before it begins, settled when it has ended.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use tokio::time::sleep;
use tracing::{error, warn};

use super::{Error, Gateway, Recording, request::Asked};
use crate::{
    app::Caller,
    limit::{
        self, Asker, Costs, Decision, Demand, OnError, Receipt, Settlement, Standing, Unit, micros,
    },
    telemetry::metrics,
};

/// The pause before the second try to settle a charge; it doubles up to [`LONGEST_PAUSE`].
const PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How often a charge is tried to be settled. Until it is, the estimate counts.
const TRIES: u32 = 30;

/// What a call is charged. Dropping it settles it.
pub(super) struct Charge {
    gateway: Arc<Gateway>,
    id: String,
    receipts: Vec<Receipt>,
    due: Due,
    /// What was reserved, in US dollars.
    estimate: f64,
    recording: Arc<Recording>,
    /// The charge of a job, which settles it.
    job: Option<Arc<JobCharge>>,
}

/// What the call of a job owes; nothing before one is made.
#[derive(Debug, Default)]
pub struct JobCharge(Mutex<Option<Due>>);

/// What is to be paid in the end.
#[derive(Debug, Clone, Copy)]
pub(super) enum Due {
    /// Nothing but the request.
    Nothing,
    /// What was reserved: nobody knows what became of the call.
    Estimate,
    /// What it cost; its requests do not count.
    Costs(Costs),
}

impl Charge {
    /// Sets what is to be paid.
    pub(super) fn set(&mut self, due: Due) {
        self.due = due;
        if let Some(job) = &self.job {
            *job.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(due);
        }
    }

    fn settlements(&mut self) -> Vec<Settlement> {
        let due = self.due;
        let receipts = std::mem::take(&mut self.receipts).into_iter();
        receipts
            .filter_map(|receipt| {
                let actual = due.parts(&receipt)?;
                (actual != receipt.cost).then_some(Settlement { receipt, actual })
            })
            .collect()
    }
}

impl JobCharge {
    pub(super) fn due(&self) -> Due {
        let due = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        due.unwrap_or(Due::Nothing)
    }
}

impl Due {
    /// The dollars of a charge for which so many were reserved.
    const fn usd(self, estimate: f64) -> f64 {
        match self {
            Self::Nothing => 0.0,
            Self::Estimate => estimate,
            Self::Costs(costs) => costs.usd,
        }
    }

    /// The final amount of a charge; `None` to leave it.
    fn parts(self, receipt: &Receipt) -> Option<u64> {
        if receipt.unit == Unit::Requests {
            return None;
        }
        match self {
            Self::Nothing => Some(0),
            Self::Estimate => None,
            Self::Costs(costs) => Some(match receipt.unit {
                Unit::Requests => return None,
                Unit::Images => costs.images,
                Unit::Tokens => costs.tokens,
                Unit::Usd => micros(costs.usd),
            }),
        }
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.recording.charged(self.due.usd(self.estimate));
        let settlements = self.settlements();
        if settlements.is_empty() {
            return;
        }
        let (gateway, id) = (Arc::clone(&self.gateway), std::mem::take(&mut self.id));
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { gateway.settle(&id, settlements).await });
        }
    }
}

impl Gateway {
    /// Reserves what the call is expected to cost at the provider.
    pub(super) async fn reserve(
        self: &Arc<Self>,
        asked: &Asked,
        provider: &str,
        costs: Costs,
    ) -> Result<(Charge, Vec<Standing>), Error> {
        let (standings, receipts) = match &asked.job {
            Some(_) => Default::default(),
            None => {
                let now = self.studio.stores.clock.now();
                let action = asked.call.endpoint().action();
                let demands = self.demands(&asked.caller, action, provider, costs);
                self.charge(demands, now).await?
            }
        };
        let charge = Charge {
            gateway: Arc::clone(self),
            id: asked.id.clone(),
            receipts,
            due: Due::Nothing,
            estimate: costs.usd,
            recording: Arc::clone(&asked.recording),
            job: asked.job.clone(),
        };
        Ok((charge, standings))
    }

    /// Reserves what a call is expected to cost that is made later, by a job.
    pub(super) async fn reserve_for_job(
        &self,
        asked: &Asked,
        provider: &str,
        costs: Costs,
        calls_back: bool,
    ) -> Result<(Vec<Standing>, Vec<Receipt>), Error> {
        let action = asked.call.endpoint().action();
        let mut demands = self.demands(&asked.caller, action, provider, costs);
        let callbacks = &self.studio.settings.callbacks;
        if calls_back {
            demands.push(Demand::new(callbacks, asked.caller.counted_as(), 1));
        }
        let now = self.studio.stores.clock.now();
        let (standings, mut receipts) = self.charge(demands, now).await?;
        // Callbacks are not refunded, however the job ends.
        receipts.retain(|receipt| !callbacks.gave(receipt));
        Ok((standings, receipts))
    }

    /// Charges a request that is not priced.
    pub(super) async fn charge_request(
        &self,
        caller: &Caller,
        action: &str,
        provider: &str,
    ) -> Result<Vec<Standing>, Error> {
        let costs = Costs {
            requests: 1,
            ..Costs::default()
        };
        let now = self.studio.stores.clock.now();
        let demands = self.demands(caller, action, provider, costs);
        Ok(self.charge(demands, now).await?.0)
    }

    async fn charge(
        &self,
        demands: Vec<Demand>,
        now: Timestamp,
    ) -> Result<(Vec<Standing>, Vec<Receipt>), Error> {
        if demands.is_empty() {
            return Ok(Default::default());
        }
        let forgiving = demands
            .iter()
            .all(|demand| demand.policy.on_error == OnError::Allow);
        let decision = match self
            .studio
            .stores
            .limiter
            .charge(demands.clone(), now)
            .await
        {
            Err(error) if forgiving && error.is_away() => {
                warn!(%error, "the limits are unreachable; their policies let everybody in");
                return Ok(Default::default());
            }
            decision => decision?,
        };
        let Decision {
            standings,
            receipts,
        } = decision;
        metrics::decided(&standings);
        self.studio.recorders.stats.note(&demands, &standings, now);
        match receipts {
            Some(receipts) => Ok((standings, receipts)),
            None => Err(Error::Limited(standings)),
        }
    }

    fn demands(&self, caller: &Caller, action: &str, provider: &str, costs: Costs) -> Vec<Demand> {
        let holder = caller.holder.as_ref();
        let asker = Asker {
            ip: &caller.ip,
            user: holder.map(|holder| holder.id.as_str()),
            own: holder.map_or(&[], |holder| &holder.policies),
            provider,
        };
        limit::demands(&self.studio.settings.policies, Some(action), asker, costs)
    }

    async fn settle(&self, id: &str, settlements: Vec<Settlement>) {
        let mut pause = PAUSE;
        for _ in 0..TRIES {
            let now = self.studio.stores.clock.now();
            match self
                .studio
                .stores
                .limiter
                .settle(id, settlements.clone(), now)
                .await
            {
                Ok(()) => return,
                Err(error) if error.is_away() => sleep(pause).await,
                Err(error) => return error!(%error, id, "a charge could not be settled"),
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        error!(
            id,
            "a charge could not be settled in time; its estimate stands"
        );
    }
}
