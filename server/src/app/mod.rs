//! The use cases. [`Studio::submit`] takes an order through the limits, the cache and the queue (`charging` charges
//! for it), and [`Studio::complete`] applies its outcome (`complete`). Ended jobs are settled from the outbox
//! (`outbox`), and API users get a notice (`notices`). Results are kept for their time (`retention`), files until
//! nothing refers to them (`discard`), and failed jobs for an operator (`dead`). Earlier results are reused for the
//! same request (`reuse`) and for one that means the same (`similar`), and hidden again once they are gone
//! (`withdrawn`); an order that is sent twice under one name is taken once (`named`). `visibility` decides who sees
//! which job. Calls of the gateway are jobs as well (`deferred`), and so are messages (`messages`).
//! [`blocks`] are limits and caches for calls made elsewhere.

pub mod blocks;
mod caller;
mod calls;
mod charging;
mod complete;
pub mod context;
pub mod data_dir;
mod dead;
mod deferred;
mod discard;
pub mod extras;
mod gallery;
mod messages;
mod named;
mod notices;
mod order;
mod outbox;
mod retention;
mod reuse;
pub mod schema;
mod similar;
mod studio;
mod submit;
mod uncertain;
pub mod view;
mod visibility;
mod withdrawn;

pub use self::{
    caller::Caller,
    calls::{ShownCall, WantedCalls},
    gallery::SearchPermits,
    order::{Order, Terms},
    reuse::RecentOrders,
    studio::{Error, Recorders, Settings, Stores, Studio},
    submit::Accepted,
    uncertain::UncertainOrders,
};
