//! What is promised of writes, and of the file.

use super::*;

async fn count(database: &Database) -> i64 {
    database
        .read(|c| {
            c.query_row("SELECT count(*) FROM cache", [], |row| row.get(0))
                .map_err(Error::from)
        })
        .await
        .unwrap()
}

fn insert(key: &str) -> impl FnOnce(&Connection) -> Result<usize, Error> + Send + 'static {
    let sql =
        format!("INSERT INTO cache (key, job, stored_at, expires_at) VALUES ('{key}', '', 0, 0)");
    move |c| c.execute(&sql, []).map_err(Error::from)
}

#[tokio::test]
async fn a_failed_operation_leaves_its_neighbours_alone() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&folder.path().join("test.db")).unwrap();
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
    let database = Database::open(&folder.path().join("test.db")).unwrap();
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
        let refusal = Database::open(&path).err().unwrap().to_string();
        assert!(refusal.contains("newer version"), "{refusal}");
    }
}

#[tokio::test]
async fn a_closed_file_is_whole_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    let database = Database::open(&path).unwrap();
    database.write(insert("a")).await.unwrap();
    assert_eq!(count(&database).await, 1);
    database.close().await.unwrap();
    let copy = folder.path().join("copy.db");
    std::fs::copy(&path, &copy).unwrap();
    assert_eq!(count(&Database::open(&copy).unwrap()).await, 1);
}

/// Counted by triggers, which must not miss a row.
#[tokio::test]
async fn the_count_is_that_of_the_rows() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&folder.path().join("test.db")).unwrap();
    for key in ["a", "b", "c"] {
        database.write(insert(key)).await.unwrap();
    }
    let delete =
        |c: &Connection| Ok::<_, Error>(c.execute("DELETE FROM cache WHERE key > 'a'", [])?);
    database.write(delete).await.unwrap();
    let counted = |c: &Connection| -> Result<i64, Error> {
        Ok(
            c.query_row("SELECT rows FROM counts WHERE name = 'cache'", [], |row| {
                row.get(0)
            })?,
        )
    };
    assert_eq!(
        database.read(counted).await.unwrap(),
        count(&database).await
    );
}

#[tokio::test]
async fn opening_twice_migrates_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db");
    Database::open(&path)
        .unwrap()
        .write(insert("a"))
        .await
        .unwrap();
    assert_eq!(count(&Database::open(&path).unwrap()).await, 1);
}

/// SQLite undoes the whole transaction when it finds no room for a row.
#[tokio::test]
async fn what_was_answered_as_failed_is_not_there_and_what_was_answered_as_done_is() {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::open(&folder.path().join("test.db")).unwrap();
    let limit = |c: &Connection| {
        let pages: i64 = c.pragma_query_value(None, "page_count", |row| row.get(0))?;
        Ok::<_, Error>(c.pragma_update(None, "max_page_count", pages + 2)?)
    };
    database.write(limit).await.unwrap();
    let too_large = |c: &Connection| {
        let sql = "INSERT INTO cache (key, job, stored_at, expires_at) VALUES ('c', ?1, 0, 0)";
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
            Ok(c.prepare("SELECT 1 FROM cache WHERE key = ?1")?
                .exists([key])?)
        };
        assert_eq!(database.read(there).await.unwrap(), result.is_ok(), "{key}");
    }
    database.write(insert("f")).await.unwrap();
}
