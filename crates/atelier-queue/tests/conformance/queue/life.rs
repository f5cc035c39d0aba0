//! One job from its beginning to its end, and what is seen of it.

use crate::{
    work::Outcome,
    work::{Bill, Error, Hooks, NewJob, Report, Ticket, Verdict},
};
use atelier_api::{Cache, Status};

use super::{
    LEASE_MS, Stores, add, at, call, complete, extend, failed, get, idle, new, notified, progress,
    record, request, settle, success, work,
};

pub(crate) async fn a_job_goes_from_queued_to_succeeded(stores: Stores) {
    let queue = stores.queue;
    let job = queue.enqueue(new("a", "owner"), at(0)).await.unwrap();
    assert_eq!(
        (job.status, job.attempt, job.cache, job.version),
        (Status::Queued, 0, Cache::Miss, 1)
    );

    let job = call(&queue, 5).await;
    assert_eq!(
        (job.status, job.attempt, job.started_at),
        (Status::Running, 1, Some(at(5)))
    );
    assert_eq!(job.request, request("a"));

    record(&queue, &job.ticket(), success("a.png"), 10).await;
    let job = get(&queue, "a").await;
    assert_eq!((job.status, job.finished_at), (Status::Delivering, None));

    let jobs = complete(&queue, &job.ticket(), 20).await;
    assert_eq!(jobs.len(), 1);
    let job = get(&queue, "a").await;
    assert_eq!(
        (job.status, job.finished_at),
        (Status::Succeeded, Some(at(20)))
    );
    assert_eq!(
        (job.outcome, job.charge),
        (Some(success("a.png")), serde_json::json!([{"for": "a"}]))
    );
    assert_eq!(idle(&queue, LEASE_MS * 2).await, None);
}

pub(crate) async fn a_failed_call_ends_failed_with_its_attempts(stores: Stores) {
    let queue = stores.queue;
    queue.enqueue(new("a", "owner"), at(0)).await.unwrap();
    let first = call(&queue, 0).await;
    queue
        .settle(&first.ticket(), Verdict::Retry(failed(1), at(0)), at(0))
        .await
        .unwrap();
    let second = call(&queue, 0).await;
    queue
        .settle(&second.ticket(), Verdict::Fail(failed(2)), at(0))
        .await
        .unwrap();
    complete(&queue, &second.ticket(), 0).await;
    let job = get(&queue, "a").await;
    assert_eq!(job.status, Status::Failed);
    assert_eq!(job.outcome, Some(Outcome::Failed(failed(2).failure)));
    assert_eq!(job.failures, [failed(1), failed(2)]);
}

pub(crate) async fn a_failure_may_have_an_outcome_that_tells_more(stores: Stores) {
    let queue = stores.queue;
    add(&queue, new("a", "owner")).await;
    let ticket = call(&queue, 0).await.ticket();
    let told = Outcome::Failed(failed(7).failure);
    let verdict = Verdict::FailWith(failed(1), told.clone());
    settle(&queue, &ticket, verdict, 0).await;
    complete(&queue, &ticket, 0).await;
    let job = get(&queue, "a").await;
    assert_eq!(job.status, Status::Failed);
    assert_eq!((job.outcome, job.failures), (Some(told), vec![failed(1)]));
}

pub(crate) async fn every_change_raises_the_version_and_rings(stores: Stores) {
    let queue = stores.queue;
    let work = queue.notifier().listen_work();
    let mut version = queue
        .enqueue(new("a", "owner"), at(0))
        .await
        .unwrap()
        .version;
    notified(work).await;
    let change = queue.notifier().listen("a");
    let ticket = call(&queue, 0).await.ticket();
    notified(change).await;
    for step in 0..3 {
        let change = queue.notifier().listen("a");
        match step {
            0 => extend(&queue, &ticket, progress(0.5), 0).await.unwrap(),
            1 => record(&queue, &ticket, success("a.png"), 0).await,
            _ => drop(complete(&queue, &ticket, 0).await),
        }
        notified(change).await;
        let now = get(&queue, "a").await.version;
        assert!(now > version, "step {step}");
        version = now;
    }
}

pub(crate) async fn progress_is_seen_only_while_running(stores: Stores) {
    let queue = stores.queue;
    queue.enqueue(new("a", "owner"), at(0)).await.unwrap();
    let ticket = call(&queue, 0).await.ticket();
    extend(&queue, &ticket, progress(0.25), 0).await.unwrap();
    assert_eq!(get(&queue, "a").await.progress, Some(0.25));
    queue
        .settle(&ticket, Verdict::Retry(failed(1), at(0)), at(0))
        .await
        .unwrap();
    assert_eq!(get(&queue, "a").await.progress, None);
}

pub(crate) async fn cancelling_is_for_jobs_that_are_not_finished(stores: Stores) {
    let queue = stores.queue;
    queue.enqueue(new("a", "owner"), at(0)).await.unwrap();
    let cancelled = queue.cancel("a", at(1)).await.unwrap();
    assert_eq!(cancelled.ended[0].bill, Bill::NOTHING);
    assert_eq!(
        (cancelled.job.status, cancelled.job.finished_at),
        (Status::Cancelled, Some(at(1)))
    );
    assert!(matches!(
        queue.cancel("a", at(2)).await,
        Err(Error::Illegal(_))
    ));
    assert_eq!(idle(&queue, LEASE_MS).await, None);

    queue.enqueue(new("b", "owner"), at(0)).await.unwrap();
    let ticket = call(&queue, 0).await.ticket();
    let cancelled = queue.cancel("b", at(1)).await.unwrap();
    assert_eq!(cancelled.ended[0].bill.estimates, 1);
    assert!(matches!(
        queue
            .settle(&ticket, Verdict::Record(success("b.png")), at(2))
            .await,
        Err(Error::Stale)
    ));

    queue.enqueue(new("c", "owner"), at(0)).await.unwrap();
    let ticket = call(&queue, 0).await.ticket();
    record(&queue, &ticket, success("c.png"), 0).await;
    assert!(
        matches!(queue.cancel("c", at(1)).await, Err(Error::Illegal(_))),
        "what is paid for is delivered"
    );
}

pub(crate) async fn jobs_are_listed_newest_first_by_owner(stores: Stores) {
    let queue = stores.queue;
    for id in ["a", "b", "c", "d"] {
        queue
            .enqueue(new(id, if id == "b" { "other" } else { "owner" }), at(0))
            .await
            .unwrap();
    }
    let ids = async |before: Option<&str>, limit| -> Vec<String> {
        let jobs = queue.list("owner", before, limit).await.unwrap();
        jobs.into_iter().map(|job| job.id).collect()
    };
    assert_eq!(ids(None, 10).await, ["d", "c", "a"]);
    assert_eq!(ids(None, 2).await, ["d", "c"]);
    assert_eq!(ids(Some("c"), 2).await, ["a"]);
    assert!(queue.list("nobody", None, 10).await.unwrap().is_empty());
}

pub(crate) async fn unknown_jobs_are_not_found(stores: Stores) {
    let queue = stores.queue;
    let ticket = Ticket {
        id: "none".into(),
        token: 1,
    };
    assert!(queue.get("none").await.unwrap().is_none());
    assert!(matches!(
        queue.cancel("none", at(0)).await,
        Err(Error::NotFound)
    ));
    assert!(matches!(queue.delete("none").await, Err(Error::NotFound)));
    assert!(matches!(
        queue.complete(&ticket, at(0)).await,
        Err(Error::NotFound)
    ));
    assert!(matches!(
        queue.settle(&ticket, Verdict::Release(None), at(0)).await,
        Err(Error::NotFound)
    ));
}

pub(crate) async fn adding_the_same_id_twice_adds_it_once(stores: Stores) {
    let queue = stores.queue;
    let first = add(&queue, new("a", "owner")).await;
    assert_eq!(
        queue.enqueue(new("a", "owner"), at(5)).await.unwrap(),
        first
    );
    let ticket = call(&queue, 5).await.ticket();
    let again = queue.enqueue(new("a", "owner"), at(6)).await.unwrap();
    assert_eq!((again.status, again.ticket()), (Status::Running, ticket));
    assert_eq!(idle(&queue, 6).await, Some(5 + LEASE_MS));
}

/// JSON that does not survive a language with one kind of number and one kind
/// of table.
fn odd() -> serde_json::Value {
    serde_json::json!({
        "empty": [{}, [], "", null],
        "numbers": [0, -1, 0.1, 1.0, 1e300, u64::MAX, i64::MIN, 9_007_199_254_740_993_u64],
        "words": "\"quoted\" \\ / \n\t\u{0}\u{7f} é 🦀 \u{2028} <b> %s $1 ]]",
        "z": {"1": "one", "": [[[]]]},
        "a": false,
    })
}

pub(crate) async fn what_was_given_is_kept_to_the_letter(stores: Stores) {
    let queue = stores.queue;
    let words = odd()["words"].as_str().unwrap().to_owned();
    let mut request = request(&words);
    request.seed = u64::MAX;
    let hooks = Hooks {
        callback_url: Some("https://example.org/?a=b&c=%20\"é".into()),
        failure_callback_url: None,
    };
    let given = NewJob {
        request: request.clone(),
        charge: odd(),
        hooks: hooks.clone(),
        ..new("a", &words)
    };
    let mut seen = vec![add(&queue, given).await];
    let job = call(&queue, 0).await;
    let ticket = job.ticket();
    seen.push(job);
    let report = Report {
        progress: Some(0.1),
        preview: Some(words.clone()),
    };
    extend(&queue, &ticket, report, 0).await.unwrap();
    let mut attempt = failed(1);
    attempt.failure.message.clone_from(&words);
    attempt.request_id = None;
    settle(&queue, &ticket, Verdict::Retry(attempt.clone(), at(0)), 0).await;
    let outcome = Outcome::Succeeded {
        pictures: Vec::new(),
        cost_usd: Some(0.1),
        earlier_claims: Vec::new(),
    };
    seen.extend(work(&queue, outcome.clone(), 0).await);
    seen.extend(queue.list(&words, None, 10).await.unwrap());
    assert_eq!(seen.len(), 4);
    for job in seen {
        assert_eq!(
            (job.owner.as_str(), &job.request),
            (words.as_str(), &request)
        );
        assert_eq!((&job.charge, &job.hooks), (&odd(), &hooks));
        assert_eq!(job.charge.to_string(), odd().to_string());
    }
    let job = get(&queue, "a").await;
    assert_eq!((job.failures, job.outcome), (vec![attempt], Some(outcome)));
}

pub(crate) async fn a_preview_is_seen_until_the_call_has_ended(stores: Stores) {
    let queue = stores.queue;
    add(&queue, new("a", "owner")).await;
    let ticket = call(&queue, 0).await.ticket();
    let preview = |key: &str| Report {
        progress: None,
        preview: Some(key.into()),
    };
    extend(&queue, &ticket, progress(0.5), 0).await.unwrap();
    extend(&queue, &ticket, preview("one.png"), 0)
        .await
        .unwrap();
    let seen = get(&queue, "a").await;
    assert_eq!(
        (seen.progress, seen.preview.as_deref()),
        (Some(0.5), Some("one.png"))
    );
    extend(&queue, &ticket, preview("one.png"), 1)
        .await
        .unwrap();
    extend(&queue, &ticket, Report::default(), 2).await.unwrap();
    assert_eq!(
        get(&queue, "a").await.version,
        seen.version,
        "nothing new was reported"
    );
    extend(&queue, &ticket, preview("two.png"), 3)
        .await
        .unwrap();
    let preview = get(&queue, "a").await.preview;
    assert_eq!(preview.as_deref(), Some("two.png"));
    record(&queue, &ticket, success("a.png"), 4).await;
    assert_eq!(get(&queue, "a").await.preview, None);
    complete(&queue, &ticket, 5).await;
    assert_eq!(
        queue.delete("a").await.unwrap(),
        ["a.png"],
        "previews are the worker's"
    );
}
