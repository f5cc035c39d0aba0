//! Messages: HTTP calls that somebody publishes and that are made durably, as jobs of the
//! queue. The door is `http::v2`; the calls are made by the worker.
//!
//! [`Messages::publish`] reads what is asked for and refuses what will never be delivered
//! (`draft`), charges for it, and adds one job for each call (`publish`); schedules do the
//! same when they are due (`schedules`). What is asked of messages afterwards is `pending`,
//! `dead` and `events`; what they are arranged by is `queues`, `flow` and `groups`.

mod dead;
mod draft;
mod error;
mod events;
mod flow;
mod groups;
mod keys;
mod own;
mod pages;
mod pending;
mod publish;
mod queues;
mod runner;
mod schedules;
mod sender;

use std::{net::SocketAddr, sync::Arc};

use atelier_messages::{Event, Message, MessageStore, State};
use jiff::Timestamp;

pub use self::{
    dead::{Action, DeadLetter},
    draft::Publish,
    error::Error,
    flow::{FlowLimits, Pins},
    keys::Keys,
    own::Own,
    pages::Page,
    pending::Found,
    publish::{Published, Receipt},
    queues::QueueChange,
    schedules::{Template, next},
    sender::{Sender, owner_by, owner_of, queue_owner},
};
pub use crate::worker::MOST_EVENTS;
use crate::{
    access::Gate,
    app::Studio,
    config::{Config, MessagesConfig},
    job::{MessageTask, Task},
    queue::Job,
    worker::SigningKeys,
};

type Result<T, E = Error> = std::result::Result<T, E>;

/// The use cases of messages. They are in the files beside this one.
pub struct Messages {
    /// The queue, the limits and the clock are the studio's.
    studio: Arc<Studio>,
    /// Knows which keys are valid when a schedule is due.
    gate: Arc<Gate>,
    pub settings: MessagesConfig,
    pub own: Own,
    /// The keys that sign deliveries.
    keys: Arc<SigningKeys>,
}

impl Messages {
    /// The messages of a site that signs with these keys and listens on this address.
    pub fn open(
        config: &Config,
        studio: Arc<Studio>,
        gate: Arc<Gate>,
        keys: Arc<SigningKeys>,
        listen: SocketAddr,
    ) -> Self {
        Self {
            studio,
            gate,
            settings: config.messages.clone(),
            own: Own::new(config.public_url.clone(), listen),
            keys,
        }
    }

    fn store(&self) -> &dyn MessageStore {
        &*self.studio.stores.messages
    }

    fn now(&self) -> Timestamp {
        self.studio.stores.clock.now()
    }

    /// Notes what became of a message. `about` is the message without its header fields.
    fn note(&self, owner: &str, id: &str, state: State, about: Message, at: Timestamp) {
        let event = event(id, state, about, at);
        self.studio.recorders.events.note(owner, event);
    }
}

/// What became of a message that is not called at the moment.
fn event(id: &str, state: State, about: Message, at: Timestamp) -> Event {
    Event {
        time: at.as_millisecond(),
        message: id.to_owned(),
        state,
        about: Box::new(about),
        next: None,
        status: None,
        headers: Vec::new(),
        body: None,
        error: None,
    }
}

/// The message that the job delivers.
fn task_of(job: &Job) -> Option<&MessageTask> {
    match &job.request.task {
        Task::Message(task) => Some(task),
        _ => None,
    }
}
