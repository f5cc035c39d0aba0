//! What was paid for is neither lost nor paid for again: odd answers are read, and the outcome survives a
//! store that is away and the end of the process.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD},
};
use nix::sys::signal::Signal;
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy},
    net::{TcpListener, TcpStream},
};

use crate::{
    redis::{PASSWORD, Server},
    support::{Answer, Atelier, OpenAi, Setup, eventually, picture, taken, text, usage},
};

/// Leases run out while we look, and what fails is tried again at once.
const SHORT: &str = "limits = []\n[queue]\nlease = '1s'\nretry_base = '10ms'\n";

fn answer(item: &Value) -> Answer {
    Answer::Json(json!({ "created": 1, "data": [item], "usage": usage() }))
}

#[tokio::test]
async fn a_picture_is_read_in_every_usual_dress() {
    let plain = BASE64.encode(picture());
    let lines: Vec<_> = plain.as_bytes().chunks(76).map(str::from_utf8).collect();
    let wrapped = lines.into_iter().collect::<Result<Vec<_>, _>>().unwrap();
    let wrapped = wrapped.join("\r\n");
    let data_url = format!("data:image/png;base64,{plain}");
    for item in [
        json!({ "b64_json": data_url }),
        json!({ "b64_json": URL_SAFE_NO_PAD.encode(picture()) }),
        json!({ "b64_json": wrapped }),
        json!({ "b64_json": "", "url": data_url }),
        json!({ "url": data_url.replace('+', "%2B") }),
    ] {
        let openai = OpenAi::start(vec![answer(&item)]).await;
        let server = Setup::new().openai(&openai).start();
        let job = server.succeeded(&server.paint("a lighthouse").await).await;
        assert_eq!(server.picture(&job).await, picture(), "{item}");
        assert!(job["cost_usd"].as_f64().is_some(), "{job}");
        assert_eq!(openai.calls().len(), 1, "{item}");
    }
}

#[tokio::test]
async fn what_can_be_read_of_an_answer_is_kept() {
    let good = json!({ "b64_json": BASE64.encode(picture()) });
    let half = json!({ "b64_json": BASE64.encode(&picture()[..60]) });
    let body = json!({ "data": [half, good, { "b64_json": "!" }], "usage": usage() });
    let openai = OpenAi::start(vec![Answer::Json(body)]).await;
    let server = Setup::new().openai(&openai).start();
    let order = json!({ "prompt": "a lighthouse", "n": 3 });
    let job = server.succeeded(&server.submit(&order).await).await;
    assert_eq!(job["images"].as_array().unwrap().len(), 1);
    assert_eq!(openai.calls().len(), 1);
}

#[tokio::test]
async fn an_answer_that_cannot_be_used_is_asked_for_once_more() {
    let half = json!({ "b64_json": BASE64.encode(&picture()[..60]) });
    let unusable: [fn(&Value) -> Answer; 5] = [
        |half| answer(half),
        |_| answer(&json!({ "b64_json": "???" })),
        |_| Answer::Garbage("<html>a proxy's page</html>"),
        |_| Answer::Json(json!({ "data": "none", "usage": usage() })),
        |_| Answer::Cut,
    ];
    for unusable in unusable {
        let script = (0..5).map(|_| unusable(&half)).collect();
        let openai = OpenAi::start(script).await;
        let server = Setup::with_file(SHORT).openai(&openai).start();
        let job = server.finished(&server.paint("a lighthouse").await).await;
        assert_eq!(job["status"], "failed");
        assert_eq!(openai.calls().len(), 2, "{job}");
        // And once more is enough.
        let job = server.paint("a windmill").await;
        let openai_calls = openai.calls().len();
        server.finished(&job).await;
        assert!(openai.calls().len() <= openai_calls + 2);
    }
}

/// A server on a Redis of its own, whose one call hangs.
pub(crate) struct Stage {
    pub(crate) redis: Server,
    openai: OpenAi,
    pub(crate) setup: Setup,
}

impl Stage {
    pub(crate) async fn new(file: &str) -> Self {
        let mut redis = Server::new(false);
        redis.start_and_wait().await;
        let openai = OpenAi::start(vec![Answer::Hang]).await;
        let setup = Setup::with_file(file)
            .openai(&openai)
            .set("ATELIER_REDIS_URL", &redis.url(PASSWORD));
        Self {
            redis,
            openai,
            setup,
        }
    }

    /// Orders a picture; the call is under way when this returns.
    pub(crate) async fn order(&self, server: &Atelier) -> Value {
        let job = server.paint("a lighthouse").await;
        self.openai.called(1).await;
        job
    }

    pub(crate) fn entry(&self, job: &Value) -> PathBuf {
        entry(&self.setup, job)
    }

    /// The answer arrives while the store is away, and is written down.
    pub(crate) async fn answered(&self, job: &Value) {
        self.openai.release();
        written_down(&self.setup, job).await;
    }

    /// The job has its picture, and it was paid for once.
    pub(crate) async fn paid_once(&self, server: &Atelier, job: &Value) -> Value {
        let job = server.succeeded(job).await;
        assert_eq!(server.picture(&job).await, picture());
        assert_eq!(self.openai.calls().len(), 1);
        let entry = self.entry(&job);
        eventually("the journal is cleared", || !entry.exists()).await;
        job
    }
}

fn entry(setup: &Setup, job: &Value) -> PathBuf {
    let name = format!("{}.json", text(&job["id"]));
    setup.data().join("journal").join(name)
}

/// Waits until the journal has the answer, and the folder its picture.
async fn written_down(setup: &Setup, job: &Value) {
    let entry = entry(setup, job);
    let whole = || {
        let text = std::fs::read(&entry).ok()?;
        let entry: Value = serde_json::from_slice(&text).unwrap();
        let key = entry["outcome"]["succeeded"]["pictures"][0]["key"].as_str()?;
        Some(setup.data().join("images").join(key).exists())
    };
    eventually("the answer is written down", || whole() == Some(true)).await;
}

/// Longer than a lease.
pub(crate) async fn a_while() {
    tokio::time::sleep(Duration::from_secs(2)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paid_answer_outlives_a_redis_that_is_silent() {
    let stage = Stage::new(SHORT).await;
    let server = stage.setup.start();
    let job = stage.order(&server).await;
    stage.redis.signal(Signal::SIGSTOP);
    stage.answered(&job).await;
    // Tried more often than it was once.
    for _ in 0..2 {
        server.logged("not recorded yet");
    }
    stage.redis.signal(Signal::SIGCONT);
    stage.paid_once(&server, &job).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paid_answer_outlives_a_redis_that_dies() {
    let mut stage = Stage::new(SHORT).await;
    let server = stage.setup.start();
    let job = stage.order(&server).await;
    stage.redis.kill();
    stage.answered(&job).await;
    for _ in 0..8 {
        server.logged("not recorded yet");
    }
    a_while().await;
    stage.redis.start_and_wait().await;
    stage.paid_once(&server, &job).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paid_answer_outlives_its_process() {
    for file in ["limits = []", SHORT] {
        let stage = Stage::new(file).await;
        let server = stage.setup.start();
        let job = stage.order(&server).await;
        stage.redis.signal(Signal::SIGSTOP);
        stage.answered(&job).await;
        server.kill();
        a_while().await;
        stage.redis.signal(Signal::SIGCONT);
        let server = stage.setup.start();
        stage.paid_once(&server, &job).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paid_answer_is_found_by_whoever_claims_the_job() {
    let stage = Stage::new(SHORT).await;
    let first = stage.setup.start();
    let job = stage.order(&first).await;
    let second = stage.setup.again().start();
    stage.redis.signal(Signal::SIGSTOP);
    stage.answered(&job).await;
    first.kill();
    a_while().await;
    stage.redis.signal(Signal::SIGCONT);
    stage.paid_once(&second, &job).await;
}

/// What a process leaves that is killed between the last two steps.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_that_was_settled_does_no_harm() {
    let stage = Stage::new("limits = []").await;
    let server = stage.setup.start();
    let job = stage.order(&server).await;
    stage.redis.signal(Signal::SIGSTOP);
    stage.answered(&job).await;
    let left = std::fs::read(stage.entry(&job)).unwrap();
    stage.redis.signal(Signal::SIGCONT);
    let done = stage.paid_once(&server, &job).await;
    server.kill();
    std::fs::write(stage.entry(&job), left).unwrap();
    let server = stage.setup.start();
    assert_eq!(stage.paid_once(&server, &job).await, done);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_letter_whose_picture_is_kept_is_not_paid_again() {
    let stage = Stage::new(&format!("{SHORT}attempts = 1")).await;
    let server = stage.setup.start();
    let job = stage.order(&server).await;
    stage.redis.signal(Signal::SIGSTOP);
    stage.answered(&job).await;
    server.kill();
    a_while().await;
    stage.redis.signal(Signal::SIGCONT);

    // Another process, which does not see the first one's pictures, gives the job up.
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = stage.setup.again();
    let elsewhere = elsewhere.set("ATELIER_DATA", folder.path().to_str().unwrap());
    let stranger = elsewhere.start();
    let job = stranger.finished(&job).await;
    assert_eq!(job["error"]["code"], "interrupted", "{job}");
    stranger.kill();

    let server = stage.setup.start();
    let retried = stage.setup.run(&["dead", "retry", text(&job["id"])]);
    assert!(retried.status.success(), "{retried:?}");
    let job = server.job(text(&job["id"])).await;
    stage.paid_once(&server, &job).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paid_answer_that_sqlite_does_not_take_outlives_its_process() {
    let openai = OpenAi::start(vec![Answer::Hang]).await;
    let setup = Setup::new().openai(&openai);
    let server = setup.start();
    let job = server.paint("a lighthouse").await;
    openai.called(1).await;
    let database = rusqlite::Connection::open(setup.data().join("atelier.db")).unwrap();
    database.busy_timeout(Duration::from_secs(20)).unwrap();
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    openai.release();
    written_down(&setup, &job).await;
    server.kill();
    database.execute_batch("ROLLBACK").unwrap();
    let server = setup.start();
    let job = server.succeeded(&job).await;
    assert_eq!(server.picture(&job).await, picture());
    assert_eq!((openai.calls().len(), &job["attempt"]), (1, &json!(1)));
    let entry = entry(&setup, &job);
    eventually("the journal is cleared", || !entry.exists()).await;
}

/// An order that needs nothing of the store before it is added.
fn fresh_order(server: &Atelier) -> RequestBuilder {
    let order = json!({ "prompt": "a lighthouse", "fresh": true });
    server.post("/api/images").json(&order)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_the_store_was_slow_to_take_is_taken_once() {
    let stage = Stage::new("limits = []\nlog = 'info,atelier::app=debug'").await;
    let server = stage.setup.start();
    stage.redis.signal(Signal::SIGSTOP);
    let answer = tokio::spawn(fresh_order(&server).send());
    server.logged("not known yet");
    stage.redis.signal(Signal::SIGCONT);
    let job = taken(answer.await.unwrap().unwrap()).await;
    stage.openai.called(1).await;
    stage.openai.release();
    server.succeeded(&job).await;
    assert_eq!(stage.openai.calls().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_that_was_answered_with_an_error_is_taken_back() {
    let stage = Stage::new("limits = []").await;
    // Nobody begins it meanwhile.
    let server = stage.setup.again().set("ATELIER_WORKERS", "0").start();
    stage.redis.signal(Signal::SIGSTOP);
    let answer = fresh_order(&server).send().await.unwrap();
    assert_eq!(answer.status(), 503);
    stage.redis.signal(Signal::SIGCONT);
    server.logged("was taken back");
}

/// A way to Redis on which answers can be lost.
struct Line {
    url: String,
    mute: Arc<AtomicBool>,
}

impl Line {
    async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let here = listener.local_addr().unwrap();
        let mute = Arc::new(AtomicBool::new(false));
        let muted = Arc::clone(&mute);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let redis = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                tokio::spawn(carry(client, redis, Arc::clone(&muted)));
            }
        });
        Self {
            url: format!("redis://:{PASSWORD}@{here}"),
            mute,
        }
    }
}

/// What is asked always arrives. A connection that has lost an answer is cut before the next one.
async fn carry(client: TcpStream, redis: TcpStream, mute: Arc<AtomicBool>) {
    let (mut asks, mut hears) = client.into_split();
    let (mut answers, mut takes) = redis.into_split();
    let there = async { copy(&mut asks, &mut takes).await.map(drop) };
    let back = async {
        let (mut part, mut lost) = ([0; 4096], false);
        loop {
            let length = answers.read(&mut part).await?;
            let muted = mute.load(Ordering::SeqCst);
            if length == 0 || (lost && !muted) {
                return Ok(());
            }
            lost |= muted;
            if !muted {
                hears.write_all(&part[..length]).await?;
            }
        }
    };
    let _ = tokio::select! {
        ended = there => ended,
        ended = back => ended,
    };
}

/// The first one hears only that the job has gone on without it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_files_of_a_job_that_succeeded_stay_whoever_recorded_them() {
    let stage = Stage::new(SHORT).await;
    let line = Line::to(stage.redis.port).await;
    let first = stage.setup.again().set("ATELIER_REDIS_URL", &line.url);
    let first = first.start();
    let job = stage.order(&first).await;
    let second = stage.setup.start();
    line.mute.store(true, Ordering::SeqCst);
    stage.openai.release();
    let job = second.succeeded(&job).await;
    line.mute.store(false, Ordering::SeqCst);
    first.logged("no longer wanted");
    // It has nothing more to do with the job.
    first.ask_to_stop();
    first.logged("server stopped");
    stage.paid_once(&second, &job).await;
}
