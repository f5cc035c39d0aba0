#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod endpoint;
mod error;
mod json;
mod canonical;
mod multipart;
mod tokens;
mod call;
mod dialect;
pub mod sse;
mod usage;
mod prices;
mod complete;
mod assemble;
mod replay;
pub mod embeddings;
#[cfg(test)]
mod recorded;
pub mod retry_after;
mod refusal;
pub mod upstream;
pub mod routing;
mod api_key;
mod circuit;
mod permits;
pub mod forward;

pub use self::{
    assemble::Assembler,
    call::{Call, DEFAULT_OUTPUT, Estimate, Question},
    complete::{Completion, completion, is_complete},
    dialect::{Auth, Dialect, Listing, StreamUsage},
    endpoint::{Endpoint, Wire},
    error::{ApiError, Retry},
    prices::{Price, Prices, Quote, fits},
    refusal::Refusal,
    replay::{replay, usage_chunk},
    tokens::Counter,
    usage::Usage,
};
