//! The interactive leaves: behaviour around markup that the server rendered.
//!
//! Every island is an empty shell around its children, with a directive that runs
//! when it wakes in the browser. None takes props, so that no JSON reader is shipped;
//! what an island needs to know stands in `data-` attributes of its children.

pub mod desk;
pub mod gallery;
pub mod keys;
pub mod photo;
#[cfg(feature = "hydrate")]
mod brush;
#[cfg(feature = "hydrate")]
mod buttons;
#[cfg(feature = "hydrate")]
mod line;
pub mod watch;

#[cfg(feature = "hydrate")]
mod browser;
