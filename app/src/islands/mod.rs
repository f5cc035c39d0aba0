//! The interactive parts: behaviour around markup that the server rendered.
//!
//! Every island is an empty shell around its children, with a directive that runs
//! on hydration. None takes props, so that no JSON parser is shipped; an island reads
//! what it needs from `data-` attributes of its children.

pub mod form;
pub mod gallery;
pub mod photo;
#[cfg(feature = "hydrate")]
mod poll_slot;
#[cfg(feature = "hydrate")]
mod upload;
pub mod watch;
