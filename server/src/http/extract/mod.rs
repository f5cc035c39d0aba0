//! Extractors.

pub(super) mod accept;
pub(super) mod body;
pub(super) mod json;
pub(super) mod path;
pub(super) mod query;
