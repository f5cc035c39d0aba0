//! What the version before gates has stored is opened, and goes on.

#![cfg(feature = "sqlite")]

use std::time::Duration;

use atelier_queue::{
    Claim, Collection, Cost, Ending, Entry, GateRef, Hold, Lane, NewJob, Payload, Queue, Search,
    SqliteQueue, Verdict,
};
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

    fn entry(&self) -> Option<Entry> {
        Some(Entry {
            kind: "letter".into(),
            text: self.0.clone(),
        })
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

#[tokio::test]
async fn jobs_from_before_there_were_entries_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.db");
    let database = Database::open(&path, &[BEFORE]).unwrap();
    let insert = |c: &rusqlite::Connection| {
        let sql = r#"INSERT INTO jobs (id, owner, status, due_at, created_at, cache, request, charge, lane)
            VALUES (?1, 'ada', 'succeeded', 0, 1, 'miss', ?2, 'null', 'letters')"#;
        for number in 0..1200 {
            let request = format!("\"Letter number{number}\"");
            c.execute(sql, (format!("{number:04}"), request))?;
        }
        c.execute(sql, ("damaged", "{"))?;
        Ok::<_, rusqlite::Error>(())
    };
    let inserted = database.write(move |c| insert(c).map_err(atelier_store::Error::from));
    inserted.await.unwrap();
    drop(database);
    for _again in 0..2 {
        let database = Database::open(&path, &[SqliteQueue::<Letter>::SCHEMA]).unwrap();
        let queue = SqliteQueue::<Letter>::take_over(database, Timestamp::now()).await;
        let queue = queue.unwrap();
        let search = Search {
            text: "NUMBER1199 let".into(),
            ..Search::default()
        };
        let found = queue.search("ada", &search, None, 9).await.unwrap();
        let found: Vec<_> = found.into_iter().map(|job| job.id).collect();
        assert_eq!(found, ["1199"]);
        assert_eq!(queue.delete("1199").await.unwrap_or_default(), [""; 0]);
        let found = queue.search("ada", &search, None, 9).await.unwrap();
        assert!(found.is_empty());
        let again = NewJob::new("1199", "ada", Letter("Letter number1199".into()));
        queue.enqueue(again, Timestamp::now()).await.unwrap();
        let lanes = [Lane::open("letters")];
        let claim = queue.claim(&lanes, Timestamp::now(), Duration::from_secs(60));
        let Claim::Call(job) = claim.await.unwrap() else {
            panic!("it is there");
        };
        let verdict = Verdict::Record(Ending::Succeeded {
            answer: (),
            cost: Cost::Nothing,
        });
        let ticket = job.ticket();
        let finished = queue.finish(&ticket, verdict, Timestamp::now());
        finished.await.unwrap();
    }
}
