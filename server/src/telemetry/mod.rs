//! What an operator can see of a process.

pub mod metrics;
