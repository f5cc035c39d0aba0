//! What every queue does, in single cases and against a model.

mod life;
mod leases;
mod order;
mod flow;
mod gates;
mod bounds;
mod lines;
mod flights;
mod answers;
mod files;
mod collection;
mod marks;
mod dead;
mod housekeeping;
mod outbox;
mod model;
mod property;

use std::{sync::Arc, time::Duration};

use crate::{
    work::{
        Claim, Completion, DynQueue, Error, FailedAttempt, Hooks, Job, Join, Lane, NewJob,
        Notified, Priority, Report, Ticket, Verdict,
    },
    work::{Cost, Outcome, Request},
};
use atelier_api::Failure;

pub(super) use self::{
    answers::*, bounds::*, collection::*, dead::*, files::*, flights::*, flow::*, gates::*,
    housekeeping::*, leases::*, life::*, lines::*, marks::*, model::Model, order::*, outbox::*,
};
use super::{Stores, at};

type Subject = Arc<DynQueue>;

const LEASE: Duration = Duration::from_secs(60);
const LEASE_MS: i64 = 60_000;

fn request(text: &str) -> Request {
    Request {
        provider: "test".into(),
        text: text.into(),
        pictures: 1,
        seed: 0,
        photo: None,
    }
}

/// Ids sort by the order in which they are asked for, as UUIDv7 do.
fn new(id: &str, owner: &str) -> NewJob {
    NewJob {
        id: id.into(),
        owner: owner.into(),
        request: request(id),
        priority: Priority::Normal,
        not_before: None,
        charge: serde_json::json!([{"for": id}]),
        hooks: Hooks::default(),
        join: None,
        answer: None,
        answered_only: false,
        gates: Vec::new(),
        inherits: None,
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

/// A job that asks for so many pictures.
fn asking(id: &str, owner: &str, pictures: u32) -> NewJob {
    let mut job = new(id, owner);
    job.request.pictures = pictures;
    job
}

/// A job of another provider.
fn elsewhere(id: &str, provider: &str) -> NewJob {
    let mut job = new(id, "owner");
    job.request.provider = provider.into();
    job
}

/// A joining job that improves the photo in this blob.
fn restoring(id: &str, digest: &str, photo: &str) -> NewJob {
    let mut job = joining(id, digest);
    job.request.photo = Some(photo.into());
    job
}

fn success(key: &str) -> Outcome {
    Outcome::Succeeded {
        pictures: vec![key.into()],
        cost_usd: Some(0.04),
        earlier_claims: Vec::new(),
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
        token: 0,
        at: at(0),
        failure,
        request_id: Some("req-1".into()),
        cost: Cost::Usd(0.01),
        settled_cost: Cost::Nothing,
    }
}

/// The same after the job was retried.
fn settled(attempt: u32) -> FailedAttempt {
    FailedAttempt {
        cost: Cost::Nothing,
        settled_cost: Cost::Usd(0.01),
        ..failed(attempt)
    }
}

fn progress(share: f32) -> Report {
    Report {
        progress: Some(share),
        preview: None,
    }
}

async fn add(queue: &Subject, job: NewJob) -> Job {
    queue.enqueue(job, at(0)).await.unwrap()
}

async fn claim(queue: &Subject, now: i64) -> Claim {
    claim_in(queue, &[Lane::open("test")], now).await
}

async fn claim_in(queue: &Subject, lanes: &[Lane], now: i64) -> Claim {
    queue.claim(lanes, at(now), LEASE).await.unwrap()
}

async fn call(queue: &Subject, now: i64) -> Job {
    call_in(queue, &[Lane::open("test")], now).await
}

async fn call_in(queue: &Subject, lanes: &[Lane], now: i64) -> Job {
    match claim_in(queue, lanes, now).await {
        Claim::Call(job) => *job,
        other => panic!("expected a call, got {other:?}"),
    }
}

async fn idle(queue: &Subject, now: i64) -> Option<i64> {
    idle_in(queue, &[Lane::open("test")], now).await
}

async fn idle_in(queue: &Subject, lanes: &[Lane], now: i64) -> Option<i64> {
    match claim_in(queue, lanes, now).await {
        Claim::Idle(due) => due.map(|due| due.as_millisecond() - at(0).as_millisecond()),
        other => panic!("expected nothing to do, got {other:?}"),
    }
}

async fn get(queue: &Subject, id: &str) -> Job {
    queue.get(id).await.unwrap().expect("the job is there")
}

async fn extend(queue: &Subject, ticket: &Ticket, report: Report, now: i64) -> Result<(), Error> {
    queue.extend(ticket, at(now), LEASE, report).await
}

async fn settle(queue: &Subject, ticket: &Ticket, verdict: Verdict, now: i64) {
    queue.settle(ticket, verdict, at(now)).await.unwrap();
}

async fn record(queue: &Subject, ticket: &Ticket, outcome: Outcome, now: i64) {
    settle(queue, ticket, Verdict::Record(outcome), now).await;
}

async fn complete(queue: &Subject, ticket: &Ticket, now: i64) -> Vec<Job> {
    complete_all(queue, ticket, now).await.0
}

/// The jobs that are finished, and the blobs that nobody refers to any more.
async fn complete_all(queue: &Subject, ticket: &Ticket, now: i64) -> (Vec<Job>, Vec<String>) {
    match queue.complete(ticket, at(now)).await.unwrap() {
        Completion::Applied { ended, orphans } => {
            let jobs = ended.into_iter().map(|end| end.job);
            (jobs.collect(), orphans)
        }
        Completion::Repeated => panic!("completed before"),
    }
}

/// Waits for a notification; one that does not come is a failure, not a long wait.
async fn notified(notified: Notified) {
    let notified = tokio::time::timeout(Duration::from_secs(10), notified);
    notified.await.expect("whoever waits is told");
}

/// Claims the next job and brings it to an end.
async fn work(queue: &Subject, outcome: Outcome, now: i64) -> Vec<Job> {
    let ticket = call(queue, now).await.ticket();
    record(queue, &ticket, outcome, now).await;
    complete(queue, &ticket, now).await
}

/// Claims the next job and lets it fail for good.
async fn fail(queue: &Subject, now: i64) -> Ticket {
    let ticket = call(queue, now).await.ticket();
    settle(queue, &ticket, Verdict::Fail(failed(1)), now).await;
    complete(queue, &ticket, now).await;
    ticket
}
