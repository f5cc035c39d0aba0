//! What an earlier version has written opens, a Redis or a data folder, and what is
//! under way in it goes on.

use std::time::Duration;

use atelier::{
    app::schema,
    cache::{
        Cache as _, SqliteCache,
        semantic::{Changes, SqliteVectorLog, VectorLog as _},
    },
    job::{Outcome, Owner},
    limit::{Demand, Limiter as _, Policy, SqliteLimiter},
    queue::{Claim, Join, Lane, NewJob, Priority, Queue, RedisQueue, SqliteQueue, Ticket, Verdict},
    store::redis::Redis,
};
use atelier_api::{Cache, Status};
use jiff::{SignedDuration, Timestamp};

use crate::{support, unreadable};

/// The commands that make the keys of the queue with schema 1: `a-failed` and
/// `b-landed` were finished a millisecond after the instant zero, `c-running` is
/// held by a worker, `d-flying` waits, and `e-joined` shares its call. Bytes are
/// written as the characters of the same number.
const SCHEMA_1: &str = include_str!("../data/redis-schema-1.jsonl");

const ZERO_MS: i64 = 1_800_000_000_000;

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(ZERO_MS).unwrap() + SignedDuration::from_millis(milliseconds)
}

async fn fill(redis: &Redis) {
    for line in SCHEMA_1.lines() {
        let words: Vec<String> = serde_json::from_str(line).unwrap();
        let mut words = words.iter();
        let mut command = redis::cmd(words.next().unwrap());
        command.arg(redis.key(format!("{{queue}}:{}", words.next().unwrap())));
        for word in words {
            let bytes: Vec<u8> = word.chars().map(|c| u8::try_from(c).unwrap()).collect();
            command.arg(bytes);
        }
        redis.query::<()>(&command).await.unwrap();
    }
}

fn joining(id: &str, digest: &str) -> NewJob {
    let join = Join {
        digest: digest.into(),
        window: Duration::from_secs(60),
    };
    NewJob {
        join: Some(join),
        ..unreadable::new(id)
    }
}

fn success() -> Outcome {
    Outcome::Succeeded {
        pictures: Vec::new(),
        cost_usd: None,
        left_out: Vec::new(),
        earlier_claims: Vec::new(),
        made_by: None,
    }
}

async fn finish(queue: &RedisQueue, ticket: &Ticket) {
    let verdict = Verdict::Record(success());
    queue.settle(ticket, verdict, at(3)).await.unwrap();
    queue.complete(ticket, at(3)).await.unwrap();
}

async fn what_is_under_way_goes_on(redis: Redis) {
    fill(&redis).await;
    let queue = RedisQueue::new(redis.clone());
    assert_eq!(queue.list("owner", None, 10).await.unwrap().len(), 5);
    let added = async |id: &str, digest: &str| {
        let job = queue.enqueue(joining(id, digest), at(2)).await.unwrap();
        (job.status, job.cache)
    };

    // The same is still asked for once.
    assert_eq!(added("f", "new").await, (Status::Queued, Cache::Miss));
    assert_eq!(added("g", "flying").await, (Status::Queued, Cache::Joined));
    assert_eq!(
        added("h", "running").await,
        (Status::Running, Cache::Joined)
    );
    assert_eq!(
        added("i", "landed").await,
        (Status::Succeeded, Cache::Exact)
    );
    queue
        .retry("a-failed", Priority::Normal, at(2))
        .await
        .unwrap();
    assert_eq!(added("j", "failed").await, (Status::Queued, Cache::Joined));

    finish(
        &queue,
        &Ticket {
            id: "c-running".into(),
            token: ZERO_MS.unsigned_abs(),
        },
    )
    .await;
    assert_eq!(
        added("k", "running").await,
        (Status::Succeeded, Cache::Exact)
    );
    let lanes = [Lane::open("test")];
    while let Claim::Call(job) = queue
        .claim(&lanes, at(3), Duration::from_secs(9))
        .await
        .unwrap()
    {
        finish(&queue, &job.ticket()).await;
    }
    for id in ["a-failed", "d-flying", "e-joined", "f", "g", "h", "j"] {
        let job = queue.get(id).await.unwrap().unwrap();
        assert_eq!(job.status, Status::Succeeded, "{id}");
    }

    // Nor is it given once it was withdrawn.
    queue.seclude("d-flying").await.unwrap();
    queue.delete("b-landed").await.unwrap();
    assert_eq!(added("l", "flying").await, (Status::Queued, Cache::Miss));
    assert_eq!(added("m", "landed").await, (Status::Queued, Cache::Miss));
}

#[tokio::test]
async fn redis_of_schema_1() {
    what_is_under_way_goes_on(support::redis()).await;
}

#[tokio::test]
async fn cluster_of_schema_1() {
    what_is_under_way_goes_on(support::redis_cluster()).await;
}

/// The database of a data folder from before its parts had versions of their own: two
/// pictures, a restored photo, and an order that waits to be tried a third time.
const FOLDER_12: &str = include_str!("../data/folder-12.sql");

/// When it was left.
const LEFT_MS: i64 = 1_795_719_600_000;

#[tokio::test]
async fn a_folder_of_schema_12() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("atelier.db");
    let file = rusqlite::Connection::open(&path).unwrap();
    file.execute_batch(FOLDER_12).unwrap();
    drop(file);
    let left = Timestamp::from_millisecond(LEFT_MS).unwrap();
    // The second start finds what the first has made of it.
    for _ in 0..2 {
        let database = schema::open(&path).unwrap();
        let queue = SqliteQueue::new(database.clone());
        let jobs = queue.list("key_755124729c", None, 9).await.unwrap();
        let seen: Vec<_> = jobs.iter().map(|job| (job.status, job.cache)).collect();
        let expected = [
            (Status::Queued, Cache::Miss),
            (Status::Succeeded, Cache::Miss),
            (Status::Succeeded, Cache::Exact),
            (Status::Succeeded, Cache::Miss),
        ];
        assert_eq!(seen, expected);

        let cache = SqliteCache::new(database.clone(), 9);
        let painted = &jobs[3];
        let digest = painted.request.digest(Some(&Owner::of(painted)));
        let entry = cache.get(&digest, left).await.unwrap().unwrap();
        assert_eq!(entry.value, painted.id);
        assert_eq!(cache.count().await.unwrap(), 2);

        let log = SqliteVectorLog::new(database.clone());
        let Changes::Since(changes) = log.changes(0, 9).await.unwrap() else {
            panic!("the log begins anew");
        };
        assert_eq!(changes[0].id, painted.id);

        let budget = "name = 'daily-budget'\nscope = 'global'\nunit = 'usd'\n\
                      algorithm = 'fixed_window'\nquota = 10\nwindow = '1d'";
        let budget: Policy = toml::from_str(budget).unwrap();
        let look = vec![Demand::new(&budget.into(), "", 0)];
        let limiter = SqliteLimiter::new(database);
        let standings = limiter.charge(look, left).await.unwrap().standings;
        assert_eq!(standings[0].remaining, 9_997_000);
    }
    let queue = SqliteQueue::new(schema::open(&path).unwrap());
    let lanes = [Lane::open("replicate")];
    let claim = queue.claim(&lanes, left, Duration::from_secs(60)).await;
    let Claim::Call(job) = claim.unwrap() else {
        panic!("an order waits");
    };
    assert_eq!((job.attempt, job.failures.len()), (3, 2));
}
