//! What API keys open: a caller without one is not held to any scope.

use axum::{
    extract::{Request, State as AxumState},
    middleware::Next,
    response::Response,
};

use crate::http::{Error, Result, State};
use crate::{access::Scope, app::Caller};

/// Errors if the caller's API key lacks the scope.
pub(crate) fn check(caller: &Caller, scope: Scope) -> Result<()> {
    match &caller.holder {
        Some(holder) if !holder.may(scope) => Err(Error::Scope(scope)),
        _ => Ok(()),
    }
}

/// Refuses API keys that do not open the studio.
pub(crate) async fn studio(
    AxumState(_): AxumState<State>,
    caller: Caller,
    request: Request,
    next: Next,
) -> Result<Response> {
    check(&caller, Scope::Studio)?;
    Ok(next.run(request).await)
}
