//! The embedded store: one SQLite file, one writer, many readers.
//!
//! Writes go to a thread of their own that takes all that is waiting into one
//! transaction (group commit): under load one `fsync` serves hundreds of
//! operations. An operation that fails is rolled back alone, through its
//! savepoint. An operation is answered only after its commit.
//!
//! The journal is a write-ahead log with `synchronous = NORMAL`: what was
//! answered survives the death of the process at any point. At its end
//! [`Database::close`] moves the log into the file.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, config::DbConfig};
use tokio::sync::oneshot;

use super::Error;

/// Applied in order; `PRAGMA user_version` counts those already applied.
const MIGRATIONS: &[&str] = &[
    include_str!("sqlite/001.sql"),
    include_str!("sqlite/002.sql"),
    include_str!("sqlite/003.sql"),
    include_str!("sqlite/004.sql"),
    include_str!("sqlite/005.sql"),
    include_str!("sqlite/006.sql"),
    include_str!("sqlite/007.sql"),
    include_str!("sqlite/008.sql"),
    include_str!("sqlite/009.sql"),
    include_str!("sqlite/010.sql"),
    include_str!("sqlite/011.sql"),
];

/// How long a check of limits may wait for the disk.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// How many waiting operations one transaction takes at most: enough to hide
/// the commit, few enough that the first of them is answered soon.
const BATCH: usize = 512;

/// How much of the file the writer keeps in memory at most.
const CACHE_KIB: i64 = 32 * 1024;

/// How many pages the log may grow by before they are moved into the file,
/// which is the one moment that waits for the disk.
const CHECKPOINT_PAGES: i64 = 8192;

/// Answers the caller once the fate of the transaction is known.
type Reply = Box<dyn FnOnce(Result<(), Error>) + Send>;
type Write = Box<dyn FnOnce(Result<&Connection, Error>) -> Reply + Send>;

/// What the writer is asked for.
enum Order {
    Write(Write),
    /// To move the log into the file.
    Checkpoint(oneshot::Sender<Result<(), Error>>),
}

/// A handle to the database; clones share it.
#[derive(Clone)]
pub struct Database {
    writer: mpsc::Sender<Order>,
    readers: mpsc::Sender<Read>,
    path: Arc<Path>,
    /// Connections of [`Self::glance`] that nobody uses at the moment.
    idle: Arc<Mutex<Vec<Connection>>>,
}

type Read = Box<dyn FnOnce(Result<&Connection, Error>) + Send>;

/// How many reads run at once; more would only wait for the two or four cores.
const READERS: usize = 3;

/// Reads that one thread takes at a time, so that under load it need not be
/// woken for each.
const READS: usize = 8;

impl Database {
    /// Opens or creates the database file and brings its schema up to date.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let connection = Connection::open(path)?;
        prepare(&connection)?;
        migrate(&connection)?;
        let (writer, waiting) = mpsc::channel();
        thread::Builder::new()
            .name("sqlite-writer".into())
            .spawn(move || write_loop(&connection, &waiting))
            .map_err(|_| Error::Closed)?;
        Ok(Self {
            writer,
            readers: start_readers(path)?,
            path: path.into(),
            idle: Arc::default(),
        })
    }

    /// Runs `operation` in a transaction; all of it is durable when this
    /// returns `Ok`, none of it is when the operation returns an error.
    pub async fn write<T, E>(
        &self,
        operation: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let write: Write = Box::new(move |connection| {
            let result = connection
                .map_err(E::from)
                .and_then(|connection| savepoint(connection, operation));
            Box::new(move |committed| {
                // The caller may have stopped waiting; the write stands.
                let _ = answer.send(committed.map_err(E::from).and(result));
            })
        });
        let order = Order::Write(write);
        self.writer.send(order).map_err(|_| Error::Closed)?;
        answered.await.map_err(|_| Error::Closed)?
    }

    /// The writer works, and the disk takes a transaction.
    pub async fn ready(&self) -> Result<(), Error> {
        self.write(|_| Ok(())).await
    }

    /// Moves what is written into the file itself, which is then whole without
    /// its log. To be called when the process is about to end.
    pub async fn close(&self) -> Result<(), Error> {
        let (answer, answered) = oneshot::channel();
        let order = Order::Checkpoint(answer);
        self.writer.send(order).map_err(|_| Error::Closed)?;
        answered.await.map_err(|_| Error::Closed)?
    }

    /// Runs `query` on the state of the last commit, on a thread of the readers'.
    pub async fn read<T, E>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let read: Read = Box::new(move |connection| {
            // The caller may have stopped waiting.
            let _ = answer.send(connection.map_err(E::from).and_then(query));
        });
        self.readers.send(read).map_err(|_| Error::Closed)?;
        answered.await.map_err(|_| Error::Closed)?
    }

    /// Runs a query that looks at a few rows by an index, on the state of the last commit and on the calling
    /// thread: it is done before another thread would be awake.
    pub fn glance<T, E: From<Error>>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle().pop();
        let connection = kept.map_or_else(|| open_to_read(&self.path), Ok)?;
        run(&connection, "BEGIN")?;
        let found = query(&connection);
        // A connection that cannot end its reading would read old news for ever.
        if run(&connection, "COMMIT").is_ok() {
            idle().push(connection);
        }
        found
    }
}

fn start_readers(path: &Path) -> Result<mpsc::Sender<Read>, Error> {
    let (readers, waiting) = mpsc::channel::<Read>();
    let waiting = Arc::new(Mutex::new(waiting));
    for _ in 0..READERS {
        let (waiting, path) = (Arc::clone(&waiting), path.to_owned());
        thread::Builder::new()
            .name("sqlite-reader".into())
            .spawn(move || read_loop(&path, &waiting))
            .map_err(|_| Error::Closed)?;
    }
    Ok(readers)
}

fn read_loop(path: &Path, waiting: &Mutex<mpsc::Receiver<Read>>) {
    let mut connection = None;
    loop {
        let mut reads = Vec::with_capacity(READS);
        {
            let waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
            let Ok(first) = waiting.recv() else {
                return;
            };
            reads.push(first);
            reads.extend(waiting.try_iter().take(READS - 1));
        }
        let opened = match connection.take() {
            Some(connection) => Ok(connection),
            None => open_to_read(path),
        };
        // One lock for all of them; without it each statement takes its own.
        let locked = opened.as_ref().is_ok_and(|c| run(c, "BEGIN").is_ok());
        for read in reads {
            let connection = opened.as_ref().map_err(Clone::clone);
            // Whoever asked learns of a panic; the thread has others to serve.
            let _ = catch_unwind(AssertUnwindSafe(|| read(connection)));
        }
        connection = opened.ok();
        if locked {
            // A connection that cannot end its reading would read old news for ever.
            connection = connection.filter(|c| run(c, "COMMIT").is_ok());
        }
    }
}

fn open_to_read(path: &Path) -> Result<Connection, Error> {
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    tune(&connection)?;
    Ok(connection)
}

/// What readers and the writer have in common.
fn tune(connection: &Connection) -> Result<(), Error> {
    // Without this a statement is planned again for every value that it is given.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn prepare(connection: &Connection) -> Result<(), Error> {
    tune(connection)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
    Ok(())
}

fn migrate(connection: &Connection) -> Result<(), Error> {
    let applied: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = MIGRATIONS.len();
    let applied = usize::try_from(applied)
        .ok()
        .filter(|applied| *applied <= known)
        .ok_or_else(|| Error::Newer {
            found: applied.to_string(),
            known: known.to_string(),
        })?;
    for (version, migration) in MIGRATIONS.iter().enumerate().skip(applied) {
        connection.execute_batch(&format!(
            "BEGIN; {migration}; PRAGMA user_version = {}; COMMIT;",
            version + 1
        ))?;
    }
    Ok(())
}

fn write_loop(connection: &Connection, waiting: &mpsc::Receiver<Order>) {
    while let Ok(first) = waiting.recv() {
        let (mut batch, mut checkpoints) = (Vec::new(), Vec::new());
        for order in std::iter::once(first).chain(waiting.try_iter().take(BATCH - 1)) {
            match order {
                Order::Write(write) => batch.push(write),
                Order::Checkpoint(answer) => checkpoints.push(answer),
            }
        }
        if !batch.is_empty() {
            write_batch(connection, batch.into_iter());
        }
        for answer in checkpoints {
            // Whoever asked may have stopped waiting.
            let _ = answer.send(checkpoint(connection));
        }
    }
}

/// Readers of an old state keep the log from being emptied, and are waited for.
fn checkpoint(connection: &Connection) -> Result<(), Error> {
    let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
    Ok(connection.query_row(sql, [], |_| Ok(()))?)
}

fn write_batch(connection: &Connection, batch: impl Iterator<Item = Write>) {
    let begun = connection
        .execute_batch("BEGIN IMMEDIATE")
        .map_err(Error::from);
    let replies: Vec<Reply> = batch
        .map(|write| write(begun.clone().map(|()| connection)))
        .collect();
    let committed = begun.and_then(|()| connection.execute_batch("COMMIT").map_err(Error::from));
    if committed.is_err() && !connection.is_autocommit() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    for reply in replies {
        reply(committed.clone());
    }
}

fn savepoint<T, E: From<Error>>(
    connection: &Connection,
    operation: impl FnOnce(&Connection) -> Result<T, E>,
) -> Result<T, E> {
    run(connection, "SAVEPOINT operation")?;
    // The writer has others to serve; what panicked is undone.
    let result = catch_unwind(AssertUnwindSafe(|| operation(connection)))
        .unwrap_or_else(|_| Err(Error::Panicked.into()));
    if result.is_err() {
        run(connection, "ROLLBACK TO operation")?;
    }
    run(connection, "RELEASE operation")?;
    result
}

fn run(connection: &Connection, sql: &str) -> Result<(), Error> {
    connection.prepare_cached(sql)?.execute([])?;
    Ok(())
}

#[cfg(test)]
mod tests {
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
        let sql = format!(
            "INSERT INTO cache (key, job, stored_at, expires_at) VALUES ('{key}', '', 0, 0)"
        );
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
}
