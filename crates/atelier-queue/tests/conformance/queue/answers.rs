//! Answers that are there already, and those still wanted.

use crate::work::{Error, NewJob, Verdict};
use atelier_api::{Cache, Status};

use super::{
    LEASE_MS, Stores, at, call, complete, failed, idle, joining, new, record, settle, success, work,
};

pub(crate) async fn a_request_just_answered_is_not_called_again(stores: Stores) {
    let queue = stores.queue;
    queue.enqueue(joining("a", "same"), at(0)).await.unwrap();
    work(&queue, success("a.png"), 0).await;
    let again = queue
        .enqueue(joining("b", "same"), at(59_999))
        .await
        .unwrap();
    assert_eq!(
        (again.status, again.cache),
        (Status::Succeeded, Cache::Exact)
    );
    assert_eq!(again.outcome, Some(success("a.png")));
    let later = queue
        .enqueue(joining("c", "same"), at(60_001))
        .await
        .unwrap();
    assert_eq!((later.status, later.cache), (Status::Queued, Cache::Miss));
}

pub(crate) async fn an_answer_from_the_cache_is_finished_at_once(stores: Stores) {
    let queue = stores.queue;
    queue.enqueue(new("a", "owner"), at(0)).await.unwrap();
    work(&queue, success("a.png"), 0).await;
    let cached = NewJob {
        answer: Some(success("a.png")),
        ..new("b", "other")
    };
    let job = queue.enqueue(cached, at(5)).await.unwrap();
    assert_eq!(
        (job.status, job.cache, job.finished_at),
        (Status::Succeeded, Cache::Exact, Some(at(5)))
    );
    assert_eq!(idle(&queue, 5).await, None);
}

pub(crate) async fn an_answer_whose_picture_is_gone_is_not_given(stores: Stores) {
    let queue = stores.queue;
    queue.enqueue(new("a", "owner"), at(0)).await.unwrap();
    work(&queue, success("a.png"), 0).await;
    assert_eq!(queue.delete("a").await.unwrap(), ["a.png"]);
    let cached = NewJob {
        answer: Some(success("a.png")),
        ..new("b", "other")
    };
    let added = queue.enqueue(cached, at(5)).await;
    assert!(matches!(added, Err(Error::NoAnswer)), "{added:?}");
    assert_eq!(queue.get("b").await.unwrap(), None);
    let job = queue.enqueue(new("b", "other"), at(5)).await.unwrap();
    assert_eq!((job.status, job.cache), (Status::Queued, Cache::Miss));
}

pub(crate) async fn what_pays_for_no_call_is_answered_at_once_or_not_at_all(stores: Stores) {
    let queue = stores.queue;
    let answered_only = |id| NewJob {
        answered_only: true,
        ..joining(id, "same")
    };
    let refused = async |job: NewJob, now| {
        let id = job.id.clone();
        let added = queue.enqueue(job, at(now)).await;
        assert!(matches!(added, Err(Error::NoAnswer)), "{added:?}");
        assert_eq!(queue.get(&id).await.unwrap(), None);
    };
    refused(answered_only("a"), 0).await;
    queue.enqueue(joining("b", "same"), at(0)).await.unwrap();
    // Who would share the call might be the one who has to pay for it.
    refused(answered_only("c"), 0).await;
    let ticket = call(&queue, 1).await.ticket();
    refused(answered_only("c"), 1).await;
    record(&queue, &ticket, success("b.png"), 2).await;
    refused(answered_only("c"), 2).await;
    complete(&queue, &ticket, 3).await;
    let shared = queue.enqueue(answered_only("c"), at(4)).await.unwrap();
    assert_eq!(
        (shared.status, shared.cache),
        (Status::Succeeded, Cache::Exact)
    );
    assert_eq!(shared.outcome, Some(success("b.png")));
    refused(answered_only("d"), 60_004).await;

    let given = |id, key: &str| NewJob {
        answer: Some(success(key)),
        join: None,
        ..answered_only(id)
    };
    refused(given("e", "gone.png"), 5).await;
    let job = queue.enqueue(given("e", "b.png"), at(5)).await.unwrap();
    assert_eq!(job.status, Status::Succeeded);
    let mut listed = queue.list("owner", None, 10).await.unwrap();
    listed.sort_by(|one, other| one.id.cmp(&other.id));
    let ids: Vec<_> = listed.iter().map(|job| job.id.as_str()).collect();
    assert_eq!(ids, ["b", "c", "e"]);
    assert_eq!(idle(&queue, LEASE_MS).await, None);
}

pub(crate) async fn an_answer_is_wanted_while_the_call_may_be_made_again(stores: Stores) {
    let queue = stores.queue;
    let wanted = async |id: &str| queue.wants_answer(id).await.unwrap();
    assert!(!wanted("a").await);
    for id in ["a", "b"] {
        queue.enqueue(joining(id, "same"), at(0)).await.unwrap();
    }
    assert!(wanted("a").await);
    let lost = call(&queue, 0).await.ticket();
    // Those who share its call still want it, whatever its owner does.
    queue.cancel("a", at(1)).await.unwrap();
    assert!(wanted("a").await);
    queue.delete("a").await.unwrap();
    assert!(wanted("a").await);
    let ticket = call(&queue, LEASE_MS).await.ticket();
    assert_eq!(ticket.id, lost.id);
    let verdict = Verdict::Retry(failed(2), at(LEASE_MS));
    settle(&queue, &ticket, verdict, LEASE_MS).await;
    assert!(wanted("a").await);
    work(&queue, success("a.png"), LEASE_MS + 1).await;
    assert!(!wanted("a").await && !wanted("b").await);

    // A dead letter may be retried, and so may what is about to be one.
    queue.enqueue(new("c", "owner"), at(0)).await.unwrap();
    let ticket = call(&queue, LEASE_MS + 2).await.ticket();
    let verdict = Verdict::Fail(failed(1));
    settle(&queue, &ticket, verdict, LEASE_MS + 2).await;
    assert!(wanted("c").await);
    complete(&queue, &ticket, LEASE_MS + 3).await;
    assert!(wanted("c").await);

    queue.enqueue(new("d", "owner"), at(0)).await.unwrap();
    let ticket = call(&queue, LEASE_MS + 4).await.ticket();
    record(&queue, &ticket, success("d.png"), LEASE_MS + 4).await;
    assert!(!wanted("d").await);
    queue.enqueue(new("e", "owner"), at(0)).await.unwrap();
    queue.cancel("e", at(0)).await.unwrap();
    assert!(!wanted("e").await);
}
