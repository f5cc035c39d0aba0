//! Who may come in, and who sees what: API keys, the deny list, and the jobs that
//! their owners do not share. A [`AccessStore`] keeps them; of keys and denials a [`Gate`]
//! in every process has a copy that is never older than a few seconds.

mod gate;
mod redis;
mod sqlite;
mod subject;

use std::sync::Arc;

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

pub use self::{
    gate::{Gate, NotAdmitted},
    redis::RedisAccessStore,
    sqlite::SqliteAccessStore,
    subject::{Subject, Unfit},
};
use crate::{job::hex, limit::Policy, store};

/// Begins every key's text.
pub const KEY: &str = "atl_";
/// Begins every key's id.
pub const ID: &str = "key_";

/// The store cannot be asked.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct Error(#[from] store::Error);

impl Error {
    /// The store is away, not broken: to try again later may help.
    pub const fn is_away(&self) -> bool {
        self.0.is_away()
    }

    /// Its store has no memory left.
    pub const fn is_out_of_memory(&self) -> bool {
        self.0.is_out_of_memory()
    }
}

/// What is kept of an API key. Its text is known to its holder alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    pub id: String,
    /// For the operator; the id where none was given.
    pub name: String,
    pub created_at: Timestamp,
    pub revoked_at: Option<Timestamp>,
    /// A quota of its own.
    pub own: Option<Policy>,
}

/// An API key's holder, as long as the key is valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The key's id.
    pub id: String,
    pub own: Option<Arc<Policy>>,
}

/// An entry of the deny list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    pub subject: Subject,
    /// Unset: for ever.
    pub until: Option<Timestamp>,
}

impl Key {
    /// A new key, and its text.
    pub fn new(name: Option<&str>, own: Option<Policy>, now: Timestamp) -> (Self, String) {
        let random = [*Uuid::new_v4().as_bytes(), *Uuid::new_v4().as_bytes()].concat();
        let text = format!("{KEY}{}", BASE64.encode(random));
        // Not part of the text, so that the id tells nothing of it.
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

/// Those of the keys that can be read, with their digests.
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

/// An entry of the deny list as it is kept. One that cannot be read holds for ever:
/// whom it is about was shut out by somebody.
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
    /// It has not come to its end.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// What stands for a key's text in the store. Keys are 244 random bits, so one
/// round of a hash is enough; and who compares by it can take as long as it
/// likes, since nobody can aim at a hash.
pub fn digest(text: &str) -> String {
    hex(&Sha256::digest(text))
}

/// A store of keys, denials and jobs withheld.
#[async_trait]
pub trait AccessStore: Send + Sync + 'static {
    /// Every key that was ever made, by its digest.
    async fn keys(&self) -> Result<Vec<(String, Key)>, Error>;
    /// The key with this digest.
    async fn find(&self, digest: &str) -> Result<Option<Key>, Error>;
    /// Adds the key or replaces what is kept of it.
    async fn put(&self, digest: &str, key: &Key) -> Result<(), Error>;
    /// The whole deny list.
    async fn denials(&self) -> Result<Vec<Denial>, Error>;
    /// Adds to the deny list; a subject that is there gets the new end.
    async fn deny(&self, denial: &Denial) -> Result<(), Error>;
    /// Takes off the deny list; whether it was there.
    async fn allow(&self, subject: &Subject) -> Result<bool, Error>;
    /// Withholds the job from everybody but its owner, or does so no more.
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
