#![doc = include_str!("../README.md")]
#![warn(missing_docs)]
#![cfg_attr(
    not(any(feature = "sqlite", feature = "redis")),
    expect(dead_code, reason = "there is no store that needs it")
)]

mod gate;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "sqlite")]
mod sqlite;
mod subject;

use std::sync::Arc;

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

#[cfg(feature = "redis")]
pub use self::redis::RedisAccessStore;
#[cfg(feature = "sqlite")]
pub use self::sqlite::SqliteAccessStore;
pub use self::{
    gate::{Gate, NotAdmitted},
    subject::{Subject, Unfit},
};
use atelier_limit::Policy;
use atelier_store as store;

/// The prefix of every key's text.
pub const KEY: &str = "atl_";
/// The prefix of every key's id.
pub const ID: &str = "key_";

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

/// The record of an API key. Only the holder has its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Names the key without revealing it.
    pub id: String,
    /// For the operator; the id if none was given.
    pub name: String,
    /// When.
    pub created_at: Timestamp,
    /// When it became invalid, if it did.
    pub revoked_at: Option<Timestamp>,
    /// A quota of its own.
    pub own: Option<Policy>,
}

/// An API key's holder, as long as the key is valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The key's id.
    pub id: String,
    /// A quota of its own.
    pub own: Option<Arc<Policy>>,
}

/// An entry of the deny list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// Who is denied.
    pub subject: Subject,
    /// `None` for an entry that never ends.
    pub until: Option<Timestamp>,
}

impl Key {
    /// Creates a key. Returns it and its text.
    pub fn new(name: Option<&str>, own: Option<Policy>, now: Timestamp) -> (Self, String) {
        let random = [*Uuid::new_v4().as_bytes(), *Uuid::new_v4().as_bytes()].concat();
        let text = format!("{KEY}{}", BASE64.encode(random));
        // Independent of the text, so that the id reveals nothing of it.
        let id = format!("{ID}{}", &Uuid::new_v4().simple().to_string()[..10]);
        let key = Self {
            name: name.unwrap_or(&id).to_owned(),
            id,
            created_at: now,
            revoked_at: None,
            own,
        };
        (key, text)
    }

    fn holder(self) -> Option<Holder> {
        let valid = self.revoked_at.is_none();
        valid.then(|| Holder {
            id: self.id,
            own: self.own.map(Arc::new),
        })
    }
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

/// The digest under which the store has a key. Keys are 244 random bits, so a single
/// round of a hash is enough; and comparing digests need not take constant time, as
/// nobody can choose a key's digest.
pub fn digest(text: &str) -> String {
    format!("{:x}", Sha256::digest(text))
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
    }
}
