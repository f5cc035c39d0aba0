//! The client's address: the peer's or, if the peer is a trusted proxy, the one that it
//! and the trusted proxies before it report.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;

use crate::{config::ProxyHeader, limit};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

pub(crate) struct Client<'a> {
    peer: IpAddr,
    trusted: &'a [IpNet],
    field: Option<ProxyHeader>,
}

impl<'a> Client<'a> {
    /// The client of a request from `peer`; `field` is the header that trusted proxies
    /// write, if configured.
    pub(crate) fn new(peer: IpAddr, trusted: &'a [IpNet], field: Option<ProxyHeader>) -> Self {
        Self {
            peer,
            trusted,
            field,
        }
    }

    /// Every proxy appends the address that it sees; the last one that is not a trusted
    /// proxy's is the client's. A proxy writes one header, and passes on what a client
    /// put into the other, so only one is read.
    pub(crate) fn address(&self, headers: &HeaderMap) -> IpAddr {
        if !self.trusts(self.peer) {
            return self.peer;
        }
        let common = headers.contains_key(&X_FORWARDED_FOR);
        match self.field {
            Some(ProxyHeader::Forwarded) => self.standard(headers),
            None if !common => self.standard(headers),
            _ => self.common(headers),
        }
    }

    fn common(&self, headers: &HeaderMap) -> IpAddr {
        let values = headers.get_all(X_FORWARDED_FOR).iter().rev();
        let hops = values.flat_map(|value| value.to_str().unwrap_or("?").rsplit(','));
        self.walk(hops, address)
    }

    fn standard(&self, headers: &HeaderMap) -> IpAddr {
        let values = headers.get_all(header::FORWARDED).iter().rev();
        let hops = values.flat_map(|value| elements(value.to_str().unwrap_or("?")));
        self.walk(hops, forwarded_for)
    }

    /// Walks from the right past trusted proxies. An unreadable element ends the chain.
    fn walk<'h>(
        &self,
        hops: impl Iterator<Item = &'h str>,
        read: impl Fn(&str) -> Option<IpAddr>,
    ) -> IpAddr {
        let mut client = self.peer;
        for hop in hops.map(str::trim).filter(|hop| !hop.is_empty()) {
            let Some(hop) = read(hop) else { break };
            client = hop;
            if !self.trusts(client) {
                break;
            }
        }
        client
    }

    fn trusts(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.trusted.iter().any(|network| network.contains(&ip))
    }
}

/// The elements of a list from the right, split at commas outside quotes. From that side,
/// a quote that a client left open cannot swallow what a proxy has appended.
fn elements(list: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(list);
    std::iter::from_fn(move || {
        let list = rest?;
        let (mut quoted, bytes) = (false, list.as_bytes());
        let comma = (0..bytes.len()).rev().find(|i| {
            let escaped = *i > 0 && bytes[i - 1] == b'\\';
            quoted ^= bytes[*i] == b'"' && !escaped;
            bytes[*i] == b',' && !quoted
        });
        let (before, element) = match comma {
            Some(comma) => (Some(&list[..comma]), &list[comma + 1..]),
            None => (None, list),
        };
        rest = before;
        Some(element)
    })
}

/// The `for` of one element of `Forwarded` (RFC 7239, 4).
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let (_, node) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for"))?;
    address(node.trim().trim_matches('"'))
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

/// The [network](limit::network) that counts as one client, as its counters are
/// named.
pub(crate) fn network(ip: IpAddr) -> String {
    match limit::network(ip) {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(network) => format!("{network}/64"),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn seen(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let field = |value: &&str| {
            let (name, value) = match value.strip_prefix("forwarded|") {
                Some(value) => ("forwarded", value),
                None => ("x-forwarded-for", *value),
            };
            (name.parse().unwrap(), value.parse().unwrap())
        };
        let headers = forwarded.iter().map(field).collect();
        let trusted: Vec<IpNet> = trusted
            .iter()
            .map(|network| network.parse().unwrap())
            .collect();
        network(Client::new(peer.parse().unwrap(), &trusted, None).address(&headers))
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

    #[test]
    fn the_standard_field_is_read_as_well() {
        let trusted = ["10.0.0.0/8"];
        for (value, ip) in [
            ("forwarded|for=198.51.100.1", "198.51.100.1"),
            (
                "forwarded|For=\"198.51.100.1:80\";proto=https;by=10.0.0.1",
                "198.51.100.1",
            ),
            (
                "forwarded|for=1.1.1.1, proto=http;for=\"[2001:db8::5]:4711\"",
                "2001:db8::/64",
            ),
            (
                "forwarded|for=1.1.1.1, for=198.51.100.1, for=10.0.0.9",
                "198.51.100.1",
            ),
            ("forwarded|for=1.1.1.1, for=unknown", "10.0.0.1"),
            ("forwarded|for=1.1.1.1, for=_hidden", "10.0.0.1"),
            ("forwarded|for=1.1.1.1, proto=https", "10.0.0.1"),
            ("forwarded|for=\"1.1.1.1, for=198.51.100.1", "198.51.100.1"),
            (
                "forwarded|for=198.51.100.1;host=\"x, for=6.6.6.6\"",
                "198.51.100.1",
            ),
            (
                "forwarded|for=198.51.100.1;host=\"\\\", for=6.6.6.6\"",
                "198.51.100.1",
            ),
            ("forwarded|for=198.51.100.1, , ", "198.51.100.1"),
        ] {
            assert_eq!(seen("10.0.0.1", &[value], &trusted), ip, "{value}");
        }
    }

    /// A proxy that sets one field passes on what a client put into the other.
    #[test]
    fn only_one_field_is_read() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", "198.51.100.1".parse().unwrap());
        headers.insert("forwarded", "for=203.0.113.5".parse().unwrap());
        let read = |field| {
            let client = Client::new([10, 0, 0, 1].into(), &trusted, field);
            client.address(&headers).to_string()
        };
        assert_eq!(read(None), "198.51.100.1");
        assert_eq!(read(Some(ProxyHeader::XForwardedFor)), "198.51.100.1");
        assert_eq!(read(Some(ProxyHeader::Forwarded)), "203.0.113.5");
    }

    #[test]
    fn mapped_addresses_are_trusted_like_others() {
        let fields = ["::ffff:198.51.100.1"];
        assert_eq!(
            seen("::ffff:10.0.0.1", &fields, &["10.0.0.0/8"]),
            "198.51.100.1"
        );
    }

    proptest! {
        #[test]
        fn nothing_that_is_sent_confuses(
            fields in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..200)), 0..20),
        ) {
            let mut headers = HeaderMap::new();
            for (standard, value) in fields {
                if let Ok(value) = HeaderValue::from_bytes(&value) {
                    headers.append(if standard { "forwarded" } else { "x-forwarded-for" }, value);
                }
            }
            let stranger = IpAddr::from([203, 0, 113, 9]);
            let trusted = ["10.0.0.0/8".parse().unwrap()];
            prop_assert_eq!(Client::new(stranger, &trusted, None).address(&headers), stranger);
            Client::new([10, 0, 0, 1].into(), &trusted, None).address(&headers);
        }

        #[test]
        fn what_a_client_claims_beyond_the_proxy_does_not_matter(claims in prop::collection::vec("[ -~]{0,30}", 0..40)) {
            let mut all = claims.join(",");
            all.push_str(", 198.51.100.1");
            prop_assert_eq!(seen("10.0.0.1", &[&all], &["10.0.0.0/8"]), "198.51.100.1");
        }
    }

    #[test]
    fn ten_kilobytes_of_hops_are_walked_from_the_right() {
        let hops = "1.1.1.1, ".repeat(1_200) + "198.51.100.1";
        assert_eq!(seen("10.0.0.1", &[&hops], &["10.0.0.0/8"]), "198.51.100.1");
        let trusted = "10.0.0.2, ".repeat(1_200) + "10.0.0.2";
        assert_eq!(seen("10.0.0.1", &[&trusted], &["10.0.0.0/8"]), "10.0.0.2");
    }
}
