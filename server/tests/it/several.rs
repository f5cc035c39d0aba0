//! Servers and workers as processes of their own, on one Redis, and a site
//! whose Redis is away.

use std::time::{Duration, Instant};

use atelier::store::redis::Redis;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    notices::{Receiver, SECRET},
    semantic,
    support::{Answer, Atelier, OpenAi, Setup, problem, redis_8_database, redis_database, text},
};

/// Pictures from the stand-in, everything else in a Redis; the server works
/// on nothing itself.
async fn shared(file: &str, openai: &OpenAi) -> Setup {
    Setup::with_file(file)
        .openai(openai)
        .set("ATELIER_REDIS_URL", &redis_database().await)
        .set("ATELIER_WORKERS", "0")
}

/// A worker beside the server, which it delivers to.
fn beside(setup: &Setup, url: &str) -> Setup {
    setup
        .again()
        .set("ATELIER_WORKERS", "2")
        .set("ATELIER_CALLBACK_URL", url)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_by_itself_finishes_a_servers_job() {
    let openai = OpenAi::start(vec![]).await;
    let setup = shared("limits = []", &openai).await;
    let server = setup.start();
    let job = server.paint("a boat").await;
    assert_eq!(job["status"], "queued");
    let worker = beside(&setup, &server.url).start_worker();
    let job = server.succeeded(&job).await;
    server.picture(&job).await;
    let cached = server.paint("a boat").await;
    assert_eq!(cached["cache"], "exact");

    // Another server on the same store knows the job, too.
    let other = setup.start();
    assert_eq!(other.job(text(&job["id"])).await, job);
    let fresh = other.paint("a barge").await;
    assert_eq!(server.succeeded(&fresh).await["status"], "succeeded");
    drop(worker);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_stops_hands_back_at_once() {
    let openai = OpenAi::start(vec![Answer::Hang]).await;
    let setup = shared("limits = []\n[queue]\ngrace = '100ms'", &openai).await;
    let server = setup.start();
    let setup = beside(&setup, &server.url);
    let mut worker = setup.start_worker();
    let job = server.paint("a tower").await;
    openai.called(1).await;
    let before = Instant::now();
    worker.ask_to_stop();
    assert!(worker.ended().success());
    let _other = setup.start_worker();
    let job = server.succeeded(&job).await;
    assert_eq!(
        job["attempt"], 1,
        "a job handed back has used up no attempt"
    );
    assert!(
        before.elapsed() < Duration::from_secs(30),
        "sooner than its lease"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bound_of_a_provider_holds_over_all_processes() {
    let openai = OpenAi::start(vec![Answer::Hang, Answer::Hang]).await;
    let setup = shared("limits = []\n[openai]\nparallel = 1", &openai).await;
    let server = setup.start();
    let setup = beside(&setup, &server.url);
    let _workers = [setup.start_worker(), setup.start_worker()];
    let (one, two) = tokio::join!(server.paint("a boat"), server.paint("a barge"));
    openai.called(1).await;
    // Long enough for another worker to claim what it must not.
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(openai.calls().len(), 1);
    openai.release();
    openai.called(2).await;
    openai.release();
    tokio::join!(server.succeeded(&one), server.succeeded(&two));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notices_and_dead_letters_are_shared_too() {
    let openai = OpenAi::start(vec![refused()]).await;
    let file = "limits = []\n[callbacks]\nopen = true\nallow_private = true";
    let setup = shared(file, &openai).await.set("ATELIER_SECRET", SECRET);
    let server = setup.start();
    let _worker = beside(&setup, &server.url).start_worker();
    let receiver = Receiver::start(&[]).await;
    let body = json!({ "prompt": "a duel", "callback_url": receiver.url });
    let job = server.finished(&server.submit(&body).await).await;
    assert_eq!(receiver.next().await.body["type"], "job.failed");

    let list = setup.run(&["dead", "list", "--json"]).stdout;
    let letter: Value = serde_json::from_slice(&list).unwrap();
    assert_eq!(letter["id"], job["id"]);
    assert!(setup.run(&["dead", "retry", "--all"]).status.success());
    let notice = receiver.next().await.body;
    assert_eq!(
        (&notice["type"], &notice["data"]["id"]),
        (&json!("job.succeeded"), &job["id"])
    );
    assert!(setup.run(&["dead", "list", "--json"]).stdout.is_empty());
}

fn refused() -> Answer {
    let body = json!({ "error": { "message": "No.", "code": "moderation_blocked" } });
    Answer::Error(400, vec![], body)
}

#[tokio::test]
async fn a_worker_that_could_not_work_refuses_to_start() {
    let refusal = Setup::new().refusal_of(&["worker"]);
    assert!(refusal.contains("ATELIER_REDIS_URL"), "{refusal}");
    let setup = Setup::new().set("ATELIER_REDIS_URL", "redis://127.0.0.1:1");
    let refusal = setup.refusal_of(&["worker"]);
    assert!(refusal.contains("ATELIER_CALLBACK_URL"), "{refusal}");
    let refusal = Setup::new().set("ATELIER_WORKERS", "0").refusal();
    assert!(refusal.contains("ATELIER_WORKERS"), "{refusal}");
}

/// Port 1 is nobody's.
#[tokio::test]
async fn the_site_stays_open_while_its_redis_is_away() {
    let setup = Setup::with_file("").set("ATELIER_REDIS_URL", "redis://127.0.0.1:1");
    let server = setup.start();
    std::fs::write(setup.data().join("images/a.png"), "a picture").unwrap();
    let browser = |path: &str| server.get(path).header("accept", "text/html");
    for path in ["/", "/restore", "/?from=0190"] {
        let page = browser(path).send().await.unwrap();
        assert_eq!(page.status(), 200, "{path}");
        let page = page.text().await.unwrap();
        assert!(page.contains("cannot reach its records"), "{path}: {page}");
        assert!(page.contains("<form"), "{path}");
    }
    for path in ["/images/a.png", "/healthz"] {
        assert_eq!(
            server.get(path).send().await.unwrap().status(),
            200,
            "{path}"
        );
    }
    let page = browser("/jobs/0190").send().await.unwrap();
    assert_eq!(page.status(), StatusCode::SERVICE_UNAVAILABLE);
    let order = || server.post("/api/images");
    let json = order().json(&json!({ "prompt": "a boat" }));
    for request in [json, server.get("/api/jobs"), server.get("/readyz")] {
        let response = request.send().await.unwrap();
        assert!(response.headers().contains_key("retry-after"));
        let (status, problem) = problem(response).await;
        assert_eq!((status, text(&problem["code"])), (503, "store_unavailable"));
    }
    let form = order()
        .header("accept", "text/html")
        .header("content-type", "application/x-www-form-urlencoded");
    let page = form.body("prompt=a+boat").send().await.unwrap();
    assert_eq!(page.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(page.headers().contains_key("retry-after"));
    assert!(page.text().await.unwrap().contains("Nothing was lost"));
}

/// A thousand at once, to three servers: the quota is one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_servers_give_out_one_quota() {
    let policy = "[[limits]]\nname = 'p'\nscope = 'ip'\nunit = 'requests'\n\
                  algorithm = 'sliding_window'\nquota = 100\nwindow = '365d'";
    let openai = OpenAi::start(vec![]).await;
    let setup = shared(policy, &openai).await;
    let servers = [setup.start(), setup.start(), setup.start()];
    let orders = (0..1000).map(|number| {
        let order = servers[number % 3].post("/api/images");
        let order = order.json(&json!({ "prompt": format!("boat {number}") }));
        async move { order.send().await.unwrap().status().as_u16() }
    });
    let statuses = futures::future::join_all(orders).await;
    let granted = statuses.iter().filter(|status| **status == 202).count();
    let refused = statuses.iter().filter(|status| **status == 429).count();
    assert_eq!((granted, refused), (100, 900));
    let limits: Value = servers[0].json("/api/limits").await;
    assert_eq!(limits["limits"][0]["remaining"], 0.0);
}

/// What one server gives back, another gives out again, although it has just
/// refused the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_server_gives_back_another_gives_out() {
    let policy = "[[limits]]\nname = 'p'\nscope = 'ip'\nunit = 'images'\n\
                  algorithm = 'fixed_window'\nquota = 1\nwindow = '365d'";
    let openai = OpenAi::start(vec![]).await;
    let setup = shared(policy, &openai).await;
    let (one, two) = (setup.start(), setup.start());
    for round in 0..5 {
        let job = one.paint(&format!("boat {round}")).await;
        let order = || {
            let body = json!({ "prompt": format!("barge {round}") });
            two.post("/api/images").json(&body).send()
        };
        for _ in 0..3 {
            assert_eq!(order().await.unwrap().status(), 429);
        }
        let path = text(&job["url"]).to_owned();
        one.delete(&path).send().await.unwrap();
        let mut answer = order().await.unwrap();
        while answer.status() == 429 {
            answer = order().await.unwrap();
        }
        let other: Value = answer.json().await.unwrap();
        let path = text(&other["url"]).to_owned();
        two.delete(&path).send().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_at_once_over_three_servers_make_one_call() {
    let openai = OpenAi::start(vec![Answer::Hang]).await;
    let setup = shared("limits = []", &openai).await;
    let servers = [setup.start(), setup.start(), setup.start()].map(Atelier::without_session);
    let _worker = beside(&setup, &servers[0].url).start_worker();
    let orders = (0..200).map(|n| servers[n % 3].paint("a  lighthouse in a storm"));
    let jobs = futures::future::join_all(orders).await;
    openai.called(1).await;
    // Whoever began it does not want it any more; the others do.
    let leader = jobs.iter().find(|job| job["cache"] == "miss").unwrap();
    let path = text(&leader["url"]).to_owned();
    assert_eq!(servers[1].delete(&path).send().await.unwrap().status(), 200);
    openai.release();
    let others = jobs.iter().filter(|job| job["id"] != leader["id"]);
    let answers = others
        .enumerate()
        .map(|(n, job)| servers[n % 3].succeeded(job));
    let answers = futures::future::join_all(answers).await;
    assert_eq!(answers.len(), 199);
    for answer in &answers {
        assert_eq!(answer["images"], answers[0]["images"]);
        assert_eq!(answer["cache"], "joined");
    }
    assert_eq!(openai.calls().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_server_has_painted_another_finds_by_its_meaning() {
    found_by_its_meaning(redis_database().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_has_vector_sets_finds_it_by_itself() {
    let url = redis_8_database().await;
    found_by_its_meaning(url.clone()).await;
    let redis = Redis::open(url.parse().unwrap());
    let sets: Vec<String> = redis
        .query(&redis::Cmd::smembers(redis.key("{meanings}:lengths")))
        .await
        .unwrap();
    assert_eq!(sets, ["384"]);
}

async fn found_by_its_meaning(redis: String) {
    let openai = OpenAi::start(vec![]).await;
    let setup = shared("limits = []", &openai).await;
    let setup = setup.set("ATELIER_REDIS_URL", &redis);
    let (one, other) = (setup.start(), setup.start());
    let _worker = beside(&setup, &one.url).start_worker();
    let first = one.paint("a red car by the sea").await;
    let first = one.succeeded(&first).await;
    let known = semantic::until_known(&other, "a crimson automobile by the ocean").await;
    assert_eq!(known["images"], first["images"]);
    let late = setup.start();
    semantic::until_known(&late, "please, a red automobile by the ocean").await;

    let purged = setup.run(&["cache", "purge", text(&first["id"])]);
    assert!(purged.status.success());
    let again = late.paint("a red automobile beside the ocean").await;
    assert_ne!(again["similar_to"]["prompt"], first["prompt"]);
}
