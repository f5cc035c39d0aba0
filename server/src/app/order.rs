//! What is asked of the studio.

use atelier_api::Kind;

use super::Studio;
use crate::{
    job::{ImageTask, Request, RestorationTask, Task},
    queue::Hooks,
};

/// What is wanted.
#[derive(Debug, Clone)]
pub enum Order {
    Image(ImageTask),
    Restoration(RestorationTask),
}

/// How an order is to be carried out.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// Answered by the provider, whatever was made before.
    pub fresh: bool,
    /// Whom to tell about the end.
    pub hooks: Hooks,
}

impl Order {
    /// What is to be made.
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
