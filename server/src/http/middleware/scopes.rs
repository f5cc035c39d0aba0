//! What API keys open: a caller without one is not held to any scope.

use std::sync::Arc;

use axum::{
    extract::{FromRequestParts, Request, State as AxumState},
    http::request::Parts,
    middleware::Next,
    response::Response,
};

use crate::http::{Error, Result, State};
use crate::{
    access::{Holder, Scope},
    app::Caller,
};

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

/// The holder of an API key that opens the blocks.
pub(crate) struct BlocksHolder(pub(crate) Arc<Holder>);

impl FromRequestParts<State> for BlocksHolder {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self> {
        let caller = Caller::from_request_parts(parts, state).await?;
        check(&caller, Scope::Blocks)?;
        let holder = caller.holder.ok_or(Error::NoKey(Scope::Blocks))?;
        Ok(Self(holder))
    }
}
