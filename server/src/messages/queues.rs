//! Queues: gates that messages pass in their order.

use atelier_messages::names;
use atelier_queue::{Bound, Gate, GateChange, In};

use super::{Error, Messages, Page, Result, Sender, pages::page, task_of};
use crate::{
    job::gates,
    queue::{self, Job},
};

/// Gates read at a time.
const BATCH: usize = 200;

/// The largest number of messages of a queue that are delivered at a time.
const MOST_PARALLEL: u32 = 10_000;

/// What is to be changed of a queue.
#[derive(Debug, Clone, Default)]
pub struct QueueChange {
    /// The number of messages that are delivered at a time; 1 for a new queue.
    pub parallelism: Option<u32>,
    pub paused: Option<bool>,
}

impl Messages {
    /// The owner's queues with their names, by name.
    pub async fn queues(&self, sender: &Sender) -> Result<Vec<(String, Gate)>> {
        let prefix = gates::queues(&sender.owner);
        let gates = self.gates(&prefix).await?.into_iter();
        // What is not kept is a queue that was deleted, with a call still under way.
        let kept = gates.filter(|gate| gate.kept);
        Ok(kept.map(|gate| named(&prefix, gate)).collect())
    }

    /// The owner's queue of that name.
    pub async fn queue(&self, sender: &Sender, name: &str) -> Result<Gate> {
        let gate = gates::queue(&sender.owner, name);
        let gate = self.studio.stores.queue.gate(&gate).await?;
        let gate = gate.filter(|gate| gate.kept);
        gate.ok_or_else(|| Error::unknown("queue", name))
    }

    /// Makes or changes a queue.
    pub async fn put_queue(
        &self,
        sender: &Sender,
        name: &str,
        change: QueueChange,
    ) -> Result<Gate> {
        names::word(name).map_err(Error::invalid)?;
        if change
            .parallelism
            .is_some_and(|count| !(1..=MOST_PARALLEL).contains(&count))
        {
            return Err(Error::Invalid(format!(
                "The parallelism of a queue is between 1 and {MOST_PARALLEL}."
            )));
        }
        let is_new = !self.has_queue(sender, name).await?;
        let parallel = change.parallelism.or(is_new.then_some(1));
        let change = GateChange {
            parallel: parallel.map(Some),
            // Messages that are added bring the number of a queue that nobody has made.
            pin_parallel: Some(true),
            kept: Some(true),
            paused: change.paused,
            ..GateChange::default()
        };
        self.change_queue(sender, name, change).await
    }

    /// Makes a queue for messages, if it is not there.
    pub(super) async fn make_queue(&self, sender: &Sender, name: &str) -> Result<()> {
        if !self.has_queue(sender, name).await? {
            let change = GateChange {
                kept: Some(true),
                ..GateChange::default()
            };
            self.change_queue(sender, name, change).await?;
        }
        Ok(())
    }

    async fn has_queue(&self, sender: &Sender, name: &str) -> Result<bool> {
        let gate = gates::queue(&sender.owner, name);
        let known = self.studio.stores.queue.gate(&gate).await?;
        Ok(known.is_some_and(|gate| gate.kept))
    }

    async fn change_queue(&self, sender: &Sender, name: &str, change: GateChange) -> Result<Gate> {
        let bound = Bound {
            prefix: gates::queues(&sender.owner),
            most: self.settings.max_queues,
        };
        let gate = gates::queue(&sender.owner, name);
        self.change_gate(&gate, change, bound, "queues").await
    }

    /// Changes a gate of which an owner keeps so many, which are called this.
    pub(super) async fn change_gate(
        &self,
        gate: &str,
        change: GateChange,
        bound: Bound,
        what: &str,
    ) -> Result<Gate> {
        let most = bound.most;
        let within = Some(bound);
        let change = GateChange { within, ..change };
        let queue = &self.studio.stores.queue;
        match queue.set_gate(gate, change, self.now()).await {
            Err(queue::Error::Crowded) => Err(Error::TooMany(format!(
                "There are {most} {what}, and no more are kept."
            ))),
            changed => Ok(changed?),
        }
    }

    /// Delivers nothing of the queue from now on, or goes on.
    pub async fn pause_queue(&self, sender: &Sender, name: &str, paused: bool) -> Result<()> {
        self.queue(sender, name).await?;
        let change = GateChange {
            paused: Some(paused),
            ..GateChange::default()
        };
        self.change_queue(sender, name, change).await?;
        Ok(())
    }

    /// Deletes a queue, and cancels what waits in it: without the queue it would be
    /// delivered all at once.
    pub async fn remove_queue(&self, sender: &Sender, name: &str) -> Result<()> {
        self.queue(sender, name).await?;
        self.cancel_in_queue(sender, name).await?;
        let gate = gates::queue(&sender.owner, name);
        let queue = &self.studio.stores.queue;
        queue.remove_gate(&gate, self.now()).await?;
        Ok(())
    }

    async fn cancel_in_queue(&self, sender: &Sender, name: &str) -> Result<()> {
        let is_in = |job: &Job| {
            let task = task_of(job);
            task.is_some_and(|task| task.message.queue.as_deref() == Some(name))
        };
        let (owner, mut cursor) = (sender.queue_owner(), None);
        loop {
            let read = page(&self.studio, &owner, In::Unfinished, cursor, BATCH, is_in);
            let Page {
                items,
                cursor: rest,
            } = read.await?;
            for job in items {
                self.cancel_job(sender, &job).await?;
            }
            if rest.is_none() {
                return Ok(());
            }
            cursor = rest;
        }
    }

    /// All gates whose names begin so.
    pub(super) async fn gates(&self, prefix: &str) -> Result<Vec<Gate>> {
        let queue = &self.studio.stores.queue;
        let mut all: Vec<Gate> = Vec::new();
        loop {
            let after = all.last().map(|gate| gate.name.clone());
            let page = queue.gates(prefix, after.as_deref(), BATCH).await?;
            let ends = page.len() < BATCH;
            all.extend(page);
            if ends {
                return Ok(all);
            }
        }
    }
}

/// A gate with what its owner calls it.
pub(super) fn named(prefix: &str, gate: Gate) -> (String, Gate) {
    let name = gate.name.strip_prefix(prefix).unwrap_or_default();
    (name.to_owned(), gate)
}
