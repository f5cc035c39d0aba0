//! The distributed store: one Redis 6.2 or later, Valkey, a Redis Cluster, or
//! a hosted one over TLS. A [`Redis`] finds out by itself which it is.
//!
//! All operations of a process share one multiplexed connection (one to each
//! node of a cluster), made at the first of them and made anew whenever it is
//! lost. An operation is given three seconds; while Redis is away it fails with
//! [`Error::Away`], and the first one after Redis is back succeeds. None is
//! repeated here once it may have been carried out.

mod link;
mod script;
#[cfg(test)]
mod globals;
mod subscription;
mod url;

use std::{
    future::Future,
    io,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ::redis::{Cmd, ErrorKind, FromRedisValue, RedisError, ServerErrorKind, Value};
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};
use tracing::{info, warn};

use self::link::Line;
pub use self::{
    script::{Call, Script},
    subscription::Notice,
    url::RedisUrl,
};
use super::{
    Error,
    clock::{Clock, StoreTime},
};

/// How long an operation may take, connecting included.
const PATIENCE: Duration = Duration::from_secs(3);

/// How often Redis is asked for the time.
const MEASURE: Duration = Duration::from_secs(2);

/// Stands before every key and channel, so that a Redis can be shared.
const PREFIX: &str = "atelier:";

/// A handle to Redis; clones share its connection.
#[derive(Clone)]
pub struct Redis {
    shared: Arc<Shared>,
    prefix: Arc<str>,
}

struct Shared {
    url: RedisUrl,
    line: Line,
    time: Arc<StoreTime>,
    away: AtomicBool,
}

impl Redis {
    /// A handle that connects when first used. [`Redis::ping`] tells whether
    /// Redis is there; to go on without it is fine.
    pub fn open(url: RedisUrl) -> Self {
        let time = Arc::new(StoreTime::default());
        let shared = Shared {
            line: Line::new(url.clone(), Arc::clone(&time)),
            time,
            url,
            away: AtomicBool::new(false),
        };
        Self {
            shared: Arc::new(shared),
            prefix: PREFIX.into(),
        }
    }

    /// The same connection for keys and channels under another prefix.
    #[must_use]
    pub fn with_prefix(&self, prefix: &str) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            prefix: prefix.into(),
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
        self.shared.converse(self.shared.ask(command)).await
    }

    /// Redis answers; of a cluster, every master does.
    pub async fn ping(&self) -> Result<(), Error> {
        self.query(&::redis::cmd("PING")).await
    }

    /// The time by Redis, which is asked for it from now on, for as long as
    /// there is a handle. Waits for the first answer, but not for long if Redis
    /// is away: then the clock tells the machine's time, and nothing that was
    /// asked at such a time is carried out when Redis comes.
    pub async fn clock(&self) -> Clock {
        // Every new connection begins with the time.
        let _ = self.ping().await;
        tokio::spawn(watch(Arc::downgrade(&self.shared)));
        Clock::of(Arc::clone(&self.shared.time))
    }

    /// Listens to a channel until the receiver is dropped, and for that long
    /// connects again whenever the connection is lost. Every [`Notice::Connected`]
    /// means that messages may have been missed before it.
    pub fn subscribe(&self, channel: &str) -> mpsc::Receiver<Notice> {
        subscription::start(self.shared.url.clone(), self.key(channel))
    }
}

impl Shared {
    /// Waits for a conversation with Redis, no longer than [`PATIENCE`], and
    /// logs when Redis has gone and when it is back.
    async fn converse<T: FromRedisValue>(
        &self,
        conversation: impl Future<Output = Result<Value, RedisError>>,
    ) -> Result<T, Error> {
        let answer = timeout(PATIENCE, conversation)
            .await
            .unwrap_or_else(|_| Err(silence()));
        match &answer {
            Err(error) if is_away(error) => {
                if !self.away.swap(true, Ordering::Relaxed) {
                    warn!(redis = %self.url, %error, "Redis is away");
                }
            }
            Err(_) => {}
            Ok(_) => {
                if self.away.load(Ordering::Relaxed) && self.away.swap(false, Ordering::Relaxed) {
                    info!("Redis is back");
                }
            }
        }
        ::redis::from_redis_value(answer?).map_err(|error| Error::Redis(error.into()))
    }

    async fn ask(&self, command: &Cmd) -> Result<Value, RedisError> {
        self.line.connect().await?.ask(command).await
    }

    async fn measure(&self) -> Result<(), Error> {
        let measuring = async {
            let link = self.line.connect().await?;
            link.measure(&self.time).await.map(|()| Value::Okay)
        };
        self.converse(measuring).await
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

fn silence() -> RedisError {
    let text = format!("no answer within {} s", PATIENCE.as_secs());
    io::Error::new(io::ErrorKind::TimedOut, text).into()
}
