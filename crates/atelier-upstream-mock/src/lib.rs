//! A strict stand-in for the APIs of OpenAI and Anthropic, and for those that resemble them
//! ([`Kind`]), over a real socket.
//!
//! [`Upstream`] refuses what the real ones refuse: a wrong key, an unknown route or model,
//! JSON that is none, a field that is missing. It records every request to the byte, and
//! can be told to misbehave ([`Behaviour`]). [`fast`] is another server, which checks
//! nothing and answers with prepared bytes, to measure what stands before it.

mod wire;

mod upstream;
mod control;

mod call;
mod refusal;
mod route;

mod kind;
mod manner;
mod tokens;

mod anthropic;
mod openai;
mod schema;

mod behaviour;
mod delivery;
mod reply;

pub mod fast;

pub use self::{
    behaviour::{Behaviour, Trouble},
    call::Call,
    kind::Kind,
    upstream::Upstream,
};

/// The only key that is taken.
pub const KEY: &str = "sk-upstream";

/// The models that there are.
pub const MODELS: [&str; 9] = [
    "gpt-5-mini",
    "gpt-4o-mini",
    "gpt-3.5-turbo-instruct",
    "gpt-image-2",
    "text-embedding-3-small",
    "omni-moderation-latest",
    "gpt-4o-mini-tts",
    "whisper-1",
    "claude-sonnet-5",
];
