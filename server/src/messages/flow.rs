//! Flow control keys: gates that messages to any destination share.

use atelier_messages::names;
use atelier_queue::{Bound, Gate, GateChange};

use super::{Error, Messages, Result, Sender, queues::named};
use crate::job::gates;

/// What a flow control key is to allow, whatever messages bring.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlowLimits {
    pub parallelism: Option<u32>,
    pub rate: Option<u32>,
    /// In seconds.
    pub period: u64,
}

/// Which limits of a flow control key are set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pins {
    pub parallelism: bool,
    pub rate: bool,
}

impl Messages {
    /// The owner's flow control keys that contain a text, by name.
    pub async fn flows(&self, sender: &Sender, text: &str) -> Result<Vec<(String, Gate)>> {
        let prefix = gates::flows(&sender.owner);
        let gates = self.gates(&prefix).await?.into_iter();
        let named = gates.map(|gate| named(&prefix, gate));
        Ok(named.filter(|(name, _)| name.contains(text)).collect())
    }

    /// The owner's flow control key of that name.
    pub async fn flow(&self, sender: &Sender, key: &str) -> Result<Gate> {
        let gate = gates::flow(&sender.owner, key);
        let gate = self.studio.stores.queue.gate(&gate).await?;
        gate.ok_or_else(|| Error::unknown("flow control key", key))
    }

    /// Starts no call of the key from now on, or goes on.
    pub async fn pause_flow(&self, sender: &Sender, key: &str, paused: bool) -> Result<()> {
        let change = GateChange {
            paused: Some(paused),
            ..GateChange::default()
        };
        self.change_flow(sender, key, change).await
    }

    /// Begins another period.
    pub async fn reset_rate(&self, sender: &Sender, key: &str) -> Result<()> {
        self.flow(sender, key).await?;
        let change = GateChange {
            reset_rate: true,
            ..GateChange::default()
        };
        self.change_flow(sender, key, change).await
    }

    /// Sets limits, whatever messages bring from now on.
    pub async fn pin_flow(&self, sender: &Sender, key: &str, limits: FlowLimits) -> Result<()> {
        if limits.parallelism.is_none() && limits.rate.is_none() {
            return Err(Error::invalid("Name a parallelism or a rate to be pinned."));
        }
        let change = GateChange {
            parallel: limits.parallelism.map(Some),
            pin_parallel: limits.parallelism.map(|_| true),
            rate: limits
                .rate
                .map(|count| Some(gates::rate(count, limits.period))),
            pin_rate: limits.rate.map(|_| true),
            ..GateChange::default()
        };
        self.change_flow(sender, key, change).await
    }

    /// Lets messages bring these limits again.
    pub async fn unpin_flow(&self, sender: &Sender, key: &str, pins: Pins) -> Result<()> {
        self.flow(sender, key).await?;
        let change = GateChange {
            pin_parallel: pins.parallelism.then_some(false),
            pin_rate: pins.rate.then_some(false),
            ..GateChange::default()
        };
        self.change_flow(sender, key, change).await
    }

    async fn change_flow(&self, sender: &Sender, key: &str, change: GateChange) -> Result<()> {
        names::key(key).map_err(Error::invalid)?;
        let bound = Bound {
            prefix: gates::flows(&sender.owner),
            most: self.settings.max_flows,
        };
        let gate = gates::flow(&sender.owner, key);
        let what = "flow control keys that are pinned or paused";
        self.change_gate(&gate, change, bound, what).await?;
        Ok(())
    }

    /// The number of the owner's calls that are under way.
    pub async fn calls_under_way(&self, sender: &Sender) -> Result<u64> {
        let gates = self.gates(&gates::hosts(&sender.owner)).await?;
        Ok(gates.iter().map(|gate| u64::from(gate.active)).sum())
    }
}
