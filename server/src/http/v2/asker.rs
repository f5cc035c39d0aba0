//! Who asks: the holder of an API key that opens messages.

use std::sync::Arc;

use atelier_messages::destination;
use axum::{
    extract::FromRequestParts,
    http::{Method, request::Parts},
    response::{IntoResponse, Response},
};

use crate::{
    access::{Holder, Scope},
    app::Caller,
    http::{
        Error, State,
        middleware::{
            caller::{Address, bearer, client},
            scopes,
        },
    },
    messages::Sender,
};

/// Where the key may come in the query, as some who publish can send no header.
const PUBLISHING: [&str; 3] = ["/v2/publish/", "/v2/enqueue/", "/v2/schedules/"];

/// Who asks.
pub(super) struct Asker(pub(super) Sender);

impl FromRequestParts<State> for Asker {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Response> {
        let holder = match token(parts) {
            Some(token) => by_token(&token, parts, state).await,
            None => by_header(parts, state).await,
        }
        .map_err(IntoResponse::into_response)?;
        let ip = client(&parts.headers, &parts.extensions, state);
        let ip = ip.to_canonical().to_string();
        Ok(Self(Sender::of(holder, ip)))
    }
}

async fn by_header(parts: &mut Parts, state: &State) -> Result<Arc<Holder>, Error> {
    let caller = Caller::from_request_parts(parts, state).await?;
    scopes::check(&caller, Scope::Messages)?;
    caller.holder.ok_or(Error::NoKey(Scope::Messages))
}

async fn by_token(token: &str, parts: &mut Parts, state: &State) -> Result<Arc<Holder>, Error> {
    let Ok(Address(network)) = Address::from_request_parts(parts, state).await;
    let now = state.studio.stores.clock.now();
    let holder = state.gate.admit(token, &network, now).await;
    let holder = holder.map_err(Error::Key)?;
    if !holder.may(Scope::Messages) {
        return Err(Error::Scope(Scope::Messages));
    }
    Ok(holder)
}

/// The key in the query of who publishes. A key in a header goes before it.
fn token(parts: &Parts) -> Option<String> {
    let path = parts.uri.path();
    let publishes = PUBLISHING.iter().any(|prefix| path.starts_with(prefix));
    if parts.method != Method::POST || !publishes || bearer(&parts.headers).is_some() {
        return None;
    }
    destination::token(parts.uri.query()?)
}
