//! Identifies the caller: by the address that limits count, the API key, the session
//! that owns jobs, and the key of a job that belongs to itself.

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use axum::{
    extract::{ConnectInfo, FromRequestParts, Request, State as AxumState},
    http::{Extensions, HeaderMap, header, request::Parts},
    middleware::Next,
    response::Response,
};
use axum_extra::extract::{
    SignedCookieJar,
    cookie::{Cookie, SameSite},
};
use uuid::Uuid;

use crate::http::{
    Error, Result, State, job_keys,
    middleware::client::{Client, network},
};
use crate::{access::Holder, app::Caller, job::Owner, worker::Publisher};

const SESSION: &str = "atelier_session";

impl FromRequestParts<State> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self> {
        let ip = network(client(&parts.headers, &parts.extensions, state));
        let holder = match parts.extensions.get::<Publisher>() {
            Some(publisher) => Some(holder_of(publisher, state).await?),
            None => holder(&parts.headers, &ip, state).await?,
        };
        let owner = match &holder {
            Some(holder) => Some(Owner::Key(holder.id.clone())),
            None => session(&parts.headers, state),
        };
        Ok(Self {
            ip,
            owner,
            held: job_keys::held(state, &parts.uri),
            holder,
        })
    }
}

/// The client's address, as limits count it.
pub(crate) struct Address(pub(crate) String);

impl FromRequestParts<State> for Address {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Infallible> {
        let ip = client(&parts.headers, &parts.extensions, state);
        Ok(Self(network(ip)))
    }
}

/// The client's address.
pub(crate) fn client(
    headers: &HeaderMap,
    extensions: &Extensions,
    state: &State,
) -> std::net::IpAddr {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or([0, 0, 0, 0].into(), |info| info.0.ip());
    Client::new(peer, &state.trusted_proxies, state.proxy_header).address(headers)
}

/// Whether the request comes from this machine itself, as far as headers of proxies tell.
pub(crate) fn from_this_machine(headers: &HeaderMap, extensions: &Extensions) -> bool {
    const PROXIES: [&str; 5] = [
        "forwarded",
        "via",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-real-ip",
    ];
    let peer = extensions.get::<ConnectInfo<SocketAddr>>();
    peer.is_some_and(|peer| peer.0.ip().to_canonical().is_loopback())
        && !PROXIES.iter().any(|name| headers.contains_key(*name))
}

/// The holder of the API key that was sent. Other authorisation schemes are ignored.
async fn holder(headers: &HeaderMap, ip: &str, state: &State) -> Result<Option<Arc<Holder>>> {
    let Some(key) = bearer(headers).or_else(|| plain_key(headers)) else {
        return Ok(None);
    };
    let admitted = state
        .gate
        .admit(key, ip, state.studio.stores.clock.now())
        .await;
    admitted.map(Some).map_err(Error::Key)
}

/// The holder of the key that a message was published with, whose call this process makes.
async fn holder_of(Publisher(id): &Publisher, state: &State) -> Result<Arc<Holder>> {
    let now = state.studio.stores.clock.now();
    state.gate.holder(id, now).await.map_err(Error::Key)
}

/// The token of `Authorization: Bearer`; an unreadable one is an invalid one.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    const SCHEME: &str = "bearer";
    let value = headers.get(header::AUTHORIZATION)?;
    let scheme = value.as_bytes().get(..SCHEME.len())?;
    if !scheme.eq_ignore_ascii_case(SCHEME.as_bytes()) {
        return None;
    }
    let token = value.to_str().map_or(" ", |value| &value[SCHEME.len()..]);
    (token.is_empty() || token.starts_with(' ')).then(|| token.trim())
}

/// The value of `x-api-key`, as Anthropic's clients send keys.
fn plain_key(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get("x-api-key")?;
    Some(value.to_str().unwrap_or_default().trim())
}

/// Rejects callers on the deny list.
pub(crate) async fn turn_away(
    AxumState(state): AxumState<State>,
    request: Request,
    next: Next,
) -> Result<Response> {
    let headers = request.headers();
    let ip = client(headers, request.extensions(), &state);
    let user_agent = headers.get(header::USER_AGENT);
    let user_agent = user_agent.map_or_else(Default::default, |value| {
        String::from_utf8_lossy(value.as_bytes())
    });
    if state
        .gate
        .denies(ip, &user_agent, state.studio.stores.clock.now())
    {
        return Err(Error::Denied);
    }
    Ok(next.run(request).await)
}

/// The owner that the session cookie names.
fn session(headers: &HeaderMap, state: &State) -> Option<Owner> {
    let cookies = SignedCookieJar::from_headers(headers, state.cookies.clone());
    let cookie = cookies.get(SESSION)?;
    Some(Owner::Session(cookie.value().to_owned()))
}

/// A session for a visitor without one, and the cookie that starts it.
pub(crate) fn new_session(headers: &HeaderMap, state: &State) -> Option<(Owner, SignedCookieJar)> {
    if session(headers, state).is_some() {
        return None;
    }
    let name = Uuid::new_v4().simple().to_string();
    let cookie = Cookie::build((SESSION, name.clone()))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(state.https)
        .permanent();
    let cookies = SignedCookieJar::new(state.cookies.clone()).add(cookie);
    Some((Owner::Session(name), cookies))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_come_by_no_proxy() {
        let here = |peer: &str, field: Option<&str>| {
            let mut extensions = Extensions::new();
            extensions.insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
            let field = field.map(|name| (name.parse().unwrap(), "10.0.0.1".parse().unwrap()));
            from_this_machine(&field.into_iter().collect(), &extensions)
        };
        assert!(here("127.0.0.1:9", None) && here("[::1]:9", None));
        assert!(here("[::ffff:127.0.0.1]:9", Some("x-other")));
        assert!(!here("127.0.0.1:9", Some("x-forwarded-for")));
        assert!(!here("[::1]:9", Some("via")) && !here("10.0.0.1:9", None));
        assert!(!from_this_machine(&HeaderMap::new(), &Extensions::new()));
    }

    #[test]
    fn a_token_comes_in_its_header() {
        let with =
            |value: &str| HeaderMap::from_iter([(header::AUTHORIZATION, value.parse().unwrap())]);
        assert_eq!(bearer(&with("Bearer abc")), Some("abc"));
        assert_eq!(bearer(&with("bearer  abc ")), Some("abc"));
        assert_eq!(bearer(&with("Bearer ")), Some(""));
        assert_eq!(bearer(&with("Bearer äbc")), Some(""));
        assert_eq!(bearer(&with("Basic abc")), None);
        assert_eq!(bearer(&with("abc")), None);
        assert_eq!(bearer(&with("bearerabc")), None);
        assert_eq!(bearer(&HeaderMap::new()), None);
    }
}
