//! Where everything is kept: in one SQLite file, or in Redis.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Result;
use atelier_cache::{
    Cache, RedisCache, SqliteCache,
    semantic::{Backend, Pocket, Semantic},
};
use atelier_limit::{Limiter, RedisLimiter, SqliteLimiter};
use atelier_queue::{Queue, RedisQueue, SqliteQueue};
use atelier_store::{clock::Clock, redis::Redis, sqlite::Database};
use jiff::Timestamp;
use tokio::time::interval;
use tracing::warn;

use crate::{App, work::Task};

/// Answers that either cache keeps, at most.
const ENTRIES: usize = 100_000;

/// Cosine similarity below which prompts are not compared word by word.
const THRESHOLD: f32 = 0.5;

/// How long answers are kept, and found in the caches.
pub(crate) const KEPT: Duration = Duration::from_hours(24);

/// The stores, and the time by which they go.
pub struct Stores {
    pub(crate) limiter: Arc<dyn Limiter>,
    pub(crate) cache: Arc<dyn Cache>,
    pub(crate) semantic: Semantic,
    pub(crate) queue: Arc<dyn Queue<Task>>,
    pub(crate) clock: Clock,
}

impl Stores {
    /// In a file, for one process.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub async fn sqlite(file: &Path) -> Result<Self> {
        let schemas = [
            SqliteLimiter::SCHEMA,
            SqliteCache::SCHEMA,
            SqliteQueue::<Task>::SCHEMA,
        ];
        let database = Database::open(file, &schemas)?;
        let clock = Clock::system();
        // What an earlier process had claimed is claimed anew.
        let queue = SqliteQueue::take_over(database.clone(), clock.now()).await?;
        Ok(Self {
            limiter: Arc::new(SqliteLimiter::new(database.clone())),
            cache: Arc::new(SqliteCache::new(database.clone(), ENTRIES as u64)),
            semantic: semantic(Backend::Sqlite(database)),
            queue: Arc::new(queue),
            clock,
        })
    }

    /// In Redis, for any number of processes.
    ///
    /// # Errors
    /// If a newer version has written what is there.
    pub async fn redis(redis: Redis) -> Result<Self> {
        Ok(Self {
            limiter: Arc::new(RedisLimiter::new(redis.clone())),
            cache: Arc::new(RedisCache::new(redis.clone(), ENTRIES as u64)),
            semantic: semantic(Backend::Redis(redis.clone())),
            queue: Arc::new(RedisQueue::new(redis.clone())),
            clock: redis.clock().await?,
        })
    }
}

fn semantic(backend: Backend) -> Semantic {
    Semantic::new(Arc::new(Pocket::new()), backend, THRESHOLD, ENTRIES)
}

/// Follows what other processes remember, and forgets what is old.
pub(crate) async fn maintain(app: Arc<App>) {
    let sweep = async {
        let mut hours = interval(Duration::from_hours(1));
        loop {
            hours.tick().await;
            if let Err(error) = app.stores.sweep().await {
                warn!(%error, "old records could not be removed");
            }
        }
    };
    tokio::join!(app.stores.semantic.keep_renewing(), sweep);
}

impl Stores {
    async fn sweep(&self) -> Result<()> {
        let now = self.clock.now();
        self.limiter.sweep(now).await?;
        self.cache.sweep(now, now - KEPT).await?;
        self.semantic.sweep(now).await?;
        loop {
            let old = Timestamp::UNIX_EPOCH..now - KEPT;
            let jobs = self.queue.finished(old, 100).await?;
            if jobs.is_empty() {
                return Ok(());
            }
            for id in jobs {
                self.queue.delete(&id).await?;
            }
        }
    }
}
