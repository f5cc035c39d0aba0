//! Two owners, two workers, and a call that fails at its first attempt.

use std::{error::Error, io::Write as _, sync::Arc, time::Duration};

use atelier_queue::{
    Claim, Cost, Ending, FailedAttempt, Failure, Job, Lane, NewJob, Payload, Queue, RedisQueue,
    SqliteQueue, Verdict,
};
use atelier_store::{clock::Clock, redis::Redis, sqlite::Database};
use serde::{Deserialize, Serialize};

const LEASE: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Question(String);

impl Payload for Question {
    type Outcome = Ending<String>;

    fn lane(&self) -> &str {
        "example"
    }
}

type Questions = Arc<dyn Queue<Question>>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let folder = tempfile::tempdir()?;
    let (queue, clock): (Questions, Clock) = match std::env::var("REDIS_URL") {
        Ok(url) => {
            let redis = Redis::open(url.parse()?);
            let clock = redis.clock().await?;
            (Arc::new(RedisQueue::new(redis)), clock)
        }
        Err(_) => {
            let schemas = [SqliteQueue::<Question>::SCHEMA];
            let database = Database::open(&folder.path().join("queue.db"), &schemas)?;
            (Arc::new(SqliteQueue::new(database)), Clock::system())
        }
    };
    for (number, owner) in ["ada", "ada", "ada", "ben"].into_iter().enumerate() {
        let job = new_job(&clock, number, owner);
        queue.enqueue(job, clock.now()).await?;
    }
    let workers = [1, 2].map(|name| tokio::spawn(work(name, Arc::clone(&queue), clock.clone())));
    for worker in workers {
        worker.await??;
    }
    Ok(())
}

fn new_job(clock: &Clock, number: usize, owner: &str) -> NewJob<Question> {
    let id = format!("{}-{number}", clock.now().as_microsecond());
    let question = Question(format!("{owner}'s question {number}"));
    NewJob::new(id, owner, question)
}

/// Works until nothing is left to do.
async fn work(
    name: u32,
    queue: Questions,
    clock: Clock,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let lanes = [Lane {
        parallel: Some(2),
        ..Lane::open("example")
    }];
    loop {
        let work = queue.notifier().listen_work();
        match queue.claim(&lanes, clock.now(), LEASE).await? {
            Claim::Call(job) => {
                writeln!(
                    std::io::stdout(),
                    "worker {name}, attempt {}: {}",
                    job.attempt,
                    job.request.0
                )?;
                let verdict = answer(&job, &clock);
                let recorded = matches!(verdict, Verdict::Record(_));
                queue.settle(&job.ticket(), verdict, clock.now()).await?;
                if recorded {
                    queue.complete(&job.ticket(), clock.now()).await?;
                }
            }
            Claim::Deliver(job, _) => drop(queue.complete(&job.ticket(), clock.now()).await?),
            Claim::Idle(None) => return Ok(()),
            // A retry falls due.
            Claim::Idle(Some(_)) => {
                let _ = tokio::time::timeout(Duration::from_millis(100), work).await;
            }
        }
    }
}

/// Every first question fails once.
fn answer(job: &Job<Question>, clock: &Clock) -> Verdict<Question> {
    if job.attempt > 1 || !job.request.0.ends_with('0') {
        let (answer, cost) = ("an answer".into(), Cost::Nothing);
        return Verdict::Record(Ending::Succeeded { answer, cost });
    }
    let failure = Failure {
        code: "busy".into(),
        message: "The model has too much to do.".into(),
        retryable: true,
    };
    let failed = FailedAttempt::new(job, failure, clock.now());
    Verdict::Retry(failed, clock.now() + Duration::from_millis(200))
}
