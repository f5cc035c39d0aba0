//! Identical requests share one call and one answer.

use std::sync::Arc;

use crate::{
    work::Outcome,
    work::{Error, Report, Verdict},
};
use atelier_api::{Cache, Status};

use super::{
    LEASE_MS, Stores, add, at, call, complete, extend, failed, get, idle, joining, notified,
    progress, record, settle, success, work,
};

pub(crate) async fn identical_requests_in_flight_share_one_call(stores: Stores) {
    let queue = stores.queue;
    queue.enqueue(joining("a", "same"), at(0)).await.unwrap();
    let follower = queue.enqueue(joining("b", "same"), at(0)).await.unwrap();
    assert_eq!(
        (follower.status, follower.cache),
        (Status::Queued, Cache::Joined)
    );
    let other = queue.enqueue(joining("c", "other"), at(0)).await.unwrap();
    assert_eq!(other.cache, Cache::Miss);

    let ticket = call(&queue, 1).await.ticket();
    extend(&queue, &ticket, progress(0.5), 1).await.unwrap();
    let follower = get(&queue, "b").await;
    assert_eq!(
        (follower.status, follower.attempt, follower.progress),
        (Status::Running, 1, Some(0.5))
    );
    let late = queue.enqueue(joining("d", "same"), at(2)).await.unwrap();
    assert_eq!(
        (late.status, late.cache, late.progress),
        (Status::Running, Cache::Joined, Some(0.5))
    );

    record(&queue, &ticket, success("a.png"), 3).await;
    let change = queue.notifier().listen("b");
    let jobs = complete(&queue, &ticket, 4).await;
    notified(change).await;
    let mut ids: Vec<&str> = jobs.iter().map(|job| job.id.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["a", "b", "d"]);
    for id in ids {
        let job = get(&queue, id).await;
        assert_eq!(
            (job.status, job.finished_at),
            (Status::Succeeded, Some(at(4)))
        );
        assert_eq!(job.outcome, Some(success("a.png")));
    }
    assert_eq!(call(&queue, 5).await.id, "c");
    assert_eq!(idle(&queue, 5).await, Some(5 + LEASE_MS));
}

pub(crate) async fn fifty_identical_requests_at_once_make_one_call(stores: Stores) {
    let queue = stores.queue;
    let mut tasks = tokio::task::JoinSet::new();
    for index in 0..50 {
        let queue = Arc::clone(&queue);
        tasks.spawn(async move {
            queue
                .enqueue(joining(&format!("{index:02}"), "same"), at(0))
                .await
                .unwrap()
                .cache
        });
    }
    let misses = tasks
        .join_all()
        .await
        .into_iter()
        .filter(|cache| *cache == Cache::Miss)
        .count();
    assert_eq!(misses, 1);
    assert_eq!(work(&queue, success("a.png"), 0).await.len(), 50);
    assert_eq!(idle(&queue, LEASE_MS).await, None);
}

pub(crate) async fn a_call_that_nobody_joined_lands_as_any(stores: Stores) {
    let queue = stores.queue;
    // Many at once: the same twice among others, and one id twice.
    let orders = ["a", "b", "c", "b2", "d", "b", "b3"];
    let added = orders.map(|id| queue.enqueue(joining(id, &id[..1]), at(0)));
    for (id, job) in orders.iter().zip(futures::future::join_all(added).await) {
        assert_eq!(job.unwrap().id, *id);
    }
    let joined = async |id: &str| get(&queue, id).await.cache == Cache::Joined;
    let mut leaders = 0;
    for id in ["b", "b2", "b3"] {
        leaders += usize::from(!joined(id).await);
    }
    assert_eq!(leaders, 1);
    let failure = Outcome::Failed(failed(1).failure);
    for _ in 0..4 {
        let job = call(&queue, 1).await;
        let outcome = match job.id.as_str() {
            "a" => failure.clone(),
            id => success(&format!("{id}.png")),
        };
        record(&queue, &job.ticket(), outcome, 2).await;
        complete(&queue, &job.ticket(), 3).await;
    }
    assert_eq!(queue.delete("d").await.unwrap(), ["d.png"]);
    for (digest, cache) in [
        ("a", Cache::Miss),
        ("b", Cache::Exact),
        ("c", Cache::Exact),
        ("d", Cache::Miss),
    ] {
        let id = format!("e{digest}");
        let again = queue.enqueue(joining(&id, digest), at(4)).await.unwrap();
        assert_eq!(again.cache, cache, "{digest}");
    }
    // What was answered too long ago is in nobody's way.
    let late = queue.enqueue(joining("f", "c"), at(60_004)).await.unwrap();
    assert_eq!((late.status, late.cache), (Status::Queued, Cache::Miss));
    let twin = queue.enqueue(joining("g", "c"), at(60_004)).await.unwrap();
    assert_eq!(twin.cache, Cache::Joined);
}

pub(crate) async fn followers_fail_with_their_leader(stores: Stores) {
    let queue = stores.queue;
    queue.enqueue(joining("a", "same"), at(0)).await.unwrap();
    queue.enqueue(joining("b", "same"), at(0)).await.unwrap();
    let ticket = call(&queue, 0).await.ticket();
    queue
        .settle(&ticket, Verdict::Fail(failed(1)), at(0))
        .await
        .unwrap();
    let jobs = complete(&queue, &ticket, 0).await;
    assert_eq!(
        jobs.len(),
        2,
        "both are named, so that both can be refunded"
    );
    assert_eq!(get(&queue, "b").await.status, Status::Failed);
    // A failure is no answer: the next one is called again.
    let again = queue.enqueue(joining("c", "same"), at(0)).await.unwrap();
    assert_eq!((again.status, again.cache), (Status::Queued, Cache::Miss));
}

pub(crate) async fn a_leader_cancelled_is_carried_on_for_its_followers(stores: Stores) {
    let queue = stores.queue;
    queue.enqueue(joining("a", "same"), at(0)).await.unwrap();
    queue.enqueue(joining("b", "same"), at(0)).await.unwrap();
    let ticket = call(&queue, 0).await.ticket();
    let cancelled = queue.cancel("a", at(1)).await.unwrap();
    assert_eq!(cancelled.job.status, Status::Cancelled);
    assert_eq!(cancelled.ended, [], "it still owes the call");
    extend(&queue, &ticket, Report::default(), 2).await.unwrap();
    assert_eq!(get(&queue, "b").await.status, Status::Running);
    record(&queue, &ticket, success("a.png"), 3).await;
    complete(&queue, &ticket, 4).await;
    assert_eq!(get(&queue, "b").await.status, Status::Succeeded);
    let leader = get(&queue, "a").await;
    assert_eq!((leader.status, leader.outcome), (Status::Cancelled, None));
}

pub(crate) async fn a_leader_deleted_is_carried_on_for_its_followers(stores: Stores) {
    let queue = stores.queue;
    queue.enqueue(joining("a", "same"), at(0)).await.unwrap();
    queue.enqueue(joining("b", "same"), at(0)).await.unwrap();
    let ticket = call(&queue, 0).await.ticket();
    queue.cancel("a", at(1)).await.unwrap();
    assert!(queue.delete("a").await.unwrap().is_empty());
    assert!(queue.get("a").await.unwrap().is_none());
    assert!(matches!(queue.delete("a").await, Err(Error::NotFound)));
    record(&queue, &ticket, success("a.png"), 3).await;
    complete(&queue, &ticket, 4).await;
    assert_eq!(get(&queue, "b").await.outcome, Some(success("a.png")));
    assert_eq!(queue.delete("b").await.unwrap(), ["a.png"]);
}

/// Whenever they joined, and whatever is reported meanwhile.
pub(crate) async fn followers_have_the_outcome_once_they_have_ended(stores: Stores) {
    let queue = stores.queue;
    add(&queue, joining("a", "same")).await;
    add(&queue, joining("b", "same")).await;
    let ticket = call(&queue, 0).await.ticket();
    record(&queue, &ticket, success("a.png"), 1).await;
    add(&queue, joining("c", "same")).await;
    extend(&queue, &ticket, progress(0.5), 2).await.unwrap();
    for follower in ["b", "c"] {
        let job = get(&queue, follower).await;
        assert_eq!((job.status, job.outcome), (Status::Delivering, None));
        assert!(queue.wants_answer(follower).await.unwrap());
    }
    complete(&queue, &ticket, 3).await;
    for follower in ["b", "c"] {
        let outcome = get(&queue, follower).await.outcome;
        assert_eq!(outcome, Some(success("a.png")), "{follower}");
    }
}

pub(crate) async fn a_call_nobody_waits_for_is_stopped(stores: Stores) {
    let queue = stores.queue;
    queue.enqueue(joining("a", "same"), at(0)).await.unwrap();
    queue.enqueue(joining("b", "same"), at(0)).await.unwrap();
    let ticket = call(&queue, 0).await.ticket();
    queue.cancel("a", at(1)).await.unwrap();
    let change = queue.notifier().listen("a");
    queue.cancel("b", at(1)).await.unwrap();
    notified(change).await;
    assert!(matches!(
        extend(&queue, &ticket, Report::default(), 2).await,
        Err(Error::Stale)
    ));
    assert_eq!(idle(&queue, LEASE_MS).await, None);
}

pub(crate) async fn followers_are_queued_again_with_their_leader(stores: Stores) {
    let queue = stores.queue;
    queue.enqueue(joining("a", "same"), at(0)).await.unwrap();
    queue.enqueue(joining("b", "same"), at(0)).await.unwrap();
    let ticket = call(&queue, 0).await.ticket();
    let before = get(&queue, "b").await;
    let change = queue.notifier().listen("b");
    settle(&queue, &ticket, Verdict::Retry(failed(1), at(9)), 1).await;
    notified(change).await;
    let after = get(&queue, "b").await;
    assert_eq!(
        (after.status, after.started_at, after.position),
        (Status::Queued, Some(at(0)), None)
    );
    assert!(after.version > before.version);
    call(&queue, 9).await;
    assert_eq!(get(&queue, "b").await.attempt, 2);
    assert_eq!(idle(&queue, 9).await, Some(9 + LEASE_MS));
}

pub(crate) async fn a_follower_that_leaves_disturbs_nobody(stores: Stores) {
    let queue = stores.queue;
    for id in ["a", "b", "c"] {
        queue.enqueue(joining(id, "same"), at(0)).await.unwrap();
    }
    let cancelled = queue.cancel("b", at(0)).await.unwrap();
    assert_eq!(get(&queue, "b").await.position, None);
    assert_eq!(get(&queue, "c").await.position, Some(0));
    let ticket = call(&queue, 1).await.ticket();
    record(&queue, &ticket, success("a.png"), 2).await;
    let jobs = complete(&queue, &ticket, 3).await;
    let ids: Vec<&str> = jobs.iter().map(|job| job.id.as_str()).collect();
    assert_eq!(ids, ["a", "c"]);
    let left = get(&queue, "b").await;
    assert_eq!((left, None), (cancelled.job.clone(), cancelled.job.outcome));
}

pub(crate) async fn followers_read_reports_from_their_leader(stores: Stores) {
    let queue = stores.queue;
    for id in ["a", "b"] {
        queue.enqueue(joining(id, "same"), at(0)).await.unwrap();
    }
    let ticket = call(&queue, 1).await.ticket();
    let mut before = get(&queue, "b").await;
    assert_eq!(before.leader.as_deref(), Some("a"));
    for share in [0.25, 0.5] {
        let change = queue.notifier().listen("a");
        extend(&queue, &ticket, progress(share), 2).await.unwrap();
        notified(change).await;
        let after = get(&queue, "b").await;
        assert_eq!(
            (after.version, after.progress),
            (before.version + 1, Some(share))
        );
        assert_eq!(
            queue.list("owner", None, 1).await.unwrap(),
            std::slice::from_ref(&after)
        );
        before = after;
    }
    // Who joins late has missed nothing, and who leaves keeps their version.
    let late = queue.enqueue(joining("c", "same"), at(3)).await.unwrap();
    assert_eq!((late.version, late.progress), (1, Some(0.5)));
    let left = queue.cancel("b", at(3)).await.unwrap().job;
    assert_eq!(
        (left.version, left.progress, left.leader),
        (before.version + 1, None, None)
    );
    record(&queue, &ticket, success("a.png"), 4).await;
    complete(&queue, &ticket, 5).await;
    let late = get(&queue, "c").await;
    assert_eq!((late.version, late.progress, late.leader), (3, None, None));
}
