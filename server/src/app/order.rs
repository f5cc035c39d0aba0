//! Orders as the HTTP API hands them over.

use std::sync::Mutex;

use atelier_api::Kind;
use jiff::Timestamp;
use uuid::{ContextV7, Uuid};

use super::Studio;
use crate::{
    config::ModelName,
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
    /// The model that was chosen; none for the usual one.
    pub model: Option<ModelName>,
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

    fn into_task(self) -> Task {
        match self {
            Self::Image(task) => Task::Image(task),
            Self::Restoration(task) => Task::Restoration(task),
        }
    }
}

impl Studio {
    pub(super) fn request(&self, order: Order, terms: &Terms) -> Request {
        let kind = order.kind();
        let task = order.into_task();
        let kind = task.made_by().unwrap_or(kind);
        let model = self.models.chosen(kind, terms.model.as_ref());
        Request {
            provider: model.name().into(),
            model: model.model.clone(),
            variation: if terms.fresh { fastrand::u64(1..) } else { 0 },
            task,
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
