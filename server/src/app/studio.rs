//! What the use cases work with.

use std::{sync::Arc, time::Duration};

use atelier_messages::{Events, MessageStore, StoreError};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{RecentOrders, SearchPermits, UncertainOrders};
use crate::{
    access::{self, AccessStore},
    blob::{self, Blobs},
    cache::{self, Cache, Savings, semantic::Semantic},
    calls::{self, CallStore, ContentsRecorder, PinStore, Recorder},
    config::Mode,
    job::Journal,
    limit::{self, Limiter, Policy, Standing, Stats},
    policies::Refusals,
    providers::Models,
    queue::{self, DynCollection, DynQueue, Housekeeping},
    store::{clock::Clock, redis::Redis},
};

/// The use cases. They are in the files beside this one.
pub struct Studio {
    pub stores: Stores,
    pub settings: Settings,
    pub recorders: Recorders,
    /// The models of new jobs.
    pub models: Models,
    /// Blocks callers whose orders the provider refuses too often.
    pub refusals: Refusals,
    pub recent_orders: RecentOrders,
    pub uncertain_orders: UncertainOrders,
    pub search_permits: SearchPermits,
    /// Cancelled at shutdown: nothing new is accepted from then on.
    pub drain: CancellationToken,
}

impl Studio {
    /// Uses these stores. Once `drain` is cancelled no orders are accepted.
    pub fn new(
        stores: Stores,
        settings: Settings,
        models: Models,
        refusals: Refusals,
        stats: Stats,
        drain: CancellationToken,
    ) -> Self {
        Self {
            stores,
            settings,
            recorders: Recorders {
                stats,
                savings: Savings::default(),
                calls: Recorder::default(),
                contents: ContentsRecorder::default(),
                events: Arc::default(),
            },
            models,
            refusals,
            recent_orders: RecentOrders::default(),
            uncertain_orders: UncertainOrders::default(),
            search_permits: SearchPermits::default(),
            drain,
        }
    }
}

/// Where everything is kept, and the time by it. Clones share it.
#[derive(Clone)]
pub struct Stores {
    /// The store's clock.
    pub clock: Clock,
    pub queue: Arc<DynQueue>,
    /// What owners find among the queue's jobs.
    pub collection: Arc<DynCollection>,
    /// Which files the queue's jobs need.
    pub files: Arc<dyn Housekeeping>,
    /// Answers that are paid for and not recorded yet; their files are still needed.
    pub journal: Journal,
    pub blobs: Blobs,
    pub cache: Arc<dyn Cache>,
    /// `None` if meanings are not compared.
    pub semantic: Option<Arc<Semantic>>,
    pub limiter: Arc<dyn Limiter>,
    pub access: Arc<dyn AccessStore>,
    pub calls: Arc<dyn CallStore>,
    /// Which upstreams keep responses.
    pub pins: Arc<dyn PinStore>,
    /// What belongs to messages besides their jobs.
    pub messages: Arc<dyn MessageStore>,
    /// The Redis that processes share; `None` if there is one process only.
    pub redis: Option<Redis>,
}

/// What the operator has configured.
pub struct Settings {
    pub policies: Vec<Arc<Policy>>,
    /// Limits how many callbacks a caller requests.
    pub callbacks: Arc<Policy>,
    /// What becomes of an earlier picture whose words mean the same.
    pub mode: Mode,
    pub cache_ttl: Duration,
    pub jobs_kept: Duration,
    /// How long messages are kept that were delivered or cancelled.
    pub messages_kept: Duration,
    /// Maximum number of calls of an owner's messages to one host at a time.
    pub messages_per_host: u32,
    /// How long photos are kept, with what was made of them.
    pub photos_kept: Duration,
    pub stats_kept: Duration,
    /// How long contents of the gateway's calls are kept; `None` if they are not.
    pub contents_kept: Option<Duration>,
    pub events_kept: Duration,
    /// The site's URL as visitors see it.
    pub public_url: Option<Url>,
}

/// What is counted for the operator.
pub struct Recorders {
    /// What the policies decided.
    pub stats: Stats,
    /// What the caches saved.
    pub savings: Savings,
    /// What became of the gateway's calls.
    pub calls: Recorder,
    /// What was said in them.
    pub contents: ContentsRecorder,
    /// What became of messages.
    pub events: Arc<Events>,
}

/// Why the studio refused or failed a request.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("over a limit")]
    Limited(Vec<Standing>),
    #[error("the server is shutting down")]
    Closing,
    #[error("the caller has too many requests at a time")]
    Busy,
    #[error("the job belongs to somebody else")]
    NotYours,
    #[error(transparent)]
    Queue(#[from] queue::Error),
    #[error(transparent)]
    Cache(#[from] cache::Error),
    #[error(transparent)]
    Limit(#[from] limit::Error),
    #[error(transparent)]
    Access(#[from] access::Error),
    #[error(transparent)]
    Calls(#[from] calls::Error),
    #[error(transparent)]
    Messages(#[from] StoreError),
    #[error(transparent)]
    Blob(#[from] blob::Error),
}

impl From<queue::AddError> for Error {
    fn from(error: queue::AddError) -> Self {
        match error {
            queue::AddError::Queue(error) => Self::Queue(error),
            queue::AddError::Blob(error) => Self::Blob(error),
        }
    }
}
