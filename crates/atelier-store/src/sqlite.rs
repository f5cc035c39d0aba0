//! The embedded store: one SQLite file, one writer, many readers.
//!
//! Writes go to a thread that takes all waiting operations into one transaction (group
//! commit): under load one `fsync` serves hundreds of operations. A failed operation is
//! rolled back alone, to its savepoint. An operation is answered only after its
//! commit.
//!
//! The journal is a write-ahead log with `synchronous = NORMAL`: answered writes survive
//! a crash of the process at any point. [`Database::close`] moves the log into the
//! file.

mod checkpoints;
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
    /// Idle connections for [`Self::read_inline`].
    idle: Arc<Mutex<Vec<Connection>>>,
    /// Callers of this handle wait no longer than this for writes.
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
    /// [`Error::Newer`] if a newer version of the program has written the file, and any
    /// error of SQLite.
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

    /// Runs `operation` in a transaction; all of it is durable if this returns `Ok`, none
    /// of it if this returns an error.
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
                // The caller may have stopped waiting; the write remains.
                let _ = answer.send(fate);
            })
        });
        let order = Order::Write(write);
        self.writer.send(order).map_err(|_| Error::Closed)?;
        answered.await.map_err(|_| Error::Closed)?
    }

    /// Checks that the writer works and the disk accepts a transaction.
    pub async fn ready(&self) -> Result<(), Error> {
        self.write(|_| Ok(())).await
    }

    /// Moves the log into the file, which is then complete without it. To be called at
    /// shutdown.
    pub async fn close(&self) -> Result<(), Error> {
        let (answer, answered) = oneshot::channel();
        let order = Order::Checkpoint(answer);
        self.writer.send(order).map_err(|_| Error::Closed)?;
        answered.await.map_err(|_| Error::Closed)?
    }

    /// Runs `query` on the state of the last commit, on a reader thread.
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

    /// Runs a query of a few rows by an index, on the state of the last commit and on the calling thread: it
    /// takes less time than waking another thread.
    pub fn read_inline<T, E: From<Error>>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle().pop();
        let connection = kept.map_or_else(|| open_to_read(&self.path), Ok)?;
        run(&connection, "BEGIN")?;
        let found = query(&connection);
        // A connection whose read transaction cannot end would return stale data for ever.
        if run(&connection, "COMMIT").is_ok() {
            idle().push(connection);
        }
        found
    }
}
