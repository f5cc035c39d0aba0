//! The distributed store: one Redis 6.2 or later, Valkey, a Redis Cluster, or
//! a hosted one over TLS. A [`Redis`] detects which it is.
//!
//! All operations of a process share one multiplexed connection (one to each
//! node of a cluster), opened at first use and reopened whenever it is lost. An
//! operation has a time-out of three seconds, or half a second while Redis is known to
//! be unreachable; then it fails with [`Error::Away`]. The first operation after Redis is
//! back succeeds. No operation is repeated once it may have been carried out, and a
//! [`Script`]'s kind decides whether it runs at all once its caller has gone.
//!
//! A full Redis (`maxmemory` without eviction) refuses what would take more memory with
//! [`Error::Full`]; some kinds of scripts run nevertheless.

mod link;
#[cfg(feature = "testing")]
mod globals;
mod script;
mod subscription;
mod times;
mod url;

use std::{
    future::Future,
    sync::{
        Arc, LazyLock, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use ::redis::{Cmd, ErrorKind, FromRedisValue, RedisError, ServerErrorKind, Value};
use tokio::{
    sync::{Semaphore, mpsc},
    time::{sleep, timeout_at},
};
use tracing::{info, warn};

use self::{
    link::{Line, RESPONSE, too_slow},
    times::Times,
};
pub use self::{
    script::{Call, Script},
    subscription::Notice,
    url::RedisUrl,
};
use super::{
    Error,
    batcher::Until,
    clock::{Clock, StoreTime},
};

/// Time-out of an operation, connecting included.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// Time-out while Redis is unreachable: enough to notice its return.
const IMPATIENCE: Duration = Duration::from_millis(500);

/// A script is skipped from this long before its caller stops waiting: its answer takes
/// time, and clocks are known only with this accuracy.
const MARGIN: Duration = Duration::from_millis(200);

/// Maximum number of operations waiting for Redis.
const MOST_WAITING: usize = 4096;

/// Any command on one key, which has no hash tag: its door has that of the key.
static ANY: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "redis.call('DEL', '{' .. KEYS[1] .. '}:door')
        return redis.call(ARGV[1], KEYS[1], unpack(ARGV, 2))",
    )
});

/// Interval between measurements of Redis' time.
const MEASURE: Duration = Duration::from_secs(2);

/// The prefix of every key and channel, so that a Redis can be shared.
const PREFIX: &str = "atelier:";

/// A handle to Redis; clones share its connection.
#[derive(Clone)]
pub struct Redis {
    shared: Arc<Shared>,
    prefix: Arc<str>,
    /// Callers of this handle wait no longer than this.
    until: Option<Instant>,
}

impl Until for Redis {
    fn until(&self, deadline: Instant) -> Self {
        Self {
            until: Some(deadline),
            ..self.clone()
        }
    }
}

struct Shared {
    url: RedisUrl,
    line: Line,
    time: Arc<StoreTime>,
    times: Times,
    /// One permit per waiting operation.
    places: Semaphore,
    away: AtomicBool,
    full: AtomicBool,
}

impl Redis {
    /// Creates a handle that connects when first used. [`Redis::ping`] checks whether
    /// Redis is reachable; calling it is optional.
    pub fn open(url: RedisUrl) -> Self {
        let time = Arc::new(StoreTime::default());
        let shared = Shared {
            line: Line::new(url.clone(), Arc::clone(&time)),
            times: Times::new(Arc::clone(&time)),
            time,
            url,
            places: Semaphore::new(MOST_WAITING),
            away: AtomicBool::new(false),
            full: AtomicBool::new(false),
        };
        Self {
            shared: Arc::new(shared),
            prefix: PREFIX.into(),
            until: None,
        }
    }

    /// Returns a handle with the same connection and another prefix for keys and channels.
    #[must_use]
    pub fn with_prefix(&self, prefix: &str) -> Self {
        Self {
            prefix: prefix.into(),
            ..self.clone()
        }
    }

    /// The prefix of every key and channel.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The full name of a key or channel, as commands and scripts need it.
    /// Keys that go into one script share a hash tag: `{limits}:a`, `{limits}:b`.
    pub fn key(&self, name: impl AsRef<str>) -> String {
        format!("{}{}", self.prefix, name.as_ref())
    }

    /// Starts a call of a script, which runs in one round trip once it has its keys and
    /// arguments.
    pub fn script<'a>(&'a self, script: &'a Script) -> Call<'a> {
        Call::new(self, script)
    }

    /// Runs one command; its keys are full names.
    pub async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Error> {
        let until = self.patience_ends();
        self.shared.converse(until, self.shared.ask(command)).await
    }

    /// When a caller that starts now stops waiting.
    fn patience_ends(&self) -> Instant {
        let end = Instant::now() + self.shared.patience();
        self.until.map_or(end, |until| until.min(end))
    }

    /// Runs one command on one key without a hash tag, even when Redis is full: for small
    /// writes that must always succeed.
    pub async fn always<T: FromRedisValue>(
        &self,
        command: &str,
        key: &str,
        arguments: &[&str],
    ) -> Result<T, Error> {
        let call = self.script(&ANY).key(key).arg(command);
        call.arg(arguments).run().await
    }

    /// Checks that Redis answers; in a cluster, that every master does.
    pub async fn ping(&self) -> Result<(), Error> {
        self.query(&::redis::cmd("PING")).await
    }

    /// Returns Redis' clock, which is measured from now on, as long as there is a handle.
    /// Waits for the first measurement, but not for long if Redis is unreachable: then the
    /// clock returns the machine's time, and no operation started at such a time is carried
    /// out once Redis is back. Errors if a newer version has written the data.
    pub async fn clock(&self) -> Result<Clock, Error> {
        // Every new connection starts with a measurement.
        if let Err(error @ Error::Newer { .. }) = self.ping().await {
            return Err(error);
        }
        tokio::spawn(watch(Arc::downgrade(&self.shared)));
        Ok(Clock::of(Arc::clone(&self.shared.time)))
    }

    /// Listens to a channel until the receiver is dropped, and reconnects whenever the
    /// connection is lost. Every [`Notice::Connected`] means that messages may have been
    /// missed before it.
    pub fn subscribe(&self, channel: &str) -> mpsc::Receiver<Notice> {
        subscription::start(self.shared.url.clone(), self.key(channel))
    }
}

impl Shared {
    /// The present time-out of an operation.
    fn patience(&self) -> Duration {
        if self.away.load(Ordering::Relaxed) {
            IMPATIENCE
        } else {
            PATIENCE
        }
    }

    /// Awaits an exchange with Redis until the deadline, and logs when Redis becomes
    /// unreachable and when it is back.
    async fn converse<T: FromRedisValue>(
        &self,
        until: Instant,
        conversation: impl Future<Output = Result<Value, RedisError>>,
    ) -> Result<T, Error> {
        let _place = self.places.try_acquire().map_err(|_| Error::crowded())?;
        let answer = match timeout_at(until.into(), conversation).await {
            Ok(answer) => answer.map_err(Error::from),
            Err(_) => Err(Error::silent(PATIENCE)),
        };
        self.note(&answer);
        ::redis::from_redis_value(answer?).map_err(|error| Error::Redis(error.into()))
    }

    /// Logs, once each, that Redis is unreachable or full, and that it no longer is.
    fn note(&self, answer: &Result<Value, Error>) {
        match answer {
            Err(error @ Error::Away(_)) => {
                if !self.away.swap(true, Ordering::Relaxed) {
                    warn!(redis = %self.url, %error, "Redis is unreachable");
                }
            }
            Err(error) => {
                if error.is_out_of_memory() && !self.full.swap(true, Ordering::Relaxed) {
                    warn!(redis = %self.url, %error, "Redis is full: nothing new is accepted; deleting frees memory");
                }
            }
            Ok(_) => {
                if self.away.load(Ordering::Relaxed) && self.away.swap(false, Ordering::Relaxed) {
                    info!("Redis is back");
                }
            }
        }
    }

    async fn ask(&self, command: &Cmd) -> Result<Value, RedisError> {
        self.line.connect().await?.ask(command).await
    }

    async fn measure(&self) -> Result<(), Error> {
        let measuring = async {
            let link = self.line.connect().await?;
            link.clone().measure(&self.time).await?;
            self.times.measure_others(&link).await?;
            Ok(Value::Okay)
        };
        let until = Instant::now() + self.patience();
        self.converse(until, measuring).await
    }

    /// Measures the time of the node that has this key.
    async fn measure_for(&self, key: &str) -> Result<(), RedisError> {
        self.times.measure(&self.line.connect().await?, key).await
    }

    /// The last moment at which a caller that waits until then wants a script that is sent
    /// now, by the clock of the node that has this key.
    async fn deadline(&self, key: &str, until: Instant) -> Result<i64, RedisError> {
        let link = self.line.connect().await?;
        let time = self.times.of(&link, key).await?;
        let now = Instant::now();
        let wait = until.saturating_duration_since(now).min(RESPONSE);
        time.told_at(now + wait.saturating_sub(MARGIN))
            .ok_or_else(too_slow)
    }
}

/// Measures Redis' clock as long as there is a handle.
async fn watch(shared: Weak<Shared>) {
    loop {
        sleep(MEASURE).await;
        let Some(shared) = shared.upgrade() else {
            return;
        };
        // That Redis is unreachable is logged elsewhere.
        let _ = shared.measure().await;
    }
}

/// Whether Redis is unreachable, does not answer, or reports that it cannot serve yet.
pub(super) fn is_away(error: &RedisError) -> bool {
    use ServerErrorKind as S;
    match error.kind() {
        _ if is_late(error) => true,
        ErrorKind::Io | ErrorKind::ClusterConnectionNotFound => true,
        ErrorKind::Server(kind) => matches!(
            kind,
            S::BusyLoading
                | S::ClusterDown
                | S::MasterDown
                | S::ReadOnly
                | S::TryAgain
                | S::Moved
                | S::Ask
        ),
        _ => false,
    }
}

/// The version of the records, if it is newer than ours.
pub(super) fn newer(error: &RedisError) -> Option<(String, String)> {
    let found = error.detail().filter(|_| error.kind() == link::NEWER)?;
    found.parse::<u64>().ok()?;
    Some((found.to_owned(), link::SCHEMA.to_string()))
}

/// Whether a script was skipped because its caller no longer waits.
pub(super) fn is_late(error: &RedisError) -> bool {
    error.code() == Some("LATE")
}

/// Whether Redis has no memory left. Before 7.0 a script's error has another code.
pub(super) fn is_full(error: &RedisError) -> bool {
    let says_so = |detail: &str| detail.contains("OOM command not allowed");
    error.code() == Some("OOM") || error.detail().is_some_and(says_so)
}
