//! What jobs pass before they enter the order of their lane.

use std::{collections::BTreeSet, time::Duration};

use crate::work::{Claim, Gate, GateChange, GateRef, Hold, Job, NewJob, Rate, Terms, Verdict};
use atelier_api::Status;
use serde_json::Value;

use super::{
    LEASE_MS, Stores, Subject, add, at, call, claim, complete, failed, get, idle, new, notified,
    record, settle, success,
};

/// At most so many at a time during their attempts.
pub(super) fn flow(name: &str, parallel: u32) -> GateRef {
    let parallel = Some(parallel);
    GateRef {
        name: name.into(),
        terms: Some(Terms {
            parallel,
            rate: None,
        }),
        hold: Hold::Attempt,
    }
}

/// At most so many, each until its end has been attended to.
pub(super) fn queue_of(name: &str, parallel: u32) -> GateRef {
    GateRef {
        hold: Hold::End,
        ..flow(name, parallel)
    }
}

/// At most so many calls in a second.
pub(super) fn paced(name: &str, count: u32) -> GateRef {
    let period = Duration::from_secs(1);
    GateRef {
        terms: Some(Terms {
            parallel: None,
            rate: Some(Rate { count, period }),
        }),
        ..flow(name, 1)
    }
}

/// A job for which nothing was charged, and of whose end nobody is told.
pub(super) fn through(id: &str, gates: &[GateRef]) -> NewJob {
    NewJob {
        charge: Value::Null,
        gates: gates.to_vec(),
        ..new(id, "owner")
    }
}

pub(super) async fn add_all(queue: &Subject, ids: &[&str], gates: &[GateRef]) {
    for id in ids {
        add(queue, through(id, gates)).await;
    }
}

/// All that may start now.
pub(super) async fn calls(queue: &Subject, now: i64) -> Vec<Job> {
    let mut calls = Vec::new();
    while let Claim::Call(job) = claim(queue, now).await {
        calls.push(*job);
    }
    calls
}

pub(super) fn ids(jobs: &[Job]) -> Vec<&str> {
    jobs.iter().map(|job| job.id.as_str()).collect()
}

pub(super) async fn started(queue: &Subject, now: i64) -> Vec<String> {
    let jobs = calls(queue, now).await;
    ids(&jobs).into_iter().map(ToOwned::to_owned).collect()
}

pub(super) async fn end(queue: &Subject, job: &Job, now: i64) {
    record(queue, &job.ticket(), success("a.png"), now).await;
    complete(queue, &job.ticket(), now).await;
}

pub(super) async fn gate(queue: &Subject, name: &str) -> Gate {
    queue.gate(name).await.unwrap().expect("the gate is there")
}

pub(super) async fn change(queue: &Subject, name: &str, change: GateChange, now: i64) -> Gate {
    queue.set_gate(name, change, at(now)).await.unwrap()
}

pub(super) fn paused(paused: bool) -> GateChange {
    GateChange {
        paused: Some(paused),
        ..GateChange::default()
    }
}

pub(crate) async fn no_more_jobs_hold_a_gate_than_it_has_slots(stores: Stores) {
    let queue = stores.queue;
    let names: Vec<String> = (0..12).map(|index| format!("{index:02}")).collect();
    for id in &names {
        add(&queue, through(id, &[flow("f", 3)])).await;
    }
    assert_eq!(calls(&queue, 0).await.len(), 3);
    let state = gate(&queue, "f").await;
    assert_eq!((state.active, state.waiting), (3, 9));
    // Their workers die: others take their places, and they come again.
    let mut seen = BTreeSet::new();
    let mut now = 0;
    for _ in 0..12 {
        now += LEASE_MS;
        let jobs = calls(&queue, now).await;
        assert_eq!(jobs.len(), 3);
        assert_eq!(gate(&queue, "f").await.active, 3);
        end(&queue, &jobs[0], now).await;
        seen.insert(jobs[0].id.clone());
        let [next] = calls(&queue, now)
            .await
            .try_into()
            .unwrap_or_else(|other: Vec<Job>| {
                panic!("one slot was freed, {} jobs began", other.len())
            });
        end(&queue, &next, now).await;
        seen.insert(next.id);
        let state = gate(&queue, "f").await;
        if state.waiting == 0 {
            break;
        }
        calls(&queue, now).await;
    }
    assert!(seen.len() >= 9);
}

pub(crate) async fn many_workers_hold_no_more_than_there_are_slots(stores: Stores) {
    let queue = stores.queue;
    for index in 0..40 {
        add(
            &queue,
            through(&format!("{index:02}"), &[flow("f", 4), paced("r", 1000)]),
        )
        .await;
    }
    let workers = (0..8).map(|_| {
        let queue = queue.clone();
        tokio::spawn(async move {
            let mut done = 0;
            for _ in 0..200 {
                if let Claim::Call(job) = claim(&queue, 0).await {
                    let state = gate(&queue, "f").await;
                    assert!(state.active <= 4, "{state:?}");
                    end(&queue, &job, 0).await;
                    done += 1;
                }
            }
            done
        })
    });
    let mut done = 0;
    for worker in workers.collect::<Vec<_>>() {
        done += worker.await.unwrap();
    }
    done += async {
        let mut rest = 0;
        while let Claim::Call(job) = claim(&queue, 0).await {
            end(&queue, &job, 0).await;
            rest += 1;
        }
        rest
    }
    .await;
    assert_eq!(done, 40);
    let state = gate(&queue, "f").await;
    assert_eq!((state.active, state.waiting), (0, 0));
}

pub(crate) async fn no_more_calls_begin_in_a_period_than_its_rate_allows(stores: Stores) {
    let queue = stores.queue;
    add_all(
        &queue,
        &["a", "b", "c", "d", "e", "f", "g"],
        &[paced("r", 3)],
    )
    .await;
    assert_eq!(started(&queue, 100).await, ["a", "b", "c"]);
    assert_eq!(idle(&queue, 100).await, Some(1100));
    let state = gate(&queue, "r").await;
    assert_eq!((state.started, state.window_start), (3, Some(at(100))));
    assert_eq!(idle(&queue, 1099).await, Some(1100));
    // The next period begins with its first call.
    assert_eq!(started(&queue, 1500).await, ["d", "e", "f"]);
    assert_eq!(idle(&queue, 1500).await, Some(2500));
    assert_eq!(started(&queue, 2500).await, ["g"]);
    assert_eq!(gate(&queue, "r").await.waiting, 0);
}

pub(crate) async fn a_retry_counts_towards_the_rate(stores: Stores) {
    let queue = stores.queue;
    add_all(&queue, &["a", "b"], &[paced("r", 1)]).await;
    let first = call(&queue, 0).await;
    settle(&queue, &first.ticket(), Verdict::Retry(failed(1), at(0)), 0).await;
    assert_eq!(idle(&queue, 999).await, Some(1000));
    assert_eq!(started(&queue, 1000).await, ["b"]);
    assert_eq!(started(&queue, 2000).await, ["a"]);
}

pub(crate) async fn a_paused_gate_starts_nothing(stores: Stores) {
    let queue = stores.queue;
    // They have passed already, and wait for their turn.
    add_all(&queue, &["a", "b"], &[flow("f", 5)]).await;
    change(&queue, "f", paused(true), 0).await;
    add_all(&queue, &["c"], &[flow("f", 5)]).await;
    assert_eq!(idle(&queue, 1).await, None);
    let state = gate(&queue, "f").await;
    assert_eq!((state.active, state.waiting, state.paused), (0, 3, true));
    let work = queue.notifier().listen_work();
    change(&queue, "f", paused(false), 2).await;
    notified(work).await;
    assert_eq!(started(&queue, 3).await, ["a", "b", "c"]);
}

pub(crate) async fn a_raised_limit_lets_more_begin(stores: Stores) {
    let queue = stores.queue;
    add_all(&queue, &["a", "b", "c", "d"], &[flow("f", 1)]).await;
    assert_eq!(started(&queue, 0).await, ["a"]);
    let work = queue.notifier().listen_work();
    let raised = GateChange {
        parallel: Some(Some(3)),
        ..GateChange::default()
    };
    change(&queue, "f", raised, 0).await;
    notified(work).await;
    assert_eq!(started(&queue, 1).await, ["b", "c"]);
    // Jobs bring their own terms.
    add_all(&queue, &["e"], &[flow("f", 4)]).await;
    assert_eq!(started(&queue, 2).await, ["d"]);
    assert_eq!(gate(&queue, "f").await.terms.parallel, Some(4));
}

pub(crate) async fn a_lowered_limit_holds_for_what_has_not_begun(stores: Stores) {
    let queue = stores.queue;
    add_all(&queue, &["a", "b", "c"], &[flow("f", 3)]).await;
    assert_eq!(call(&queue, 0).await.id, "a");
    add_all(&queue, &["d"], &[flow("f", 1)]).await;
    assert_eq!(idle(&queue, 1).await, Some(LEASE_MS));
    let state = gate(&queue, "f").await;
    assert_eq!((state.active, state.waiting), (1, 3));
}

pub(crate) async fn pinned_terms_are_not_changed_by_jobs(stores: Stores) {
    let queue = stores.queue;
    let pin = GateChange {
        parallel: Some(Some(2)),
        pin_parallel: Some(true),
        ..GateChange::default()
    };
    change(&queue, "f", pin, 0).await;
    let offered = GateRef {
        terms: Some(Terms {
            parallel: Some(9),
            ..paced("f", 7).terms.unwrap()
        }),
        ..flow("f", 9)
    };
    add(&queue, through("a", std::slice::from_ref(&offered))).await;
    let state = gate(&queue, "f").await;
    assert_eq!(state.terms.parallel, Some(2));
    assert_eq!(state.terms.rate.unwrap().count, 7);
    assert_eq!((state.pinned_parallel, state.pinned_rate), (true, false));
    let unpin = GateChange {
        pin_parallel: Some(false),
        ..GateChange::default()
    };
    change(&queue, "f", unpin, 0).await;
    add(&queue, through("b", &[offered])).await;
    assert_eq!(gate(&queue, "f").await.terms.parallel, Some(9));
    let silent = GateRef {
        terms: None,
        ..flow("f", 1)
    };
    add(&queue, through("c", &[silent])).await;
    assert_eq!(gate(&queue, "f").await.terms.parallel, Some(9));
}

pub(crate) async fn a_reset_rate_begins_a_new_period(stores: Stores) {
    let queue = stores.queue;
    add_all(&queue, &["a", "b"], &[paced("r", 1)]).await;
    assert_eq!(started(&queue, 0).await, ["a"]);
    let reset = GateChange {
        reset_rate: true,
        ..GateChange::default()
    };
    assert_eq!(change(&queue, "r", reset, 10).await.started, 0);
    assert_eq!(started(&queue, 10).await, ["b"]);
    assert_eq!(gate(&queue, "r").await.window_start, Some(at(10)));
}

pub(crate) async fn a_removed_gate_lets_those_who_wait_pass(stores: Stores) {
    let queue = stores.queue;
    add_all(&queue, &["a", "b", "c"], &[flow("f", 1), flow("z", 2)]).await;
    let first = call(&queue, 0).await;
    let work = queue.notifier().listen_work();
    assert!(queue.remove_gate("f", at(0)).await.unwrap());
    assert!(!queue.remove_gate("f", at(0)).await.unwrap());
    notified(work).await;
    assert_eq!(queue.gate("f").await.unwrap(), None);
    assert_eq!(started(&queue, 1).await, ["b"], "the other gate holds");
    // Who held it counts in the next gate of that name.
    add_all(&queue, &["d"], &[flow("f", 2)]).await;
    end(&queue, &first, 2).await;
    assert_eq!(started(&queue, 3).await, ["c"]);
    assert_eq!(gate(&queue, "f").await.created_at, at(0));
}

pub(crate) async fn what_waits_for_a_gate_has_no_position(stores: Stores) {
    let queue = stores.queue;
    add_all(&queue, &["a", "b"], &[flow("f", 1)]).await;
    assert_eq!(get(&queue, "a").await.position, Some(0));
    let waiting = get(&queue, "b").await;
    assert_eq!((waiting.status, waiting.position), (Status::Queued, None));
}

pub(crate) async fn jobs_that_wait_at_a_gate_hold_up_nobody(stores: Stores) {
    let queue = stores.queue;
    add_all(&queue, &["a", "b", "c"], &[flow("f", 1)]).await;
    add(&queue, new("d", "owner")).await;
    add_all(&queue, &["e"], &[flow("g", 1)]).await;
    assert_eq!(started(&queue, 0).await, ["a", "d", "e"]);
}

pub(crate) async fn gates_are_listed_by_prefix_in_pages(stores: Stores) {
    let queue = stores.queue;
    for name in ["q:b", "q:a", "r:a", "q:c", "p"] {
        change(&queue, name, GateChange::default(), 0).await;
    }
    let names = async |prefix: &str, after: Option<&str>, limit| -> Vec<String> {
        let gates = queue.gates(prefix, after, limit).await.unwrap();
        gates.into_iter().map(|gate| gate.name).collect()
    };
    assert_eq!(names("q:", None, 2).await, ["q:a", "q:b"]);
    assert_eq!(names("q:", Some("q:b"), 2).await, ["q:c"]);
    assert_eq!(names("", None, 10).await, ["p", "q:a", "q:b", "q:c", "r:a"]);
    assert!(names("x", None, 10).await.is_empty());
    assert_eq!(queue.gate("q:").await.unwrap(), None);
}

pub(crate) async fn gates_that_nothing_names_are_removed(stores: Stores) {
    let queue = stores.queue;
    add_all(&queue, &["a", "b"], &[flow("f", 1)]).await;
    add_all(&queue, &["c"], &[flow("g", 1)]).await;
    let keep = GateChange {
        kept: Some(true),
        ..GateChange::default()
    };
    change(&queue, "kept", keep, 0).await;
    change(&queue, "paused", paused(true), 0).await;
    for job in calls(&queue, 0).await {
        end(&queue, &job, 0).await;
    }
    let left = async |before| -> Vec<String> {
        stores.files.remove_idle_gates(at(before)).await.unwrap();
        let gates = queue.gates("", None, 10).await.unwrap();
        gates.into_iter().map(|gate| gate.name).collect()
    };
    assert_eq!(left(0).await, ["f", "g", "kept", "paused"]);
    assert_eq!(left(1).await, ["f", "kept", "paused"], "a job waits at f");
    let last = call(&queue, 1).await;
    end(&queue, &last, 1).await;
    assert_eq!(left(2).await, ["kept", "paused"]);
}
