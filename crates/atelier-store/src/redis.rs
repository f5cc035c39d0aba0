//! The distributed store: one Redis 6.2 or later, Valkey, a Redis Cluster, or
//! a hosted one over TLS. A [`Redis`] finds out by itself which it is.
//!
//! All operations of a process share one multiplexed connection (one to each
//! node of a cluster), made at the first of them and made anew whenever it is
//! lost. An operation is given three seconds, and half of one while Redis is
//! known to be away: it fails with [`Error::Away`] then, and the first one after
//! Redis is back succeeds. None is repeated here once it may have been carried
//! out, and a [`Script`] says whether it is carried out at all once its caller
//! has gone.
//!
//! A Redis that is full (`maxmemory` without eviction) refuses what would take
//! more memory with [`Error::Full`]; some kinds of scripts are carried out all
//! the same.

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

/// How long an operation may take, connecting included.
pub const PATIENCE: Duration = Duration::from_secs(3);

/// How long it may take while Redis is away: enough to find it back.
const IMPATIENCE: Duration = Duration::from_millis(500);

/// So long before its caller stops waiting a script is not carried out any more:
/// its answer needs some time, and a clock is known only as exactly as that.
const MARGIN: Duration = Duration::from_millis(200);

/// How many operations may wait for Redis.
const MOST_WAITING: usize = 4096;

/// Any command on one key, which has no hash tag: its door has that of the key.
static ANY: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "redis.call('DEL', '{' .. KEYS[1] .. '}:door')
        return redis.call(ARGV[1], KEYS[1], unpack(ARGV, 2))",
    )
});

/// How often Redis is asked for the time.
const MEASURE: Duration = Duration::from_secs(2);

/// Stands before every key and channel, so that a Redis can be shared.
const PREFIX: &str = "atelier:";

/// A handle to Redis; clones share its connection.
#[derive(Clone)]
pub struct Redis {
    shared: Arc<Shared>,
    prefix: Arc<str>,
    /// Nobody waits longer for what is asked through this handle.
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
    /// One for each operation that may wait.
    places: Semaphore,
    away: AtomicBool,
    full: AtomicBool,
}

impl Redis {
    /// A handle that connects when first used. [`Redis::ping`] tells whether
    /// Redis is there; to go on without it is fine.
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

    /// The same connection for keys and channels under another prefix.
    #[must_use]
    pub fn with_prefix(&self, prefix: &str) -> Self {
        Self {
            prefix: prefix.into(),
            ..self.clone()
        }
    }

    /// What stands before every key and channel.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The full name of a key or channel, as commands and scripts need it.
    /// Keys that go into one script share a hash tag: `{limits}:a`, `{limits}:b`.
    pub fn key(&self, name: impl AsRef<str>) -> String {
        format!("{}{}", self.prefix, name.as_ref())
    }

    /// A script, to be given its keys and arguments and run in one round trip.
    pub fn script<'a>(&'a self, script: &'a Script) -> Call<'a> {
        Call::new(self, script)
    }

    /// Runs one command; its keys are full names.
    pub async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, Error> {
        let until = self.patience_ends();
        self.shared.converse(until, self.shared.ask(command)).await
    }

    /// When whoever asks now stops waiting.
    fn patience_ends(&self) -> Instant {
        let end = Instant::now() + self.shared.patience();
        self.until.map_or(end, |until| until.min(end))
    }

    /// Runs one command on one key without a hash tag, even when Redis is full:
    /// for what must be written then, too, and is small.
    pub async fn always<T: FromRedisValue>(
        &self,
        command: &str,
        key: &str,
        arguments: &[&str],
    ) -> Result<T, Error> {
        let call = self.script(&ANY).key(key).arg(command);
        call.arg(arguments).run().await
    }

    /// Redis answers; of a cluster, every master does.
    pub async fn ping(&self) -> Result<(), Error> {
        self.query(&::redis::cmd("PING")).await
    }

    /// The time by Redis, which is asked for it from now on, for as long as
    /// there is a handle. Waits for the first answer, but not for long if Redis
    /// is away: then the clock tells the machine's time, and nothing that was
    /// asked at such a time is carried out when Redis comes. Errors if a newer
    /// version has written what is there.
    pub async fn clock(&self) -> Result<Clock, Error> {
        // Every new connection begins with the time.
        if let Err(error @ Error::Newer { .. }) = self.ping().await {
            return Err(error);
        }
        tokio::spawn(watch(Arc::downgrade(&self.shared)));
        Ok(Clock::of(Arc::clone(&self.shared.time)))
    }

    /// Listens to a channel until the receiver is dropped, and for that long
    /// connects again whenever the connection is lost. Every [`Notice::Connected`]
    /// means that messages may have been missed before it.
    pub fn subscribe(&self, channel: &str) -> mpsc::Receiver<Notice> {
        subscription::start(self.shared.url.clone(), self.key(channel))
    }
}

impl Shared {
    /// How long an operation may take at the moment.
    fn patience(&self) -> Duration {
        if self.away.load(Ordering::Relaxed) {
            IMPATIENCE
        } else {
            PATIENCE
        }
    }

    /// Waits for a conversation with Redis until then, and logs when Redis has
    /// gone and when it is back.
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

    /// Logs that Redis has gone or is full, and that it no longer is, once.
    fn note(&self, answer: &Result<Value, Error>) {
        match answer {
            Err(error @ Error::Away(_)) => {
                if !self.away.swap(true, Ordering::Relaxed) {
                    warn!(redis = %self.url, %error, "Redis is away");
                }
            }
            Err(error) => {
                if error.is_out_of_memory() && !self.full.swap(true, Ordering::Relaxed) {
                    warn!(redis = %self.url, %error, "Redis is full; deleting makes room, nothing new is taken");
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

    /// Asks the node that has this key for its time.
    async fn measure_for(&self, key: &str) -> Result<(), RedisError> {
        self.times.measure(&self.line.connect().await?, key).await
    }

    /// The last moment at which a script sent now is wanted by who waits until
    /// then, by the clock of the node that has this key.
    async fn deadline(&self, key: &str, until: Instant) -> Result<i64, RedisError> {
        let link = self.line.connect().await?;
        let time = self.times.of(&link, key).await?;
        let now = Instant::now();
        let wait = until.saturating_duration_since(now).min(RESPONSE);
        time.told_at(now + wait.saturating_sub(MARGIN))
            .ok_or_else(too_slow)
    }
}

/// Follows Redis' clock while there is a handle.
async fn watch(shared: Weak<Shared>) {
    loop {
        sleep(MEASURE).await;
        let Some(shared) = shared.upgrade() else {
            return;
        };
        // Whether Redis is away is logged.
        let _ = shared.measure().await;
    }
}

/// Redis cannot be reached, does not answer, or says that it cannot serve yet.
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

/// A script was not carried out, because nobody waits for it any more.
pub(super) fn is_late(error: &RedisError) -> bool {
    error.code() == Some("LATE")
}

/// Redis has no memory for more. Before 7.0 a script's error has another code.
pub(super) fn is_full(error: &RedisError) -> bool {
    let says_so = |detail: &str| detail.contains("OOM command not allowed");
    error.code() == Some("OOM") || error.detail().is_some_and(says_so)
}
