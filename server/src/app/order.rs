//! Orders as the HTTP API hands them over.

use atelier_api::Kind;

use super::Studio;
use crate::{
    job::{ImageTask, Request, RestorationTask, Task},
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
}

impl Studio {
    pub(super) fn request(&self, order: Order, fresh: bool) -> Request {
        Request {
            provider: self.provider.name().into(),
            model: self.provider.model(order.kind()).into(),
            variation: if fresh { fastrand::u64(1..) } else { 0 },
            task: match order {
                Order::Image(task) => Task::Image(task),
                Order::Restoration(task) => Task::Restoration(task),
            },
            found: None,
        }
    }
}
