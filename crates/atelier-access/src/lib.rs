#![doc = include_str!("../README.md")]
#![warn(missing_docs)]
#![cfg_attr(
    not(any(feature = "sqlite", feature = "redis")),
    expect(dead_code, reason = "there is no store that needs it")
)]

mod gate;
mod key;
mod pattern;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "sqlite")]
mod sqlite;
mod scope;
mod subject;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[cfg(feature = "redis")]
pub use self::redis::RedisAccessStore;
#[cfg(feature = "sqlite")]
pub use self::sqlite::SqliteAccessStore;
pub use self::{
    gate::{Gate, NotAdmitted},
    key::{Holder, ID, KEY, Key, Terms, digest},
    pattern::{InvalidPattern, ModelPattern},
    scope::{Scope, UnknownScope},
    subject::{Subject, Unfit},
};
use atelier_store as store;

/// The store failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct Error(#[from] store::Error);

impl Error {
    /// Whether the store is unreachable rather than broken, so that a retry may help.
    pub const fn is_away(&self) -> bool {
        self.0.is_away()
    }

    /// Whether the store has no memory left.
    pub const fn is_out_of_memory(&self) -> bool {
        self.0.is_out_of_memory()
    }
}

/// An entry of the deny list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// Who is denied.
    pub subject: Subject,
    /// `None` for an entry that never ends.
    pub until: Option<Timestamp>,
}

/// The readable keys, with their digests.
fn keys(records: Vec<(String, String)>) -> Vec<(String, Key)> {
    let keys = records.into_iter().filter_map(|(digest, record)| {
        let key = store::readable(&digest, &record)?;
        Some((digest, key))
    });
    keys.collect()
}

fn denials(records: &[(String, String)]) -> Vec<Denial> {
    let denials = records.iter();
    denials
        .filter_map(|(subject, record)| denial(subject, record))
        .collect()
}

/// An entry of the deny list from its record. An unreadable one never ends: somebody
/// meant to deny this subject.
fn denial(subject: &str, record: &str) -> Option<Denial> {
    let for_ever = || {
        let subject = Subject::try_from(subject.to_owned()).ok()?;
        Some(Denial {
            subject,
            until: None,
        })
    };
    store::readable(subject, record).or_else(for_ever)
}

impl Denial {
    /// Whether the denial is in force.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// A store of keys, denials and withheld jobs.
#[async_trait]
pub trait AccessStore: Send + Sync + 'static {
    /// Returns every key ever created, with its digest.
    ///
    /// # Errors
    /// If the store fails; this applies to all methods.
    async fn keys(&self) -> Result<Vec<(String, Key)>, Error>;
    /// Returns the key with this digest.
    async fn find(&self, digest: &str) -> Result<Option<Key>, Error>;
    /// Adds or replaces the key.
    async fn put(&self, digest: &str, key: &Key) -> Result<(), Error>;
    /// Returns the whole deny list.
    async fn denials(&self) -> Result<Vec<Denial>, Error>;
    /// Adds to the deny list; a subject already there gets the new end.
    async fn deny(&self, denial: &Denial) -> Result<(), Error>;
    /// Removes from the deny list. Returns whether it was there.
    async fn allow(&self, subject: &Subject) -> Result<bool, Error>;
    /// Withholds the job from everybody but its owner, or shares it again.
    async fn withhold(&self, job: &str, withheld: bool) -> Result<(), Error>;
    /// Whether the job is withheld.
    async fn withheld(&self, job: &str) -> Result<bool, Error>;
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_store_that_is_away_is_not_one_that_is_broken() {
        assert!(Error::from(store::Error::silent(Duration::from_secs(1))).is_away());
        let broken = Error::from(store::Error::Closed);
        assert!(!broken.is_away() && !broken.is_out_of_memory());
        #[cfg(feature = "redis")]
        {
            let text = "OOM command not allowed when used memory > 'maxmemory'.";
            let kind = ::redis::ErrorKind::Extension;
            let full = ::redis::RedisError::from((kind, "OOM", text.to_owned()));
            let full = Error::from(store::Error::from(full));
            assert!(!full.is_away() && full.is_out_of_memory());
        }
    }

    #[test]
    fn a_denial_holds_until_its_end() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let denial = |until| Denial {
            subject: Subject::guess("203.0.113.7").unwrap(),
            until,
        };
        for (second, holds) in [(8, true), (9, false), (10, false)] {
            assert_eq!(denial(Some(at(9))).holds(at(second)), holds, "{second}");
            assert!(denial(None).holds(at(second)));
        }
    }

    #[test]
    fn a_damaged_record_denies_for_ever_and_admits_nobody() {
        let damaged = [("ip 203.0.113.7".to_owned(), "{".to_owned())];
        let read = denials(&damaged);
        assert_eq!(read.len(), 1);
        assert_eq!(
            (read[0].subject.to_string().as_str(), read[0].until),
            ("ip 203.0.113.7", None)
        );
        assert_eq!(denials(&[("nonsense ".into(), "{".into())]).len(), 1);
        assert_eq!(denials(&[("ip nobody".into(), "{".into())]), []);
        assert_eq!(keys(vec![("digest".into(), "{}".into())]), []);
    }
}
