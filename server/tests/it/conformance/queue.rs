use std::{sync::Arc, time::Duration};

use atelier::{
    job::{ImageTask, Outcome, Picture, Request, Task},
    queue::{Claim, Completion, Error, FailedAttempt, Job, Join, NewJob, Queue, Ticket, Verdict},
};
use atelier_app::wire::{Cache, Failure, Status};

use super::{Stores, at};

type Subject = Arc<dyn Queue>;

const LEASE: Duration = Duration::from_secs(60);
const LEASE_MS: i64 = 60_000;

fn request(prompt: &str) -> Request {
    Request {
        provider: "test".into(),
        model: "test".into(),
        variation: 0,
        task: Task::Image(ImageTask {
            prompt: prompt.into(),
            size: "auto".into(),
            quality: "auto".into(),
            n: 1,
            style: None,
        }),
    }
}

/// Ids sort by the order in which they are asked for, as UUIDv7 do.
fn new(id: &str, owner: &str) -> NewJob {
    NewJob {
        id: id.into(),
        owner: owner.into(),
        request: request(id),
        charge: serde_json::json!([{"for": id}]),
        join: None,
        answer: None,
    }
}

fn joining(id: &str, digest: &str) -> NewJob {
    let join = Join {
        digest: digest.into(),
        window: Duration::from_secs(60),
    };
    NewJob {
        join: Some(join),
        ..new(id, "owner")
    }
}

fn success(key: &str) -> Outcome {
    let picture = Picture {
        key: key.into(),
        width: 1,
        height: 1,
        media_type: "image/png".into(),
        bytes: 1,
        thumbhash: String::new(),
    };
    Outcome::Succeeded {
        pictures: vec![picture],
        cost_usd: Some(0.04),
    }
}

fn failed(attempt: u32) -> FailedAttempt {
    let failure = Failure {
        code: "test".into(),
        message: "It failed.".into(),
        retryable: true,
    };
    FailedAttempt {
        attempt,
        at: at(0),
        failure,
        request_id: Some("req-1".into()),
    }
}

async fn call(queue: &Subject, now: i64) -> Job {
    match queue.claim(at(now), LEASE).await.unwrap() {
        Claim::Call(job) => *job,
        other => panic!("expected a call, got {other:?}"),
    }
}

async fn idle(queue: &Subject, now: i64) -> Option<i64> {
    match queue.claim(at(now), LEASE).await.unwrap() {
        Claim::Idle(due) => due.map(|due| due.as_millisecond() - at(0).as_millisecond()),
        other => panic!("expected nothing to do, got {other:?}"),
    }
}

async fn get(queue: &Subject, id: &str) -> Job {
    queue.get(id).await.unwrap().expect("the job is there")
}

async fn record(queue: &Subject, ticket: &Ticket, outcome: Outcome, now: i64) {
    queue
        .settle(ticket, Verdict::Record(outcome), at(now))
        .await
        .unwrap();
}

async fn complete(queue: &Subject, ticket: &Ticket, now: i64) -> Vec<Job> {
    match queue.complete(ticket, at(now)).await.unwrap() {
        Completion::Applied(jobs) => jobs,
        Completion::Repeated => panic!("completed before"),
    }
}

/// Claims the next job and brings it to an end.
async fn work(queue: &Subject, outcome: Outcome, now: i64) -> Vec<Job> {
    let ticket = call(queue, now).await.ticket();
    record(queue, &ticket, outcome, now).await;
    complete(queue, &ticket, now).await
}

pub(super) async fn a_job_goes_from_queued_to_succeeded(stores: Stores) {
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

pub(super) async fn a_failed_call_ends_failed_with_its_attempts(stores: Stores) {
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

pub(super) async fn jobs_are_claimed_in_the_order_they_came(stores: Stores) {
    let queue = stores.queue;
    for (index, id) in ["a", "b", "c"].iter().enumerate() {
        queue
            .enqueue(new(id, "owner"), at(index as i64))
            .await
            .unwrap();
    }
    for id in ["a", "b", "c"] {
        assert_eq!(call(&queue, 10).await.id, id);
    }
    assert_eq!(idle(&queue, 10).await, Some(10 + LEASE_MS));
}

pub(super) async fn two_workers_never_hold_one_job(stores: Stores) {
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
        tasks.spawn(async move { queue.claim(at(0), LEASE).await.unwrap() });
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

pub(super) async fn a_retry_waits_for_its_time(stores: Stores) {
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

pub(super) async fn a_lease_that_runs_out_gives_the_job_to_another(stores: Stores) {
    let queue = stores.queue;
    queue.enqueue(new("a", "owner"), at(0)).await.unwrap();
    let first = call(&queue, 0).await;
    assert_eq!(idle(&queue, LEASE_MS - 1).await, Some(LEASE_MS));
    let second = call(&queue, LEASE_MS).await;
    assert_eq!((second.id.as_str(), second.attempt), ("a", 2));
    assert!(second.token > first.token);
}

pub(super) async fn a_heartbeat_keeps_the_lease(stores: Stores) {
    let queue = stores.queue;
    queue.enqueue(new("a", "owner"), at(0)).await.unwrap();
    let ticket = call(&queue, 0).await.ticket();
    queue
        .extend(&ticket, at(LEASE_MS - 1), LEASE, None)
        .await
        .unwrap();
    assert_eq!(idle(&queue, LEASE_MS).await, Some(2 * LEASE_MS - 1));
    record(&queue, &ticket, success("a.png"), LEASE_MS).await;
}

pub(super) async fn an_old_token_can_do_nothing(stores: Stores) {
    let queue = stores.queue;
    queue.enqueue(new("a", "owner"), at(0)).await.unwrap();
    let old = call(&queue, 0).await.ticket();
    let new = call(&queue, LEASE_MS).await.ticket();
    let now = at(LEASE_MS);
    let verdicts = [
        Verdict::Record(success("old.png")),
        Verdict::Retry(failed(1), now),
        Verdict::Fail(failed(1)),
        Verdict::Release,
        Verdict::Postpone(now),
    ];
    for verdict in verdicts {
        assert!(matches!(
            queue.settle(&old, verdict, now).await,
            Err(Error::Stale)
        ));
    }
    assert!(matches!(
        queue.extend(&old, now, LEASE, Some(0.5)).await,
        Err(Error::Stale)
    ));
    record(&queue, &new, success("new.png"), LEASE_MS).await;
    assert!(matches!(queue.complete(&old, now).await, Err(Error::Stale)));
    let jobs = complete(&queue, &new, LEASE_MS).await;
    assert_eq!(jobs[0].outcome, Some(success("new.png")));
}

pub(super) async fn a_recorded_outcome_is_delivered_again_but_not_called_again(stores: Stores) {
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
        match queue.claim(at(now), LEASE).await.unwrap() {
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

pub(super) async fn a_released_job_is_due_at_once_and_costs_no_attempt(stores: Stores) {
    let queue = stores.queue;
    queue.enqueue(new("a", "owner"), at(0)).await.unwrap();
    let first = call(&queue, 0).await;
    queue
        .settle(&first.ticket(), Verdict::Release, at(10))
        .await
        .unwrap();
    let second = call(&queue, 10).await;
    assert_eq!(second.attempt, 1);
    assert!(second.token > first.token);
}

pub(super) async fn completing_twice_changes_nothing(stores: Stores) {
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

pub(super) async fn every_change_raises_the_version_and_rings(stores: Stores) {
    let queue = stores.queue;
    let work = queue.bell().listen_work();
    let mut version = queue
        .enqueue(new("a", "owner"), at(0))
        .await
        .unwrap()
        .version;
    work.await;
    let ring = queue.bell().listen("a");
    let ticket = call(&queue, 0).await.ticket();
    ring.await;
    for step in 0..3 {
        let ring = queue.bell().listen("a");
        match step {
            0 => queue
                .extend(&ticket, at(0), LEASE, Some(0.5))
                .await
                .unwrap(),
            1 => record(&queue, &ticket, success("a.png"), 0).await,
            _ => drop(complete(&queue, &ticket, 0).await),
        }
        ring.await;
        let now = get(&queue, "a").await.version;
        assert!(now > version, "step {step}");
        version = now;
    }
}

pub(super) async fn progress_is_seen_only_while_running(stores: Stores) {
    let queue = stores.queue;
    queue.enqueue(new("a", "owner"), at(0)).await.unwrap();
    let ticket = call(&queue, 0).await.ticket();
    queue
        .extend(&ticket, at(0), LEASE, Some(0.25))
        .await
        .unwrap();
    assert_eq!(get(&queue, "a").await.progress, Some(0.25));
    queue
        .settle(&ticket, Verdict::Retry(failed(1), at(0)), at(0))
        .await
        .unwrap();
    assert_eq!(get(&queue, "a").await.progress, None);
}

pub(super) async fn positions_count_the_jobs_ahead(stores: Stores) {
    let queue = stores.queue;
    for id in ["a", "b", "c"] {
        queue.enqueue(new(id, "owner"), at(0)).await.unwrap();
    }
    assert_eq!(get(&queue, "c").await.position, Some(2));
    call(&queue, 0).await;
    assert_eq!(get(&queue, "a").await.position, None);
    assert_eq!(get(&queue, "c").await.position, Some(1));
}

pub(super) async fn identical_requests_in_flight_share_one_call(stores: Stores) {
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
    queue
        .extend(&ticket, at(1), LEASE, Some(0.5))
        .await
        .unwrap();
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
    let ring = queue.bell().listen("b");
    let jobs = complete(&queue, &ticket, 4).await;
    ring.await;
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

pub(super) async fn fifty_identical_requests_at_once_make_one_call(stores: Stores) {
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

pub(super) async fn a_request_just_answered_is_not_called_again(stores: Stores) {
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

pub(super) async fn followers_fail_with_their_leader(stores: Stores) {
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

pub(super) async fn a_leader_cancelled_is_carried_on_for_its_followers(stores: Stores) {
    let queue = stores.queue;
    queue.enqueue(joining("a", "same"), at(0)).await.unwrap();
    queue.enqueue(joining("b", "same"), at(0)).await.unwrap();
    let ticket = call(&queue, 0).await.ticket();
    let cancelled = queue.cancel("a", at(1)).await.unwrap();
    assert_eq!(cancelled.job.status, Status::Cancelled);
    assert!(!cancelled.before_call);
    queue.extend(&ticket, at(2), LEASE, None).await.unwrap();
    assert_eq!(get(&queue, "b").await.status, Status::Running);
    record(&queue, &ticket, success("a.png"), 3).await;
    complete(&queue, &ticket, 4).await;
    assert_eq!(get(&queue, "b").await.status, Status::Succeeded);
    let leader = get(&queue, "a").await;
    assert_eq!((leader.status, leader.outcome), (Status::Cancelled, None));
}

pub(super) async fn a_leader_deleted_is_carried_on_for_its_followers(stores: Stores) {
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

pub(super) async fn a_call_nobody_waits_for_is_stopped(stores: Stores) {
    let queue = stores.queue;
    queue.enqueue(joining("a", "same"), at(0)).await.unwrap();
    queue.enqueue(joining("b", "same"), at(0)).await.unwrap();
    let ticket = call(&queue, 0).await.ticket();
    queue.cancel("a", at(1)).await.unwrap();
    let ring = queue.bell().listen("a");
    let follower = queue.cancel("b", at(1)).await.unwrap();
    assert!(follower.before_call, "a follower never pays for a call");
    ring.await;
    assert!(matches!(
        queue.extend(&ticket, at(2), LEASE, None).await,
        Err(Error::Stale)
    ));
    assert_eq!(idle(&queue, LEASE_MS).await, None);
}

pub(super) async fn cancelling_is_for_jobs_that_are_not_finished(stores: Stores) {
    let queue = stores.queue;
    queue.enqueue(new("a", "owner"), at(0)).await.unwrap();
    let cancelled = queue.cancel("a", at(1)).await.unwrap();
    assert!(cancelled.before_call);
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
    assert!(!queue.cancel("b", at(1)).await.unwrap().before_call);
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

pub(super) async fn an_answer_from_the_cache_is_finished_at_once(stores: Stores) {
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

pub(super) async fn an_answer_whose_picture_is_gone_is_not_given(stores: Stores) {
    let queue = stores.queue;
    queue.enqueue(new("a", "owner"), at(0)).await.unwrap();
    work(&queue, success("a.png"), 0).await;
    assert_eq!(queue.delete("a").await.unwrap(), ["a.png"]);
    let cached = NewJob {
        answer: Some(success("a.png")),
        ..new("b", "other")
    };
    let job = queue.enqueue(cached, at(5)).await.unwrap();
    assert_eq!((job.status, job.cache), (Status::Queued, Cache::Miss));
}

pub(super) async fn deleting_frees_only_what_nobody_else_needs(stores: Stores) {
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

pub(super) async fn jobs_are_listed_newest_first_by_owner(stores: Stores) {
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

pub(super) async fn unknown_jobs_are_not_found(stores: Stores) {
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
        queue.settle(&ticket, Verdict::Release, at(0)).await,
        Err(Error::NotFound)
    ));
}
