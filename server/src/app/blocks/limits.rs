//! Checks of the configured policies by name.

use std::sync::Arc;

use crate::{
    access::Holder,
    app::{Error, Studio},
    limit::{Demand, Policy, Receipt, Scope, Settlement, Standing},
    telemetry::metrics,
};

/// What is to be counted by one policy.
#[derive(Debug, Clone)]
pub struct Check {
    pub policy: Arc<Policy>,
    /// Whose counter it is, within the key; a global policy counts all together.
    pub identity: String,
    /// In parts of the policy's unit.
    pub cost: u64,
}

/// What came of checks.
#[derive(Debug)]
pub struct Checked {
    /// In their order; empty if the store is unreachable and the policies allow that.
    pub standings: Vec<Standing>,
    /// What was charged; `None` if a check was refused, and nothing was charged.
    pub receipts: Option<Vec<Receipt>>,
}

impl Check {
    fn demand(&self, holder: &Holder) -> Demand {
        Demand::new(&self.policy, &self.subject(holder), self.cost)
    }

    /// The counter's subject: no visitor and no key of the site itself is called so.
    fn subject(&self, holder: &Holder) -> String {
        match self.policy.scope {
            Scope::Global => format!("{}/", holder.id),
            Scope::Ip | Scope::User | Scope::Provider => {
                format!("{}/{}", holder.id, self.identity)
            }
        }
    }

    /// A receipt as if it had been charged just now.
    fn receipt(&self, holder: &Holder, now: i64) -> Option<Receipt> {
        let (rule, demand) = (self.policy.rule(), self.demand(holder));
        let charged = rule.charge(None, now, demand.cost)?;
        Some(Receipt {
            key: demand.key,
            unit: self.policy.unit,
            rule,
            cost: demand.cost,
            mark: rule.mark(charged),
        })
    }
}

impl Studio {
    /// Returns the configured policy of this name.
    pub fn policy(&self, name: &str) -> Option<&Arc<Policy>> {
        let mut policies = self.settings.policies.iter();
        policies.find(|policy| policy.name == name)
    }

    /// Charges all checks in one atomic step, or none.
    pub async fn check_limits(&self, holder: &Holder, checks: &[Check]) -> Result<Checked, Error> {
        let demands = checks.iter().map(|check| check.demand(holder)).collect();
        let charged = match self.charge(demands, self.stores.clock.now()).await {
            Ok(charge) => Checked {
                standings: charge.standings,
                receipts: Some(charge.receipts),
            },
            Err(Error::Limited(standings)) => Checked {
                standings,
                receipts: None,
            },
            Err(error) => return Err(error),
        };
        metrics::decided(&charged.standings);
        Ok(charged)
    }

    /// Returns how much is left for the checks. Charges nothing.
    pub async fn look_at_limits(
        &self,
        holder: &Holder,
        checks: &[Check],
    ) -> Result<Vec<Standing>, Error> {
        let looks = checks.iter().map(|check| Demand {
            cost: 0,
            ..check.demand(holder)
        });
        let charge = self
            .charge(looks.collect(), self.stores.clock.now())
            .await?;
        Ok(charge.standings)
    }

    /// Gives back what the checks cost, to the windows of this moment: once for an `id`.
    pub async fn give_back(
        &self,
        holder: &Holder,
        id: &str,
        checks: &[Check],
    ) -> Result<(), Error> {
        let now = self.stores.clock.now().as_millisecond();
        let receipts = checks.iter().filter_map(|check| check.receipt(holder, now));
        let refunds = receipts.map(Settlement::refund).collect();
        self.settle_checks(&format!("{}/{id}", holder.id), refunds)
            .await
    }

    /// Settles what was charged, once for an `id`.
    pub async fn settle_checks(&self, id: &str, settlements: Vec<Settlement>) -> Result<(), Error> {
        Ok(self.settle(&format!("check:{id}"), settlements).await?)
    }
}
