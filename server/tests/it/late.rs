//! What a Redis that hung finds when it goes on: questions of those who have gone.
//! What would bind or charge them is not done, what they owed is.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use atelier::{
    limit::{Demand, Limiter as _, Receipt, RedisLimiter, Settlement},
    queue::{
        Claim, Completion, Error, Lane, NewJob, Priority, Queue as _, RedisQueue, Ticket, Verdict,
    },
    store::redis::Redis,
};
use atelier_api::Status;
use jiff::Timestamp;
use nix::sys::signal::Signal;
use serde_json::json;
use tempfile::TempDir;
use tokio::time::sleep;

use crate::{
    conformance::refusals::policy,
    redis::Server,
    support::{PATIENCE, signal, skew},
    unreadable,
};

const LEASE: Duration = Duration::from_secs(60);

/// The rooms of one process.
struct Process {
    queue: RedisQueue,
    limiter: RedisLimiter,
}

/// Jobs in every state in which somebody may ask something of them.
struct Jobs {
    running: Ticket,
    delivering: Ticket,
}

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

fn lanes() -> [Lane; 1] {
    [Lane::open("test")]
}

fn new(id: &str) -> NewJob {
    NewJob {
        join: None,
        ..unreadable::new(id)
    }
}

impl Process {
    fn new(redis: Redis) -> Self {
        Self {
            queue: RedisQueue::new(redis.clone()),
            limiter: RedisLimiter::new(redis),
        }
    }

    /// Charges so many of ten; what is left, and the receipt.
    async fn charge(&self, cost: u64) -> Result<(u64, Option<Receipt>), atelier::limit::Error> {
        let policy = policy("p", "fixed_window", "quota = 10\nwindow = '1h'");
        let demands = vec![Demand::new(&policy, "", cost)];
        let decision = self.limiter.charge(demands, now()).await?;
        let receipt = decision.receipts.and_then(|mut receipts| receipts.pop());
        Ok((decision.standings[0].remaining, receipt))
    }

    async fn refund(&self, id: &str, receipt: Receipt) -> Result<(), atelier::limit::Error> {
        let refund = vec![Settlement::refund(receipt)];
        self.limiter.settle(id, refund, now()).await
    }

    async fn claim(&self) -> Result<Claim, Error> {
        self.queue.claim(&lanes(), now(), LEASE).await
    }

    async fn call(&self) -> Ticket {
        match self.claim().await.unwrap() {
            Claim::Call(job) => job.ticket(),
            other => panic!("expected a call, got {other:?}"),
        }
    }

    async fn fail(&self, id: &str) {
        self.queue.enqueue(new(id), now()).await.unwrap();
        let ticket = self.call().await;
        let failed = serde_json::from_value(json!({
            "attempt": 1, "at": now(), "request_id": null,
            "failure": { "code": "test", "message": "It failed.", "retryable": false },
        }));
        let failed = Verdict::Fail(failed.unwrap());
        self.queue.settle(&ticket, failed, now()).await.unwrap();
        self.queue.complete(&ticket, now()).await.unwrap();
    }

    async fn record(&self, ticket: &Ticket) -> Result<(), Error> {
        let outcome = json!({ "succeeded": { "pictures": [], "cost_usd": null } });
        let verdict = Verdict::Record(serde_json::from_value(outcome).unwrap());
        self.queue.settle(ticket, verdict, now()).await
    }

    /// Brings jobs into every state. Redis knows all scripts then.
    async fn prepare(&self) -> Jobs {
        for id in ["dead", "done"] {
            self.fail(id).await;
        }
        for id in ["running", "delivering", "stopped"] {
            self.queue.enqueue(new(id), now()).await.unwrap();
        }
        let (running, delivering) = (self.call().await, self.call().await);
        self.record(&delivering).await.unwrap();
        self.queue.cancel("stopped", now()).await.unwrap();
        self.queue.delete("stopped").await.unwrap();
        let nobody = self.queue.retry("nobody", Priority::Normal, now()).await;
        assert!(matches!(nobody, Err(Error::NotFound)));
        let extended = self
            .queue
            .extend(&running, now(), LEASE, atelier::queue::Report::default());
        extended.await.unwrap();
        self.queue.enqueue(new("queued"), now()).await.unwrap();
        Jobs {
            running,
            delivering,
        }
    }

    /// Asks for everything while Redis hangs.
    async fn ask_in_vain(&self, jobs: &Jobs, receipt: Receipt) {
        let away = |result: Result<(), Error>| match result {
            Err(Error::Store(error)) => assert!(error.is_away(), "{error}"),
            other => panic!("expected that Redis is away, got {other:?}"),
        };
        let results = tokio::join!(
            async { self.claim().await.map(drop) },
            async { self.queue.enqueue(new("new"), now()).await.map(drop) },
            async { self.queue.cancel("queued", now()).await.map(drop) },
            async { self.queue.delete("done").await.map(drop) },
            async {
                let retried = self.queue.retry("dead", Priority::Normal, now());
                retried.await.map(drop)
            },
            self.record(&jobs.running),
            async {
                let completed = self.queue.complete(&jobs.delivering, now());
                completed.await.map(drop)
            },
            async { self.charge(1).await.map(drop) },
            self.refund("second", receipt),
        );
        let (claim, enqueue, cancel, delete, retry, record, complete, charge, refund) = results;
        for result in [claim, enqueue, cancel, delete, retry, record, complete] {
            away(result);
        }
        assert!(charge.unwrap_err().is_away() && refund.unwrap_err().is_away());
    }

    /// Waits until what was owed has been done, and so everything else has been
    /// looked at that was sent with it.
    async fn until_heard(&self) {
        let started = Instant::now();
        let heard = async || {
            let running = self.queue.get("running").await.ok()??;
            let delivering = self.queue.get("delivering").await.ok()??;
            let (left, _) = self.charge(0).await.ok()?;
            let done = running.status == Status::Delivering
                && delivering.status == Status::Succeeded
                && left == 10;
            done.then_some(())
        };
        while heard().await.is_none() {
            assert!(started.elapsed() < PATIENCE, "what was owed is not done");
            sleep(Duration::from_millis(20)).await;
        }
    }
}

/// `hang` stops the servers, and lets them go on.
async fn only_what_was_owed_is_done(redis: Redis, hang: impl Fn(Signal)) {
    let process = Process::new(redis);
    let jobs = process.prepare().await;
    let (left, receipt) = process.charge(1).await.unwrap();
    assert_eq!(left, 9);
    process.refund("first", receipt.unwrap()).await.unwrap();
    let (left, receipt) = process.charge(1).await.unwrap();
    assert_eq!(left, 9);

    hang(Signal::SIGSTOP);
    process.ask_in_vain(&jobs, receipt.unwrap()).await;
    hang(Signal::SIGCONT);
    process.until_heard().await;

    let queue = &process.queue;
    let queued = queue.get("queued").await.unwrap().unwrap();
    assert_eq!((queued.status, queued.attempt), (Status::Queued, 0));
    assert!(queue.get("new").await.unwrap().is_none());
    for id in ["dead", "done"] {
        let job = queue.get(id).await.unwrap().unwrap();
        assert_eq!(job.status, Status::Failed, "{id}");
    }
    assert_eq!(process.charge(1).await.unwrap().0, 9);
    assert_eq!(process.call().await.id, "queued");
    let repeated = queue.complete(&jobs.delivering, now()).await;
    assert!(matches!(repeated, Ok(Completion::Repeated)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_gone_gets_and_pays_nothing() {
    let mut server = Server::new(false);
    server.start_and_wait().await;
    only_what_was_owed_is_done(server.open(), |which| server.signal(which)).await;
}

/// Two nodes: the first has the limits, the second the queue.
struct Cluster {
    nodes: Vec<(Child, u16)>,
    _folder: TempDir,
}

/// Nodes of a cluster talk on a port above their own by this.
const BUS: u16 = 10_000;

const SLOTS: [[&str; 2]; 2] = [["0", "8191"], ["8192", "16383"]];

impl Cluster {
    /// The clock of the node with the limits is so many seconds ahead.
    async fn start(skew: i64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("skew");
        skew::set(&file, skew);
        let mut nodes = Vec::new();
        for number in 0..SLOTS.len() {
            let port = free_port();
            let mut command = Command::new("redis-server");
            if number == 0 {
                command.envs(skew::environment(&file));
            }
            let home = folder.path().join(number.to_string());
            std::fs::create_dir(&home).unwrap();
            command
                .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
                .args(["--cluster-enabled", "yes", "--save", "", "--dir"])
                .arg(home)
                .stdout(Stdio::null());
            nodes.push((command.spawn().unwrap(), port));
        }
        let cluster = Self {
            nodes,
            _folder: folder,
        };
        cluster.join().await;
        cluster
    }

    async fn join(&self) {
        for (number, [first, last]) in SLOTS.into_iter().enumerate() {
            self.until(number, &["ping"], "PONG").await;
            self.until(number, &["cluster", "addslotsrange", first, last], "OK")
                .await;
        }
        let other = self.nodes[1].1.to_string();
        self.until(0, &["cluster", "meet", "127.0.0.1", &other], "OK")
            .await;
        for number in 0..SLOTS.len() {
            self.until(number, &["cluster", "info"], "cluster_state:ok")
                .await;
        }
    }

    /// Asks a node until the answer contains `expected`.
    async fn until(&self, node: usize, question: &[&str], expected: &str) {
        let started = Instant::now();
        loop {
            let mut cli = Command::new("redis-cli");
            cli.args(["-p", &self.nodes[node].1.to_string()])
                .args(question);
            let answer = String::from_utf8(cli.output().unwrap().stdout).unwrap();
            if answer.contains(expected) {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "{question:?}: {answer}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    fn open(&self) -> Redis {
        let ports = self.nodes.iter().map(|(_, port)| *port);
        let urls: Vec<_> = ports
            .map(|port| format!("redis://127.0.0.1:{port}"))
            .collect();
        Redis::open(urls.join(",").parse().unwrap())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for (node, _) in &mut self.nodes {
            let _ = node.kill();
            let _ = node.wait();
        }
    }
}

fn free_port() -> u16 {
    let both = || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let bus = port.checked_add(BUS)?;
        TcpListener::bind(("127.0.0.1", bus)).ok().map(|_| port)
    };
    (0..100).find_map(|_| both()).expect("two ports are free")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_in_a_cluster_whose_nodes_have_other_times() {
    for skew in [900, -900] {
        let cluster = Cluster::start(skew).await;
        only_what_was_owed_is_done(cluster.open(), |which| {
            for (node, _) in &cluster.nodes {
                signal(node, which);
            }
        })
        .await;
    }
}

/// The clock of Redis is set while a process is connected.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_too_late_because_a_clock_was_set() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("skew");
    skew::set(&file, 0);
    let mut server = Server::new(false);
    server.start_with(&skew::environment(&file)).await;
    let process = Process::new(server.open());
    for (left, skew) in [(9, 0), (8, 900), (7, -900)] {
        skew::set(&file, skew);
        assert_eq!(process.charge(1).await.unwrap().0, left, "{skew}");
    }
}
