//! Whom a job belongs to.

use std::fmt;

use atelier_queue::PART;

use super::{JobId, Request};

const SESSION: &str = "session:";
const ADDRESS: &str = "ip:";
const KEY: &str = "key_";
/// Before the owners of calls, so that no list of pictures contains these.
const CALLS: &str = "calls:";

/// Whom a job belongs to. The queue keeps it as text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Owner {
    /// A browser, by the value of its session cookie.
    Session(String),
    /// The job itself, or whoever has its key: nobody else is known. The network is part
    /// of it only for the fair order, in which all such jobs of a network share one turn.
    Address { network: String, job: JobId },
    /// The holder of an API key, by the id of the key.
    Key(String),
    /// Any other text, for example the owner of a notice.
    Other(String),
}

impl Owner {
    /// The owner of the job.
    pub fn of(job: &atelier_queue::Job<Request>) -> Self {
        let owner = job.owner.as_str();
        Self::from(owner.strip_prefix(CALLS).unwrap_or(owner))
    }

    /// Its name as the owner of a call.
    pub fn of_call(&self) -> String {
        format!("{CALLS}{self}")
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(value) => write!(f, "{SESSION}{value}"),
            Self::Address { network, job } => write!(f, "{ADDRESS}{network}{PART}{job}"),
            Self::Key(text) | Self::Other(text) => f.write_str(text),
        }
    }
}

impl From<&str> for Owner {
    fn from(text: &str) -> Self {
        if let Some(value) = text.strip_prefix(SESSION) {
            return Self::Session(value.to_owned());
        }
        let address = text.strip_prefix(ADDRESS);
        if let Some((network, job)) = address.and_then(|address| address.split_once(PART)) {
            return Self::Address {
                network: network.to_owned(),
                job: job.into(),
            };
        }
        if text.starts_with(KEY) {
            return Self::Key(text.to_owned());
        }
        Self::Other(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_stored_as_text() {
        let address = |network: &str, job: &str| Owner::Address {
            network: network.into(),
            job: job.into(),
        };
        for (text, owner) in [
            ("session:0190", Owner::Session("0190".into())),
            ("key_0123456789", Owner::Key("key_0123456789".into())),
            ("ip:203.0.113.7#0190", address("203.0.113.7", "0190")),
            ("ip:2001:db8::/64#0190", address("2001:db8::/64", "0190")),
            ("ip:203.0.113.7", Owner::Other("ip:203.0.113.7".into())),
            (
                "notices:session:0190",
                Owner::Other("notices:session:0190".into()),
            ),
            ("", Owner::Other(String::new())),
        ] {
            assert_eq!(Owner::from(text), owner);
            assert_eq!(owner.to_string(), text);
        }
    }
}
