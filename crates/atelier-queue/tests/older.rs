//! What the version before gates has stored is opened, and goes on.

#![cfg(feature = "sqlite")]

use std::time::Duration;

use atelier_queue::{Claim, Ending, GateRef, Hold, Lane, NewJob, Payload, Queue, SqliteQueue};
use atelier_store::sqlite::{Database, Schema};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Letter(String);

impl Payload for Letter {
    type Outcome = Ending<()>;

    fn lane(&self) -> &str {
        "letters"
    }
}

const BEFORE: Schema = Schema {
    name: "queue",
    migrations: &[include_str!("../src/sqlite/schema.sql")],
};

#[tokio::test]
async fn jobs_from_before_there_were_gates_are_claimed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.db");
    let database = Database::open(&path, &[BEFORE]).unwrap();
    let insert = |c: &rusqlite::Connection| {
        c.execute(
            r#"INSERT INTO jobs (id, owner, status, due_at, created_at, cache, request, charge, lane)
               VALUES ('1', 'ada', 'queued', 0, 1, 'miss', '"old"', 'null', 'letters')"#,
            [],
        )
        .map_err(atelier_store::Error::from)
    };
    database.write(insert).await.unwrap();
    drop(database);
    let database = Database::open(&path, &[SqliteQueue::<Letter>::SCHEMA]).unwrap();
    let queue = SqliteQueue::<Letter>::take_over(database, Timestamp::now()).await;
    let queue = queue.unwrap();
    let gated = NewJob {
        gates: vec![GateRef {
            name: "gate".into(),
            terms: None,
            hold: Hold::Attempt,
        }],
        ..NewJob::new("2", "ada", Letter("new".into()))
    };
    queue.enqueue(gated, Timestamp::now()).await.unwrap();
    for text in ["old", "new"] {
        let lanes = [Lane::open("letters")];
        let claim = queue.claim(&lanes, Timestamp::now(), Duration::from_secs(60));
        let Claim::Call(job) = claim.await.unwrap() else {
            panic!("{text} is there");
        };
        assert_eq!(job.request, Letter(text.into()));
    }
}
