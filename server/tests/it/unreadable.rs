//! A record that is damaged, or was written by a later version, stands in
//! nobody's way.

use std::time::Duration;

use atelier::{
    app::schema,
    job::Request,
    queue::{
        Claim, DynQueue, Error, Hooks, Housekeeping, Job, Join, Lane, NewJob, Priority, Queue,
        RedisQueue, SqliteQueue,
    },
    store::{self, redis::Redis},
};
use atelier_api::{Cache, Status};
use atelier_queue::{GateRef, Hold, Terms};
use jiff::Timestamp;
use serde_json::json;

use crate::support;

const LEASE: Duration = Duration::from_secs(60);

pub(crate) fn new(id: &str) -> NewJob {
    let request = json!({
        "provider": "test", "model": "test", "variation": 0,
        "task": { "kind": "image", "prompt": id, "size": "auto", "quality": "auto", "n": 1, "style": null },
    });
    NewJob {
        id: id.into(),
        owner: "owner".into(),
        request: serde_json::from_value(request).unwrap(),
        priority: Priority::Normal,
        not_before: None,
        charge: json!([]),
        hooks: Hooks::default(),
        join: Some(Join {
            digest: id.chars().take(1).collect(),
            window: LEASE,
        }),
        answer: None,
        answered_only: false,
        gates: Vec::new(),
        inherits: None,
    }
}

/// What is left of a damaged job.
#[derive(Clone, Copy)]
enum Left {
    /// It can be seen to have failed.
    Shell,
    Nothing,
}

async fn call(queue: &DynQueue, now: Timestamp) -> Option<String> {
    let lanes = [Lane {
        parallel: Some(1),
        ..Lane::open("test")
    }];
    match queue.claim(&lanes, now, LEASE).await.unwrap() {
        Claim::Call(job) => Some(job.id),
        Claim::Deliver(..) => panic!("nothing was recorded"),
        Claim::Idle(_) => None,
    }
}

async fn ids(jobs: impl Future<Output = Result<Vec<Job>, Error>>) -> Vec<String> {
    jobs.await.unwrap().into_iter().map(|job| job.id).collect()
}

/// Two jobs are damaged, one of them while a third shares its call; the next is
/// carried out by a lane that makes one call at a time.
async fn the_next_is_carried_out(
    queue: &(impl Queue<Request> + Housekeeping),
    left: Left,
    damage: impl AsyncFn(&str),
) {
    let now = Timestamp::now();
    for id in ["a", "b", "b-too", "c"] {
        queue.enqueue(new(id), now).await.unwrap();
    }
    for id in ["a", "b"] {
        damage(id).await;
    }
    // Who looks sees the others, however few are asked for.
    assert_eq!(ids(queue.list("owner", None, 1)).await, ["c"]);
    assert_eq!(ids(queue.list("owner", Some("c"), 1)).await, ["b-too"]);
    // Whoever does not meet them claims the next all the same.
    assert_eq!(call(queue, now).await.as_deref(), Some("c"));
    queue.set_aside_unreadable(now).await.unwrap();
    let follower = queue.get("b-too").await.unwrap().unwrap();
    assert_eq!(follower.status, Status::Failed);

    let expected: &[_] = match left {
        Left::Shell => &["c", "b-too", "b", "a"],
        Left::Nothing => &["c", "b-too"],
    };
    assert_eq!(ids(queue.list("owner", None, 10)).await, expected);
    assert_eq!(ids(queue.dead(None, 10)).await, expected[1..]);
    assert_eq!(ids(queue.dead(None, 1)).await, ["b-too"]);
    let over = Timestamp::UNIX_EPOCH..(now + LEASE);
    assert_eq!(queue.finished(over.clone(), 10).await.unwrap().len(), 3);

    // Nobody waits for it from now on.
    let again = queue.enqueue(new("b-again"), now).await.unwrap();
    assert_eq!((again.status, again.cache), (Status::Queued, Cache::Miss));
    queue.cancel("b-again", now).await.unwrap();
    queue.delete("b-again").await.unwrap();

    // What cannot be read can be deleted, whenever it was damaged.
    for id in ["a", "b"] {
        damage(id).await;
        queue.delete(id).await.unwrap();
        assert!(queue.get(id).await.unwrap().is_none());
    }
    assert_eq!(queue.finished(over, 10).await.unwrap(), ["b-too"]);
    assert_eq!(ids(queue.list("owner", None, 10)).await, ["c", "b-too"]);
}

/// One that is damaged during its call gives its place back.
async fn its_lease_ends(queue: &DynQueue, damage: impl AsyncFn(&str)) {
    let (now, later) = (Timestamp::now(), Timestamp::now() + 2 * LEASE);
    for id in ["a", "b"] {
        queue.enqueue(new(id), now).await.unwrap();
    }
    assert_eq!(call(queue, now).await.as_deref(), Some("a"));
    damage("a").await;
    let next = match call(queue, now).await {
        None => call(queue, later).await,
        next => next,
    };
    assert_eq!(next.as_deref(), Some("b"));
}

/// One that is damaged when it has passed a gate, or is deleted then, gives its slot to the
/// next.
async fn its_gate_opens(
    queue: &(impl Queue<Request> + Housekeeping),
    left: Left,
    damage: impl AsyncFn(&str),
) {
    let now = Timestamp::now();
    let gate = GateRef {
        name: "gate".into(),
        terms: Some(Terms {
            parallel: Some(1),
            rate: None,
        }),
        hold: Hold::End,
    };
    for id in ["a", "b", "c", "d"] {
        let gated = NewJob {
            join: None,
            gates: vec![gate.clone()],
            ..new(id)
        };
        queue.enqueue(gated, now).await.unwrap();
    }
    damage("a").await;
    let first = call(queue, now).await;
    queue.set_aside_unreadable(now).await.unwrap();
    let next = match first {
        None => call(queue, now).await,
        first => first,
    };
    assert_eq!(next.as_deref(), Some("b"));
    let state = queue.gate("gate").await.unwrap().unwrap();
    assert_eq!((state.active, state.waiting), (1, 2));
    if matches!(left, Left::Shell) {
        damage("c").await;
        queue.delete("c").await.unwrap();
        queue.cancel("b", now).await.unwrap();
        assert_eq!(call(queue, now).await.as_deref(), Some("d"));
        let state = queue.gate("gate").await.unwrap().unwrap();
        assert_eq!((state.active, state.waiting), (1, 0));
    }
}

#[tokio::test]
async fn in_sqlite() {
    for (column, text, left) in [
        ("request", "{", Left::Nothing),
        ("cache", "later", Left::Shell),
        ("status", "later", Left::Shell),
        ("deliveries", "-1", Left::Shell),
    ] {
        for case in 0..3 {
            let folder = tempfile::tempdir().unwrap();
            let database = schema::open(&folder.path().join("atelier.db")).unwrap();
            let queue = SqliteQueue::take_over(database.clone(), Timestamp::now());
            let damage = async |id: &str| {
                let id = id.to_owned();
                let damage = move |c: &rusqlite::Connection| {
                    let sql = format!("UPDATE jobs SET {column} = ?1 WHERE id = ?2");
                    Ok::<_, store::Error>(c.execute(&sql, [text, &id])?)
                };
                database.write(damage).await.unwrap();
            };
            let queue = queue.await.unwrap();
            match case {
                0 => the_next_is_carried_out(&queue, left, damage).await,
                1 => its_gate_opens(&queue, left, damage).await,
                _ if column != "request" => its_lease_ends(&queue, damage).await,
                _ => {}
            }
        }
    }
}

/// Each replaces the text in a hash of the queue.
const DAMAGES: [(&str, &str, Left); 5] = [
    ("body", "string.sub(text, 1, -2)", Left::Nothing),
    ("body", "''", Left::Nothing),
    ("head", "string.sub(text, 1, 9)", Left::Shell),
    ("head", "'x' .. string.sub(text, 2)", Left::Shell),
    ("head", "''", Left::Shell),
];

async fn in_this_redis(open: impl Fn() -> Redis) {
    for (hash, damaged, left) in DAMAGES {
        for case in 0..3 {
            let redis = open();
            let code = format!(
                "local key = KEYS[1] .. '{hash}'
                local text = redis.call('HGET', key, ARGV[1])
                redis.call('HSET', key, ARGV[1], {damaged})"
            );
            let damage = async |id: &str| {
                let mut command = redis::cmd("EVAL");
                command.arg(&code).arg(1).arg(redis.key("{queue}:")).arg(id);
                redis.query::<()>(&command).await.unwrap();
            };
            let queue = RedisQueue::new(redis.clone());
            match case {
                0 => the_next_is_carried_out(&queue, left, damage).await,
                1 => its_gate_opens(&queue, left, damage).await,
                _ if hash == "head" => its_lease_ends(&queue, damage).await,
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn in_redis() {
    in_this_redis(support::redis).await;
}

#[tokio::test]
async fn in_a_cluster() {
    in_this_redis(support::redis_cluster).await;
}
