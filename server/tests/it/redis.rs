//! The connection to Redis: it heals whatever happens to Redis, never lets an
//! operation hang, and speaks TLS.

use std::{
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use atelier::{
    limit::{Demand, Limiter as _, RedisLimiter},
    store::redis::{Notice, Redis},
};
use jiff::Timestamp;
use nix::sys::signal::Signal;
use tempfile::TempDir;
use tokio::{
    sync::mpsc::Receiver,
    time::{sleep, timeout},
};

use crate::{
    conformance::refusals::policy,
    support::{Setup, signal},
};

pub(crate) const PASSWORD: &str = "hunter2";

/// What an operation may take while Redis is away, and a little more.
const AWAY: Duration = Duration::from_millis(3500);

/// A server of this test's own, which forgets nothing when it dies.
pub(crate) struct Server {
    folder: TempDir,
    pub(crate) port: u16,
    tls: bool,
    child: Option<Child>,
}

impl Server {
    pub(crate) fn new(tls: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let server = Self {
            folder,
            port: listener.local_addr().unwrap().port(),
            tls,
            child: None,
        };
        if tls {
            let pair = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
            std::fs::write(server.file("cert"), pair.cert.pem()).unwrap();
            std::fs::write(server.file("key"), pair.signing_key.serialize_pem()).unwrap();
        }
        server
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn url(&self, password: &str) -> String {
        let scheme = if self.tls { "rediss" } else { "redis" };
        format!("{scheme}://:{password}@127.0.0.1:{}", self.port)
    }

    pub(crate) fn open(&self) -> Redis {
        Redis::open(self.url(PASSWORD).parse().unwrap())
    }

    fn start(&mut self, environment: &[(&str, String)]) {
        let mut command = Command::new("redis-server");
        command
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .args(["--bind", "127.0.0.1", "--requirepass", PASSWORD])
            .args(["--appendonly", "yes", "--appendfsync", "always", "--dir"])
            .arg(self.folder.path());
        let port = self.port.to_string();
        if self.tls {
            command
                .args(["--port", "0", "--tls-port", &port])
                .args(["--tls-auth-clients", "no", "--tls-cert-file"])
                .arg(self.file("cert"))
                .arg("--tls-key-file")
                .arg(self.file("key"));
        } else {
            command.args(["--port", &port]);
        }
        self.child = Some(command.stdout(Stdio::null()).spawn().unwrap());
    }

    /// Starts, and waits with a connection of its own.
    pub(crate) async fn start_and_wait(&mut self) {
        self.start_with(&[]).await;
    }

    /// The same, with more in its environment.
    pub(crate) async fn start_with(&mut self, environment: &[(&str, String)]) {
        self.start(environment);
        let own = self.open();
        let ready = async {
            while own.ping().await.is_err() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(Duration::from_secs(20), ready).await.unwrap();
    }

    pub(crate) fn signal(&self, which: Signal) {
        signal(self.child.as_ref().unwrap(), which);
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Charges one of ten, and returns what is left.
async fn charge(limiter: &RedisLimiter) -> Result<u64, atelier::limit::Error> {
    let policy = policy("p", "fixed_window", "quota = 10\nwindow = '1h'");
    let demand = Demand::new(&policy, "", 1);
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let decision = limiter.charge(vec![demand], now).await?;
    Ok(decision.standings[0].remaining)
}

async fn assert_away(limiter: &RedisLimiter, at_most: Duration) {
    let start = Instant::now();
    let error = charge(limiter).await.unwrap_err();
    assert!(error.is_away(), "{error}");
    assert!(!error.to_string().contains(PASSWORD), "{error}");
    let took = start.elapsed();
    assert!(took < at_most, "{took:?}");
}

async fn hear(listener: &mut Receiver<Notice>) -> Notice {
    let heard = timeout(Duration::from_secs(10), listener.recv()).await;
    heard.unwrap().unwrap()
}

async fn publish(redis: &Redis, text: &str) {
    let mut command = redis::cmd("PUBLISH");
    command.arg(redis.key("news")).arg(text);
    redis.query::<()>(&command).await.unwrap();
}

#[tokio::test]
async fn it_heals_when_redis_is_killed_and_started_again() {
    let mut server = Server::new(false);
    let redis = server.open();
    let limiter = RedisLimiter::new(redis.clone());
    let mut listener = redis.subscribe("news");
    assert_away(&limiter, AWAY).await;

    server.start_and_wait().await;
    assert_eq!(charge(&limiter).await.unwrap(), 9);
    assert_eq!(hear(&mut listener).await, Notice::Connected);
    publish(&redis, "first").await;
    assert_eq!(hear(&mut listener).await, Notice::Message(b"first".into()));

    server.kill();
    assert_away(&limiter, Duration::from_secs(1)).await;
    assert_away(&limiter, Duration::from_secs(1)).await;

    server.start_and_wait().await;
    assert_eq!(charge(&limiter).await.unwrap(), 8, "at the first attempt");
    assert_eq!(hear(&mut listener).await, Notice::Connected);
    publish(&redis, "second").await;
    assert_eq!(hear(&mut listener).await, Notice::Message(b"second".into()));
}

/// A time that was a guess must not get into Redis, not even from whoever was
/// waiting for the connection.
#[tokio::test]
async fn nothing_asked_at_a_guessed_time_is_carried_out() {
    let mut server = Server::new(false);
    let redis = server.open();
    let clock = redis.clock().await.unwrap();
    let limiter = RedisLimiter::new(redis);
    clock.now();
    server.start_and_wait().await;
    assert_away(&limiter, AWAY).await;
    let back = async {
        while charge(&limiter).await.is_err() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(20), back).await.unwrap();
    assert_eq!(
        charge(&limiter).await.unwrap(),
        8,
        "nothing was charged before"
    );
}

#[tokio::test]
async fn it_heals_when_redis_forgets_its_scripts() {
    let mut server = Server::new(false);
    server.start_and_wait().await;
    let redis = server.open();
    let limiter = RedisLimiter::new(redis.clone());
    assert_eq!(charge(&limiter).await.unwrap(), 9);
    let mut flush = redis::cmd("SCRIPT");
    flush.arg("FLUSH");
    redis.query::<()>(&flush).await.unwrap();
    assert_eq!(charge(&limiter).await.unwrap(), 8);
}

#[tokio::test]
async fn nothing_hangs_when_redis_is_silent() {
    let mut server = Server::new(false);
    server.start_and_wait().await;
    let limiter = RedisLimiter::new(server.open());
    let fresh = RedisLimiter::new(server.open());
    assert_eq!(charge(&limiter).await.unwrap(), 9);
    server.signal(Signal::SIGSTOP);
    tokio::join!(assert_away(&limiter, AWAY), assert_away(&fresh, AWAY));
    server.signal(Signal::SIGCONT);
    // Nobody waited for them any more.
    assert_eq!(charge(&limiter).await.unwrap(), 8);
    assert_eq!(charge(&fresh).await.unwrap(), 7);
}

#[tokio::test]
async fn records_of_a_newer_version_are_refused() {
    let mut server = Server::new(false);
    server.start_and_wait().await;
    assert!(server.open().clock().await.is_ok());
    let mut command = redis::cmd("SET");
    command.arg("atelier:{queue}:schema").arg(99);
    server.open().query::<()>(&command).await.unwrap();
    let refusal = server.open().clock().await.unwrap_err().to_string();
    assert!(refusal.contains("newer version"), "{refusal}");
    let setup = Setup::new().set("ATELIER_REDIS_URL", &server.url(PASSWORD));
    let refusal = setup.refusal();
    assert!(refusal.contains("newer version"), "{refusal}");
}

/// Far more than go into one round trip, and as many as are taken.
#[tokio::test]
async fn nobody_waits_for_those_before_him_when_redis_is_silent() {
    let mut server = Server::new(false);
    server.start_and_wait().await;
    let limiter = RedisLimiter::new(server.open());
    charge(&limiter).await.unwrap();
    server.signal(Signal::SIGSTOP);
    let all = (0..2000).map(|_| assert_away(&limiter, 2 * AWAY));
    futures::future::join_all(all).await;
    server.signal(Signal::SIGCONT);
    charge(&limiter).await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_is_no_absence() {
    let mut server = Server::new(false);
    server.start_and_wait().await;
    let redis = Redis::open(server.url("wrong").parse().unwrap());
    let error = redis.ping().await.unwrap_err();
    assert!(!error.is_away(), "{error}");
    assert!(!error.to_string().contains("wrong@"), "{error}");
}

/// Whom to trust is read from the environment, so a process of its own asks.
#[tokio::test]
async fn it_speaks_tls_to_whom_it_trusts() {
    let mut server = Server::new(true);
    server.start(&[]);
    let ask = |trusted: Option<PathBuf>| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "--ignored", "redis::asks_over_tls"])
            .env("ATELIER_TEST_TLS_URL", server.url(PASSWORD));
        if let Some(file) = trusted {
            command.env("SSL_CERT_FILE", file);
        }
        command.output().unwrap()
    };
    let trusting = ask(Some(server.file("cert")));
    let said = String::from_utf8_lossy(&trusting.stdout);
    assert!(
        trusting.status.success() && said.contains("1 passed"),
        "{said}"
    );
    let distrusting = ask(None);
    let said = String::from_utf8_lossy(&distrusting.stdout);
    assert!(
        !distrusting.status.success() && said.contains("certificate"),
        "{said}"
    );
}

#[tokio::test]
#[ignore = "run by it_speaks_tls_to_whom_it_trusts"]
async fn asks_over_tls() {
    let url = std::env::var("ATELIER_TEST_TLS_URL").unwrap();
    let redis = Redis::open(url.parse().unwrap());
    let start = Instant::now();
    while let Err(error) = redis.ping().await {
        assert!(start.elapsed() < Duration::from_secs(5), "{error}");
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(charge(&RedisLimiter::new(redis.clone())).await.unwrap(), 9);
    let mut listener = redis.subscribe("news");
    assert_eq!(hear(&mut listener).await, Notice::Connected);
}
