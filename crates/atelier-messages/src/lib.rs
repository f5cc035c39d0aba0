#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod message;
pub mod ids;
pub mod names;
pub mod destination;
pub mod duration;
pub mod expression;
pub mod flow;
pub mod redact;
pub mod cron;
pub mod options;
pub mod batch;
pub mod dedup;
pub mod retry;
pub mod signature;
pub mod objects;
pub mod filter;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "sqlite")]
mod sqlite;
mod store;

#[cfg(feature = "redis")]
pub use self::redis::RedisMessageStore;
#[cfg(feature = "sqlite")]
pub use self::sqlite::SqliteMessageStore;
pub use self::{
    message::{About, Callback, Flow, Message, Redact},
    store::{
        Due, Endpoint, EndpointKey, Entry, Event, EventId, EventStore, Events, Fired, Group,
        GroupStore, MessageStore, MostGroups, NewSchedule, Schedule, ScheduleStore, State,
        StoreError,
    },
};
