//! Machines that share a Redis and whose clocks are wrong by minutes: leases,
//! windows, signatures and lists go by the store's time. And a machine by itself
//! whose clock is set.

use serde_json::{Value, json};

use crate::{
    notices::{Receiver, SECRET},
    support::{Answer, OpenAi, Process, Setup, redis_database, text},
};

/// Seconds that a machine's clock may be ahead, or behind.
const SKEWS: [i64; 3] = [70, 900, -900];

/// Pictures from the stand-in, everything else in a Redis.
async fn shared(file: &str, openai: &OpenAi) -> Setup {
    Setup::with_file(file)
        .openai(openai)
        .set("ATELIER_REDIS_URL", &redis_database().await)
        .set("ATELIER_SECRET", SECRET)
}

fn worker(setup: &Setup, server: &str, skew: i64) -> Process {
    let setup = setup.again().skewed(skew);
    let setup = setup.set("ATELIER_WORKERS", "4");
    setup.set("ATELIER_CALLBACK_URL", server).start_worker()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_jobs_are_three_calls_whatever_the_clocks_say() {
    for skew in SKEWS {
        let hang = || Answer::Hang;
        let openai = OpenAi::start(vec![hang(), hang(), hang()]).await;
        let file = "limits = []\n[callbacks]\nallow_private = true\nopen = true";
        let setup = shared(file, &openai).await;
        // All its places are taken by the three calls that hang.
        let server = setup.again().set("ATELIER_WORKERS", "3").start();
        let mut jobs = Vec::new();
        for number in 0..3 {
            jobs.push(server.paint(&format!("boat {number}")).await);
        }
        openai.called(3).await;

        // So whatever else is ordered is done on the other machine, which would
        // take up the three as well if it thought that their leases had ended.
        let _worker = worker(&setup, &server.url, skew);
        let receiver = Receiver::start(&[]).await;
        let body = json!({ "prompt": "a barge", "callback_url": receiver.url });
        server.succeeded(&server.submit(&body).await).await;
        // Its receiver believes no signature that is five minutes off.
        receiver.next().await;

        setup.set_clock(skew, 10 * skew);
        server.succeeded(&server.paint("a bridge").await).await;
        assert_eq!(openai.calls().len(), 5, "{skew}");
        openai.release();
        for job in &jobs {
            let job = server.succeeded(job).await;
            assert_eq!(job["attempt"], 1, "{skew}");
        }
        assert_eq!(openai.calls().len(), 5, "{skew}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_ends_at_the_same_time_on_all_machines() {
    let openai = OpenAi::start(vec![]).await;
    let policy = "[[limits]]\nname = 'p'\nscope = 'global'\nunit = 'requests'\n\
                  algorithm = 'sliding_window'\nquota = 1\nwindow = '10m'";
    let setup = shared(policy, &openai).await;
    let servers = SKEWS.map(|skew| setup.again().skewed(skew).start());
    servers[0].paint("a boat").await;
    let mut resets = Vec::new();
    for (server, skew) in servers.iter().zip(SKEWS) {
        let order = server.post("/api/images");
        let order = order.json(&json!({ "prompt": format!("boat {skew}") }));
        let answer = order.send().await.unwrap();
        assert_eq!(answer.status(), 429, "{skew}");
        let limits = server.json("/api/limits").await;
        resets.push(limits["limits"][0]["reset_seconds"].as_f64().unwrap());
    }
    // They were asked one after the other, so not quite the same.
    let (first, last) = (resets[0], resets[2]);
    assert!((first - last).abs() < 60.0, "{resets:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_are_listed_in_the_order_in_which_they_came() {
    let openai = OpenAi::start(vec![]).await;
    let setup = shared("limits = []", &openai).await;
    let key = setup.run(&["keys", "create", "a key"]).stdout;
    let key = String::from_utf8(key).unwrap();
    let servers = SKEWS.map(|skew| setup.again().skewed(skew).start());
    let mut expected = Vec::new();
    for number in 0..6 {
        let order = servers[number % 3].post("/api/images");
        let order = order.json(&json!({ "prompt": format!("boat {number}") }));
        let job: Value = order
            .bearer_auth(key.trim())
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        expected.insert(0, text(&job["id"]).to_owned());
    }
    let list = servers[0].get("/api/jobs").bearer_auth(key.trim());
    let list: Value = list.send().await.unwrap().json().await.unwrap();
    let jobs = list["jobs"].as_array().unwrap().iter();
    let listed: Vec<&str> = jobs.map(|job| text(&job["id"])).collect();
    assert_eq!(listed, expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_set_ends_no_lease_and_gives_no_limit_out_again() {
    let policy = "[[limits]]\nname = 'p'\nscope = 'global'\nunit = 'requests'\n\
                  algorithm = 'token_bucket'\nquota = 2\nburst = 2\nwindow = '10m'";
    for skew in SKEWS {
        let openai = OpenAi::start(vec![Answer::Hang]).await;
        let setup = Setup::with_file(policy).openai(&openai).skewed(0);
        let server = setup.start();
        let running = server.paint("a boat").await;
        openai.called(1).await;
        setup.set_clock(0, skew);
        // A claim takes up whatever lease has ended.
        server.succeeded(&server.paint("a barge").await).await;
        assert_eq!(openai.calls().len(), 2, "{skew}");
        let order = server
            .post("/api/images")
            .json(&json!({ "prompt": "a raft" }));
        assert_eq!(order.send().await.unwrap().status(), 429, "{skew}");
        openai.release();
        let running = server.succeeded(&running).await;
        assert_eq!(running["attempt"], 1, "{skew}");
        assert_eq!(openai.calls().len(), 2, "{skew}");
    }
}
