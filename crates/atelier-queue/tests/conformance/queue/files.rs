//! Blobs are kept as long as a job refers to them, and named when none does.

use std::sync::Arc;

use crate::work::{Error, NewJob, Ticket, Verdict};
use atelier_api::Status;

use super::{
    Stores, Subject, add, at, call, complete_all, failed, get, idle, joining, new, record,
    restoring, settle, success, work,
};

pub(crate) async fn deleting_frees_only_what_nobody_else_needs(stores: Stores) {
    let queue = stores.queue;
    queue.enqueue(new("a", "owner"), at(0)).await.unwrap();
    assert!(
        matches!(queue.delete("a").await, Err(Error::Illegal(_))),
        "a waiting job is cancelled first"
    );
    work(&queue, success("shared.png"), 0).await;
    let cached = NewJob {
        answer: Some(success("shared.png")),
        ..new("b", "other")
    };
    queue.enqueue(cached, at(0)).await.unwrap();
    assert!(queue.delete("a").await.unwrap().is_empty());
    assert!(queue.get("a").await.unwrap().is_none());
    assert_eq!(queue.delete("b").await.unwrap(), ["shared.png"]);
}

/// A leader and its follower, each with a photo of its own; the leader's owner
/// has deleted it. `begun`: the call is under way.
async fn deleted_leader(queue: &Subject, leader: &str, follower: &str, begun: bool) -> Ticket {
    for id in [leader, follower] {
        add(queue, restoring(id, leader, &format!("{id}.photo"))).await;
    }
    let ticket = if begun {
        call(queue, 0).await.ticket()
    } else {
        get(queue, leader).await.ticket()
    };
    assert!(
        queue
            .cancel(leader, at(1))
            .await
            .unwrap()
            .orphans
            .is_empty()
    );
    assert!(queue.delete(leader).await.unwrap().is_empty());
    ticket
}

pub(crate) async fn a_deleted_leaders_blobs_go_when_its_call_ends(stores: Stores) {
    let queue = stores.queue;
    let ticket = deleted_leader(&queue, "a", "b", true).await;
    record(&queue, &ticket, success("a.png"), 2).await;
    let (jobs, orphans) = complete_all(&queue, &ticket, 3).await;
    assert_eq!((jobs.len(), orphans), (2, vec!["a.photo".to_owned()]));
    let mut left = queue.delete("b").await.unwrap();
    left.sort();
    assert_eq!(left, ["a.png", "b.photo"]);

    let ticket = deleted_leader(&queue, "c", "d", true).await;
    settle(&queue, &ticket, Verdict::Fail(failed(1)), 2).await;
    let (jobs, orphans) = complete_all(&queue, &ticket, 3).await;
    assert_eq!((jobs.len(), orphans), (2, vec!["c.photo".to_owned()]));
    assert_eq!(get(&queue, "d").await.status, Status::Failed);
    assert_eq!(queue.delete("d").await.unwrap(), ["d.photo"]);
}

pub(crate) async fn a_deleted_leaders_blobs_go_when_nobody_waits_any_more(stores: Stores) {
    let queue = stores.queue;
    for (leader, follower, last, begun) in [("a", "b", "c", false), ("d", "e", "f", true)] {
        let ticket = deleted_leader(&queue, leader, follower, begun).await;
        add(&queue, joining(last, leader)).await;
        let left = queue.cancel(follower, at(2)).await.unwrap();
        assert!(left.orphans.is_empty(), "one still waits");
        let left = queue.cancel(last, at(2)).await.unwrap();
        assert_eq!(left.orphans, [format!("{leader}.photo")]);
        let stopped = queue.settle(&ticket, Verdict::Release(None), at(3)).await;
        assert!(matches!(stopped, Err(Error::NotFound)));
        let kept = queue.delete(follower).await.unwrap();
        assert_eq!(kept, [format!("{follower}.photo")]);
        assert_eq!(idle(&queue, 3).await, None);
    }
}

pub(crate) async fn a_deleted_leaders_blobs_stay_while_another_job_needs_them(stores: Stores) {
    let queue = stores.queue;
    let ticket = deleted_leader(&queue, "a", "b", true).await;
    add(&queue, restoring("c", "other", "a.photo")).await;
    record(&queue, &ticket, success("a.png"), 2).await;
    assert!(complete_all(&queue, &ticket, 3).await.1.is_empty());

    deleted_leader(&queue, "d", "e", false).await;
    add(&queue, restoring("f", "another", "d.photo")).await;
    assert!(queue.cancel("e", at(4)).await.unwrap().orphans.is_empty());
    for (id, photo) in [("c", "a.photo"), ("f", "d.photo")] {
        queue.cancel(id, at(5)).await.unwrap();
        assert_eq!(queue.delete(id).await.unwrap(), [photo]);
    }
}

pub(crate) async fn a_cancelled_leader_keeps_nothing_of_its_call(stores: Stores) {
    let queue = stores.queue;
    for id in ["a", "b"] {
        add(&queue, restoring(id, "same", &format!("{id}.photo"))).await;
    }
    let ticket = call(&queue, 0).await.ticket();
    queue.cancel("a", at(1)).await.unwrap();
    record(&queue, &ticket, success("a.png"), 2).await;
    assert!(complete_all(&queue, &ticket, 3).await.1.is_empty());
    let mut gone = queue.delete("b").await.unwrap();
    gone.sort();
    assert_eq!(gone, ["a.png", "b.photo"]);
    let left = get(&queue, "a").await;
    assert_eq!((left.status, left.outcome), (Status::Cancelled, None));
    assert_eq!(queue.delete("a").await.unwrap(), ["a.photo"]);
}

/// Stores may finish many jobs at once: each is told of its own.
pub(crate) async fn deliveries_at_once_name_their_own_orphans(stores: Stores) {
    let queue = stores.queue;
    let mut tickets = Vec::new();
    for index in 0..30 {
        let id = format!("{index:02}");
        if index % 3 == 0 {
            add(&queue, new(&id, "owner")).await;
            tickets.push(call(&queue, 0).await.ticket());
        } else {
            tickets.push(deleted_leader(&queue, &id, &format!("{id}b"), true).await);
        }
    }
    let mut tasks = tokio::task::JoinSet::new();
    for ticket in tickets {
        record(&queue, &ticket, success(&ticket.id), 2).await;
        let queue = Arc::clone(&queue);
        tasks.spawn(async move {
            let (jobs, orphans) = complete_all(&queue, &ticket, 3).await;
            (jobs, orphans, ticket.id)
        });
    }
    for (jobs, orphans, id) in tasks.join_all().await {
        let photo = format!("{id}.photo");
        let expected: &[String] = if jobs.len() == 1 { &[] } else { &[photo] };
        assert_eq!(
            (jobs[0].id.as_str(), orphans.as_slice()),
            (id.as_str(), expected)
        );
    }
}
