//! Who holds a job, how long, and what is left of those who fell silent.

use std::sync::Arc;

use crate::work::{Claim, Completion, Error, Report, Verdict};
use atelier_api::Status;

use super::{
    LEASE_MS, Stores, add, at, call, claim, complete, extend, failed, get, idle, new, notified,
    progress, record, settle, success,
};

pub(crate) async fn two_workers_never_hold_one_job(stores: Stores) {
    let queue = stores.queue;
    for index in 0..20 {
        queue
            .enqueue(new(&format!("job-{index:02}"), "owner"), at(0))
            .await
            .unwrap();
    }
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let queue = Arc::clone(&queue);
        tasks.spawn(async move { claim(&queue, 0).await });
    }
    let mut ids: Vec<String> = Vec::new();
    for claim in tasks.join_all().await {
        if let Claim::Call(job) = claim {
            ids.push(job.id);
        }
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 20);
}

pub(crate) async fn a_retry_waits_for_its_time(stores: Stores) {
    let queue = stores.queue;
    queue.enqueue(new("a", "owner"), at(0)).await.unwrap();
    let job = call(&queue, 0).await;
    queue
        .settle(&job.ticket(), Verdict::Retry(failed(1), at(5000)), at(0))
        .await
        .unwrap();
    assert_eq!(get(&queue, "a").await.status, Status::Queued);
    assert_eq!(idle(&queue, 4999).await, Some(5000));
    let job = call(&queue, 5000).await;
    assert_eq!((job.attempt, job.started_at), (2, Some(at(0))));
}

pub(crate) async fn a_lease_that_runs_out_gives_the_job_to_another(stores: Stores) {
    let queue = stores.queue;
    queue.enqueue(new("a", "owner"), at(0)).await.unwrap();
    let first = call(&queue, 0).await;
    assert_eq!(idle(&queue, LEASE_MS - 1).await, Some(LEASE_MS));
    let second = call(&queue, LEASE_MS).await;
    assert_eq!((second.id.as_str(), second.attempt), ("a", 2));
    assert!(second.token > first.token);
}

pub(crate) async fn a_heartbeat_keeps_the_lease(stores: Stores) {
    let queue = stores.queue;
    queue.enqueue(new("a", "owner"), at(0)).await.unwrap();
    let ticket = call(&queue, 0).await.ticket();
    extend(&queue, &ticket, Report::default(), LEASE_MS - 1)
        .await
        .unwrap();
    assert_eq!(idle(&queue, LEASE_MS).await, Some(2 * LEASE_MS - 1));
    record(&queue, &ticket, success("a.png"), LEASE_MS).await;
}

/// As it may when the store hung: it finds what it was told meanwhile on two
/// connections, the later one first.
pub(crate) async fn a_heartbeat_that_comes_late_shortens_no_lease(stores: Stores) {
    let queue = stores.queue;
    add(&queue, new("a", "owner")).await;
    let ticket = call(&queue, 0).await.ticket();
    for (sent, report) in [
        (500, Report::default()),
        (100, Report::default()),
        (200, progress(0.5)),
    ] {
        extend(&queue, &ticket, report, sent).await.unwrap();
    }
    assert_eq!(get(&queue, "a").await.progress, Some(0.5));
    assert_eq!(idle(&queue, 500).await, Some(500 + LEASE_MS));
}

pub(crate) async fn an_old_token_can_do_nothing(stores: Stores) {
    let queue = stores.queue;
    queue.enqueue(new("a", "owner"), at(0)).await.unwrap();
    let old = call(&queue, 0).await.ticket();
    let new = call(&queue, LEASE_MS).await.ticket();
    let now = at(LEASE_MS);
    let verdicts = [
        Verdict::Record(success("old.png")),
        Verdict::Retry(failed(1), now),
        Verdict::Fail(failed(1)),
        Verdict::Release(None),
        Verdict::Postpone(now),
    ];
    for verdict in verdicts {
        assert!(matches!(
            queue.settle(&old, verdict, now).await,
            Err(Error::Stale)
        ));
    }
    assert!(matches!(
        extend(&queue, &old, progress(0.5), LEASE_MS).await,
        Err(Error::Stale)
    ));
    record(&queue, &new, success("new.png"), LEASE_MS).await;
    assert!(matches!(queue.complete(&old, now).await, Err(Error::Stale)));
    let jobs = complete(&queue, &new, LEASE_MS).await;
    assert_eq!(jobs[0].outcome, Some(success("new.png")));
}

pub(crate) async fn a_recorded_outcome_is_delivered_again_but_not_called_again(stores: Stores) {
    let queue = stores.queue;
    queue.enqueue(new("a", "owner"), at(0)).await.unwrap();
    let ticket = call(&queue, 0).await.ticket();
    record(&queue, &ticket, success("a.png"), 0).await;
    queue
        .settle(&ticket, Verdict::Postpone(at(500)), at(0))
        .await
        .unwrap();
    assert_eq!(idle(&queue, 499).await, Some(500));
    for (tries, now) in [(0, 500), (1, 500 + LEASE_MS)] {
        match claim(&queue, now).await {
            Claim::Deliver(job, before) => {
                assert_eq!(
                    (job.ticket(), before, job.attempt),
                    (ticket.clone(), tries, 1)
                );
                assert_eq!(job.outcome, Some(success("a.png")));
            }
            other => panic!("expected a delivery, got {other:?}"),
        }
    }
    complete(&queue, &ticket, 500 + LEASE_MS).await;
    assert_eq!(idle(&queue, 10 * LEASE_MS).await, None);
}

pub(crate) async fn a_released_job_is_due_at_once_and_costs_no_attempt(stores: Stores) {
    let queue = stores.queue;
    queue.enqueue(new("a", "owner"), at(0)).await.unwrap();
    let first = call(&queue, 0).await;
    queue
        .settle(&first.ticket(), Verdict::Release(None), at(10))
        .await
        .unwrap();
    let second = call(&queue, 10).await;
    assert_eq!(second.attempt, 1);
    assert!(second.token > first.token);
}

pub(crate) async fn an_expired_lease_is_kept_as_a_failed_attempt(stores: Stores) {
    let queue = stores.queue;
    add(&queue, new("a", "owner")).await;
    let ticket = call(&queue, 0).await.ticket();
    extend(&queue, &ticket, progress(0.5), 0).await.unwrap();
    let before = get(&queue, "a").await.version;
    let change = queue.notifier().listen("a");
    // Nobody asks for its lane, but the lease is over all the same.
    let nothing = queue.claim(&[], at(LEASE_MS + 7), super::LEASE).await;
    assert!(matches!(nothing, Ok(Claim::Idle(None))), "{nothing:?}");
    notified(change).await;
    let job = get(&queue, "a").await;
    assert_eq!(
        (job.status, job.attempt, job.progress, job.position),
        (Status::Queued, 1, None, Some(0))
    );
    assert!(job.version > before);
    let [failed] = job.failures.as_slice() else {
        panic!("expected one attempt, got {:?}", job.failures);
    };
    assert_eq!((failed.attempt, failed.at), (1, at(LEASE_MS + 7)));
    assert_eq!(failed.failure.code, "lease_expired");
    assert!(failed.failure.retryable);
    let second = call(&queue, LEASE_MS + 8).await;
    assert_eq!((second.attempt, second.failures.len()), (2, 1));
}

pub(crate) async fn tokens_grow_and_are_never_below_the_time(stores: Stores) {
    let queue = stores.queue;
    add(&queue, new("a", "owner")).await;
    let mut last = 0;
    // Thrice in one millisecond, later, and by a clock that was set back.
    for now in [10, 10, 10, 500, 20] {
        let job = call(&queue, now).await;
        assert!(job.token > last);
        assert!(job.token >= u64::try_from(at(now).as_millisecond()).unwrap());
        assert_eq!(get(&queue, "a").await.token, job.token);
        last = job.token;
        settle(&queue, &job.ticket(), Verdict::Release(None), now).await;
    }
}

pub(crate) async fn recording_again_changes_nothing(stores: Stores) {
    let queue = stores.queue;
    add(&queue, new("a", "owner")).await;
    let ticket = call(&queue, 0).await.ticket();
    record(&queue, &ticket, success("first.png"), 0).await;
    let recorded = get(&queue, "a").await;
    record(&queue, &ticket, success("second.png"), 1).await;
    settle(&queue, &ticket, Verdict::Fail(failed(1)), 2).await;
    assert_eq!(get(&queue, "a").await, recorded);
    complete(&queue, &ticket, 3).await;
    let late = queue.settle(&ticket, Verdict::Record(success("third.png")), at(4));
    assert!(matches!(late.await, Err(Error::Stale)));
    assert_eq!(queue.delete("a").await.unwrap(), ["first.png"]);
}

pub(crate) async fn a_verdict_that_the_state_does_not_allow_is_refused(stores: Stores) {
    let queue = stores.queue;
    add(&queue, new("a", "owner")).await;
    let ticket = call(&queue, 0).await.ticket();
    let refused = queue.settle(&ticket, Verdict::Postpone(at(5)), at(0));
    assert!(matches!(refused.await, Err(Error::Illegal(_))));
    assert!(matches!(
        queue.complete(&ticket, at(0)).await,
        Err(Error::Illegal(_))
    ));
    record(&queue, &ticket, success("a.png"), 0).await;
    let recorded = get(&queue, "a").await;
    for verdict in [Verdict::Retry(failed(1), at(5)), Verdict::Release(None)] {
        let refused = queue.settle(&ticket, verdict, at(0)).await;
        assert!(matches!(refused, Err(Error::Illegal(_))));
    }
    assert_eq!(get(&queue, "a").await, recorded);
    assert_eq!(idle(&queue, 0).await, Some(LEASE_MS));
}

pub(crate) async fn completing_twice_changes_nothing(stores: Stores) {
    let queue = stores.queue;
    queue.enqueue(new("a", "owner"), at(0)).await.unwrap();
    let ticket = call(&queue, 0).await.ticket();
    assert!(
        queue.complete(&ticket, at(0)).await.is_err(),
        "nothing is recorded yet"
    );
    record(&queue, &ticket, success("a.png"), 0).await;
    complete(&queue, &ticket, 1).await;
    let version = get(&queue, "a").await.version;
    for now in [1, LEASE_MS] {
        assert!(matches!(
            queue.complete(&ticket, at(now)).await,
            Ok(Completion::Repeated)
        ));
    }
    assert_eq!(get(&queue, "a").await.version, version);
}
