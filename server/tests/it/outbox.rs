//! What follows the end of a call that many share survives the process.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    notices::{Receiver, SECRET},
    support::{Answer, Atelier, CHARGED, OpenAi, PATIENCE, Setup, budget, redis_database, text},
};

const FOLLOWERS: usize = 600;

/// So many orders are handed in at a time.
const AT_ONCE: usize = 50;

/// Beside a budget.
const POLICIES: &str = "
    [callbacks]
    allow_private = true
    [[limits]]
    name = 'pictures'
    scope = 'user'
    unit = 'images'
    algorithm = 'fixed_window'
    quota = 1000
    window = '365d'
";

/// Dollars.
const BUDGET: u32 = 100_000;

struct User<'a> {
    server: &'a Atelier,
    key: &'a str,
}

impl User<'_> {
    async fn order(&self, receiver: &Receiver) -> Value {
        let body = json!({ "prompt": "a boat", "callback_url": receiver.url });
        let order = self.server.post("/api/images").bearer_auth(self.key);
        let answer = order.json(&body).send().await.unwrap();
        let status = answer.status();
        let job = answer.json().await.unwrap();
        assert_eq!(status, 202, "{job}");
        job
    }

    /// Returns at the very moment that the job has succeeded.
    async fn succeeded(&self, job: &Value) {
        let path = format!(
            "/api/jobs/{}?after={}&wait=25",
            text(&job["id"]),
            job["version"]
        );
        let poll = self.server.get(&path).bearer_auth(self.key);
        let mut job: Value = poll.send().await.unwrap().json().await.unwrap();
        while job["status"] != "succeeded" {
            let path = format!(
                "/api/jobs/{}?after={}&wait=25",
                text(&job["id"]),
                job["version"]
            );
            let poll = self.server.get(&path).bearer_auth(self.key);
            job = poll.send().await.unwrap().json().await.unwrap();
        }
    }

    /// What is left of each policy.
    async fn left(&self) -> [f64; 2] {
        let limits = self.server.get("/api/limits").bearer_auth(self.key);
        let limits: Value = limits.send().await.unwrap().json().await.unwrap();
        [0, 1].map(|index| limits["limits"][index]["remaining"].as_f64().unwrap())
    }
}

fn setup() -> Setup {
    Setup::with_file(&format!("{POLICIES}{}", budget(BUDGET)))
}

async fn survives(setup: Setup, openai: &OpenAi) {
    let setup = setup.openai(openai).set("ATELIER_SECRET", SECRET);
    let server = setup.start();
    let created = setup.run(&["keys", "create", "crowd"]).stdout;
    let key = String::from_utf8(created).unwrap();
    let user = User {
        server: &server,
        key: key.trim(),
    };
    let receiver = Receiver::start(&[]).await;
    let leader = user.order(&receiver).await;
    openai.called(1).await;
    for _ in 0..FOLLOWERS / AT_ONCE {
        let orders = (0..AT_ONCE).map(|_| user.order(&receiver));
        for job in futures::future::join_all(orders).await {
            assert_eq!(job["cache"], "joined");
        }
    }
    openai.release();
    user.succeeded(&leader).await;
    server.kill();

    let server = setup.start();
    let user = User {
        server: &server,
        key: key.trim(),
    };
    let (mut ids, mut jobs) = (BTreeSet::new(), BTreeSet::new());
    while jobs.len() <= FOLLOWERS {
        let notice = receiver.next().await;
        assert_eq!(notice.body["type"], "job.succeeded");
        jobs.insert(text(&notice.body["data"]["id"]).to_owned());
        ids.insert(notice.id);
    }
    assert_eq!(ids.len(), FOLLOWERS + 1, "one notice for each job");
    let expected = [999.0, f64::from(BUDGET) - CHARGED];
    let settled = async {
        while user
            .left()
            .await
            .iter()
            .zip(expected)
            .any(|(left, expected)| (left - expected).abs() > 1e-9)
        {}
    };
    let settled = tokio::time::timeout(PATIENCE, settled).await;
    assert!(settled.is_ok(), "{:?} is left", user.left().await);
    assert_eq!(openai.calls().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_right_after_success_loses_no_notice_and_no_settlement() {
    let openai = OpenAi::start(vec![Answer::Hang]).await;
    survives(setup(), &openai).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_does_it_with_redis() {
    let openai = OpenAi::start(vec![Answer::Hang]).await;
    let redis = redis_database().await;
    let setup = setup().set("ATELIER_REDIS_URL", &redis);
    survives(setup, &openai).await;
}
