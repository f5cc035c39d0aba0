//! Who is asking: the address that limits count by, and the session that jobs
//! belong to.

use std::{
    convert::Infallible,
    net::{IpAddr, SocketAddr},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{HeaderMap, request::Parts},
};
use axum_extra::extract::{
    SignedCookieJar,
    cookie::{Cookie, SameSite},
};
use ipnet::{IpNet, Ipv6Net};
use uuid::Uuid;

use super::State;
use crate::studio::Caller;

const SESSION: &str = "atelier_session";

impl FromRequestParts<State> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Infallible> {
        let peer = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|info| info.0.ip());
        let peer = peer.unwrap_or(IpAddr::from([0, 0, 0, 0]));
        let ip = network(client(peer, &parts.headers, &state.trusted_proxies));
        let owner = session(&parts.headers, state).unwrap_or_else(|| format!("ip:{ip}"));
        Ok(Self { ip, owner })
    }
}

/// The owner that the session cookie names.
fn session(headers: &HeaderMap, state: &State) -> Option<String> {
    let cookies = SignedCookieJar::from_headers(headers, state.cookies.clone());
    cookies
        .get(SESSION)
        .map(|cookie| format!("session:{}", cookie.value()))
}

/// A cookie that begins a session, for a visitor who has none.
pub(super) fn new_session(headers: &HeaderMap, state: &State) -> Option<SignedCookieJar> {
    if session(headers, state).is_some() {
        return None;
    }
    let cookie = Cookie::build((SESSION, Uuid::new_v4().simple().to_string()))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(state.https)
        .permanent();
    Some(SignedCookieJar::new(state.cookies.clone()).add(cookie))
}

/// The client's address: the peer's, or, where the peer is a proxy we trust,
/// the last address in `X-Forwarded-For` that is not.
fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let trusts = |ip: IpAddr| {
        trusted
            .iter()
            .any(|network| network.contains(&ip.to_canonical()))
    };
    let mut client = peer;
    for hop in forwarded(headers).into_iter().rev() {
        if !trusts(client) {
            break;
        }
        // What cannot be read ends the chain of proxies that we can follow.
        let Some(hop) = hop else { break };
        client = hop;
    }
    client
}

/// The hops of all `X-Forwarded-For` fields in order, unreadable ones as `None`.
fn forwarded(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    headers
        .get_all("x-forwarded-for")
        .iter()
        .flat_map(|value| value.to_str().unwrap_or("?").split(','))
        .map(|hop| address(hop.trim()))
        .collect()
}

/// An address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    bare.parse()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

/// What counts as one client: an IPv4 address (also when mapped into IPv6), or
/// the /64 network that one IPv6 customer usually has.
fn network(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => Ipv6Net::new(ip, 64)
            .map_or_else(|_| ip.to_string(), |network| network.trunc().to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let headers = forwarded
            .iter()
            .map(|v| ("x-forwarded-for".parse().unwrap(), v.parse().unwrap()))
            .collect();
        let trusted: Vec<IpNet> = trusted
            .iter()
            .map(|network| network.parse().unwrap())
            .collect();
        network(client(peer.parse().unwrap(), &headers, &trusted))
    }

    #[test]
    fn a_stranger_cannot_choose_an_address() {
        assert_eq!(seen("203.0.113.9", &["198.51.100.1"], &[]), "203.0.113.9");
        assert_eq!(
            seen("203.0.113.9", &["198.51.100.1"], &["10.0.0.0/8"]),
            "203.0.113.9"
        );
    }

    #[test]
    fn trusted_proxies_are_passed_from_the_right() {
        let trusted = ["10.0.0.0/8", "::1/128"];
        assert_eq!(
            seen("10.0.0.1", &["198.51.100.1"], &trusted),
            "198.51.100.1"
        );
        assert_eq!(
            seen("10.0.0.1", &["1.1.1.1, 198.51.100.1, 10.0.0.2"], &trusted),
            "198.51.100.1"
        );
        assert_eq!(
            seen("10.0.0.1", &["1.1.1.1", "198.51.100.1:8080"], &trusted),
            "198.51.100.1"
        );
        assert_eq!(
            seen("::1", &["[2001:db8:1:2:3::4]"], &trusted),
            "2001:db8:1:2::/64"
        );
        assert_eq!(
            seen("10.0.0.1", &["1.1.1.1, nonsense"], &trusted),
            "10.0.0.1"
        );
        assert_eq!(seen("10.0.0.1", &[], &trusted), "10.0.0.1");
    }

    #[test]
    fn one_customer_is_one_client() {
        assert_eq!(seen("::ffff:203.0.113.9", &[], &[]), "203.0.113.9");
        assert_eq!(
            seen("2001:db8:1:2:aaaa::1", &[], &[]),
            seen("2001:db8:1:2:bbbb::2", &[], &[])
        );
    }
}
