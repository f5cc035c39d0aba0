//! One server that is called: its address, its key, and how it fares.

mod authorization;
mod config;
mod listing;
mod tokens;

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use atelier_store::redis::Redis;
use bytes::Bytes;
use http::HeaderMap;
use reqwest::Client;
use url::Url;

use self::authorization::Authorization;
pub use self::{
    config::UpstreamConfig,
    listing::{Listed, Unlisted},
    tokens::NoToken,
};
pub use crate::api_key::ApiKey;
use crate::{
    Dialect, Listing, Wire,
    circuit::Circuit,
    permits::{Permit, Permits},
    routing::Pattern,
};

/// What is wrong with the settings of an upstream.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// The key cannot be sent.
    #[error("the key of the upstream {0:?} has characters that no header can hold")]
    Key(String),
    /// A setting is missing.
    #[error("the upstream {upstream:?} is of the kind {kind:?}, which needs {setting}")]
    Missing {
        /// Its name.
        upstream: String,
        /// Its dialect.
        kind: &'static str,
        /// What it needs.
        setting: &'static str,
    },
    /// The settings that the address is made of have characters that it cannot have.
    #[error("the settings of the upstream {0:?} make no address")]
    Address(String),
    /// A header cannot have the value of a setting.
    #[error("bill_to of the upstream {0:?} has characters that no header can hold")]
    Header(String),
    /// The credentials cannot be used.
    #[error("the credentials of the upstream {upstream:?} {what}")]
    Credentials {
        /// Its name.
        upstream: String,
        /// What is wrong with them.
        what: &'static str,
    },
}

/// A server that is called.
pub struct Upstream {
    config: UpstreamConfig,
    base: Url,
    /// What each address ends with.
    query: Option<String>,
    authorization: Authorization,
    in_flight: AtomicU32,
    permits: Permits,
    health: Mutex<Health>,
    /// `None` until it has told.
    listed: RwLock<Option<Vec<String>>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Health {
    circuit: Circuit,
    /// Until when it has asked to be left alone.
    paused_until: Option<Instant>,
}

/// A call in flight; it ends when this is dropped.
#[derive(Debug)]
pub struct InFlight {
    upstream: Arc<Upstream>,
    _permit: Option<Permit>,
}

impl Upstream {
    /// Maximum number of calls of this process in flight, unless it is configured.
    pub const PARALLEL: u32 = 64;

    /// How often a process shows that its calls in flight still are.
    pub const RENEWAL: Duration = Duration::from_secs(3);

    /// Creates an upstream that has not been called yet.
    ///
    /// # Errors
    /// If a setting is missing that its dialect needs, or if no header can hold its key.
    pub fn new(config: UpstreamConfig) -> Result<Self, Unfit> {
        let query = (config.kind.row().query)(&config);
        Ok(Self {
            base: config.base()?,
            query,
            authorization: Authorization::of(&config)?,
            in_flight: AtomicU32::new(0),
            permits: Permits::new(config.parallel.unwrap_or(Self::PARALLEL)),
            health: Mutex::default(),
            listed: RwLock::default(),
            config,
        })
    }

    /// The same, whose calls in flight are counted over all processes on this Redis if there
    /// is a configured limit.
    #[must_use]
    pub fn sharing(mut self, redis: &Redis) -> Self {
        if let Some(limit) = self.config.parallel {
            self.permits = Permits::shared(limit, &self.config.name, redis.clone());
        }
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// Whose format it has.
    pub const fn wire(&self) -> Wire {
        self.config.kind.wire()
    }

    /// What it is.
    pub const fn dialect(&self) -> Dialect {
        self.config.kind
    }

    /// What the operator says of it.
    pub const fn config(&self) -> &UpstreamConfig {
        &self.config
    }

    /// Its key, if it needs one.
    pub const fn key(&self) -> Option<&ApiKey> {
        self.config.api_key.as_ref()
    }

    /// Maximum time of a call.
    pub const fn timeout(&self) -> Duration {
        self.config.timeout
    }

    /// Maximum time to the first byte of an answer.
    pub const fn first_byte(&self) -> Duration {
        self.config.first_byte
    }

    pub(crate) const fn priority(&self) -> u32 {
        self.config.priority
    }

    /// Calls in flight for its weight.
    pub(crate) fn load(&self) -> f64 {
        let in_flight = f64::from(self.in_flight.load(Ordering::Relaxed));
        in_flight / f64::from(self.config.weight.max(1))
    }

    /// Whether the operator says, or it says itself, that it has the model. One of which
    /// nothing is known may have any.
    pub fn serves(&self, model: &str) -> bool {
        if self.config.models.is_empty() {
            let listed = self.listed.read().unwrap_or_else(PoisonError::into_inner);
            return listed
                .as_ref()
                .is_none_or(|listed| listed.iter().any(|one| one == model));
        }
        self.config
            .models
            .iter()
            .any(|pattern| pattern.matches(model))
    }

    /// Whether its models are known by its own list only: none are named, or patterns.
    pub fn is_asked_for_models(&self) -> bool {
        let models = &self.config.models;
        let lists = matches!(self.config.kind.listing(), Listing::Listed { .. });
        lists && (models.is_empty() || !models.iter().all(Pattern::is_name))
    }

    /// The names of its models: those it has listed, as far as the operator lets them be used,
    /// and those the operator has named.
    pub fn listed(&self) -> Vec<String> {
        let named = self.config.models.iter().filter(|one| one.is_name());
        let named = named.map(|one| one.as_str().to_owned());
        let listed = self.listed.read().unwrap_or_else(PoisonError::into_inner);
        let listed = listed.iter().flatten();
        let listed = listed.filter(|model| self.serves_listed(model));
        let mut names: Vec<_> = listed.cloned().chain(named).collect();
        names.sort();
        names.dedup();
        names
    }

    fn serves_listed(&self, model: &str) -> bool {
        let patterns = &self.config.models;
        patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(model))
    }

    /// Notes the models that it lists.
    pub fn list(&self, models: Vec<String>) {
        *self.listed.write().unwrap_or_else(PoisonError::into_inner) = Some(models);
    }

    /// The address of a path such as `/chat/completions`, with the query if there is one.
    pub fn url(&self, path: &str, query: Option<&str>) -> Url {
        let mut url = self.base.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        url.set_path(&(base + path));
        // A base may have a query of its own, such as an API version.
        let query = [self.base.query(), self.query.as_deref(), query];
        let query: Vec<_> = query.into_iter().flatten().collect();
        url.set_query(Some(query.join("&").as_str()).filter(|query| !query.is_empty()));
        url
    }

    /// Where it has an operation of OpenAI's or Anthropic's, and whether it streams.
    pub(crate) fn path<'a>(&self, path: &'a str, stream: bool) -> &'a str {
        (self.config.kind.row().path)(path, stream).unwrap_or(path)
    }

    /// Adds its key, or a token for it, to the headers of a request to this path. Returns the
    /// number of the token, if it is one.
    ///
    /// # Errors
    /// If there is no token.
    pub async fn authorize(
        &self,
        client: &Client,
        path: &str,
        headers: &mut HeaderMap,
    ) -> Result<Option<u64>, NoToken> {
        self.authorization.add(client, path, headers).await
    }

    /// Adds another token than the one of this number, which was refused.
    ///
    /// # Errors
    /// If there is none.
    pub async fn authorize_anew(
        &self,
        client: &Client,
        refused: u64,
        headers: &mut HeaderMap,
    ) -> Result<(), NoToken> {
        self.authorization.replace(client, refused, headers).await
    }

    /// What it has said, without its key and its token: errors may repeat them.
    pub fn hidden(&self, said: Bytes) -> Bytes {
        self.authorization.hidden(said)
    }

    /// Counts a call that begins, beyond the limit of calls in flight.
    pub fn begin(self: &Arc<Self>) -> InFlight {
        self.count(None)
    }

    /// Waits until one more call may be in flight.
    pub async fn place(self: &Arc<Self>) -> InFlight {
        self.count(Some(self.permits.take().await))
    }

    /// Begins a call if it is known at once that one more may be in flight.
    pub fn free_place(self: &Arc<Self>) -> Option<InFlight> {
        let permit = self.permits.take_free()?;
        Some(self.count(Some(permit)))
    }

    fn count(self: &Arc<Self>, permit: Option<Permit>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight {
            upstream: Arc::clone(self),
            _permit: permit,
        }
    }

    /// Shows that the calls in flight of this process still are, to be done every
    /// [`Upstream::RENEWAL`].
    pub async fn renew(&self) {
        self.permits.renew().await;
    }

    /// Returns how long it is to be left alone, because it asked for a pause or failed
    /// repeatedly. If it need not be, the call that is about to begin counts as its probe.
    pub fn rest(&self, now: Instant) -> Option<Duration> {
        let mut health = self.health();
        let paused = health.paused_until.filter(|until| *until > now);
        let until = paused.max(health.circuit.closed_until(now));
        if until.is_none() {
            health.circuit = health.circuit.begin(now);
        }
        until.map(|until| until - now)
    }

    /// Returns how long it has asked to be left alone.
    pub fn rest_asked_for(&self, now: Instant) -> Option<Duration> {
        let until = self.health().paused_until?;
        until.checked_duration_since(now)
    }

    /// A call was answered.
    pub fn succeeded(&self) {
        let mut health = self.health();
        health.circuit = health.circuit.succeed();
    }

    /// A call failed for a reason that is the upstream's.
    pub fn failed(&self, now: Instant) {
        let mut health = self.health();
        health.circuit = health.circuit.fail(now);
    }

    /// It asked to be left alone for a while. A pause is never shortened.
    pub fn pause(&self, now: Instant, pause: Duration) {
        let mut health = self.health();
        health.paused_until = health.paused_until.max(now.checked_add(pause));
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.upstream.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
