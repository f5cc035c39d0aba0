//! What jobs pass before they enter the order of their lane.

use std::{collections::BTreeSet, time::Duration};

use crate::work::{
    Claim, Gate, GateChange, GateRef, Hold, In, Job, NewJob, Priority, Rate, Terms, Verdict,
};
use atelier_api::Status;
use serde_json::Value;

use super::{
    LEASE_MS, Stores, Subject, add, at, call, claim, complete, fail, failed, get, idle, new,
    notified, record, settle, success,
};

/// At most so many at a time during their attempts.
fn flow(name: &str, parallel: u32) -> GateRef {
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
fn queue_of(name: &str, parallel: u32) -> GateRef {
    GateRef {
        hold: Hold::End,
        ..flow(name, parallel)
    }
}

/// At most so many calls in a second.
fn paced(name: &str, count: u32) -> GateRef {
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
fn through(id: &str, gates: &[GateRef]) -> NewJob {
    NewJob {
        charge: Value::Null,
        gates: gates.to_vec(),
        ..new(id, "owner")
    }
}

async fn add_all(queue: &Subject, ids: &[&str], gates: &[GateRef]) {
    for id in ids {
        add(queue, through(id, gates)).await;
    }
}

/// All that may start now.
async fn calls(queue: &Subject, now: i64) -> Vec<Job> {
    let mut calls = Vec::new();
    while let Claim::Call(job) = claim(queue, now).await {
        calls.push(*job);
    }
    calls
}

fn ids(jobs: &[Job]) -> Vec<&str> {
    jobs.iter().map(|job| job.id.as_str()).collect()
}

async fn started(queue: &Subject, now: i64) -> Vec<String> {
    let jobs = calls(queue, now).await;
    ids(&jobs).into_iter().map(ToOwned::to_owned).collect()
}

async fn end(queue: &Subject, job: &Job, now: i64) {
    record(queue, &job.ticket(), success("a.png"), now).await;
    complete(queue, &job.ticket(), now).await;
}

async fn gate(queue: &Subject, name: &str) -> Gate {
    queue.gate(name).await.unwrap().expect("the gate is there")
}

async fn change(queue: &Subject, name: &str, change: GateChange, now: i64) -> Gate {
    queue.set_gate(name, change, at(now)).await.unwrap()
}

fn paused(paused: bool) -> GateChange {
    GateChange {
        paused: Some(paused),
        ..GateChange::default()
    }
}

pub(crate) async fn a_line_is_kept_through_retries(stores: Stores) {
    let queue = stores.queue;
    add_all(&queue, &["a", "b", "c"], &[queue_of("q", 1)]).await;
    let first = call(&queue, 0).await;
    assert_eq!(first.id, "a");
    settle(
        &queue,
        &first.ticket(),
        Verdict::Retry(failed(1), at(5000)),
        0,
    )
    .await;
    assert_eq!(idle(&queue, 1).await, Some(5000), "b waits for a");
    let again = call(&queue, 5000).await;
    assert_eq!(again.id, "a");
    end(&queue, &again, 5001).await;
    for (id, now) in [("b", 5002), ("c", 5003)] {
        let next = call(&queue, now).await;
        assert_eq!(next.id, id);
        assert_eq!(gate(&queue, "q").await.active, 1);
        end(&queue, &next, now).await;
    }
    assert_eq!(gate(&queue, "q").await.active, 0);
}

pub(crate) async fn a_line_is_kept_through_expired_leases(stores: Stores) {
    let queue = stores.queue;
    add_all(&queue, &["a", "b"], &[queue_of("q", 1), flow("host", 1)]).await;
    assert_eq!(call(&queue, 0).await.id, "a");
    assert_eq!(call(&queue, LEASE_MS).await.id, "a");
    assert_eq!(call(&queue, 2 * LEASE_MS).await.id, "a");
    assert_eq!(gate(&queue, "host").await.active, 1);
}

pub(crate) async fn the_next_in_line_waits_for_what_inherits_the_slot(stores: Stores) {
    let queue = stores.queue;
    let line = [queue_of("q", 1)];
    // Its charge is to be settled.
    add(
        &queue,
        NewJob {
            gates: line.to_vec(),
            ..new("a", "owner")
        },
    )
    .await;
    add_all(&queue, &["b"], &line).await;
    let first = call(&queue, 0).await;
    end(&queue, &first, 1).await;
    assert_eq!(idle(&queue, 1).await, None, "the end is not attended to");
    assert_eq!(gate(&queue, "q").await.active, 1);
    let inherits = |id: &str| NewJob {
        inherits: Some("a".into()),
        ..through(id, &[flow("host", 5)])
    };
    for id in ["a-callback", "a-failure"] {
        queue.enqueue(inherits(id), at(2)).await.unwrap();
        queue.enqueue(inherits(id), at(2)).await.unwrap();
    }
    let entry = queue.outbox(None, 10).await.unwrap().remove(0);
    queue.acknowledge(&entry.key).await.unwrap();
    queue.acknowledge(&entry.key).await.unwrap();
    let callbacks = calls(&queue, 3).await;
    assert_eq!(ids(&callbacks), ["a-callback", "a-failure"]);
    end(&queue, &callbacks[0], 4).await;
    let retry = Verdict::Retry(failed(1), at(5000));
    settle(&queue, &callbacks[1].ticket(), retry, 4).await;
    assert_eq!(idle(&queue, 4).await, Some(5000));
    let last = call(&queue, 5000).await;
    end(&queue, &last, 5001).await;
    assert_eq!(call(&queue, 5002).await.id, "b");
    // Nothing is inherited of what is over.
    queue.enqueue(inherits("late"), at(5002)).await.unwrap();
    assert_eq!(call(&queue, 5002).await.id, "late");
    assert_eq!(gate(&queue, "q").await.active, 1);
}

pub(crate) async fn acknowledging_an_end_lets_the_next_in_line_begin(stores: Stores) {
    let queue = stores.queue;
    for id in ["a", "b"] {
        add(
            &queue,
            NewJob {
                gates: vec![queue_of("q", 1)],
                ..new(id, "owner")
            },
        )
        .await;
    }
    fail(&queue, 0).await;
    assert_eq!(idle(&queue, 1).await, None);
    queue.delete("a").await.unwrap();
    assert_eq!(idle(&queue, 1).await, None, "an end outlives its job");
    let work = queue.notifier().listen_work();
    let entry = queue.outbox(None, 10).await.unwrap().remove(0);
    queue.acknowledge(&entry.key).await.unwrap();
    notified(work).await;
    assert_eq!(call(&queue, 2).await.id, "b");
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

pub(crate) async fn a_dead_letter_that_is_retried_passes_anew(stores: Stores) {
    let queue = stores.queue;
    add_all(&queue, &["a", "b", "c"], &[queue_of("q", 1)]).await;
    fail(&queue, 0).await;
    assert_eq!(call(&queue, 1).await.id, "b");
    queue.retry("a", Priority::Normal, at(2)).await.unwrap();
    assert_eq!(idle(&queue, 3).await, Some(LEASE_MS + 1));
    assert_eq!(gate(&queue, "q").await.waiting, 2);
    queue.cancel("b", at(4)).await.unwrap();
    let next = call(&queue, 5).await;
    assert_eq!(next.id, "c", "it goes behind");
    end(&queue, &next, 6).await;
    assert_eq!(call(&queue, 7).await.id, "a");
}

pub(crate) async fn who_leaves_a_line_leaves_it_in_order(stores: Stores) {
    let queue = stores.queue;
    add_all(&queue, &["a", "b", "c", "d"], &[paced("r", 1)]).await;
    assert_eq!(started(&queue, 0).await, ["a"]);
    // The first in the line is the one that the period's end wakes.
    queue.cancel("b", at(1)).await.unwrap();
    queue.delete("b").await.unwrap();
    assert_eq!(idle(&queue, 1).await, Some(1000));
    assert_eq!(gate(&queue, "r").await.waiting, 2);
    queue.cancel("d", at(1)).await.unwrap();
    assert_eq!(started(&queue, 1000).await, ["c"]);
    assert_eq!(gate(&queue, "r").await.waiting, 0);
}

pub(crate) async fn a_delayed_job_comes_to_its_gates_when_it_is_due(stores: Stores) {
    let queue = stores.queue;
    let delayed = NewJob {
        not_before: Some(at(1000)),
        ..through("a", &[queue_of("q", 1)])
    };
    add(&queue, delayed).await;
    add_all(&queue, &["b", "c"], &[queue_of("q", 1)]).await;
    let b = call(&queue, 0).await;
    assert_eq!(b.id, "b", "a delay holds up nobody");
    assert_eq!(idle(&queue, 500).await, Some(1000));
    assert_eq!(idle(&queue, 1000).await, Some(LEASE_MS));
    end(&queue, &b, 1001).await;
    assert_eq!(call(&queue, 1001).await.id, "a", "it was added before c");
}

pub(crate) async fn gates_are_passed_in_one_order(stores: Stores) {
    let queue = stores.queue;
    let [one, two] = [flow("one", 1), flow("two", 1)];
    add(
        &queue,
        through("a", &[one.clone(), two.clone(), queue_of("z", 1)]),
    )
    .await;
    add(&queue, through("b", &[two.clone(), one.clone()])).await;
    add(&queue, through("c", &[queue_of("z", 1), two, one])).await;
    for id in ["a", "b", "c"] {
        let job = call(&queue, 0).await;
        assert_eq!(job.id, id);
        idle(&queue, 0).await;
        end(&queue, &job, 0).await;
    }
    for name in ["one", "two", "z"] {
        let state = gate(&queue, name).await;
        assert_eq!((state.active, state.waiting), (0, 0));
    }
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

pub(crate) async fn a_call_is_finished_in_one_step(stores: Stores) {
    let queue = stores.queue;
    add_all(&queue, &["a", "b"], &[queue_of("q", 1), flow("f", 1)]).await;
    let first = call(&queue, 0).await;
    let stale = super::Ticket {
        token: 1,
        ..first.ticket()
    };
    let verdict = || Verdict::Record(success("a.png"));
    assert!(queue.finish(&stale, verdict(), at(1)).await.is_err());
    let retry = Verdict::Retry(failed(1), at(1));
    assert!(queue.finish(&first.ticket(), retry, at(1)).await.is_err());
    let done = queue
        .finish(&first.ticket(), verdict(), at(1))
        .await
        .unwrap();
    let super::Completion::Applied { ended, .. } = done else {
        panic!("it was not finished before");
    };
    assert_eq!(ended[0].job.status, Status::Succeeded);
    assert_eq!(ended[0].job.finished_at, Some(at(1)));
    let again = queue
        .finish(&first.ticket(), verdict(), at(2))
        .await
        .unwrap();
    assert!(matches!(again, super::Completion::Repeated));
    assert_eq!(get(&queue, "a").await, ended[0].job);
    let second = call(&queue, 2).await;
    assert_eq!(second.id, "b");
    let failed = Verdict::Fail(failed(1));
    queue.finish(&second.ticket(), failed, at(3)).await.unwrap();
    let dead = queue.dead(None, 10).await.unwrap();
    assert_eq!(ids(&dead), ["b"]);
    assert_eq!(dead[0].failures.len(), 1);
}

pub(crate) async fn an_owners_jobs_are_listed_by_state(stores: Stores) {
    let queue = stores.queue;
    for id in ["a", "b", "c", "d", "e"] {
        add(&queue, through(id, &[flow("f", 1)])).await;
    }
    add(&queue, new("f", "other")).await;
    let listed = async |state, before: Option<&str>, limit| -> Vec<String> {
        let jobs = queue.list_in("owner", state, before, limit).await.unwrap();
        jobs.into_iter().map(|job| job.id).collect()
    };
    let first = call(&queue, 0).await;
    settle(&queue, &first.ticket(), Verdict::Fail(failed(1)), 0).await;
    assert_eq!(
        listed(In::Unfinished, None, 10).await,
        ["e", "d", "c", "b", "a"]
    );
    complete(&queue, &first.ticket(), 0).await;
    queue.cancel("d", at(0)).await.unwrap();
    assert_eq!(listed(In::Unfinished, None, 2).await, ["e", "c"]);
    assert_eq!(listed(In::Unfinished, Some("c"), 2).await, ["b"]);
    assert_eq!(listed(In::Failed, None, 10).await, ["a"]);
    queue.retry("a", Priority::Normal, at(1)).await.unwrap();
    assert!(listed(In::Failed, None, 10).await.is_empty());
    assert_eq!(listed(In::Unfinished, Some("c"), 5).await, ["b", "a"]);
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
