//! What is noted of jobs that have ended, until it is settled and told.

use crate::work::{Bill, Ended, Hooks, NewJob, Priority, Verdict};
use atelier_api::Status;

use super::{
    LEASE_MS, Stores, Subject, add, at, call, complete, fail, failed, joining, new, record, settle,
    success, work,
};

/// What is in the outbox: of each end the job, its status and its bill.
async fn noted(queue: &Subject) -> Vec<(String, Status, Bill)> {
    let ended = queue.outbox(None, 100).await.unwrap().into_iter();
    ended
        .map(|end| (end.job.id, end.job.status, end.bill))
        .collect()
}

async fn last(queue: &Subject) -> Ended {
    queue.outbox(None, 100).await.unwrap().pop().unwrap()
}

/// A bill for one picture at so many dollars and so many estimates.
fn picture(usd: f64, estimates: u32) -> Bill {
    Bill {
        usd,
        estimates,
        made: Some(1),
    }
}

pub(crate) async fn an_end_is_noted_until_it_is_acknowledged(stores: Stores) {
    let queue = stores.queue;
    for id in ["a", "b", "c"] {
        add(&queue, new(id, "owner")).await;
        work(&queue, success("a.png"), 0).await;
    }
    let ended = queue.outbox(None, 2).await.unwrap();
    assert_eq!(ended.len(), 2);
    assert_eq!(ended[0].job.charge, serde_json::json!([{"for": "a"}]));
    assert_eq!(ended[0].bill, picture(0.04, 0));
    let rest = queue.outbox(Some(&ended[1].key), 2).await.unwrap();
    assert_eq!((rest.len(), rest[0].job.id.as_str()), (1, "c"));
    for _ in 0..2 {
        queue.acknowledge(&ended[1].key).await.unwrap();
        let left: Vec<_> = noted(&queue).await.into_iter().map(|end| end.0).collect();
        assert_eq!(left, ["a", "c"]);
    }
}

pub(crate) async fn who_has_nothing_to_settle_or_to_hear_is_not_noted(stores: Stores) {
    let queue = stores.queue;
    for (id, charge) in [("a", serde_json::json!([])), ("b", serde_json::Value::Null)] {
        let job = NewJob {
            charge,
            ..new(id, "owner")
        };
        let hooks = Hooks {
            callback_url: Some("https://example.com".into()),
            failure_callback_url: None,
        };
        add(&queue, job.clone()).await;
        work(&queue, success("a.png"), 0).await;
        assert_eq!(noted(&queue).await, [], "{id}");
        let id = format!("{id}-hooked");
        add(&queue, NewJob { id, hooks, ..job }).await;
        work(&queue, success("a.png"), 0).await;
        let end = last(&queue).await;
        assert_eq!(end.bill, Bill::NOTHING);
        queue.acknowledge(&end.key).await.unwrap();
    }
}

pub(crate) async fn every_attempt_is_owed_whatever_became_of_it(stores: Stores) {
    let queue = stores.queue;
    add(&queue, new("a", "owner")).await;
    let first = call(&queue, 0).await.ticket();
    settle(&queue, &first, Verdict::Retry(failed(1), at(0)), 0).await;
    let dropped = call(&queue, 1).await.ticket();
    settle(&queue, &dropped, Verdict::Release(Some(failed(2))), 1).await;
    call(&queue, 2).await;
    // The third attempt's answer is lost with its lease.
    let last = call(&queue, 2 + LEASE_MS).await.ticket();
    settle(&queue, &last, Verdict::Fail(failed(4)), 2 + LEASE_MS).await;
    complete(&queue, &last, 2 + LEASE_MS).await;
    let [(_, Status::Failed, bill)] = &noted(&queue).await[..] else {
        panic!("one end is noted");
    };
    assert!((bill.usd - 0.03).abs() < 1e-9, "{bill:?}");
    assert_eq!((bill.estimates, bill.made), (1, Some(0)));
}

pub(crate) async fn an_answer_recorded_under_a_later_claim_is_owed_once(stores: Stores) {
    let queue = stores.queue;
    add(&queue, new("a", "owner")).await;
    let lost = call(&queue, 0).await.ticket();
    let lost_again = call(&queue, LEASE_MS).await.ticket();
    // Its answer was lost for good.
    call(&queue, 2 * LEASE_MS).await;
    let last = call(&queue, 3 * LEASE_MS).await.ticket();
    let outcome = success("a.png").paid_under(lost.token);
    let outcome = outcome.paid_under(lost_again.token);
    record(&queue, &last, outcome, 3 * LEASE_MS).await;
    complete(&queue, &last, 3 * LEASE_MS).await;
    assert_eq!(
        noted(&queue).await,
        [("a".into(), Status::Succeeded, picture(0.04, 1))]
    );
}

/// What was lost is settled when the job fails; then its answer turns up.
pub(crate) async fn an_answer_that_was_settled_when_it_was_lost_is_not_owed_again(stores: Stores) {
    let queue = stores.queue;
    add(&queue, joining("a", "same")).await;
    let lost = call(&queue, 0).await.ticket();
    fail(&queue, LEASE_MS).await;
    assert_eq!(last(&queue).await.bill.estimates, 1);
    let later = at(LEASE_MS);
    queue.retry("a", Priority::Normal, later).await.unwrap();
    add(&queue, joining("b", "same")).await;
    let outcome = success("a.png").paid_under(lost.token);
    assert_eq!(work(&queue, outcome, LEASE_MS + 1).await.len(), 2);
    let end = last(&queue).await;
    assert_eq!((end.job.id.as_str(), end.bill), ("b", picture(0.0, 0)));
}

pub(crate) async fn a_follower_pays_when_the_leader_left_before_the_call(stores: Stores) {
    let queue = stores.queue;
    for id in ["a", "b", "c"] {
        add(&queue, joining(id, "same")).await;
    }
    let ticket = call(&queue, 0).await.ticket();
    settle(&queue, &ticket, Verdict::Retry(failed(1), at(0)), 0).await;
    queue.cancel("a", at(1)).await.unwrap();
    assert_eq!(
        noted(&queue).await,
        [("a".into(), Status::Cancelled, Bill::NOTHING)]
    );
    work(&queue, success("a.png"), 2).await;
    assert_eq!(
        noted(&queue).await,
        [
            ("a".into(), Status::Cancelled, Bill::NOTHING),
            ("b".into(), Status::Succeeded, picture(0.05, 0)),
            ("c".into(), Status::Succeeded, Bill::NOTHING),
        ]
    );
}

pub(crate) async fn a_leader_that_leaves_during_the_call_still_owes_it(stores: Stores) {
    let queue = stores.queue;
    for id in ["a", "b"] {
        add(&queue, joining(id, "same")).await;
    }
    let ticket = call(&queue, 0).await.ticket();
    queue.cancel("a", at(1)).await.unwrap();
    queue.delete("a").await.unwrap();
    assert_eq!(noted(&queue).await, []);
    record(&queue, &ticket, success("a.png"), 2).await;
    complete(&queue, &ticket, 2).await;
    assert_eq!(
        noted(&queue).await,
        [
            ("a".into(), Status::Cancelled, picture(0.04, 0)),
            ("b".into(), Status::Succeeded, Bill::NOTHING),
        ]
    );
}

pub(crate) async fn the_last_to_leave_owes_the_call_that_was_stopped(stores: Stores) {
    let queue = stores.queue;
    for id in ["a", "b", "c"] {
        add(&queue, joining(id, "same")).await;
    }
    queue.cancel("a", at(0)).await.unwrap();
    queue.delete("a").await.unwrap();
    call(&queue, 1).await;
    let left = queue.cancel("b", at(2)).await.unwrap();
    assert_eq!(left.ended[0].bill, Bill::NOTHING);
    let stopped = queue.cancel("c", at(3)).await.unwrap();
    let bill = Bill {
        usd: 0.0,
        estimates: 1,
        made: None,
    };
    assert_eq!((stopped.ended.len(), &stopped.ended[0].bill), (1, &bill));
    assert_eq!(
        noted(&queue).await,
        [
            ("a".into(), Status::Cancelled, Bill::NOTHING),
            ("b".into(), Status::Cancelled, Bill::NOTHING),
            ("c".into(), Status::Cancelled, bill),
        ]
    );
}

pub(crate) async fn an_end_outlives_its_job(stores: Stores) {
    let queue = stores.queue;
    add(&queue, new("a", "owner")).await;
    work(&queue, success("a.png"), 0).await;
    queue.delete("a").await.unwrap();
    add(&queue, new("b", "owner")).await;
    fail(&queue, 1).await;
    queue.retry("b", Priority::Normal, at(2)).await.unwrap();
    let failure = Bill {
        usd: 0.01,
        ..Bill::NOTHING
    };
    let both = [
        ("a".into(), Status::Succeeded, picture(0.04, 0)),
        ("b".into(), Status::Failed, failure),
    ];
    assert_eq!(noted(&queue).await, both);
    // Nothing was taken for what an operator has made again.
    work(&queue, success("b.png"), 3).await;
    assert_eq!(noted(&queue).await, both);
}

pub(crate) async fn what_a_call_cost_before_it_was_revived_is_not_owed_again(stores: Stores) {
    let queue = stores.queue;
    add(&queue, joining("a", "same")).await;
    fail(&queue, 0).await;
    queue.retry("a", Priority::Normal, at(1)).await.unwrap();
    add(&queue, joining("b", "same")).await;
    let jobs = work(&queue, success("a.png"), 2).await;
    assert_eq!(jobs.len(), 2);
    let end = last(&queue).await;
    assert_eq!((end.job.id.as_str(), end.bill), ("b", picture(0.04, 0)));
}

pub(crate) async fn an_answer_from_a_cache_is_noted_and_free(stores: Stores) {
    let queue = stores.queue;
    add(&queue, joining("a", "same")).await;
    work(&queue, success("a.png"), 0).await;
    let given = NewJob {
        answer: Some(success("a.png")),
        ..new("b", "owner")
    };
    let given = add(&queue, given).await;
    let shared = add(&queue, joining("c", "same")).await;
    assert_eq!(
        noted(&queue).await[1..],
        [
            ("b".into(), Status::Succeeded, Bill::NOTHING),
            ("c".into(), Status::Succeeded, Bill::NOTHING),
        ]
    );
    for job in [given, shared] {
        queue.acknowledge(&Ended::answered(&job).key).await.unwrap();
    }
    assert_eq!(noted(&queue).await.len(), 1);
}
