//! What happens to every request.

pub(super) mod caller;
pub(super) mod client;
pub(super) mod drain_body;
pub(super) mod headers;
pub(super) mod scopes;
