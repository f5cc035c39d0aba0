//! The subject of an entry of the deny list.

use std::{fmt, net::IpAddr, str::FromStr};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{ID, KEY};

/// An address, a network, an API key or a kind of program.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Subject {
    /// Host bits are zero, and IPv4-mapped IPv6 is IPv4.
    Ip(IpNet),
    /// A key's id.
    Key(String),
    /// Part of a `User-Agent`, in lower case.
    UserAgent(String),
}

/// Why a text names no subject.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// Not an address.
    #[error("{0:?} is no address such as 203.0.113.7 and no network such as 2001:db8::/32")]
    Ip(String),
    /// Not a key's id.
    #[error("{0:?} is no key's id: those begin with {ID:?}")]
    Key(String),
    /// Too short.
    #[error("{0:?} is too short for a user agent: nearly everybody would be denied")]
    UserAgent(String),
}

/// Minimum length of a part of a `User-Agent`; shorter ones occur in nearly all.
const SHORTEST: usize = 3;

/// No single holder has a network as large as these.
const BROAD_V4: u8 = 8;
const BROAD_V6: u8 = 16;

/// How the user agents of browsers begin.
const BROWSER: &str = "mozilla/5.0 (";

impl Subject {
    /// An address or a network.
    ///
    /// # Errors
    /// If the text is neither.
    pub fn ip(text: &str) -> Result<Self, Unfit> {
        let unfit = || Unfit::Ip(text.to_owned());
        let network = match text.parse::<IpNet>() {
            Ok(network) => network,
            Err(_) => text.parse::<IpAddr>().map_err(|_| unfit())?.into(),
        };
        canonical(network).map(Self::Ip).ok_or_else(unfit)
    }

    /// A key by its id.
    ///
    /// # Errors
    /// If it cannot be one.
    pub fn key(text: &str) -> Result<Self, Unfit> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if text.starts_with(ID) && text.chars().all(plain) {
            Ok(Self::Key(text.to_owned()))
        } else {
            Err(Unfit::Key(text.to_owned()))
        }
    }

    /// Part of a `User-Agent`.
    ///
    /// # Errors
    /// If it is too short to name anybody.
    pub fn user_agent(text: &str) -> Result<Self, Unfit> {
        let text = text.trim();
        if text.len() < SHORTEST || text.starts_with(KEY) {
            return Err(Unfit::UserAgent(text.to_owned()));
        }
        Ok(Self::UserAgent(text.to_lowercase()))
    }

    /// Guesses the kind from the text. What looks like an address must be a valid one.
    ///
    /// # Errors
    /// If the text names nobody, or nearly everybody.
    pub fn guess(text: &str) -> Result<Self, Unfit> {
        let numeric = |c: char| c.is_ascii_hexdigit() || ".:/".contains(c);
        if text.chars().all(numeric) && text.contains(['.', ':', '/']) {
            return Self::ip(text);
        }
        Self::ip(text)
            .or_else(|_| Self::key(text))
            .or_else(|_| Self::user_agent(text))
    }

    /// Whether it matches so many clients that it may be a mistake: a large part of the
    /// internet, or nearly every browser.
    pub fn is_everybody(&self) -> bool {
        match self {
            Self::Ip(IpNet::V4(network)) => network.prefix_len() < BROAD_V4,
            Self::Ip(IpNet::V6(network)) => network.prefix_len() < BROAD_V6,
            Self::Key(_) => false,
            Self::UserAgent(part) => BROWSER.contains(part.as_str()),
        }
    }

    /// The kind's name and the value.
    pub fn parts(&self) -> (&'static str, String) {
        match self {
            Self::Ip(network) if network.prefix_len() == network.max_prefix_len() => {
                ("ip", network.addr().to_string())
            }
            Self::Ip(network) => ("ip", network.to_string()),
            Self::Key(id) => ("key", id.clone()),
            Self::UserAgent(part) => ("user-agent", part.clone()),
        }
    }
}

/// Clears host bits and turns IPv4-mapped IPv6 into IPv4.
fn canonical(network: IpNet) -> Option<IpNet> {
    const MAPPED: u8 = 96;
    match (network, network.addr().to_canonical()) {
        (IpNet::V6(mapped), IpAddr::V4(addr)) if mapped.prefix_len() >= MAPPED => {
            IpNet::new(addr.into(), mapped.prefix_len() - MAPPED).ok()
        }
        _ => Some(network),
    }
    .map(|network| network.trunc())
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, value) = self.parts();
        write!(f, "{kind} {value}")
    }
}

impl FromStr for Subject {
    type Err = Unfit;

    fn from_str(text: &str) -> Result<Self, Unfit> {
        match text.split_once(' ') {
            Some(("ip", value)) => Self::ip(value),
            Some(("key", value)) => Self::key(value),
            Some(("user-agent", value)) => Self::user_agent(value),
            _ => Self::guess(text),
        }
    }
}

impl TryFrom<String> for Subject {
    type Error = Unfit;

    fn try_from(text: String) -> Result<Self, Unfit> {
        text.parse()
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        subject.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_recognised() {
        for (text, subject) in [
            ("203.0.113.7", "ip 203.0.113.7"),
            ("203.0.113.7/24", "ip 203.0.113.0/24"),
            ("2001:DB8::1", "ip 2001:db8::1"),
            ("2001:db8:1::5/48", "ip 2001:db8:1::/48"),
            ("::ffff:203.0.113.7", "ip 203.0.113.7"),
            ("::ffff:203.0.113.7/120", "ip 203.0.113.0/24"),
            ("key_0123456789", "key key_0123456789"),
            (" BadBot/2 ", "user-agent badbot/2"),
        ] {
            let recognised = Subject::guess(text).unwrap();
            assert_eq!(recognised.to_string(), subject);
            assert_eq!(subject.parse::<Subject>().unwrap(), recognised);
        }
    }

    #[test]
    fn what_would_deny_nobody_or_everybody_is_refused() {
        for text in [
            "",
            "  ",
            "ab",
            "atl_abcdefghijk",
            "203.0.113.9/33",
            "2001:db8",
        ] {
            assert!(Subject::guess(text).is_err(), "{text:?}");
        }
        assert!(Subject::ip("203.0.113.0/33").is_err());
        assert!(Subject::key("abc").is_err());
        assert!(Subject::key("key_a b").is_err());
    }

    #[test]
    fn large_parts_of_the_internet_are_asked_about() {
        for (text, large) in [
            ("0.0.0.0/0", true),
            ("10.0.0.0/7", true),
            ("10.0.0.0/8", false),
            ("2000::/15", true),
            ("2000::/16", false),
            ("key_0123456789", false),
            ("Mozilla", true),
            ("BadBot/2", false),
        ] {
            assert_eq!(
                Subject::guess(text).unwrap().is_everybody(),
                large,
                "{text}"
            );
        }
    }
}
