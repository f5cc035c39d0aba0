//! One binary for everything that is tested from outside the crate.

mod support;
mod conformance;
mod walk;
mod input;
mod provider;
mod faults;
