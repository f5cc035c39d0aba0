//! A record that is damaged, or was written by a later version, stands in
//! nobody's way.

use std::{sync::Arc, sync::LazyLock, time::Duration};

use atelier::{
    queue::{Claim, Hooks, Join, Lane, NewJob, Priority, Queue, RedisQueue, SqliteQueue},
    store::{
        redis::{Redis, Script},
        sqlite::Database,
    },
};
use atelier_app::wire::Status;
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
    }
}

/// Two jobs are damaged, one of them while a third shares its call; the next is
/// carried out by a lane that makes one call at a time.
async fn the_next_is_carried_out(queue: Arc<dyn Queue>, damage: impl AsyncFn(&str)) {
    let now = Timestamp::now();
    for id in ["a", "b", "b-too", "c"] {
        queue.enqueue(new(id), now).await.unwrap();
    }
    for id in ["a", "b"] {
        damage(id).await;
    }
    let lanes = [Lane {
        parallel: Some(1),
        ..Lane::open("test")
    }];
    let Claim::Call(job) = queue.claim(&lanes, now, LEASE).await.unwrap() else {
        panic!("a job is claimed");
    };
    assert_eq!(job.id, "c");
    let follower = queue.get("b-too").await.unwrap().unwrap();
    assert_eq!(follower.status, Status::Failed);

    // Who looks sees the others; what cannot be read can be deleted.
    let seen = queue.list("owner", None, 10).await.unwrap();
    let ids: Vec<_> = seen.iter().map(|job| job.id.as_str()).collect();
    assert_eq!(ids, ["c", "b-too"]);
    assert!(queue.get("a").await.unwrap().is_none());
    assert_eq!(queue.dead(None, 10).await.unwrap().len(), 1);
    let over = Timestamp::UNIX_EPOCH..(now + LEASE);
    assert_eq!(queue.finished(over.clone(), 10).await.unwrap().len(), 3);
    for id in ["a", "b"] {
        queue.delete(id).await.unwrap();
    }
    assert_eq!(queue.finished(over, 10).await.unwrap(), ["b-too"]);
}

#[tokio::test]
async fn in_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&folder.path().join("atelier.db")).unwrap();
    let queue = SqliteQueue::take_over(database.clone(), Timestamp::now());
    let damage = async |id: &str| {
        let id = id.to_owned();
        let damage = move |c: &rusqlite::Connection| {
            c.execute("UPDATE jobs SET request = '{' WHERE id = ?1", [&id])
                .map_err(atelier::store::Error::from)
        };
        database.write(damage).await.unwrap();
    };
    the_next_is_carried_out(Arc::new(queue.await.unwrap()), damage).await;
}

async fn in_this_redis(redis: Redis) {
    static DAMAGE: LazyLock<Script> = LazyLock::new(|| {
        Script::new(
            "local key = KEYS[1] .. 'body'
            local body = redis.call('HGET', key, ARGV[1])
            redis.call('HSET', key, ARGV[1], string.sub(body, 1, -2))",
        )
    });
    let damage = async |id: &str| {
        let call = redis.script(&DAMAGE).key("{queue}:").arg(id);
        call.run::<()>().await.unwrap();
    };
    the_next_is_carried_out(Arc::new(RedisQueue::new(redis.clone())), damage).await;
}

#[tokio::test]
async fn in_redis() {
    in_this_redis(support::redis()).await;
}

#[tokio::test]
async fn in_a_cluster() {
    in_this_redis(support::redis_cluster()).await;
}
