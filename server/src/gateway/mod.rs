//! The gateway: calls of other applications to AI services, under the same limits, budgets
//! and caches as the studio's own.
//!
//! One call, in this order: its targets ([`Routes`]), an answer from before (`lookup`), a
//! call in flight that it can share (`flights`), the charge (`charging`), the call itself
//! (`call`, and `painting` where pictures are made in another way), what is charged for it in the end, and what the operator is told
//! (`recording`).

mod accept;
mod built_in;
mod carry_out;
mod models;
mod call;
mod painting;
mod charging;
mod check;
mod contents;
mod flights;
mod lookup;
mod pass;
mod pump;
mod receive;
mod recording;
mod repeats;
mod request;
mod responses;
mod serve;
mod sharing;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio_util::task::TaskTracker;

pub use self::{
    accept::{Accepted, Terms},
    charging::JobCharge,
    check::{Checked, check},
    pass::Passed,
    recording::Recording,
    request::{Asked, InvalidHeader, Wishes, forwarded, kept, patience},
    serve::{Body, COST, Reply, Source, dollars},
};
use self::{built_in::Engines, contents::Secrets, flights::Flights, painting::Painters};
use crate::{
    access::{self, Gate},
    app::{self, Studio},
    cache,
    config::{CacheMode, CacheScope, Config},
    limit::{self, Standing},
    queue,
};
use anyhow::{Context as _, Result};
use atelier_gateway::{
    ApiError, Prices, forward,
    routing::{Pattern, Routes},
    upstream::{Unfit, Upstream},
};

/// The gateway of one process.
pub struct Gateway {
    /// The limits, the caches and the clock are the studio's.
    studio: Arc<Studio>,
    /// Knows who may still call when a job is carried out.
    gate: Arc<Gate>,
    routes: Routes,
    client: reqwest::Client,
    prices: Prices,
    pub settings: Settings,
    engines: Engines,
    painters: Painters,
    flights: Flights,
    unpriced: Unpriced,
    /// Set if contents of calls are kept: what is hidden in them.
    secrets: Option<Arc<Secrets>>,
    /// Calls in flight; at shutdown they are finished.
    pub calls: TaskTracker,
}

/// What the operator has configured.
pub struct Settings {
    /// Whether callers need no API key.
    pub open: bool,
    /// Whether unknown paths are passed on.
    pub passthrough: bool,
    /// Largest body of a request, in bytes.
    pub max_body: usize,
    /// After how much silence a stream shows that it is alive.
    pub ping: Duration,
    /// How long the result of a picture or of a call with an `Idempotency-Key` is kept for
    /// its repeats.
    pub repeats: Duration,
    /// What pictures are made with if a client names no model.
    pub picture_model: String,
    pub cache: CacheSettings,
}

/// What the operator has configured for cached answers.
pub struct CacheSettings {
    /// What is cached unless the client says otherwise; `None` for what is sure to repeat.
    pub mode: Option<CacheMode>,
    /// Models with another mode than that.
    pub models: Vec<(Pattern, CacheMode)>,
    /// Keys with another mode than that, by their ids.
    pub keys: HashMap<String, CacheMode>,
    /// Who shares answers.
    pub scope: CacheScope,
    pub ttl: Duration,
    /// Largest answer that is kept, in bytes.
    pub max_bytes: usize,
    /// Whether answers that call tools are kept.
    pub tool_calls: bool,
}

impl Gateway {
    /// Builds the gateway by its settings. Its limits and its stores are the studio's.
    ///
    /// # Errors
    /// If an upstream lacks a setting or its key cannot be sent, or this machine's certificates cannot be read.
    pub fn open(config: &Config, studio: Arc<Studio>, gate: Arc<Gate>) -> Result<Self> {
        let upstreams = config.upstreams().into_iter().map(|one| {
            let upstream = Upstream::new(one)?;
            Ok::<_, Unfit>(Arc::new(match &studio.stores.redis {
                Some(redis) => upstream.sharing(redis),
                None => upstream,
            }))
        });
        let upstreams = upstreams.collect::<Result<Vec<_>, _>>()?;
        let secrets = config.gateway.record;
        let secrets = secrets.then(|| Arc::new(Secrets::of(&upstreams)));
        let user_agent = concat!("atelier/", env!("CARGO_PKG_VERSION"));
        Ok(Self {
            studio,
            gate,
            routes: Routes::new(upstreams, &config.models),
            client: forward::client(user_agent).context("cannot make an HTTP client")?,
            prices: Prices::with(config.gateway.prices.clone()),
            settings: Settings::new(config),
            engines: Engines::default(),
            painters: Painters::open(config).context("an upstream cannot make pictures")?,
            flights: Flights::default(),
            unpriced: Unpriced::default(),
            secrets,
            calls: TaskTracker::new(),
        })
    }
}

/// The models without a price that the log has named.
#[derive(Default)]
struct Unpriced(Mutex<HashSet<String>>);

impl Unpriced {
    /// Maximum number of names: clients choose them.
    const MAX: usize = 1_000;

    /// Whether the model has not been named yet.
    fn is_new(&self, model: &str) -> bool {
        let mut named = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        named.len() < Self::MAX && !named.contains(model) && named.insert(model.to_owned())
    }
}

impl Settings {
    fn new(config: &Config) -> Self {
        let (gateway, cache) = (&config.gateway, &config.gateway.cache);
        let models = cache.models.iter();
        Self {
            open: gateway.open,
            passthrough: gateway.passthrough,
            max_body: gateway.max_body as usize,
            ping: gateway.ping,
            repeats: gateway.repeats,
            picture_model: config.openai.model.clone(),
            cache: CacheSettings {
                mode: cache.mode,
                models: models.map(|one| (one.model.clone(), one.mode)).collect(),
                keys: cache
                    .keys
                    .iter()
                    .cloned()
                    .map(|one| (one.key, one.mode))
                    .collect(),
                scope: cache.scope,
                ttl: cache.ttl,
                max_bytes: cache.max_bytes as usize,
                tool_calls: cache.tool_calls,
            },
        }
    }
}

impl Error {
    /// The same for another reader: a failed call is told to all who wait for it.
    fn copy(&self) -> Self {
        match self {
            Self::Api(error) => Self::Api(error.clone()),
            Self::Uncertain(error) => Self::Uncertain(error.clone()),
            Self::Limited(standings) => Self::Limited(standings.clone()),
            Self::Closing => Self::Closing,
            Self::Limit(error) => Self::Limit(error.clone()),
            Self::Cache(_) | Self::Access(_) | Self::Studio(_) => Self::Api(ApiError::internal()),
        }
    }
}

/// Why a call was not made, or failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request, or an upstream's answer to it.
    #[error("{}", .0.message)]
    Api(ApiError),
    /// The same, of a call that may have been made and paid for.
    #[error("{}", .0.message)]
    Uncertain(ApiError),
    #[error("over a limit")]
    Limited(Vec<Standing>),
    #[error("the server is shutting down")]
    Closing,
    #[error(transparent)]
    Limit(#[from] limit::Error),
    #[error(transparent)]
    Cache(#[from] cache::Error),
    #[error(transparent)]
    Access(#[from] access::Error),
    #[error(transparent)]
    Studio(#[from] app::Error),
}

impl Error {
    /// Whether a store is unreachable, which a retry may help.
    pub const fn is_away(&self) -> bool {
        match self {
            Self::Limit(error) => error.is_away(),
            Self::Cache(error) => error.is_away(),
            Self::Access(error) => error.is_away(),
            Self::Studio(app::Error::Queue(queue::Error::Store(error))) => error.is_away(),
            Self::Studio(app::Error::Calls(error)) => error.is_away(),
            Self::Api(_)
            | Self::Uncertain(_)
            | Self::Limited(_)
            | Self::Closing
            | Self::Studio(_) => false,
        }
    }
}

impl From<ApiError> for Error {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}
