//! The keys by which messages are signed, one after the other for each owner.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use atelier_messages::{MessageStore, StoreError};

use crate::callback::signing_key;

/// How long a key is used before the store is asked whether there is a later one.
const FRESH: Duration = Duration::from_secs(1);

/// Maximum number of owners whose keys are in memory.
const MOST: usize = 10_000;

/// The signing keys of all owners.
pub struct SigningKeys {
    store: Arc<dyn MessageStore>,
    /// The site's secret, which they are derived from.
    secret: String,
    /// Everybody's keys, the current one and the next, in a process for development.
    public: Option<[&'static str; 2]>,
    known: Mutex<HashMap<String, Known>>,
}

#[derive(Clone)]
struct Known {
    key: Arc<str>,
    since: Instant,
}

impl SigningKeys {
    /// Keys that follow from the site's secret.
    pub fn new(store: Arc<dyn MessageStore>, secret: &str) -> Self {
        Self {
            store,
            secret: secret.to_owned(),
            public: None,
            known: Mutex::default(),
        }
    }

    /// The same keys for everybody.
    #[must_use]
    pub fn public(mut self, keys: [&'static str; 2]) -> Self {
        self.public = Some(keys);
        self
    }

    /// The key that signs the owner's messages. Another process's rotation is known after a
    /// second.
    ///
    /// # Errors
    /// If the store fails, and the key has not been known before.
    pub(super) async fn current(&self, owner: &str) -> Result<Arc<str>, StoreError> {
        let before = self.before(owner);
        if let Some(known) = before
            .as_ref()
            .filter(|known| known.since.elapsed() < FRESH)
        {
            return Ok(Arc::clone(&known.key));
        }
        match self.pair(owner).await {
            Ok([current, _]) => Ok(self.remember(owner, current.into())),
            Err(error) => before.map(|known| known.key).ok_or(error),
        }
    }

    /// The owner's current key and the next.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn pair(&self, owner: &str) -> Result<[String; 2], StoreError> {
        if let Some(keys) = self.public {
            return Ok(keys.map(str::to_owned));
        }
        let generation = self.store.generation(owner).await?;
        Ok(self.of(owner, generation))
    }

    /// Begins with the next key, and returns it and the one after.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn rotate(&self, owner: &str) -> Result<[String; 2], StoreError> {
        if let Some(keys) = self.public {
            return Ok(keys.map(str::to_owned));
        }
        let keys = self.of(owner, self.store.rotate(owner).await?);
        self.remember(owner, keys[0].as_str().into());
        Ok(keys)
    }

    fn of(&self, owner: &str, generation: u64) -> [String; 2] {
        [generation, generation.saturating_add(1)]
            .map(|generation| signing_key(&self.secret, owner, generation))
    }

    fn before(&self, owner: &str) -> Option<Known> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(owner).cloned()
    }

    fn remember(&self, owner: &str, key: Arc<str>) -> Arc<str> {
        let known = Known {
            key: Arc::clone(&key),
            since: Instant::now(),
        };
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.clear();
        }
        all.insert(owner.to_owned(), known);
        key
    }
}
