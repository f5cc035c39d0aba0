//! The processes under test, what they share, and how they are set up.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, sleep},
};

use crate::{
    ledger::{Kill, Ledger},
    process::{self, Process},
    provider,
    settings::Settings,
    skew,
};

/// A process that ends by itself so often will not mend.
const ENOUGH: usize = 20;

/// By how many seconds the machines' clocks are wrong at first.
const FIRST_SKEWS: [i64; 4] = [0, 70, -300, 130];

/// Where the jobs are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    Redis,
    Embedded,
}

/// Children of the test: they end with it, however it ends.
pub(crate) struct Fleet {
    pub(crate) processes: Vec<Process>,
    pub(crate) redis: Option<Process>,
    redis_port: u16,
    ports: Vec<u16>,
    folder: TempDir,
    /// Redis' own; see [`memory`].
    _memory: TempDir,
    ledger: Arc<Ledger>,
    /// Before this instant a process may have ended for want of Redis.
    pub(crate) forgiving: Option<Instant>,
    pub(crate) exits: usize,
    silent_since: Option<Instant>,
    _place: SemaphorePermit<'static>,
}

/// How many fleets two cores can carry without hanging.
static PLACES: Semaphore = Semaphore::const_new(2);

impl Fleet {
    pub(crate) async fn start(store: Store, provider: &str, ledger: &Arc<Ledger>) -> Self {
        let place = PLACES.acquire().await.unwrap();
        let memory = memory();
        let (servers, workers) = match store {
            Store::Redis => (2, 2),
            Store::Embedded => (1, 0),
        };
        let mut fleet = Self {
            processes: Vec::new(),
            redis: None,
            redis_port: free_port(),
            ports: (0..servers).map(|_| free_port()).collect(),
            folder: tempfile::tempdir().unwrap(),
            ledger: Arc::clone(ledger),
            forgiving: None,
            exits: 0,
            silent_since: None,
            _memory: memory,
            _place: place,
        };
        fs::write(fleet.path("atelier.toml"), Settings::file()).unwrap();
        if store == Store::Redis {
            fleet.add_redis().await;
        }
        for place in 0..servers {
            fleet.add("serve", place, provider);
        }
        for place in 0..workers {
            fleet.add("worker", place, provider);
        }
        fleet.is_open().await;
        fleet
    }

    async fn add_redis(&mut self) {
        let (port, folder) = (self.redis_port, self._memory.path().to_owned());
        let command = move |_| redis(port, &folder);
        let mut redis = Process::new("redis", self.folder.path(), command);
        redis.start();
        self.redis = Some(redis);
        self.redis_answers().await;
    }

    fn add(&mut self, kind: &'static str, place: usize, provider: &str) {
        let name = format!("{kind}-{place}");
        let (called, provider) = (name.clone(), provider.to_owned());
        let environment = self.environment(kind, place);
        let command = move |number| {
            let life = process::life(&called, number);
            let mut command = Command::new(env!("CARGO_BIN_EXE_atelier"));
            command.arg(kind).env_clear().envs(environment.clone());
            command.env("OPENAI_BASE_URL", format!("{provider}/{life}/v1"));
            command
        };
        let process = Process::new(&name, self.folder.path(), command);
        self.processes.push(process);
        // The first is right, the others are not.
        let place = self.processes.len() - 1;
        self.set_clock(place, FIRST_SKEWS[place % FIRST_SKEWS.len()]);
        self.processes[place].start();
    }

    /// A worker delivers to the server of its own place: the first by
    /// `ATELIER_CALLBACK_URL`, the second by `ATELIER_PUBLIC_URL`.
    fn environment(&self, kind: &str, place: usize) -> Vec<(String, String)> {
        let server = format!("127.0.0.1:{}", self.ports[place]);
        let url = match (kind, place) {
            ("worker", 0) => "ATELIER_CALLBACK_URL",
            _ => "ATELIER_PUBLIC_URL",
        };
        let mut environment = self.common();
        if self.redis.is_some() {
            // On a machine of its own, whose clock nobody looks after.
            let clock = skew::environment(&self.clock(kind, place)).into_iter();
            environment.extend(clock.map(|(name, value)| (name.into(), value)));
        }
        environment.push((url.into(), format!("http://{server}")));
        if kind == "serve" {
            environment.push(("ATELIER_LISTEN".into(), server));
        }
        environment
    }

    fn common(&self) -> Vec<(String, String)> {
        let path = |name| self.path(name).to_str().unwrap().to_owned();
        let mut common = vec![
            ("ATELIER_CONFIG", path("atelier.toml")),
            ("ATELIER_DATA", path("data")),
            ("ATELIER_SECRET", "a secret of the soak's own".into()),
            ("ATELIER_TRUSTED_PROXIES", "127.0.0.0/8".into()),
            ("ATELIER_WORKERS", "16".into()),
            ("OPENAI_API_KEY", provider::KEY.into()),
        ];
        if self.redis.is_some() {
            let url = format!("redis://127.0.0.1:{}", self.redis_port);
            common.push(("ATELIER_REDIS_URL", url));
        }
        let owned = common.into_iter();
        owned.map(|(name, value)| (name.into(), value)).collect()
    }

    /// The binary with this command line, on the same store.
    pub(crate) fn command_line(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_atelier"));
        command.args(arguments).env_clear().envs(self.common());
        command
    }

    /// Where the servers answer, in each of their lives.
    pub(crate) fn servers(&self) -> Vec<String> {
        let ports = self.ports.iter();
        ports
            .map(|port| format!("http://127.0.0.1:{port}"))
            .collect()
    }

    /// Waits until the servers answer.
    async fn is_open(&mut self) {
        for place in 0..self.ports.len() {
            while TcpStream::connect(("127.0.0.1", self.ports[place]))
                .await
                .is_err()
            {
                let process = &mut self.processes[place];
                assert!(process.ended().is_none(), "{}", process.last_words());
                sleep(Duration::from_millis(20)).await;
            }
        }
    }

    /// Starts what is not running, and notes what ended by itself.
    pub(crate) async fn tend(&mut self) {
        if self.redis.as_ref().is_some_and(|redis| !redis.is_up()) {
            self.restart_redis().await;
        }
        for process in &mut self.processes {
            if let Some(status) = process.ended() {
                self.exits += 1;
                let words = process.last_words();
                let fault = format!("{} ended by itself, {status}: {words}", process.life());
                assert!(self.exits < ENOUGH, "{fault}");
                if self.forgiving.is_none_or(|end| Instant::now() > end) {
                    self.ledger.fault(fault);
                }
            }
            if !process.is_up() {
                process.start();
            }
        }
    }

    pub(crate) fn kill(&mut self, place: usize) {
        let process = &mut self.processes[place];
        let (by, at) = (Some(process.life()), Instant::now());
        process.kill();
        self.ledger.kill(Kill {
            by,
            at,
            until: Instant::now(),
        });
    }

    /// Kills Redis and starts it again; it is back when this returns.
    pub(crate) async fn kill_redis(&mut self, pause: Duration) {
        let at = Instant::now();
        if let Some(redis) = &mut self.redis {
            redis.kill();
        }
        sleep(pause).await;
        self.restart_redis().await;
        let until = Instant::now();
        self.forgiving = Some(until + Duration::from_secs(10));
        self.ledger.kill(Kill {
            by: None,
            at,
            until,
        });
    }

    /// From here on Redis takes connections and questions, and answers none.
    pub(crate) fn silence_redis(&mut self) {
        self.silent_since = Some(Instant::now());
        self.signal_redis(Signal::SIGSTOP);
    }

    pub(crate) async fn hear_redis(&mut self) {
        self.signal_redis(Signal::SIGCONT);
        self.redis_answers().await;
        let until = Instant::now();
        self.forgiving = Some(until + Duration::from_secs(10));
        if let Some(at) = self.silent_since.take() {
            self.ledger.kill(Kill {
                by: None,
                at,
                until,
            });
        }
    }

    fn signal_redis(&self, signal: Signal) {
        if let Some(id) = self.redis.as_ref().and_then(Process::id) {
            kill(Pid::from_raw(id.cast_signed()), signal).unwrap();
        }
    }

    /// Sets the clock of the machine on which a process runs.
    pub(crate) fn set_clock(&self, place: usize, seconds_ahead: i64) {
        let name = &self.processes[place].name;
        skew::set(&self.path(&format!("{name}.clock")), seconds_ahead);
    }

    fn clock(&self, kind: &str, place: usize) -> PathBuf {
        self.path(&format!("{kind}-{place}.clock"))
    }

    async fn restart_redis(&mut self) {
        if let Some(redis) = &mut self.redis {
            redis.start();
        }
        self.redis_answers().await;
    }

    async fn redis_answers(&self) {
        while !pong(self.redis_port).await.unwrap_or(false) {
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Passes, or says what is wrong and where the logs are.
    pub(crate) fn verdict(&mut self, faults: &[String]) {
        if !faults.is_empty() {
            self.folder.disable_cleanup(true);
            let folder = self.folder.path();
            let first = faults[..faults.len().min(20)].join("\n");
            panic!("{} faults, logs in {folder:?}:\n{first}", faults.len());
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

fn redis(port: u16, folder: &Path) -> Command {
    let mut command = Command::new("redis-server");
    command.args([
        "--bind",
        "127.0.0.1",
        "--port",
        &port.to_string(),
        "--save",
        "",
    ]);
    command.args(["--appendonly", "yes", "--appendfsync", "everysec"]);
    command.arg("--dir").arg(folder);
    command
}

/// Whether Redis answers, its file read.
async fn pong(port: u16) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(b"PING\r\n").await?;
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).await?;
    Ok(&answer == b"+PONG")
}

/// A folder in memory where there is one. With `appendfsync everysec` Redis
/// answers before it writes while a slow `fsync` runs, so that its death may
/// take what it has acknowledged; that is its promise to its operator and not
/// ours to test. In memory no `fsync` is slow.
fn memory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}

/// Below the ports that a system gives to clients, so that it stays free
/// while its server is dead.
fn free_port() -> u16 {
    loop {
        let port = fastrand::u16(10_000..30_000);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
