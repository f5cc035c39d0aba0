//! Opens and keeps the connection.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use ::redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, ErrorKind, FromRedisValue, ProtocolVersion,
    PushInfo, PushKind, RedisError, ServerErrorKind, Value, aio::MultiplexedConnection,
    cluster::ClusterClient, cluster_async::ClusterConnection,
};
use futures::{
    FutureExt as _,
    future::{BoxFuture, Shared, select_ok},
};
use tokio::time::{error::Elapsed, sleep, timeout};

use tracing::warn;

use super::{PATIENCE, RedisUrl};
use crate::clock::{Sample, StoreTime};

/// Time-out of a connection attempt, up to the first answer.
pub(super) const CONNECT: Duration = Duration::from_millis(1500);

/// Time-out of an answer on an open connection.
pub(super) const RESPONSE: Duration = Duration::from_secs(2);

/// Maximum number of redirections and lost nodes per operation on a cluster.
const CLUSTER_RETRIES: u32 = 4;

/// The version of the records that this program writes, increased whenever an older
/// program could not read them.
pub(super) const SCHEMA: u64 = 3;

/// The key of the stored records' version, on the node that has the queue.
const SCHEMA_KEY: &str = "atelier:{queue}:schema";

/// The error kind for a newer version; no other error of ours has it.
pub(super) const NEWER: ErrorKind = ErrorKind::InvalidClientConfig;

/// The first commands on a connection, repeated periodically: read the time and the
/// records' version. A full Redis does not store a new version.
const GREETING: &str = "
local version = redis.call('GET', KEYS[1])
if not version or tonumber(version) < tonumber(ARGV[1]) then
  redis.pcall('SET', KEYS[1], ARGV[1])
  version = ARGV[1]
end
local time = redis.call('TIME')
return { tonumber(time[1]), tonumber(time[2]), tonumber(version) }";

/// Maximum number of commands waiting to be written. The library's default of 50 would make
/// hundreds of concurrent operations wait for each other.
const BUFFER: usize = 1024;

type Attempt = Shared<BoxFuture<'static, Result<Link, RedisError>>>;

/// The open connection, or the attempt that all callers share.
pub(super) struct Line {
    url: RedisUrl,
    time: Arc<StoreTime>,
    attempt: Mutex<Option<Attempt>>,
}

impl Line {
    pub(super) fn new(url: RedisUrl, time: Arc<StoreTime>) -> Self {
        Self {
            url,
            time,
            attempt: Mutex::default(),
        }
    }

    /// Returns the connection, reopened if it was lost.
    pub(super) async fn connect(&self) -> Result<Link, RedisError> {
        self.attempt().await
    }

    fn attempt(&self) -> Attempt {
        let mut current = self.attempt.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(attempt) = current.as_ref() {
            match attempt.peek() {
                None => return attempt.clone(),
                Some(Ok(link)) if link.is_open() => return attempt.clone(),
                Some(_) => {}
            }
        }
        let attempt = open(self.url.clone(), Arc::clone(&self.time))
            .boxed()
            .shared();
        // In a task of its own: it must not end with the first caller's time-out.
        tokio::spawn(attempt.clone());
        *current = Some(attempt.clone());
        attempt
    }
}

/// A connection.
#[derive(Clone)]
pub(super) struct Link {
    connection: Connection,
    open: Arc<AtomicBool>,
}

#[derive(Clone)]
enum Connection {
    Single(MultiplexedConnection),
    /// Manages its connections to the nodes itself.
    Cluster(ClusterConnection),
}

impl Link {
    fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed)
    }

    /// Measures the time. In a cluster, of the node that has the queue, so that all
    /// processes use the same clock.
    pub(super) async fn measure(self, time: &StoreTime) -> Result<(), RedisError> {
        let mut question = ::redis::cmd("EVAL");
        question.arg(GREETING).arg(1).arg(SCHEMA_KEY).arg(SCHEMA);
        let open = Arc::clone(&self.open);
        let time_told = |&(seconds, microseconds, _): &(_, _, u64)| (seconds, microseconds);
        let ((_, _, schema), sample) = self.timed(&question, time_told).await?;
        if schema > SCHEMA {
            open.store(false, Ordering::Relaxed);
            return Err((NEWER, "the records have a newer schema", schema.to_string()).into());
        }
        time.take(sample);
        Ok(())
    }

    /// Measures the time of the node that has this key.
    pub(super) async fn measure_for(self, key: &str, time: &StoreTime) -> Result<(), RedisError> {
        let mut question = ::redis::cmd("EVAL");
        question.arg("return redis.call('TIME')").arg(1).arg(key);
        let (_, sample) = self.timed(&question, |told| *told).await?;
        time.follow(sample);
        Ok(())
    }

    /// Sends a request. Returns its answer, and the measurement of the `time` that the answer
    /// contains.
    async fn timed<T: FromRedisValue>(
        self,
        question: &Cmd,
        time: impl Fn(&T) -> (i64, i64),
    ) -> Result<(T, Sample), RedisError> {
        let asked = Instant::now();
        let answer = timeout(RESPONSE, self.ask(question));
        let answer = ::redis::from_redis_value(answer.await.unwrap_or_else(slow)?)?;
        let answered = Instant::now();
        let (seconds, microseconds) = time(&answer);
        let sample = Sample {
            asked,
            answered,
            time: seconds * 1_000_000 + microseconds,
        };
        Ok((answer, sample))
    }

    pub(super) const fn is_cluster(&self) -> bool {
        matches!(self.connection, Connection::Cluster(_))
    }

    pub(super) async fn ask(self, command: &Cmd) -> Result<Value, RedisError> {
        match self.connection {
            Connection::Cluster(mut cluster) => command.query_async(&mut cluster).await,
            Connection::Single(mut server) => {
                let answer = command.query_async(&mut server).await;
                if answer.as_ref().is_err_and(is_lost) {
                    self.open.store(false, Ordering::Relaxed);
                }
                answer
            }
        }
    }
}

/// Whether a new connection is needed: this one is broken, half open (as after a
/// failover), or leads to a former master.
fn is_lost(error: &RedisError) -> bool {
    error.is_io_error()
        || error.is_unrecoverable_error()
        || error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)
}

/// Opens a connection, and measures the time by it.
async fn open(url: RedisUrl, time: Arc<StoreTime>) -> Result<Link, RedisError> {
    let link = connect(url).await?;
    let was_known = time.is_known();
    let measured = link.clone().measure(&time).await;
    match measured {
        Err(error) if !was_known || error.kind() == NEWER => return Err(error),
        // Operations that used the machine's time must have timed out before there is a
        // connection.
        _ if !was_known && time.was_guessed() => sleep(PATIENCE).await,
        _ => {}
    }
    Ok(link)
}

async fn connect(url: RedisUrl) -> Result<Link, RedisError> {
    let nodes = url.nodes();
    let attempts = nodes.iter().map(|node| Box::pin(reach(node.clone())));
    let ((link, clustered), _) = timeout(CONNECT, select_ok(attempts))
        .await
        .unwrap_or_else(slow)?;
    if clustered {
        return timeout(PATIENCE, join(nodes)).await.unwrap_or_else(slow);
    }
    if nodes.len() > 1 {
        // Two processes might choose different ones.
        let text = "several addresses are given, but the server is not part of a cluster";
        return Err((ErrorKind::InvalidClientConfig, text).into());
    }
    Ok(link)
}

/// Connects to one server, and detects whether it belongs to a cluster.
async fn reach(node: ConnectionInfo) -> Result<(Link, bool), RedisError> {
    let open = Arc::new(AtomicBool::new(true));
    let watched = Arc::clone(&open);
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT))
        .set_response_timeout(Some(RESPONSE))
        .set_pipeline_buffer_size(BUFFER)
        .set_push_sender(move |push: PushInfo| {
            if push.kind == PushKind::Disconnection {
                watched.store(false, Ordering::Relaxed);
            }
            Ok::<_, RedisError>(())
        });
    let mut server = Client::open(with_pushes(&node))?
        .get_multiplexed_async_connection_with_config(&config)
        .await?;
    let info: String = ::redis::cmd("INFO").query_async(&mut server).await?;
    warn_of_eviction(&info);
    let link = Link {
        connection: Connection::Single(server),
        open,
    };
    Ok((link, info.contains("cluster_enabled:1")))
}

async fn join(nodes: &[ConnectionInfo]) -> Result<Link, RedisError> {
    let mut cluster = ClusterClient::builder(nodes.iter().map(with_pushes))
        .connection_timeout(CONNECT)
        .response_timeout(RESPONSE)
        .overall_response_timeout(Some(PATIENCE))
        .retries(CLUSTER_RETRIES)
        .min_retry_wait(50)
        .max_retry_wait(500)
        .build()?
        .get_async_connection()
        .await?;
    let infos: Value = ::redis::cmd("INFO")
        .query_async(&mut cluster)
        .await
        .unwrap_or(Value::Nil);
    for info in texts(&infos) {
        warn_of_eviction(info);
    }
    Ok(Link {
        connection: Connection::Cluster(cluster),
        open: Arc::new(AtomicBool::new(true)),
    })
}

/// The answers of a cluster's nodes.
fn texts(answers: &Value) -> Vec<&str> {
    let Value::Map(answers) = answers else {
        return Vec::new();
    };
    let answers = answers.iter();
    answers
        .filter_map(|(_, answer)| match answer {
            Value::BulkString(bytes) => str::from_utf8(bytes).ok(),
            Value::VerbatimString { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect()
}

/// Logs once if Redis may evict stored data.
fn warn_of_eviction(info: &str) {
    static WARNED: AtomicBool = AtomicBool::new(false);
    let policy = info
        .lines()
        .find_map(|line| line.strip_prefix("maxmemory_policy:"));
    let evicts = policy.filter(|policy| *policy != "noeviction");
    if let Some(policy) = evicts
        && !WARNED.swap(true, Ordering::Relaxed)
    {
        warn!(
            policy,
            "Redis may evict jobs and limits when it is full: set its maxmemory-policy to noeviction"
        );
    }
}

/// With RESP3 the loss of a connection is reported at once, not only at the next
/// operation.
fn with_pushes(node: &ConnectionInfo) -> ConnectionInfo {
    let settings = node.redis_settings().clone();
    node.clone()
        .set_redis_settings(settings.set_protocol(ProtocolVersion::RESP3))
}

/// For `timeout(…).await.unwrap_or_else(slow)`.
pub(super) fn slow<T>(_: Elapsed) -> Result<T, RedisError> {
    Err(too_slow())
}

pub(super) fn too_slow() -> RedisError {
    io::Error::from(io::ErrorKind::TimedOut).into()
}
