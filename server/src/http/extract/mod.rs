//! What handlers take from a request.

pub(super) mod accept;
pub(super) mod body;
pub(super) mod path;
