//! Limits and caches for the calls that an API key's holder makes elsewhere. All counters
//! and answers are the key's own: it neither uses up nor reads what belongs to others.

mod answers;
mod limits;

pub use self::{
    answers::{Hit, Lookup, Miss, Nearest, Question},
    limits::{Check, Checked},
};
