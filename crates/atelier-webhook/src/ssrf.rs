//! Which URLs may be called when strangers choose them.
//!
//! A callback URL makes this process send a request from inside its network (OWASP: server-side request forgery), so
//! only addresses of the public internet are called. The check stands in two places, and every connection passes one
//! of them: addresses written in a URL are connected to without asking a resolver, and [`check`] sees them; the
//! resolver of [`HttpClient`](crate::HttpClient) sees the addresses of a name. It returns only addresses that
//! it has checked, so a second answer of the name server (DNS rebinding) cannot slip in another.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::{Ipv4Net, Ipv6Net};
use url::{Host, Url};

/// The maximum length of a URL, in bytes.
pub const MAX_URL_LENGTH: usize = 2048;

/// Why a URL is not called, as a sentence for whoever gave it. It does not contain the addresses that a name stands
/// for, which could be a map of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RefusedUrl {
    /// It is longer than [`MAX_URL_LENGTH`].
    #[error("The URL is longer than {MAX_URL_LENGTH} bytes.")]
    TooLong,
    /// It is not an absolute URL.
    #[error("The URL cannot be read: {0}.")]
    Malformed(#[from] url::ParseError),
    /// Its scheme is neither `https` nor `http`.
    #[error("The URL must begin with https:// or http://.")]
    Scheme,
    /// It contains a user name or a password.
    #[error("The URL must not contain a user name or a password.")]
    Credentials,
    /// It has no host.
    #[error("The URL must name a host.")]
    NoHost,
    /// Its host is an address outside the public internet.
    #[error("{0} is not an address on the public internet.")]
    PrivateAddress(IpAddr),
    /// Its host is a name that stands only for addresses outside the public internet.
    #[error("The URL's host has no address on the public internet.")]
    PrivateName,
}

/// Parses a URL and checks it at the moment it is submitted. Names are not resolved yet; addresses are not checked if
/// `allow_private`.
///
/// # Errors
///
/// A [`RefusedUrl`] if the URL will never be called.
///
/// # Examples
///
/// ```
/// use atelier_webhook::ssrf::{RefusedUrl, check};
///
/// assert!(check("https://example.com/hook", false).is_ok());
/// assert_eq!(check("ftp://example.com/hook", false), Err(RefusedUrl::Scheme));
///
/// let loopback = RefusedUrl::PrivateAddress([127, 0, 0, 1].into());
/// assert_eq!(check("http://0x7f.1/", false), Err(loopback));
/// assert!(check("http://0x7f.1/", true).is_ok());
/// ```
pub fn check(url: &str, allow_private: bool) -> Result<Url, RefusedUrl> {
    if url.len() > MAX_URL_LENGTH {
        return Err(RefusedUrl::TooLong);
    }
    let url = Url::parse(url)?;
    check_parsed(&url, allow_private)?;
    Ok(url)
}

/// The part of [`check`] that is repeated before each request. Addresses in any spelling (`0x7f.1`, `2130706433`) have
/// become [`Host::Ipv4`] by parsing.
pub(crate) fn check_parsed(url: &Url, allow_private: bool) -> Result<(), RefusedUrl> {
    if !matches!(url.scheme(), "https" | "http") {
        return Err(RefusedUrl::Scheme);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(RefusedUrl::Credentials);
    }
    let address = match url.host().ok_or(RefusedUrl::NoHost)? {
        Host::Domain(_) => return Ok(()),
        Host::Ipv4(ip) => IpAddr::V4(ip),
        Host::Ipv6(ip) => IpAddr::V6(ip),
    };
    if allow_private || is_public(address) {
        Ok(())
    } else {
        Err(RefusedUrl::PrivateAddress(address))
    }
}

/// Errors if no address is left.
pub(crate) fn only_public(
    found: impl Iterator<Item = SocketAddr>,
) -> Result<Vec<SocketAddr>, RefusedUrl> {
    let public: Vec<_> = found.filter(|address| is_public(address.ip())).collect();
    if public.is_empty() {
        return Err(RefusedUrl::PrivateName);
    }
    Ok(public)
}

/// Not public according to the IANA IPv4 Special-Purpose Address Registry, and one address more. The registry calls
/// some of them globally reachable, but they serve no web pages: name servers that absorb queries (AS112), and
/// multicast relays.
const REFUSED_V4: [Ipv4Net; 20] = [
    v4([0, 0, 0, 0], 8),          // this network
    v4([10, 0, 0, 0], 8),         // private
    v4([100, 64, 0, 0], 10),      // behind a carrier's NAT
    v4([127, 0, 0, 0], 8),        // loopback
    v4([168, 63, 129, 16], 32),   // looks public, is Azure's own service inside a virtual machine
    v4([169, 254, 0, 0], 16),     // link-local, with the clouds' metadata
    v4([172, 16, 0, 0], 12),      // private
    v4([192, 0, 0, 0], 24),       // protocol assignments
    v4([192, 0, 2, 0], 24),       // documentation
    v4([192, 31, 196, 0], 24),    // AS112
    v4([192, 52, 193, 0], 24),    // multicast relays
    v4([192, 88, 99, 0], 24),     // former 6to4 relays
    v4([192, 168, 0, 0], 16),     // private
    v4([192, 175, 48, 0], 24),    // AS112
    v4([198, 18, 0, 0], 15),      // benchmarks
    v4([198, 51, 100, 0], 24),    // documentation
    v4([203, 0, 113, 0], 24),     // documentation
    v4([224, 0, 0, 0], 4),        // multicast
    v4([240, 0, 0, 0], 4),        // reserved
    v4([255, 255, 255, 255], 32), // broadcast
];

/// Everything that is assigned as global unicast. Loopback, unique local, link-local, multicast, discard-only, segment
/// routing and IPv4-compatible addresses lie outside.
const UNICAST: Ipv6Net = v6([0x2000, 0, 0], 3);

/// The exceptions within [`UNICAST`], according to the IANA IPv6 Special-Purpose Address Registry.
const REFUSED_V6: [Ipv6Net; 5] = [
    v6([0x2001, 0, 0], 23),         // protocol assignments, Teredo among them
    v6([0x2001, 0xdb8, 0], 32),     // documentation
    v6([0x2002, 0, 0], 16),         // 6to4, which embeds any IPv4 address
    v6([0x2620, 0x4f, 0x8000], 48), // AS112
    v6([0x3fff, 0, 0], 20),         // documentation
];

/// The well-known prefix under which a network's NAT64 reaches IPv4 (RFC 6052). Its local-use sibling 64:ff9b:1::/48
/// (RFC 8215) does not say where in the address the IPv4 address lies, and is refused as a whole.
const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0], 96);

const fn v4([a, b, c, d]: [u8; 4], bits: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)
}

const fn v6([a, b, c]: [u16; 3], bits: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), bits)
}

/// Whether the address is reached over the public internet.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !REFUSED_V4.iter().any(|net| net.contains(&ip)),
        IpAddr::V6(ip) => match embedded(ip) {
            Some(ip) => is_public(ip.into()),
            None => UNICAST.contains(&ip) && !REFUSED_V6.iter().any(|net| net.contains(&ip)),
        },
    }
}

/// The IPv4 address that a connection to `ip` ends at: mapped, or through NAT64.
fn embedded(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let [.., a, b, c, d] = ip.octets();
    let nat64 = || NAT64.contains(&ip).then(|| Ipv4Addr::new(a, b, c, d));
    ip.to_ipv4_mapped().or_else(nat64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_public_internet_are_public() {
        let public = [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "192.0.1.1",
            "192.31.195.255",
            "192.52.194.0",
            "192.175.49.0",
            "223.255.255.255",
            "2001:200::1",
            "2620:4f:7fff::1",
            "2620:4f:8001::1",
            "3ffe:ffff::1",
            "2606:4700:4700::1111",
            "2a00:1450:4001:82b::200e",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
        ];
        let refused = [
            "0.0.0.0",
            "0.255.255.255",
            "10.0.0.0",
            "10.255.255.255",
            "100.64.0.0",
            "100.100.100.200",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.0",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.31.196.1",
            "192.52.193.1",
            "192.88.99.1",
            "192.88.99.2",
            "192.168.255.255",
            "192.175.48.42",
            "198.18.0.0",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.0",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::101:101",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:0:127.0.0.1",
            "64:ff9b::127.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1.1.1.1",
            "64:ff9b:0:0:0:1:101:101",
            "100::1",
            "100:0:0:1::1",
            "2001::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:1::1",
            "2001:2::1",
            "2001:3::1",
            "2001:4:112::1",
            "2001:10::1",
            "2001:20::1",
            "2001:30::1",
            "2001:1ff::1",
            "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:101:101::1",
            "2620:4f:8000::1",
            "3fff::1",
            "3fff:fff:ffff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "ff0e::1",
        ];
        for ip in public {
            assert!(is_public(ip.parse().unwrap()), "{ip}");
        }
        for ip in refused {
            assert!(!is_public(ip.parse().unwrap()), "{ip}");
        }
    }

    #[test]
    fn every_spelling_of_an_address_is_recognised() {
        for host in [
            "127.0.0.1",
            "127.0.0.1.",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0x7F.0.0.0x1",
            "0177.0.0.01",
            "017700000001",
            "127。0。0。1",
            "①②⑦.0.0.1",
            "%31%32%37.0.0.1",
            "[::1]",
            "[::127.0.0.1]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[64:ff9b::7f00:1]",
            "0",
        ] {
            let url = format!("http://{host}:8080/hook");
            let refused = check(&url, false);
            assert!(
                matches!(refused, Err(RefusedUrl::PrivateAddress(_))),
                "{host}"
            );
            assert!(check(&url, true).is_ok(), "{host}");
        }
    }

    #[test]
    fn a_url_that_is_not_called_is_refused_with_a_reason() {
        for (url, reason) in [
            ("https://example.com/hook?key=1", ""),
            ("HTTP://1.1.1.1:81/", ""),
            ("http:///example.com", ""),
            ("ftp://example.com/", "The URL must begin with"),
            ("file:///etc/passwd", "The URL must begin with"),
            ("unix:/run/docker.sock", "The URL must begin with"),
            ("https://me@example.com/", "The URL must not contain"),
            ("https://:pw@example.com/", "The URL must not contain"),
            ("/hook", "The URL cannot be read"),
            ("https://", "The URL cannot be read: empty host."),
            ("http://[fe80::1%25eth0]/", "The URL cannot be read"),
            (
                "http://169.254.169.254/latest",
                "169.254.169.254 is not an address on the public internet.",
            ),
        ] {
            let said = check(url, false).map_or_else(|error| error.to_string(), |_| String::new());
            assert!(said.starts_with(reason), "{url}: {said}");
            assert_eq!(said.is_empty(), reason.is_empty(), "{url}: {said}");
        }
        let long = |length| format!("http://example.com/{:a>1$}", "", length - 19);
        assert!(check(&long(MAX_URL_LENGTH), false).is_ok());
        assert_eq!(
            check(&long(MAX_URL_LENGTH + 1), false),
            Err(RefusedUrl::TooLong)
        );
    }

    #[test]
    fn a_name_keeps_its_public_addresses_only() {
        let public: SocketAddr = "1.1.1.1:0".parse().unwrap();
        let private: SocketAddr = "10.0.0.1:0".parse().unwrap();
        assert_eq!(only_public([private, public].into_iter()), Ok(vec![public]));
        assert_eq!(
            only_public([private].into_iter()),
            Err(RefusedUrl::PrivateName)
        );
    }
}
