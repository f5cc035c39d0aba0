//! Schedules: messages that are published again and again.

use std::time::Duration;

use atelier_api::Status;
use atelier_messages::{
    Due, Fired, Message, NewSchedule, Schedule, cron::Cron, destination::Destination, ids,
    objects::RunState,
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bytes::Bytes;
use futures::future::try_join_all;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Error, Messages, Publish, Result, Sender, draft::Draft, owner_of};
use crate::{
    access::{Holder, NotAdmitted, Scope},
    app,
    job::Content,
};

/// What a schedule publishes, besides the message itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Template {
    /// The body, never as a blob: that would be deleted with the first message.
    pub body: Content,
    /// Whether the message is a call of this server's own gateway.
    #[serde(default)]
    pub own: bool,
    /// The id of the API key that made the schedule.
    pub key: String,
}

impl Template {
    /// The template of a schedule.
    ///
    /// # Errors
    /// If the schedule was written by a later version.
    pub fn of(schedule: &Schedule) -> Result<Self, serde_json::Error> {
        Self::deserialize(&schedule.given.body)
    }
}

/// A message that a schedule published, and how it fares.
type Run = (String, RunState);

/// Schedules that are looked at concurrently for a list.
const CONCURRENCY: usize = 16;

impl Messages {
    /// Keeps a schedule, and returns its id. One with that id is replaced.
    pub async fn put_schedule(&self, sender: &Sender, publish: Publish) -> Result<String> {
        let now = self.now();
        let options = &publish.options;
        let missing =
            || Error::invalid("Upstash-Cron says when messages are published: it is missing.");
        let cron = options.cron.as_ref().ok_or_else(missing)?;
        let id = options.schedule_id.clone();
        let id = id.unwrap_or_else(|| ids::schedule(now));
        let message = self.asked_for(sender, &publish, now)?;
        let own = self.check_targets(sender, &publish, &message).await?;
        let (destination, body) = (&publish.destination, &publish.body);
        let delay = publish.delay(now);
        let template = Template {
            body: inline(body),
            own,
            key: sender.key.clone(),
        };
        let schedule = NewSchedule {
            id: id.clone(),
            cron: cron.to_string(),
            destination: destination.to_string(),
            message,
            delay: delay.as_millis().try_into().unwrap_or(u64::MAX),
            body: serde_json::to_value(template).map_err(Error::invalid)?,
            next: cron.after(now),
        };
        let most = self.settings.max_schedules;
        let put = self
            .store()
            .put_schedule(&sender.owner, &schedule, most, now);
        let put = put.await?;
        put.map(|_| id).ok_or_else(|| {
            Error::TooMany(format!("There are {most} schedules, and no more are kept."))
        })
    }

    /// Errors if the message could not be published now. Returns whether it is a call of our
    /// own gateway.
    async fn check_targets(
        &self,
        sender: &Sender,
        publish: &Publish,
        message: &Message,
    ) -> Result<bool> {
        let host = publish.host.as_deref();
        let targets = self
            .targets(sender, &publish.destination, message, host)
            .await?;
        for target in targets.iter().filter(|target| !target.own) {
            self.check_public(&target.url)?;
        }
        Ok(targets.iter().all(|target| target.own))
    }

    /// The owner's schedules, the newest first.
    pub async fn schedules(&self, sender: &Sender) -> Result<Vec<Schedule>> {
        Ok(self.store().schedules(&sender.owner).await?)
    }

    /// The owner's schedule with that id.
    pub async fn schedule(&self, sender: &Sender, id: &str) -> Result<Schedule> {
        let schedule = self.store().schedule(&sender.owner, id).await?;
        schedule.ok_or_else(|| Error::unknown("schedule", id))
    }

    /// How the messages of each schedule fare.
    pub async fn run_states(&self, schedules: &[Schedule]) -> Result<Vec<Vec<Run>>> {
        let mut states = Vec::with_capacity(schedules.len());
        for some in schedules.chunks(CONCURRENCY) {
            let read = some.iter().map(|schedule| self.run_states_of(schedule));
            states.extend(try_join_all(read).await?);
        }
        Ok(states)
    }

    /// How the messages fare that the schedule published last, as far as they are kept.
    pub async fn run_states_of(&self, schedule: &Schedule) -> Result<Vec<Run>> {
        let mut states = Vec::new();
        for id in schedule
            .fired
            .iter()
            .filter_map(|fired| fired.message.as_ref())
        {
            let Some(job) = self.studio.stores.queue.get(id).await? else {
                continue;
            };
            let state = match job.status {
                Status::Succeeded => RunState::Success,
                Status::Failed | Status::Cancelled => RunState::Fail,
                Status::Queued | Status::Running | Status::Delivering => RunState::InProgress,
            };
            states.push((id.clone(), state));
        }
        Ok(states)
    }

    /// Publishes nothing of the schedule from now on, or goes on.
    pub async fn pause_schedule(&self, sender: &Sender, id: &str, paused: bool) -> Result<()> {
        let schedule = self.schedule(sender, id).await?;
        let next = next(&schedule, self.now());
        let store = self.store();
        if store
            .pause_schedule(&sender.owner, id, paused, next)
            .await?
        {
            return Ok(());
        }
        Err(Error::unknown("schedule", id))
    }

    /// Deletes a schedule.
    pub async fn remove_schedule(&self, sender: &Sender, id: &str) -> Result<()> {
        if self.store().remove_schedule(&sender.owner, id).await? {
            return Ok(());
        }
        Err(Error::unknown("schedule", id))
    }

    /// Publishes what a schedule says that is due. Doing so again, also in another process,
    /// changes nothing.
    ///
    /// # Errors
    /// If a store fails: the schedule remains due.
    pub async fn fire(&self, due: &Due) -> Result<Fired> {
        let (message, error) = match self.publish_due(due).await {
            Ok(id) => (id, None),
            Err(error) if error.is_of_caller() => (None, Some(error.to_string())),
            Err(error) => return Err(error),
        };
        Ok(Fired {
            message,
            at: due.at,
            error,
        })
    }

    async fn publish_due(&self, due: &Due) -> Result<Option<String>> {
        if self.studio.drain.is_cancelled() {
            return Err(app::Error::Closing.into());
        }
        let (schedule, now) = (&due.schedule, self.now());
        let template = Template::of(schedule).map_err(Error::invalid)?;
        let sender = self.sender_of(schedule, &template, now).await?;
        let drafts = self.due_drafts(&sender, due, &template, now).await?;
        let first = drafts.first().and_then(|draft| draft.id.clone());
        let drafts = self.unpublished(drafts).await?;
        self.make_queues(&sender, &drafts).await?;
        let count = drafts.len() as u64;
        self.studio.charge_messages(&sender.holder, count).await?;
        self.send_all(&sender, drafts, now).await?;
        Ok(first)
    }

    /// Those that no other process has published, nor this one before: they are charged for
    /// once.
    async fn unpublished(&self, drafts: Vec<Draft>) -> Result<Vec<Draft>> {
        let mut fresh = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let published = match &draft.id {
                Some(id) => self.studio.stores.queue.get(id).await?,
                None => None,
            };
            if published.is_none() {
                fresh.push(draft);
            }
        }
        Ok(fresh)
    }

    async fn due_drafts(
        &self,
        sender: &Sender,
        due: &Due,
        template: &Template,
        now: Timestamp,
    ) -> Result<Vec<Draft>> {
        let given = &due.schedule.given;
        let destination = Destination::parse(&given.destination).map_err(Error::invalid)?;
        let not_before = now + Duration::from_millis(given.delay);
        let mut message = given.message.clone();
        message.created_at = now.as_millisecond();
        message.not_before = not_before.as_millisecond();
        message.schedule = Some(given.id.clone());
        let body = template.body.recorded().unwrap_or_default();
        let targets = self.targets(sender, &destination, &message, None).await?;
        let (revision, slot) = (due.schedule.revision.to_string(), due.at.to_string());
        let mut drafts = Vec::with_capacity(targets.len());
        for mut target in targets {
            target.own |= template.own;
            let mut draft = self.aim(sender, &message, target, body.clone())?;
            let url = &draft.message.url;
            let parts = [&sender.owner, &given.id, &revision, &slot, url];
            draft.id = Some(ids::derived(due.at, &parts.map(String::as_str)));
            draft.not_before = (given.delay > 0).then_some(not_before);
            drafts.push(draft);
        }
        Ok(drafts)
    }

    /// Who made the schedule; if that key is not valid any more, whoever has another one of
    /// the same owner.
    async fn sender_of(
        &self,
        schedule: &Schedule,
        template: &Template,
        now: Timestamp,
    ) -> Result<Sender> {
        let is_owner =
            |holder: &Holder| holder.may(Scope::Messages) && owner_of(holder) == schedule.owner;
        let holder = match self.gate.holder(&template.key, now).await {
            Ok(holder) if is_owner(&holder) => Some(holder),
            Err(NotAdmitted::Away(error)) => return Err(app::Error::Access(error).into()),
            Ok(_) | Err(_) => self.gate.find(now, is_owner),
        };
        let holder = holder.ok_or_else(|| {
            Error::invalid("The API key that made the schedule is not valid any more.")
        })?;
        Ok(Sender {
            owner: schedule.owner.clone(),
            key: holder.id.clone(),
            holder,
            ip: schedule.given.message.caller_ip.clone(),
        })
    }
}

/// When the schedule is due after this.
pub fn next(schedule: &Schedule, now: Timestamp) -> Option<Timestamp> {
    let cron: Option<Cron> = schedule.given.cron.parse().ok();
    cron.and_then(|cron| cron.after(now))
}

/// A body in a record, however large it is.
fn inline(body: &Bytes) -> Content {
    match std::str::from_utf8(body) {
        Ok(text) => Content::Text(text.to_owned()),
        Err(_) => Content::Base64(BASE64.encode(body)),
    }
}
