//! The client's address: the peer's, or, where the peer is a proxy we trust,
//! what it and the trusted proxies before it say.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, header};
use ipnet::{IpNet, Ipv6Net};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

pub(super) struct Client<'a> {
    peer: IpAddr,
    trusted: &'a [IpNet],
}

impl<'a> Client<'a> {
    pub(super) fn new(peer: IpAddr, trusted: &'a [IpNet]) -> Self {
        Self { peer, trusted }
    }

    /// Every proxy appends the address that it sees: the last one that is not
    /// a trusted proxy's is the client's. Of the two fields a proxy sets one,
    /// and passes on what a client put into the other; where both are there
    /// and do not agree, neither is believed.
    pub(super) fn address(&self, headers: &HeaderMap) -> IpAddr {
        if !self.trusts(self.peer) {
            return self.peer;
        }
        let old = self.walk(headers, &X_FORWARDED_FOR, address);
        let standard = self.walk(headers, &header::FORWARDED, forwarded_for);
        match (old, standard) {
            (Some(old), Some(standard)) if old != standard => self.peer,
            (old, standard) => old.or(standard).unwrap_or(self.peer),
        }
    }

    /// From the right past trusted proxies; `None` without the field. What
    /// cannot be read ends the chain that we can follow.
    fn walk(
        &self,
        headers: &HeaderMap,
        field: &HeaderName,
        read: impl Fn(&str) -> Option<IpAddr>,
    ) -> Option<IpAddr> {
        let mut values = headers.get_all(field).iter().rev().peekable();
        values.peek()?;
        let hops = values.flat_map(|value| value.to_str().unwrap_or("?").rsplit(','));
        let mut client = self.peer;
        for hop in hops {
            let Some(hop) = read(hop.trim()) else { break };
            client = hop;
            if !self.trusts(client) {
                break;
            }
        }
        Some(client)
    }

    fn trusts(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.trusted.iter().any(|network| network.contains(&ip))
    }
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

/// What counts as one client: an IPv4 address (also when mapped into IPv6), or
/// the /64 network that one IPv6 customer usually has.
pub(super) fn network(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => Ipv6Net::new(ip, 64)
            .map_or_else(|_| ip.to_string(), |network| network.trunc().to_string()),
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
        network(Client::new(peer.parse().unwrap(), &trusted).address(&headers))
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
        ] {
            assert_eq!(seen("10.0.0.1", &[value], &trusted), ip, "{value}");
        }
    }

    /// A proxy that sets one field passes on what a client put into the other.
    #[test]
    fn fields_that_disagree_are_not_believed() {
        let trusted = ["10.0.0.0/8"];
        let fields = ["198.51.100.1", "forwarded|for=1.1.1.1"];
        assert_eq!(seen("10.0.0.1", &fields, &trusted), "10.0.0.1");
        let fields = ["198.51.100.1", "forwarded|for=198.51.100.1"];
        assert_eq!(seen("10.0.0.1", &fields, &trusted), "198.51.100.1");
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
            prop_assert_eq!(Client::new(stranger, &trusted).address(&headers), stranger);
            Client::new([10, 0, 0, 1].into(), &trusted).address(&headers);
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
