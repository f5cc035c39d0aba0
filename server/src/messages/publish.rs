//! Publishing: each message becomes one job.

use std::collections::{BTreeSet, HashMap};

use atelier_api::Status;
use atelier_messages::{State, ids};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;

use super::{Error, Messages, Publish, Result, Sender, draft::Draft, event, task_of};
use crate::{
    app,
    job::{Content, MESSAGES, MessageTask, OWN_MESSAGES, Request, Task},
    queue::{Hooks, Job, NewJob},
    telemetry::metrics,
};

/// Messages that are queued concurrently.
const CONCURRENCY: usize = 32;

/// A message that was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    pub id: String,
    pub url: String,
    /// Whether it had been published before, and was not again.
    pub deduplicated: bool,
}

/// What one publication led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receipt {
    Message(Published),
    /// One message for each endpoint of a group, in their order.
    Group(Vec<Published>),
}

impl Messages {
    /// Publishes messages in their order, or none of them if one cannot be published. Once
    /// this returns, they will be delivered.
    pub async fn publish(&self, sender: &Sender, batch: Vec<Publish>) -> Result<Vec<Receipt>> {
        if self.studio.drain.is_cancelled() {
            return Err(app::Error::Closing.into());
        }
        let now = self.now();
        let (mut groups, mut drafts) = (Vec::new(), Vec::new());
        let several = batch.len() > 1;
        for (number, publish) in (1..).zip(batch) {
            let is_group = publish.is_to_group();
            let drafted = self.draft(sender, publish, now).await;
            let drafted = drafted.map_err(|error| match error {
                Error::Invalid(reason) if several => {
                    Error::Invalid(format!("message {number}: {reason}"))
                }
                error => error,
            })?;
            groups.push((is_group, drafted.len()));
            drafts.extend(drafted);
        }
        self.make_queues(sender, &drafts).await?;
        let count = drafts.len() as u64;
        self.studio.charge_messages(&sender.holder, count).await?;
        let mut sent = self.send_all(sender, drafts, now).await?.into_iter();
        let receipts = groups.into_iter().map(|(is_group, count)| {
            let mut sent: Vec<_> = sent.by_ref().take(count).collect();
            match sent.pop() {
                Some(only) if !is_group => Receipt::Message(only),
                last => Receipt::Group(sent.into_iter().chain(last).collect()),
            }
        });
        Ok(receipts.collect())
    }

    /// Makes the queues that are named and not there.
    pub(super) async fn make_queues(&self, sender: &Sender, drafts: &[Draft]) -> Result<()> {
        let named = drafts.iter();
        let named = named.filter_map(|draft| draft.message.queue.as_deref());
        for name in named.collect::<BTreeSet<_>>() {
            self.make_queue(sender, name).await?;
        }
        Ok(())
    }

    /// Queues messages. Those of one queue are added one after the other, as they are
    /// delivered in that order, and so are duplicates, of which the first is added.
    pub(super) async fn send_all(
        &self,
        sender: &Sender,
        drafts: Vec<Draft>,
        now: Timestamp,
    ) -> Result<Vec<Published>> {
        let lines = stream::iter(in_lines(drafts)).map(|line| async move {
            let mut sent = Vec::with_capacity(line.len());
            for (number, draft) in line {
                sent.push((number, self.send(sender, draft, now).await?));
            }
            Ok::<_, Error>(sent)
        });
        let sent: Vec<Vec<_>> = lines.buffer_unordered(CONCURRENCY).try_collect().await?;
        let mut sent: Vec<_> = sent.into_iter().flatten().collect();
        sent.sort_by_key(|(number, _)| *number);
        Ok(sent.into_iter().map(|(_, published)| published).collect())
    }

    async fn send(&self, sender: &Sender, draft: Draft, now: Timestamp) -> Result<Published> {
        let id = draft.id.clone().unwrap_or_else(|| ids::message(now));
        let (id, deduplicated) = match &draft.dedup {
            Some(key) => self.first(&sender.owner, key, id, now).await?,
            None => (id, false),
        };
        let published = Published {
            id,
            url: draft.message.url.clone(),
            deduplicated,
        };
        if deduplicated {
            return Ok(published);
        }
        let (body, file) = Content::new(draft.body);
        let message = draft.message;
        let hooks = Hooks {
            callback_url: message.callback.as_ref().map(|one| one.url.clone()),
            failure_callback_url: message.failure_callback.as_ref().map(|one| one.url.clone()),
        };
        let task = MessageTask {
            message,
            body,
            key: sender.key.clone(),
        };
        let request = Request {
            provider: if draft.own { OWN_MESSAGES } else { MESSAGES }.into(),
            model: String::new(),
            variation: 0,
            task: Task::Message(Box::new(task)),
            found: None,
        };
        let job = NewJob {
            hooks,
            not_before: draft.not_before,
            gates: draft.gates,
            ..NewJob::new(published.id.clone(), sender.queue_owner(), request)
        };
        let queued = self.studio.queue_message(job, file).await;
        let job = queued.map_err(|error| Error::of_queuing(error, &published.id))?;
        metrics::published();
        self.note_created(&sender.owner, &job, now);
        Ok(published)
    }

    /// Notes that a message was queued. Another process may have queued the same one for its
    /// schedule: both note what stands in the queue.
    fn note_created(&self, owner: &str, job: &Job, now: Timestamp) {
        let Some(task) = task_of(job) else { return };
        let about = task.message.without_headers();
        let events = &self.studio.recorders.events;
        if task.message.schedule.is_some() {
            events.note_once(owner, event(&job.id, State::Created, about, job.created_at));
        } else {
            events.note(owner, event(&job.id, State::Created, about, now));
        }
    }

    /// The id under which a message is added, and whether it was added under that before. An
    /// id that is noted and not queued is added now: a process died between the two.
    async fn first(
        &self,
        owner: &str,
        key: &str,
        id: String,
        now: Timestamp,
    ) -> Result<(String, bool)> {
        let (store, window) = (self.store(), self.settings.dedup_window);
        let noted = store.deduplicate(owner, key, &id, window, now).await?;
        if noted == id {
            return Ok((id, false));
        }
        match self.studio.stores.queue.get(&noted).await? {
            None => Ok((noted, false)),
            Some(job) if job.status == Status::Cancelled => {
                store.forget_duplicate(owner, key, &noted).await?;
                let noted = store.deduplicate(owner, key, &id, window, now).await?;
                Ok((noted, false))
            }
            Some(_) => Ok((noted, true)),
        }
    }
}

/// The messages with their numbers, those together that must be added in their order.
fn in_lines(drafts: Vec<Draft>) -> Vec<Vec<(usize, Draft)>> {
    let (mut lines, mut places) = (Vec::<Vec<_>>::new(), HashMap::new());
    for (number, draft) in drafts.into_iter().enumerate() {
        let line = match (&draft.message.queue, &draft.dedup) {
            (Some(queue), _) => Some(format!("queue {queue}")),
            (None, Some(key)) => Some(format!("id {key}")),
            (None, None) => None,
        };
        let place = match line {
            Some(line) => *places.entry(line).or_insert(lines.len()),
            None => lines.len(),
        };
        if place == lines.len() {
            lines.push(Vec::new());
        }
        lines[place].push((number, draft));
    }
    lines
}
