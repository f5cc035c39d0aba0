#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod message;
mod store;

pub use self::{
    message::{About, Callback, Flow, Message, Redact},
    store::{
        Due, Endpoint, EndpointKey, Event, EventId, Fired, Group, MessageStore, NewSchedule,
        Schedule, State, StoreError,
    },
};
