//! An answer that its own claim could not record is found by a later one, is paid for once, and serves
//! whoever still waits for it.

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::{
    paid::{Stage, a_while},
    support::{Atelier, CHARGED, budget, eventually, taken, text},
};

const SHORT: &str = "[queue]\nlease = '1s'\nretry_base = '10ms'\n";

async fn stage() -> Stage {
    Stage::new(&format!("{}{SHORT}", budget(1))).await
}

impl Stage {
    /// The answer to the leader's call is written down and its process killed. Then the lease is found to
    /// have run out, by a process that makes no calls.
    async fn answered_and_lost(&self, leader: &Value, waiting: &Value, first: Atelier) {
        let bystander = self.setup.again().set("ATELIER_WORKERS", "0").start();
        self.redis.signal(Signal::SIGSTOP);
        self.answered(leader).await;
        first.kill();
        a_while().await;
        self.redis.signal(Signal::SIGCONT);
        let is_queued = |job: &Value| job["status"] == "queued";
        bystander.until(waiting, is_queued).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_a_later_claim_finds_is_booked_at_what_it_cost() {
    let stage = stage().await;
    let first = stage.setup.start();
    let job = stage.order(&first).await;
    stage.answered_and_lost(&job, &job, first).await;
    let second = stage.setup.start();
    stage.paid_once(&second, &job).await;
    second.settled(1.0 - CHARGED).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_serves_those_who_share_the_call_of_somebody_who_has_left() {
    for deleted in [false, true] {
        let stage = stage().await;
        let first = stage.setup.start();
        let leader = stage.order(&first).await;
        let order = json!({ "prompt": leader["prompt"] });
        let order = first.post("/api/images").json(&order);
        let follower = taken(order.send().await.unwrap()).await;
        assert_eq!(follower["cache"], "joined");
        for _ in 0..=usize::from(deleted) {
            let left = first.delete(text(&leader["url"])).send().await.unwrap();
            assert!(left.status().is_success(), "{}", left.status());
        }
        // The entry is named by the job whose call it is.
        let entry = stage.entry(&leader);
        stage.answered_and_lost(&leader, &follower, first).await;
        let second = stage.setup.start();
        stage.paid_once(&second, &follower).await;
        eventually("the journal is cleared", || !entry.exists()).await;
        second.settled(1.0 - CHARGED).await;
    }
}
