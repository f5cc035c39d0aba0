//! Which destinations are this server itself: calls of its own gateway go through no network.

use std::net::{IpAddr, SocketAddr};

use atelier_gateway::Endpoint;
use url::{Host, Url};

/// The path of the gateway.
const GATEWAY: &str = "/v1";

/// The addresses under which this server is reached.
#[derive(Debug, Clone)]
pub struct Own {
    public: Option<Url>,
    listen: SocketAddr,
}

impl Own {
    /// The configured address, and the one that this process listens on.
    pub const fn new(public: Option<Url>, listen: SocketAddr) -> Self {
        Self { public, listen }
    }

    /// The address of this operation of the gateway.
    pub fn address(&self, endpoint: Endpoint) -> String {
        let path = format!("{GATEWAY}{}", endpoint.path());
        let joined = self.public.as_ref().and_then(|url| url.join(&path).ok());
        joined.map_or_else(|| format!("http://{}{path}", self.listen), String::from)
    }

    /// Whether this is a call of this server's gateway. `host` is the host under which the
    /// publisher has reached this server; whoever lies about that reaches the gateway instead
    /// of a host that they name themselves, with no other key than the one that they send.
    pub fn is_call(&self, method: &str, url: &Url, host: Option<&str>) -> bool {
        let operation = url.path().strip_prefix(GATEWAY);
        let is_operation = operation.and_then(Endpoint::from_path).is_some();
        method == "POST" && is_operation && self.is_here(url, host)
    }

    fn is_here(&self, url: &Url, host: Option<&str>) -> bool {
        let public = self.public.as_ref();
        public.is_some_and(|public| public.origin() == url.origin())
            || host.is_some_and(|host| authority(url).eq_ignore_ascii_case(host))
            || self.is_listened_on(url)
    }

    fn is_listened_on(&self, url: &Url) -> bool {
        let port = url.port_or_known_default();
        if url.scheme() != "http" || port != Some(self.listen.port()) {
            return false;
        }
        let ip = match url.host() {
            Some(Host::Ipv4(ip)) => IpAddr::V4(ip),
            Some(Host::Ipv6(ip)) => IpAddr::V6(ip),
            Some(Host::Domain("localhost")) => return is_local(self.listen.ip()),
            Some(Host::Domain(_)) | None => return false,
        };
        let listened = self.listen.ip();
        ip == listened || (ip.is_loopback() && listened.is_unspecified())
    }
}

fn is_local(listened: IpAddr) -> bool {
    listened.is_loopback() || listened.is_unspecified()
}

/// As a client writes it into `Host`.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_calls_of_our_own_gateway_are_ours() {
        let public = Url::parse("https://atelier.example").ok();
        let own = Own::new(public, ([0, 0, 0, 0], 8080).into());
        let is_call = |url: &str, host| own.is_call("POST", &Url::parse(url).unwrap(), host);
        for url in [
            "https://atelier.example/v1/chat/completions",
            "https://ATELIER.example:443/v1/images/generations",
            "http://127.0.0.1:8080/v1/chat/completions",
            "http://localhost:8080/v1/embeddings",
        ] {
            assert!(is_call(url, None), "{url}");
        }
        for url in [
            "https://atelier.example/v1/models",
            "https://atelier.example/v2/publish/x",
            "https://atelier.example.evil.example/v1/chat/completions",
            "https://evil.example/v1/chat/completions",
            "http://127.0.0.1:8081/v1/chat/completions",
            "http://10.0.0.1:8080/v1/chat/completions",
        ] {
            assert!(!is_call(url, Some("atelier.example")), "{url}");
        }
        let other = "http://inside:3000/v1/chat/completions";
        assert!(is_call(other, Some("inside:3000")) && !is_call(other, Some("inside")));
        assert!(!own.is_call("GET", &Url::parse(other).unwrap(), Some("inside:3000")));
    }

    #[test]
    fn the_address_is_the_public_one() {
        let listen = ([127, 0, 0, 1], 8080).into();
        let own = Own::new(Url::parse("https://a.example").ok(), listen);
        let path = "/v1/chat/completions";
        let address = own.address(Endpoint::ChatCompletions);
        assert_eq!(address, format!("https://a.example{path}"));
        let address = Own::new(None, listen).address(Endpoint::ChatCompletions);
        assert_eq!(address, format!("http://127.0.0.1:8080{path}"));
    }
}
