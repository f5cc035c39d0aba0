//! Who goes next at a gate, and for how long the others wait.

use crate::work::{Claim, In, Job, NewJob, Priority, Verdict};
use atelier_api::Status;
use futures::future::join_all;

use super::{
    LEASE_MS, Stores, Subject, add, at, call, claim, complete, fail, failed,
    gates::{add_all, calls, end, flow, gate, ids, paced, queue_of, started, through},
    get, idle, new, notified, settle, success,
};

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

pub(crate) async fn what_is_done_together_keeps_to_the_gates(stores: Stores) {
    let queue = stores.queue;
    for (number, parallel) in [(60, 7), (200, 90)] {
        work_together(&queue, number, parallel).await;
    }
}

/// Adds so many jobs in one go, and works them, all that a gate lets begin in one go.
async fn work_together(queue: &Subject, number: usize, parallel: u32) {
    let (host, line) = (format!("host {parallel}"), format!("line {parallel}"));
    let added = (0..number).map(|job| {
        let mut gates = vec![flow(&host, parallel)];
        if job % 3 == 0 {
            gates.push(queue_of(&line, 2));
        }
        let mut new = NewJob {
            gates,
            ..new(&format!("{parallel}-{job:03}"), "owner")
        };
        // The ends of the others are not noted.
        if job % 4 != 0 {
            new.charge = serde_json::Value::Null;
        }
        queue.enqueue(new, at(0))
    });
    for job in join_all(added).await {
        assert_eq!(job.unwrap().status, Status::Queued);
    }
    let (mut done, mut now) = (0, 0);
    while done < number {
        now += 1;
        let claims = join_all((0..parallel).map(|_| claim(queue, now))).await;
        let begun: Vec<Job> = claims.into_iter().filter_map(called).collect();
        assert!(!begun.is_empty(), "{done} of {number} are done");
        let (host, line) = (gate(queue, &host).await, gate(queue, &line).await);
        assert!(line.active <= 2 && host.active <= parallel);
        assert_eq!(host.active as usize, begun.len());
        let waiting = (host.waiting + line.waiting) as usize;
        assert_eq!(done + begun.len() + waiting, number);
        let ends = begun.iter().enumerate().map(|(index, job)| {
            let verdict = match index % 5 {
                4 => Verdict::Fail(failed(1)),
                _ => Verdict::Record(success("a.png")),
            };
            let ticket = job.ticket();
            async move { queue.finish(&ticket, verdict, at(now)).await }
        });
        for (end, job) in join_all(ends).await.into_iter().zip(&begun) {
            let super::Completion::Applied { ended, .. } = end.unwrap() else {
                panic!("{} was not finished before", job.id);
            };
            let (end, kept) = (&ended[0].job, get(queue, &job.id).await);
            assert_eq!((end.status, end.version), (kept.status, kept.version));
            assert_eq!((&end.id, &end.outcome), (&job.id, &kept.outcome));
        }
        let noted = queue.outbox(None, number).await.unwrap();
        let attended = noted.iter().map(|end| queue.acknowledge(&end.key));
        join_all(attended)
            .await
            .into_iter()
            .for_each(Result::unwrap);
        done += begun.len();
    }
    for name in [&host, &line] {
        let state = gate(queue, name).await;
        assert_eq!((state.active, state.waiting), (0, 0));
    }
    let rest = queue.list_in("owner", In::Unfinished, None, 1);
    assert_eq!(rest.await.unwrap(), []);
}

fn called(claim: Claim) -> Option<Job> {
    match claim {
        Claim::Call(job) => Some(*job),
        _ => None,
    }
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
