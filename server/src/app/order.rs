//! Orders as the HTTP API hands them over.

use std::sync::Mutex;

use atelier_api::Kind;
use jiff::Timestamp;
use uuid::{ContextV7, Uuid};

use super::Studio;
use crate::{
    job::{ImageTask, JobId, Request, RestorationTask, Task},
    queue::Hooks,
};

/// What is to be made.
#[derive(Debug, Clone)]
pub enum Order {
    Image(ImageTask),
    Restoration(RestorationTask),
}

/// How an order is to be carried out.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// Always calls the provider, even if an earlier answer could be reused.
    pub fresh: bool,
    /// URLs to be called when the job has ended.
    pub hooks: Hooks,
}

impl Order {
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Image(_) => Kind::Image,
            Self::Restoration(_) => Kind::Restoration,
        }
    }

    /// The kind of the model that carries it out: one for photos enlarges pictures too.
    const fn model(&self) -> Kind {
        match self {
            Self::Image(task) if task.enlarge.is_none() => Kind::Image,
            Self::Image(_) | Self::Restoration(_) => Kind::Restoration,
        }
    }
}

impl Studio {
    pub(super) fn request(&self, order: Order, fresh: bool) -> Request {
        Request {
            provider: self.provider.name().into(),
            model: self.provider.model(order.model()).into(),
            variation: if fresh { fastrand::u64(1..) } else { 0 },
            task: match order {
                Order::Image(task) => Task::Image(task),
                Order::Restoration(task) => Task::Restoration(task),
            },
            found: None,
        }
    }
}

/// Ids sort by the store's time, whichever process makes them.
pub(super) fn new_id(now: Timestamp) -> JobId {
    static ORDER: Mutex<ContextV7> = Mutex::new(ContextV7::new());
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    let nanoseconds = now.subsec_nanosecond().unsigned_abs();
    Uuid::new_v7(uuid::Timestamp::from_unix(&ORDER, seconds, nanoseconds))
        .simple()
        .to_string()
        .into()
}
