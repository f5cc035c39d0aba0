//! Queues: gates that messages pass in their order.

use atelier_messages::names;
use atelier_queue::{Gate, GateChange, In};

use super::{Error, Messages, Page, Result, Sender, pages::page, task_of};
use crate::{job::gates, queue::Job};

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
        let (gate, is_new) = self.room_for_queue(sender, name).await?;
        let parallel = change.parallelism.or(is_new.then_some(1));
        let change = GateChange {
            parallel: parallel.map(Some),
            // Messages that are added bring the number of a queue that nobody has made.
            pin_parallel: Some(true),
            kept: Some(true),
            paused: change.paused,
            ..GateChange::default()
        };
        let queue = &self.studio.stores.queue;
        Ok(queue.set_gate(&gate, change, self.now()).await?)
    }

    /// Makes a queue for messages, if it is not there.
    pub(super) async fn make_queue(&self, sender: &Sender, name: &str) -> Result<()> {
        let (gate, is_new) = self.room_for_queue(sender, name).await?;
        if is_new {
            let change = GateChange {
                kept: Some(true),
                ..GateChange::default()
            };
            let queue = &self.studio.stores.queue;
            queue.set_gate(&gate, change, self.now()).await?;
        }
        Ok(())
    }

    /// The name of the queue's gate, and whether the queue is not there yet.
    async fn room_for_queue(&self, sender: &Sender, name: &str) -> Result<(String, bool)> {
        let gate = gates::queue(&sender.owner, name);
        let known = self.studio.stores.queue.gate(&gate).await?;
        if known.is_some_and(|gate| gate.kept) {
            return Ok((gate, false));
        }
        let most = self.settings.max_queues;
        if self.queues(sender).await?.len() >= most {
            return Err(Error::TooMany(format!(
                "There are {most} queues, and no more are kept."
            )));
        }
        Ok((gate, true))
    }

    /// Delivers nothing of the queue from now on, or goes on.
    pub async fn pause_queue(&self, sender: &Sender, name: &str, paused: bool) -> Result<()> {
        self.queue(sender, name).await?;
        let change = GateChange {
            paused: Some(paused),
            ..GateChange::default()
        };
        let gate = gates::queue(&sender.owner, name);
        let queue = &self.studio.stores.queue;
        queue.set_gate(&gate, change, self.now()).await?;
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
