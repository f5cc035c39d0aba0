//! What is promised of writes, and of the file.

use super::*;

const NOTES: Schema = Schema {
    name: "notes",
    migrations: &["CREATE TABLE notes (key TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT"],
};

fn open(path: &Path) -> Database {
    Database::open(path, &[NOTES]).unwrap()
}

async fn count(database: &Database) -> i64 {
    database
        .read(|c| {
            c.query_row("SELECT count(*) FROM notes", [], |row| row.get(0))
                .map_err(Error::from)
        })
        .await
        .unwrap()
}

fn insert(key: &str) -> impl FnOnce(&Connection) -> Result<usize, Error> + Send + 'static {
    let sql = format!("INSERT INTO notes (key, text) VALUES ('{key}', '')");
    move |c| c.execute(&sql, []).map_err(Error::from)
}

#[tokio::test]
async fn a_failed_operation_leaves_its_neighbours_alone() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(&folder.path().join("test.db"));
    let (a, twice, b) = tokio::join!(
        database.write(insert("a")),
        database.write(insert("a")),
        database.write(insert("b"))
    );
    assert!(a.is_ok() && twice.is_err() && b.is_ok());
    assert_eq!(count(&database).await, 2);
}

#[tokio::test]
async fn an_operation_that_panics_is_undone_and_ends_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(&folder.path().join("test.db"));
    let panics = database.write(|c| {
        insert("a")(c)?;
        assert!(c.is_autocommit(), "this is meant to panic");
        Ok::<_, Error>(())
    });
    let (panicked, written) = tokio::join!(panics, database.write(insert("b")));
    assert!(matches!(panicked, Err(Error::Panicked)) && written.is_ok());
    database.ready().await.unwrap();
    assert_eq!(count(&database).await, 1);
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    for version in [99, -1] {
        let file = Connection::open(&path).unwrap();
        file.pragma_update(None, "user_version", version).unwrap();
        drop(file);
        let refusal = Database::open(&path, &[NOTES]).err().unwrap().to_string();
        assert!(refusal.contains("newer version"), "{refusal}");
    }
}

#[tokio::test]
async fn a_closed_file_is_whole_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let database = open(&path);
    database.write(insert("a")).await.unwrap();
    assert_eq!(count(&database).await, 1);
    database.close().await.unwrap();
    let copy = folder.path().join("copy.db");
    std::fs::copy(&path, &copy).unwrap();
    assert_eq!(count(&open(&copy)).await, 1);
}

#[tokio::test]
async fn opening_twice_migrates_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    open(&path).write(insert("a")).await.unwrap();
    assert_eq!(count(&open(&path)).await, 1);
}

/// SQLite undoes the whole transaction when it finds no room for a row.
#[tokio::test]
async fn what_was_answered_as_failed_is_not_there_and_what_was_answered_as_done_is() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(&folder.path().join("test.db"));
    let limit = |c: &Connection| {
        let pages: i64 = c.pragma_query_value(None, "page_count", |row| row.get(0))?;
        Ok::<_, Error>(c.pragma_update(None, "max_page_count", pages + 2)?)
    };
    database.write(limit).await.unwrap();
    let too_large = |c: &Connection| {
        let sql = "INSERT INTO notes (key, text) VALUES ('c', ?1)";
        Ok::<_, Error>(c.execute(sql, ["x".repeat(1_000_000)])?)
    };
    // The writer is held until all of them wait for it, so that they go together.
    let (begin, begun) = oneshot::channel();
    let (release, held) = mpsc::channel::<()>();
    let hold = tokio::spawn({
        let database = database.clone();
        async move {
            let hold = database.write(move |_| {
                let _ = begin.send(());
                held.recv().map_err(|_| Error::Closed)
            });
            hold.await
        }
    });
    begun.await.unwrap();
    let (a, b, c, d, e, released) = tokio::join!(
        database.write(insert("a")),
        database.write(insert("b")),
        database.write(too_large),
        database.write(insert("d")),
        database.write(insert("e")),
        async { release.send(()) },
    );
    released.unwrap();
    hold.await.unwrap().unwrap();
    assert!(c.unwrap_err().is_full());
    for (key, result) in [("a", a), ("b", b), ("d", d), ("e", e)] {
        let there = move |c: &Connection| -> Result<bool, Error> {
            Ok(c.prepare("SELECT 1 FROM notes WHERE key = ?1")?
                .exists([key])?)
        };
        assert_eq!(database.read(there).await.unwrap(), result.is_ok(), "{key}");
    }
    database.write(insert("f")).await.unwrap();
}

const MORE: Schema = Schema {
    name: "notes",
    migrations: &[
        NOTES.migrations[0],
        "ALTER TABLE notes ADD COLUMN colour TEXT",
    ],
};

#[tokio::test]
async fn each_part_has_a_version_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let other = Schema {
        name: "other",
        migrations: &["CREATE TABLE other (key TEXT) STRICT"],
    };
    open(&path).write(insert("a")).await.unwrap();
    let database = Database::open(&path, &[MORE, other]).unwrap();
    let both = "INSERT INTO other SELECT colour FROM notes";
    let copied = database.write(move |c| Ok::<_, Error>(c.execute(both, [])?));
    assert_eq!(copied.await.unwrap(), 1);
    let refusal = Database::open(&path, &[NOTES, other]).err().unwrap();
    assert!(matches!(refusal, Error::Newer { .. }), "{refusal}");
    assert!(Database::open(&path, &[other]).is_ok());
}

const BROKEN: Schema = Schema {
    name: "notes",
    migrations: &[NOTES.migrations[0], "DROP TABLE notes; DROP TABLE nothing"],
};

/// It is as it was, and the next start tries again.
#[tokio::test]
async fn a_migration_that_fails_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    open(&path).write(insert("a")).await.unwrap();
    assert!(Database::open(&path, &[BROKEN]).is_err());
    assert_eq!(count(&open(&path)).await, 1);
}

#[tokio::test]
async fn a_file_from_before_schemas_is_brought_up_to_date() {
    let earlier = [
        "CREATE TABLE notes (key TEXT PRIMARY KEY) STRICT",
        "ALTER TABLE notes ADD COLUMN text TEXT NOT NULL DEFAULT ''",
    ];
    let notes = Schema {
        migrations: &[
            "CREATE TABLE IF NOT EXISTS notes (key TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT",
        ],
        ..NOTES
    };
    for version in 0..=2 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        let file = Connection::open(&path).unwrap();
        for migration in &earlier[..version] {
            file.execute_batch(migration).unwrap();
        }
        file.pragma_update(None, "user_version", version).unwrap();
        drop(file);
        let open = || Database::open_earlier(&path, &earlier, &[notes]);
        open().unwrap().write(insert("a")).await.unwrap();
        assert_eq!(count(&open().unwrap()).await, 1);
        let then = Database::open_earlier(&path, &earlier[..1], &[]);
        assert!(matches!(then.err(), Some(Error::Newer { .. })), "{version}");
    }
}

/// While the writer writes without a pause.
#[tokio::test]
async fn the_log_is_begun_anew_under_load() {
    const PART: usize = 1 << 20;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let database = open(&path);
    let log = folder.path().join("test.db-wal");
    let mut written = 0;
    // Without that the log would hold all that was ever written.
    let length = || log.metadata().map_or(0, |log| log.len() as usize);
    while length() + 8 * PART > written {
        assert!(written < 2048 * PART, "the log grows for ever");
        let replace = |c: &Connection| {
            let sql = "INSERT OR REPLACE INTO notes (key, text) VALUES ('a', ?1)";
            Ok::<_, Error>(c.execute(sql, ["x".repeat(PART)])?)
        };
        database.write(replace).await.unwrap();
        written += PART;
    }
    database.close().await.unwrap();
    assert_eq!(length(), 0);
    assert_eq!(count(&open(&path)).await, 1);
}
