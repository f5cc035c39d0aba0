//! Builds what a process works with, by its configuration.

mod messages;
mod pictures;

use std::{fs::File, sync::Arc};

use anyhow::{Context as _, Result};
use atelier_messages::{Events, RedisMessageStore, SqliteMessageStore};
use atelier_webhook::CallbackClient;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use url::Url;

use crate::{
    access::{RedisAccessStore, SqliteAccessStore},
    app::data_dir,
    app::schema,
    app::{Settings, Stores, Studio},
    blob::Blobs,
    cache::{
        RedisCache, SqliteCache,
        semantic::{Backend, Encoder, Pocket, Semantic},
    },
    callback::{self, DeliveryClient},
    calls::{RedisCallStore, SqliteCallStore},
    config::{CallbacksConfig, Config, EncoderName, Mode, RefusalsConfig},
    job::{self, Journal},
    limit::{RedisLimiter, RejectionCache, SqliteLimiter, Stats},
    policies::{self, Refusals},
    providers::{Models, openai::OpenAiEncoder, replicate::Webhooks},
    queue::{DynCollection, Housekeeping, Lane, RedisQueue, SqliteQueue},
    store::{
        clock::Clock,
        redis::{Redis, RedisUrl},
        sqlite::Database,
    },
    worker::{Claims, Fallbacks, Worker},
};

/// The file of the embedded store, in the data folder.
const DATABASE: &str = "atelier.db";

/// The stores, clients and locks of one process.
pub struct AppContext {
    pub stores: Stores,
    /// The models of new jobs.
    pub models: Models,
    /// Receives Replicate's webhooks.
    pub webhooks: Arc<Webhooks>,
    /// What became of messages, until the store has it.
    events: Arc<Events>,
    /// `None` if the store is a Redis.
    database: Option<Database>,
    /// Locks the data folder for this process.
    _lock: Option<File>,
    /// Stands in for a data folder that does not exist.
    _empty: Option<TempDir>,
}

impl AppContext {
    /// Opens the context of a process that works on the queue. With a Redis it is one
    /// of several; without, it is the only one, and takes over the jobs that an
    /// earlier one left.
    pub async fn open(config: &Config) -> Result<Self> {
        data_dir::make(&config.data)?;
        if let Some(url) = &config.redis_url {
            return Self::in_redis(config, url).await;
        }
        let lock = data_dir::lock(&config.data)?;
        let database = database(config)?;
        let queue = SqliteQueue::take_over(database.clone(), Clock::system().now()).await?;
        Ok(Self {
            _lock: Some(lock),
            ..Self::in_database(config, queue, database)?
        })
    }

    /// Opens the context of a command that only reads. If there is no store yet, it
    /// reads an empty one and creates nothing.
    pub async fn read_only(config: &Config) -> Result<Self> {
        let kept = match &config.redis_url {
            Some(_) => config.data.join(data_dir::IMAGES).exists(),
            None => config.data.join(DATABASE).exists(),
        };
        if kept {
            return Self::beside(config).await;
        }
        let empty = tempfile::tempdir().context("cannot make a temporary folder")?;
        let config = Config {
            data: empty.path().to_owned(),
            ..config.clone()
        };
        Ok(Self {
            _empty: Some(empty),
            ..Self::beside(&config).await?
        })
    }

    /// Opens the context of an operator's command, beside a server that may be running.
    pub async fn beside(config: &Config) -> Result<Self> {
        data_dir::make(&config.data)?;
        if let Some(url) = &config.redis_url {
            return Self::in_redis(config, url).await;
        }
        let database = database(config)?;
        Self::in_database(config, SqliteQueue::new(database.clone()), database)
    }

    fn in_database(config: &Config, queue: SqliteQueue, database: Database) -> Result<Self> {
        let queue = Arc::new(queue);
        let limiter = Arc::new(SqliteLimiter::new(database.clone()));
        let stores = Stores {
            clock: Clock::system(),
            collection: Arc::clone(&queue) as Arc<DynCollection>,
            files: Arc::clone(&queue) as Arc<dyn Housekeeping>,
            queue,
            journal: journal(config),
            blobs: blobs(config)?,
            cache: Arc::new(SqliteCache::new(database.clone(), config.cache.entries)),
            semantic: semantic(config, Backend::Sqlite(database.clone()))?,
            limiter: Arc::new(RejectionCache::new(limiter)),
            access: Arc::new(SqliteAccessStore::new(database.clone())),
            calls: Arc::new(SqliteCallStore::new(database.clone())),
            pins: Arc::new(SqliteCallStore::new(database.clone())),
            messages: Arc::new(SqliteMessageStore::new(database.clone())),
            redis: None,
        };
        Ok(Self {
            database: Some(database),
            ..Self::over(config, stores)?
        })
    }

    async fn in_redis(config: &Config, url: &RedisUrl) -> Result<Self> {
        let redis = Redis::open(url.clone());
        let queue = Arc::new(RedisQueue::new(redis.clone()));
        let limiter = RedisLimiter::new(redis.clone());
        let freed = limiter.freed();
        let stores = Stores {
            clock: redis.clock().await?,
            collection: Arc::clone(&queue) as Arc<DynCollection>,
            files: Arc::clone(&queue) as Arc<dyn Housekeeping>,
            queue,
            journal: journal(config),
            blobs: blobs(config)?,
            cache: Arc::new(RedisCache::new(redis.clone(), config.cache.entries)),
            access: Arc::new(RedisAccessStore::new(redis.clone())),
            calls: Arc::new(RedisCallStore::new(redis.clone())),
            pins: Arc::new(RedisCallStore::new(redis.clone())),
            messages: Arc::new(RedisMessageStore::new(redis.clone())),
            semantic: semantic(config, Backend::Redis(redis.clone()))?,
            redis: Some(redis),
            limiter: Arc::new(RejectionCache::shared(Arc::new(limiter), freed)),
        };
        Self::over(config, stores)
    }

    fn over(config: &Config, stores: Stores) -> Result<Self> {
        let webhooks = webhooks(config)?;
        Ok(Self {
            stores,
            models: pictures::models(config, &webhooks)?,
            webhooks,
            events: Arc::default(),
            database: None,
            _lock: None,
            _empty: None,
        })
    }

    /// Writes the database's log into its file. To be called last.
    pub async fn close(&self) {
        if let Some(database) = &self.database
            && let Err(error) = database.close().await
        {
            warn!(%error, "the database's log could not be moved into its file; keep both");
        }
    }

    /// Builds the studio; once `drain` is cancelled it accepts no orders.
    pub fn studio(
        &self,
        config: &Config,
        stats: Stats,
        drain: CancellationToken,
    ) -> Result<Studio> {
        let settings = Settings {
            policies: config.limits.iter().cloned().map(Arc::new).collect(),
            callbacks: policies::callbacks(config.callbacks.per_hour)?,
            mode: config.semantic.mode,
            cache_ttl: config.cache.ttl,
            jobs_kept: config.queue.keep,
            messages_kept: config.messages.keep,
            messages_per_host: config.messages.per_host,
            photos_kept: config.photos.keep,
            stats_kept: config.figures.keep,
            contents_kept: config.gateway.record.then_some(config.gateway.record_keep),
            events_kept: config.messages.events_keep,
            public_url: config.public_url.clone(),
        };
        let mut studio = Studio::new(
            self.stores.clone(),
            settings,
            self.models.clone(),
            self.refusals(config)?,
            stats,
            drain,
        );
        studio.recorders.events = Arc::clone(&self.events);
        Ok(studio)
    }

    fn refusals(&self, config: &Config) -> Result<Refusals> {
        let RefusalsConfig { quota, window } = config.refusals;
        Ok(Refusals::new(
            Arc::clone(&self.stores.limiter),
            quota,
            window,
        )?)
    }

    /// Builds a worker that delivers to `url`.
    pub fn worker(
        &self,
        config: &Config,
        secret: &str,
        url: Url,
        drain: CancellationToken,
    ) -> Result<Worker> {
        let no_client = "cannot make an HTTP client";
        Ok(Worker {
            clock: self.stores.clock.clone(),
            queue: Arc::clone(&self.stores.queue),
            providers: pictures::lanes(config, &self.models),
            fallbacks: Fallbacks::new(self.models.clone()),
            gateway: None,
            blobs: self.stores.blobs.clone(),
            files: Arc::clone(&self.stores.files),
            journal: self.stores.journal.clone(),
            claims: Claims::default(),
            deliveries: DeliveryClient::new(url, callback::signer(secret)).context(no_client)?,
            callbacks: callback_client(&config.callbacks, secret).context(no_client)?,
            notices: notice_lanes(&config.callbacks),
            messages: self.message_delivery(config, secret)?,
            refusals: self.refusals(config)?,
            settings: config.queue.clone(),
            drain,
            hand_back: CancellationToken::new(),
        })
    }
}

fn database(config: &Config) -> Result<Database> {
    schema::open(&config.data.join(DATABASE)).with_context(|| {
        format!(
            "cannot open the database in {:?} (setting data, ATELIER_DATA)",
            config.data
        )
    })
}

fn semantic(config: &Config, backend: Backend) -> Result<Option<Arc<Semantic>>> {
    let settings = &config.semantic;
    if settings.mode == Mode::Off {
        return Ok(None);
    }
    let semantic = Semantic::new(
        encoder(config)?,
        backend,
        settings.threshold,
        settings.entries,
    );
    Ok(Some(Arc::new(semantic)))
}

/// Builds the encoder that turns prompts into vectors.
pub fn encoder(config: &Config) -> Result<Arc<dyn Encoder>> {
    let openai = &config.openai;
    Ok(match config.semantic.encoder {
        EncoderName::Pocket => Arc::new(Pocket::new()),
        EncoderName::OpenAi => {
            let (key, model) = (openai.api_key.clone(), config.semantic.model.clone());
            Arc::new(OpenAiEncoder::new(&openai.base_url, key, model)?)
        }
    })
}

fn journal(config: &Config) -> Journal {
    Journal::in_folder(config.data.join(data_dir::JOURNAL))
}

fn blobs(config: &Config) -> Result<Blobs> {
    let blobs = Blobs::in_folder(&config.data.join(data_dir::IMAGES))?;
    Ok(blobs.with_variants(job::variants()))
}

fn webhooks(config: &Config) -> Result<Arc<Webhooks>> {
    let secret = config.replicate.webhook_secret.as_ref();
    Ok(Arc::new(Webhooks::new(
        secret.map(|secret| secret.0.as_str()),
    )?))
}

/// Builds the client that sends signed notices to API users.
fn callback_client(config: &CallbacksConfig, secret: &str) -> Result<CallbackClient> {
    let client = CallbackClient::builder()
        .allow_private(config.allow_private)
        .timeout(config.timeout)
        .user_agent("Atelier")
        .build(callback::outgoing_signer(secret))?;
    Ok(client)
}

fn notice_lanes(config: &CallbacksConfig) -> Vec<Lane> {
    let lane = |name| Lane {
        name,
        parallel: Some(config.parallel),
        per_second: Some(config.per_second),
    };
    job::notice_lanes().map(lane).collect()
}

/// Installs the TLS implementation for all HTTP clients and Redis.
pub fn start_cryptography() {
    // Fails only if a provider is installed already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
