//! Jobs that failed for good, and jobs that are over.

use crate::work::{Claim, Error, Hooks, NewJob, Priority, Report, Verdict};
use atelier_api::{Cache, Status};

use super::{
    LEASE_MS, Stores, add, at, call, claim, complete, extend, fail, failed, get, idle, joining,
    new, notified, record, settle, settled, success, work,
};

pub(crate) async fn dead_letters_are_listed_newest_first_in_pages(stores: Stores) {
    let queue = stores.queue;
    for id in ["a", "b", "c", "d", "e"] {
        add(&queue, new(id, id)).await;
        match id {
            "b" => drop(work(&queue, success("b.png"), 0).await),
            "d" => drop(queue.cancel("d", at(0)).await.unwrap()),
            _ => drop(fail(&queue, 0).await),
        }
    }
    let ids = async |before: Option<&str>, limit| -> Vec<String> {
        let jobs = queue.dead(before, limit).await.unwrap();
        jobs.into_iter().map(|job| job.id).collect()
    };
    assert_eq!(ids(None, 10).await, ["e", "c", "a"]);
    assert_eq!(ids(None, 2).await, ["e", "c"]);
    assert_eq!(ids(Some("c"), 2).await, ["a"]);
    assert!(ids(Some("a"), 2).await.is_empty());
    let letter = queue.dead(None, 1).await.unwrap().remove(0);
    assert_eq!(letter, get(&queue, "e").await);
    assert_eq!(letter.failures, [failed(1)]);
}

pub(crate) async fn a_deleted_dead_letter_is_gone(stores: Stores) {
    let queue = stores.queue;
    queue.enqueue(joining("a", "same"), at(0)).await.unwrap();
    queue.enqueue(joining("b", "same"), at(0)).await.unwrap();
    queue.cancel("a", at(0)).await.unwrap();
    fail(&queue, 0).await;
    let dead = queue.dead(None, 10).await.unwrap();
    assert_eq!(dead.len(), 1, "the leader's owner has left: {dead:?}");
    assert_eq!(dead[0].id, "b");
    queue.delete("b").await.unwrap();
    assert!(queue.dead(None, 10).await.unwrap().is_empty());
    let retried = queue.retry("b", Priority::Normal, at(0)).await;
    assert!(matches!(retried, Err(Error::NotFound)));
}

pub(crate) async fn a_revived_job_begins_anew(stores: Stores) {
    let queue = stores.queue;
    let hooks = Hooks {
        callback_url: Some("https://example.org".into()),
        failure_callback_url: None,
    };
    let hooked = NewJob {
        hooks: hooks.clone(),
        ..new("a", "owner")
    };
    add(&queue, hooked).await;
    let ticket = fail(&queue, 0).await;
    add(&queue, new("b", "owner")).await;
    let dead = get(&queue, "a").await;

    let (change, work) = (queue.notifier().listen("a"), queue.notifier().listen_work());
    let retried = queue.retry("a", Priority::High, at(5)).await.unwrap();
    notified(change).await;
    notified(work).await;
    assert_eq!(
        (retried.status, retried.attempt, retried.position),
        (Status::Queued, 0, Some(0))
    );
    assert_eq!(
        (retried.started_at, retried.finished_at, &retried.outcome),
        (None, None, &None)
    );
    assert_eq!(
        (&retried.charge, &retried.hooks),
        (&serde_json::Value::Null, &hooks)
    );
    assert_eq!(retried.failures, [settled(1)]);
    assert!(retried.version > dead.version);
    assert_eq!(get(&queue, "a").await, retried);
    assert!(queue.dead(None, 10).await.unwrap().is_empty());

    let job = call(&queue, 5).await;
    assert_eq!((job.id.as_str(), job.attempt), ("a", 1));
    assert!(job.token > ticket.token);
    record(&queue, &job.ticket(), success("a.png"), 6).await;
    complete(&queue, &job.ticket(), 7).await;
    assert_eq!(get(&queue, "a").await.status, Status::Succeeded);
}

pub(crate) async fn a_revived_jobs_deliveries_are_counted_anew(stores: Stores) {
    let queue = stores.queue;
    add(&queue, new("a", "owner")).await;
    for _ in 0..2 {
        let ticket = call(&queue, 0).await.ticket();
        settle(&queue, &ticket, Verdict::Fail(failed(1)), 0).await;
        for before in 0..3 {
            settle(&queue, &ticket, Verdict::Postpone(at(0)), 0).await;
            match claim(&queue, 0).await {
                Claim::Deliver(_, tried) => assert_eq!(tried, before),
                other => panic!("expected a delivery, got {other:?}"),
            }
        }
        complete(&queue, &ticket, 0).await;
        queue.retry("a", Priority::Normal, at(0)).await.unwrap();
    }
}

pub(crate) async fn only_failed_jobs_are_revived(stores: Stores) {
    let queue = stores.queue;
    add(&queue, new("a", "owner")).await;
    let refused = async || {
        let retried = queue.retry("a", Priority::Normal, at(0)).await;
        matches!(retried, Err(Error::Illegal(_)))
    };
    assert!(refused().await);
    let ticket = call(&queue, 0).await.ticket();
    assert!(refused().await);
    record(&queue, &ticket, success("a.png"), 0).await;
    assert!(refused().await);
    complete(&queue, &ticket, 0).await;
    assert!(refused().await);
}

pub(crate) async fn a_revived_job_joins_the_flight(stores: Stores) {
    let queue = stores.queue;
    queue.enqueue(joining("a", "same"), at(0)).await.unwrap();
    queue.enqueue(joining("b", "same"), at(0)).await.unwrap();
    fail(&queue, 0).await;
    // The follower leads now, and its leader of old follows.
    let b = queue.retry("b", Priority::Normal, at(1)).await.unwrap();
    assert_eq!((b.status, b.cache), (Status::Queued, Cache::Miss));
    let ticket = call(&queue, 2).await.ticket();
    assert_eq!(ticket.id, "b");
    let a = queue.retry("a", Priority::Normal, at(3)).await.unwrap();
    assert_eq!(
        (a.status, a.cache, a.attempt, a.started_at),
        (Status::Running, Cache::Joined, 1, Some(at(2)))
    );
    record(&queue, &ticket, success("b.png"), 4).await;
    assert_eq!(complete(&queue, &ticket, 5).await.len(), 2);
    let a = get(&queue, "a").await;
    assert_eq!(
        (a.status, a.outcome),
        (Status::Succeeded, Some(success("b.png")))
    );
    assert_eq!(a.failures, [settled(1)]);
}

/// A job that follows another's call is in nobody's hands, whatever token it
/// had when it led.
pub(crate) async fn a_ticket_from_before_is_no_right_to_a_follower(stores: Stores) {
    let queue = stores.queue;
    queue.enqueue(joining("a", "same"), at(0)).await.unwrap();
    let old = fail(&queue, 0).await;
    queue.enqueue(joining("b", "same"), at(1)).await.unwrap();
    let ticket = call(&queue, 1).await.ticket();
    queue.retry("a", Priority::Normal, at(2)).await.unwrap();
    let stale = queue.settle(&old, Verdict::Record(success("a.png")), at(3));
    assert!(matches!(stale.await, Err(Error::Stale)));
    let stale = extend(&queue, &old, Report::default(), 3).await;
    assert!(matches!(stale, Err(Error::Stale)));
    record(&queue, &ticket, success("b.png"), 3).await;
    let stale = queue.complete(&old, at(4)).await;
    assert!(matches!(stale, Err(Error::Stale)));
    assert_eq!(complete(&queue, &ticket, 4).await.len(), 2);
    assert_eq!(idle(&queue, LEASE_MS * 2).await, None);
}

pub(crate) async fn finished_jobs_are_named_oldest_first(stores: Stores) {
    let queue = stores.queue;
    for id in ["a", "b", "c", "d", "e"] {
        add(&queue, new(id, "owner")).await;
    }
    let tickets = [
        call(&queue, 0).await.ticket(),
        call(&queue, 0).await.ticket(),
    ];
    queue.cancel("c", at(10)).await.unwrap();
    record(&queue, &tickets[1], success("b.png"), 15).await;
    complete(&queue, &tickets[1], 20).await;
    settle(&queue, &tickets[0], Verdict::Fail(failed(1)), 25).await;
    complete(&queue, &tickets[0], 30).await;
    let within = async |from, before, limit| {
        let within = at(from)..at(before);
        queue.finished(within, limit).await.unwrap()
    };
    let finished = async |before, limit| within(0, before, limit).await;
    assert_eq!(finished(1000, 10).await, ["c", "b", "a"]);
    assert_eq!(finished(30, 10).await, ["c", "b"]);
    assert_eq!(finished(1000, 1).await, ["c"]);
    assert!(finished(10, 10).await.is_empty());
    assert_eq!(within(20, 1000, 10).await, ["b", "a"]);
    assert_eq!(within(11, 30, 10).await, ["b"]);
    queue.delete("c").await.unwrap();
    queue.retry("a", Priority::Normal, at(40)).await.unwrap();
    assert_eq!(finished(1000, 10).await, ["b"]);
}
