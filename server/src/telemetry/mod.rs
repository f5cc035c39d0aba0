//! What operators can observe of a process.

pub mod metrics;
