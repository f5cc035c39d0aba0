//! Checks keys and denials in one process.

use std::{
    collections::{HashMap, HashSet},
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use atelier_limit::{Counter, Rule};
use ipnet::IpNet;
use jiff::Timestamp;
use tokio::time::sleep;
use tracing::warn;

use super::{AccessStore, Denial, Error, Holder, Subject, digest};

/// Interval between refreshes of the copy.
const RENEWAL: Duration = Duration::from_secs(2);

/// Limit of wrong keys from one address: ten at once, then one every six seconds.
const WRONG_KEYS: Rule = Rule::TokenBucket {
    size: 10,
    refill: 1,
    period: 6_000,
};

/// Maximum number of addresses whose wrong keys are counted.
const MAX_ADDRESSES: usize = 10_000;

/// Admits or denies callers, by a copy of the access store.
pub struct Gate {
    store: Arc<dyn AccessStore>,
    configured: Vec<Subject>,
    /// Keys that are in no store, by their digests.
    given: Vec<(String, Arc<Holder>)>,
    copy: RwLock<Arc<Copied>>,
    wrong: Mutex<HashMap<String, Counter>>,
    looking_up: tokio::sync::Mutex<()>,
}

/// A recent copy of the access store.
#[derive(Default, Clone)]
struct Copied {
    keys: HashMap<String, Option<Arc<Holder>>>,
    networks: HashMap<IpNet, Option<Timestamp>>,
    /// The prefix lengths in use (with whether IPv4), so that only these are looked up.
    lengths: HashSet<(bool, u8)>,
    denied_keys: HashMap<String, Option<Timestamp>>,
    user_agents: Vec<(String, Option<Timestamp>)>,
}

/// Why a key was refused.
#[derive(Debug, thiserror::Error)]
pub enum NotAdmitted {
    /// Nobody was given this key, or it was revoked.
    #[error("the API key is unknown or revoked")]
    Unknown,
    /// Its time is over.
    #[error("the API key has expired")]
    Expired,
    /// Its holder is on the deny list.
    #[error("the API key is on the deny list")]
    Denied,
    /// Too many wrong keys came from this network; with the time to wait.
    #[error("too many wrong API keys")]
    TooMany(Duration),
    /// The store could not be asked about a key that is not known yet.
    #[error(transparent)]
    Away(#[from] Error),
}

impl Gate {
    /// Creates a gate that also denies the configured subjects. Its copy is empty
    /// before [`Gate::renew`].
    pub fn new(store: Arc<dyn AccessStore>, configured: Vec<Subject>) -> Self {
        let gate = Self {
            store,
            copy: RwLock::default(),
            wrong: Mutex::default(),
            looking_up: tokio::sync::Mutex::default(),
            configured,
            given: Vec::new(),
        };
        gate.take(Vec::new(), Vec::new());
        gate
    }

    /// Also admits a key that is in no store.
    #[must_use]
    pub fn admitting(mut self, key: &str, holder: Holder) -> Self {
        self.given.push((digest(key), Arc::new(holder)));
        self.take(Vec::new(), Vec::new());
        self
    }

    /// Refreshes the copy.
    ///
    /// # Errors
    /// If the store fails. The last copy applies.
    pub async fn renew(&self) -> Result<(), Error> {
        let (keys, denials) = tokio::try_join!(self.store.keys(), self.store.denials())?;
        self.take(keys, denials);
        Ok(())
    }

    /// Refreshes the copy for ever. While the store is unreachable the last copy applies.
    pub async fn keep_renewing(&self) {
        self.renew_every(RENEWAL).await;
    }

    async fn renew_every(&self, pause: Duration) {
        let mut away = false;
        loop {
            match self.renew().await {
                Ok(()) => away = false,
                Err(error) if !away => {
                    warn!(%error, "keys and denials cannot be read; the last known ones apply");
                    away = true;
                }
                Err(_) => {}
            }
            sleep(pause).await;
        }
    }

    fn take(&self, keys: Vec<(String, super::Key)>, denials: Vec<Denial>) {
        let given = self.given.iter().cloned();
        let given = given.map(|(digest, holder)| (digest, Some(holder)));
        let keys = keys.into_iter();
        let keys = keys.map(|(digest, key)| (digest, key.holder().map(Arc::new)));
        let mut copy = Copied {
            keys: keys.chain(given).collect(),
            ..Copied::default()
        };
        let configured = self.configured.iter().map(|subject| Denial {
            subject: subject.clone(),
            until: None,
        });
        for denial in denials.into_iter().chain(configured) {
            copy.deny(denial);
        }
        *self.copy.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(copy);
    }

    /// Adds a key that was created since the copy was refreshed.
    fn add(&self, digest: &str, holder: Option<Arc<Holder>>) {
        let mut copy = self.copy.write().unwrap_or_else(PoisonError::into_inner);
        let mut renewed = Copied::clone(&copy);
        renewed.keys.insert(digest.to_owned(), holder);
        *copy = Arc::new(renewed);
    }

    fn copy(&self) -> Arc<Copied> {
        Arc::clone(&self.copy.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether the address or the user agent is on the deny list.
    pub fn denies(&self, ip: IpAddr, user_agent: &str, now: Timestamp) -> bool {
        let copy = self.copy();
        copy.denies_ip(ip.to_canonical(), now) || copy.denies_program(user_agent, now)
    }

    /// Returns the key's holder. Unknown keys are counted against `network`, the client's.
    ///
    /// # Errors
    /// If the key is not valid, or not at the moment.
    pub async fn admit(
        &self,
        text: &str,
        network: &str,
        now: Timestamp,
    ) -> Result<Arc<Holder>, NotAdmitted> {
        let (copy, digest) = (self.copy(), digest(text));
        let holder = match copy.keys.get(&digest) {
            Some(known) => known.clone(),
            // It may have been created since the last refresh.
            None => self.look_up(&digest, network, now).await?,
        };
        let holder = holder.ok_or(NotAdmitted::Unknown)?;
        copy.admits(holder, now)
    }

    /// Returns the holder of the key with this id, which was admitted before.
    ///
    /// # Errors
    /// If the key is not valid any more, or not at the moment.
    pub async fn holder(&self, id: &str, now: Timestamp) -> Result<Arc<Holder>, NotAdmitted> {
        if self.copy().holder(id).is_none() {
            // Another process may have admitted it since the copy was refreshed.
            self.renew().await?;
        }
        let copy = self.copy();
        let holder = copy.holder(id).ok_or(NotAdmitted::Unknown)?;
        copy.admits(holder, now)
    }

    /// Returns the holder of a key that is wanted and valid at the moment.
    pub fn find(&self, now: Timestamp, wanted: impl Fn(&Holder) -> bool) -> Option<Arc<Holder>> {
        let copy = self.copy();
        let mut holders = copy.keys.values().flatten().cloned();
        holders.find_map(|holder| {
            let holder = Some(holder).filter(|holder| wanted(holder))?;
            copy.admits(holder, now).ok()
        })
    }

    async fn look_up(
        &self,
        digest: &str,
        network: &str,
        now: Timestamp,
    ) -> Result<Option<Arc<Holder>>, NotAdmitted> {
        // One at a time: concurrent requests with a new key would otherwise all count
        // as wrong until the first lookup has returned.
        let _turn = self.looking_up.lock().await;
        if let Some(known) = self.copy().keys.get(digest) {
            return Ok(known.clone());
        }
        let attempt = self.attempt(network, now).map_err(NotAdmitted::TooMany)?;
        let found = self.store.find(digest).await;
        if !matches!(found, Ok(None)) {
            // Also while the store cannot tell: a valid key would soon count as many wrong ones.
            self.forgive(network, attempt, now);
        }
        let Some(key) = found? else { return Ok(None) };
        let holder = key.holder().map(Arc::new);
        self.add(digest, holder.clone());
        Ok(holder)
    }

    /// Counts an unknown key against the network. Errors with the time to wait if there
    /// were too many.
    fn attempt(&self, network: &str, now: Timestamp) -> Result<Counter, Duration> {
        let now = now.as_millisecond();
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        if wrong.len() >= MAX_ADDRESSES {
            wrong.retain(|_, counter| WRONG_KEYS.end(*counter) > now);
        }
        if wrong.len() >= MAX_ADDRESSES {
            wrong.clear();
        }
        let state = wrong.get(network).copied();
        match WRONG_KEYS.charge(state, now, 1) {
            Some(after) => {
                wrong.insert(network.to_owned(), after);
                Ok(after)
            }
            None => {
                let wait = WRONG_KEYS.wait(state, now, 1).unwrap_or(0);
                Err(Duration::from_millis(wait.unsigned_abs()))
            }
        }
    }

    /// Takes back the counting of a key that is not known to be wrong.
    fn forgive(&self, network: &str, attempt: Counter, now: Timestamp) {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(counter) = wrong.get_mut(network) {
            let mark = WRONG_KEYS.mark(attempt);
            *counter = WRONG_KEYS.settle(*counter, now.as_millisecond(), mark, 1, 0);
        }
    }
}

impl Copied {
    fn holder(&self, id: &str) -> Option<Arc<Holder>> {
        let mut holders = self.keys.values().flatten();
        holders.find(|holder| holder.id == id).cloned()
    }

    fn admits(&self, holder: Arc<Holder>, now: Timestamp) -> Result<Arc<Holder>, NotAdmitted> {
        let denied = self.denied_keys.get(&holder.id);
        if denied.is_some_and(|until| until.is_none_or(|until| now < until)) {
            return Err(NotAdmitted::Denied);
        }
        if holder.is_expired(now) {
            return Err(NotAdmitted::Expired);
        }
        Ok(holder)
    }

    fn deny(&mut self, Denial { subject, until }: Denial) {
        match subject {
            Subject::Ip(network) => {
                let is_v4 = matches!(network, IpNet::V4(_));
                self.lengths.insert((is_v4, network.prefix_len()));
                self.networks.insert(network, until);
            }
            Subject::Key(id) => {
                self.denied_keys.insert(id, until);
            }
            Subject::UserAgent(part) => self.user_agents.push((part, until)),
        }
    }

    fn denies_ip(&self, ip: IpAddr, now: Timestamp) -> bool {
        let lengths = self.lengths.iter().filter(|(v4, _)| *v4 == ip.is_ipv4());
        lengths
            .filter_map(|(_, length)| IpNet::new(ip, *length).ok())
            .filter_map(|network| self.networks.get(&network.trunc()))
            .any(|until| until.is_none_or(|until| now < until))
    }

    fn denies_program(&self, user_agent: &str, now: Timestamp) -> bool {
        if self.user_agents.is_empty() {
            return false;
        }
        let user_agent = user_agent.to_lowercase();
        self.user_agents
            .iter()
            .filter(|(_, until)| until.is_none_or(|until| now < until))
            .any(|(part, _)| user_agent.contains(part))
    }
}

#[cfg(test)]
mod tests;
