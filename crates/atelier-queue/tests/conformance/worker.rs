//! The workers that come with the queue.

use std::{
    error::Error as StdError,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use atelier_api::Failure;
use atelier_queue::{CallError, Work, Worker, Workers, wait};
use atelier_store::clock::Clock;
use tokio::{
    sync::{Semaphore, mpsc},
    time::timeout,
};

use crate::{
    Stores,
    work::{Bill, Cost, DynQueue, Ended, Job, Lane, NewJob, Outcome, Request},
};

const PATIENCE: Duration = Duration::from_secs(30);

/// Does as it was told, and tells what it is asked to do.
struct Script {
    /// The failures of the first calls.
    failures: Vec<Failure>,
    calls: Arc<AtomicU32>,
    /// A call takes one, if there are any to be taken.
    permits: Option<Arc<Semaphore>>,
    /// Ends that could not be attended to at first.
    reluctance: AtomicU32,
    told: mpsc::UnboundedSender<Told>,
}

#[derive(Debug, PartialEq)]
enum Told {
    Called,
    Recorded,
    Ended(Bill),
}

#[async_trait::async_trait]
impl Work<Request> for Script {
    async fn call(&self, _: &Job) -> Result<Outcome, CallError> {
        self.told.send(Told::Called).unwrap();
        if let Some(permits) = &self.permits {
            permits.acquire().await.unwrap().forget();
        }
        let call = self.calls.fetch_add(1, Ordering::SeqCst) as usize;
        match self.failures.get(call) {
            Some(failure) => Err(CallError {
                cost: Cost::Usd(0.01),
                failure: failure.clone(),
            }),
            None => Ok(Outcome::Succeeded {
                pictures: vec!["a.png".into()],
                cost_usd: Some(0.04),
                earlier_claims: Vec::new(),
            }),
        }
    }

    async fn recorded(&self, _: &Job, _: &Outcome) {
        self.told.send(Told::Recorded).unwrap();
    }

    async fn ended(&self, end: &Ended) -> Result<(), Box<dyn StdError + Send + Sync>> {
        let less = |left: u32| left.checked_sub(1);
        let relaxed = Ordering::SeqCst;
        if self.reluctance.fetch_update(relaxed, relaxed, less).is_ok() {
            return Err("not yet".into());
        }
        self.told.send(Told::Ended(end.bill.clone())).unwrap();
        Ok(())
    }
}

fn script() -> (Script, mpsc::UnboundedReceiver<Told>) {
    let (told, heard) = mpsc::unbounded_channel();
    let script = Script {
        failures: Vec::new(),
        calls: Arc::default(),
        permits: None,
        reluctance: AtomicU32::new(0),
        told,
    };
    (script, heard)
}

fn failure(retryable: bool) -> Failure {
    Failure {
        code: "test".into(),
        message: "It failed.".into(),
        retryable,
    }
}

fn start(queue: &Arc<DynQueue>, script: Script) -> Workers {
    Worker::new(Arc::clone(queue), Clock::system(), script)
        .retries(3, Duration::from_millis(1))
        .lease(Duration::from_secs(3))
        .start([(Lane::open("test"), 2)])
}

async fn add(queue: &DynQueue) {
    let request = Request {
        provider: "test".into(),
        text: "a lighthouse".into(),
        pictures: 1,
        seed: 0,
        photo: None,
    };
    let job = NewJob {
        charge: serde_json::json!([1]),
        ..NewJob::new("1", "owner", request)
    };
    queue.enqueue(job, Clock::system().now()).await.unwrap();
}

async fn next(heard: &mut mpsc::UnboundedReceiver<Told>) -> Told {
    timeout(PATIENCE, heard.recv()).await.unwrap().unwrap()
}

async fn ended(queue: &DynQueue) -> Job {
    let ended = timeout(PATIENCE, wait(queue, "1")).await;
    ended.unwrap().unwrap().unwrap()
}

async fn attended_to(queue: &DynQueue) {
    let attended = async {
        while !queue.outbox(None, 1).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, attended).await.unwrap();
}

pub(crate) async fn a_call_is_made_again_and_its_end_attended_to(Stores { queue, .. }: Stores) {
    add(&*queue).await;
    let (script, mut heard) = script();
    let workers = start(
        &queue,
        Script {
            failures: vec![failure(true)],
            reluctance: AtomicU32::new(1),
            ..script
        },
    );
    let job = ended(&*queue).await;
    assert_eq!((job.attempt, job.failures.len()), (2, 1));
    for expected in [Told::Called, Told::Called, Told::Recorded] {
        assert_eq!(next(&mut heard).await, expected);
    }
    // What both attempts have cost.
    let Told::Ended(bill) = next(&mut heard).await else {
        panic!("the end is attended to")
    };
    assert!((bill.usd - 0.05).abs() < 1e-9, "{bill:?}");
    attended_to(&*queue).await;
    workers.stop().await;
}

pub(crate) async fn a_call_that_fails_for_good_is_told_of(Stores { queue, .. }: Stores) {
    for (failures, attempts) in [
        (vec![failure(false)], 1),
        (vec![failure(true), failure(true), failure(true)], 3),
    ] {
        add(&*queue).await;
        let (script, _heard) = script();
        let workers = start(&queue, Script { failures, ..script });
        let job = ended(&*queue).await;
        assert_eq!(job.failures.len(), attempts);
        assert!(matches!(job.outcome, Some(Outcome::Failed(_))), "{job:?}");
        attended_to(&*queue).await;
        workers.stop().await;
        queue.delete("1").await.unwrap();
    }
}

pub(crate) async fn what_is_in_progress_is_finished_before_workers_stop(
    Stores { queue, .. }: Stores,
) {
    add(&*queue).await;
    let (script, mut heard) = script();
    let permits = Arc::new(Semaphore::new(0));
    let script = Script {
        permits: Some(Arc::clone(&permits)),
        ..script
    };
    let workers = start(&queue, script);
    assert_eq!(next(&mut heard).await, Told::Called);
    let stopping = tokio::spawn(workers.stop());
    permits.add_permits(1);
    timeout(PATIENCE, stopping).await.unwrap().unwrap();
    assert!(ended(&*queue).await.outcome.is_some());
}

pub(crate) async fn a_worker_that_dies_is_replaced(Stores { queue, .. }: Stores) {
    add(&*queue).await;
    let (hung, mut heard) = script();
    let hung = Script {
        permits: Some(Arc::new(Semaphore::new(0))),
        ..hung
    };
    let workers = start(&queue, hung);
    assert_eq!(next(&mut heard).await, Told::Called);
    drop(workers);
    let (script, _heard) = script();
    let workers = start(&queue, script);
    let job = ended(&*queue).await;
    assert_eq!((job.attempt, job.failures.len()), (2, 1));
    workers.stop().await;
}
