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

mod connection;
mod readers;
mod schema;
#[cfg(test)]
mod tests;
mod writer;

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::{Duration, Instant},
};

use rusqlite::Connection;
use tokio::sync::oneshot;

pub use self::schema::Schema;
use self::{
    connection::{open_to_read, open_to_write, run},
    readers::Read,
    writer::{Order, Write, savepoint},
};
use super::{Error, batcher::Until};

/// How long a check of limits may wait for the disk.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A handle to the database; clones share it.
#[derive(Clone)]
pub struct Database {
    writer: mpsc::Sender<Order>,
    readers: mpsc::Sender<Read>,
    path: Arc<Path>,
    /// Connections of [`Self::read_inline`] that nobody uses at the moment.
    idle: Arc<Mutex<Vec<Connection>>>,
    /// Nobody waits longer for what is written through this handle.
    until: Option<Instant>,
}

impl Until for Database {
    fn until(&self, deadline: Instant) -> Self {
        Self {
            until: Some(deadline),
            ..self.clone()
        }
    }
}

impl Database {
    /// Opens or creates the database file and brings its tables up to date.
    ///
    /// # Errors
    /// [`Error::Newer`] if a newer version of the program has written the file, and
    /// whatever SQLite meets.
    pub fn open(path: &Path, schemas: &[Schema]) -> Result<Self, Error> {
        Self::open_earlier(path, &[], schemas)
    }

    /// As [`open`](Self::open), also for files from before [`Schema`]s had versions of
    /// their own: `earlier` are the migrations that `PRAGMA user_version` counted then.
    /// The first migration of each schema must accept the tables that they leave.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_earlier(path: &Path, earlier: &[&str], schemas: &[Schema]) -> Result<Self, Error> {
        Ok(Self {
            writer: writer::start(open_to_write(path, earlier, schemas)?)?,
            readers: readers::start(path)?,
            path: path.into(),
            idle: Arc::default(),
            until: None,
        })
    }

    /// Runs `operation` in a transaction; all of it is durable when this
    /// returns `Ok`, none of it is when this returns an error.
    pub async fn write<T, E>(
        &self,
        operation: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let until = self.until;
        let write: Write = Box::new(move |connection| {
            let late = until.is_some_and(|until| until < Instant::now());
            let result = match connection {
                Ok(_) if late => Err(Error::late().into()),
                Ok(connection) => savepoint(connection, operation),
                Err(error) => Err(error.into()),
            };
            Box::new(move |committed| {
                let fate = result.and_then(|done| committed.map(|()| done).map_err(E::from));
                // The caller may have stopped waiting; the write stands.
                let _ = answer.send(fate);
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
    pub fn read_inline<T, E: From<Error>>(
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
