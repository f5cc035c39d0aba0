//! A Redis that is full, and one that hangs.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::{
    redis::{PASSWORD, Server},
    support::{Answer, OpenAi, Setup, problem, text},
};

async fn studio(openai: &OpenAi) -> (Server, Setup) {
    let mut redis = Server::new(false);
    redis.start_and_wait().await;
    let policy = "[[limits]]\nname = 'p'\nscope = 'global'\nunit = 'images'\n\
                  algorithm = 'fixed_window'\nquota = 100\nwindow = '365d'";
    let setup = Setup::with_file(policy).openai(openai);
    let setup = setup.set("ATELIER_REDIS_URL", &redis.url(PASSWORD));
    (redis, setup)
}

async fn configure(redis: &Server, name: &str, value: &str) {
    let mut command = redis::cmd("CONFIG");
    command.arg("SET").arg(name).arg(value);
    redis.open().query::<()>(&command).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_redis_is_emptied_by_deleting_and_finishes_what_it_took() {
    let openai = OpenAi::start(vec![Answer::Picture, Answer::Hang, Answer::Hang]).await;
    let (redis, setup) = studio(&openai).await;
    let server = setup.start();
    let done = server.succeeded(&server.paint("a boat").await).await;
    let running = server.paint("a barge").await;
    openai.called(2).await;
    let called_off = server.paint("a bridge").await;
    openai.called(3).await;
    let remaining = async || server.json("/api/limits").await["limits"][0]["remaining"].clone();
    assert_eq!(remaining().await, 97.0);

    // Less than is used already.
    configure(&redis, "maxmemory", "1").await;
    let order = server
        .post("/api/images")
        .json(&json!({ "prompt": "a tower" }));
    let (status, refusal) = problem(order.send().await.unwrap()).await;
    assert_eq!((status, text(&refusal["code"])), (503, "store_full"));

    let path = |job: &Value| format!("/api/jobs/{}", text(&job["id"]));
    let answer = server.delete(&path(&called_off)).send().await.unwrap();
    let answer: Value = answer.error_for_status().unwrap().json().await.unwrap();
    assert_eq!(answer["status"], "cancelled");
    openai.release();
    server.succeeded(&running).await;
    for job in [&done, &called_off] {
        let answer = server.delete(&path(job)).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
        assert_eq!(server.get(&path(job)).send().await.unwrap().status(), 404);
    }
    for command in [
        &["deny", "add", "203.0.113.7"][..],
        &["cache", "purge", "--all"],
    ] {
        let output = setup.run(command);
        assert!(output.status.success(), "{command:?}: {output:?}");
    }
    assert_eq!(server.get("/readyz").send().await.unwrap().status(), 200);

    configure(&redis, "maxmemory", "0").await;
    server.succeeded(&server.paint("a tower").await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_evicts_is_warned_of() {
    let openai = OpenAi::start(vec![]).await;
    let (redis, setup) = studio(&openai).await;
    configure(&redis, "maxmemory-policy", "allkeys-lru").await;
    setup.start_logging("maxmemory-policy");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asks_a_hanging_redis_is_answered_soon() {
    let openai = OpenAi::start(vec![]).await;
    let (redis, setup) = studio(&openai).await;
    let server = setup.start();
    let job = server.succeeded(&server.paint("a boat").await).await;
    redis.signal(Signal::SIGSTOP);
    let path = format!("/api/jobs/{}", text(&job["id"]));
    let ask = |path: String| {
        let server = &server;
        async move {
            let started = Instant::now();
            let answer = server.get(&path).send().await.unwrap();
            let code = text(&problem(answer).await.1["code"]).to_owned();
            assert_eq!(code, "store_unavailable");
            started.elapsed()
        }
    };
    let polls = futures::future::join_all((0..300).map(|_| ask(path.clone())));
    let (polls, ready) = tokio::join!(polls, ask("/readyz".into()));
    let longest = polls.into_iter().max().unwrap();
    assert!(longest < Duration::from_secs(8), "{longest:?}");
    assert!(ready < Duration::from_secs(4), "{ready:?}");

    redis.signal(Signal::SIGCONT);
    server.succeeded(&server.paint("a barge").await).await;
}
