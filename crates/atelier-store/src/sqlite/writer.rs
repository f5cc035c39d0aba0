//! The writer thread: all waiting operations go into one transaction.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::mpsc,
    thread, vec,
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::{Error, connection::run};

/// Maximum number of operations per transaction: enough to hide the commit, few enough
/// that the first is answered soon.
const BATCH: usize = 512;

/// Answers the caller once the result of the transaction is known.
pub(super) type Reply = Box<dyn FnOnce(Result<(), Error>) + Send>;
pub(super) type Write = Box<dyn FnOnce(Result<&Connection, Error>) -> Reply + Send>;

/// A request to the writer.
pub(super) enum Order {
    Write(Write),
    /// To move the log into the file.
    Checkpoint(oneshot::Sender<Result<(), Error>>),
}

/// Starts the thread, which ends with the last sender.
pub(super) fn start(connection: Connection) -> Result<mpsc::Sender<Order>, Error> {
    let (writer, waiting) = mpsc::channel();
    thread::Builder::new()
        .name("sqlite-writer".into())
        .spawn(move || write_loop(&connection, &waiting))
        .map_err(|_| Error::Closed)?;
    Ok(writer)
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
        let mut batch = batch.into_iter();
        while batch.len() > 0 {
            transact(connection, &mut batch);
        }
        for answer in checkpoints {
            // The caller may have stopped waiting.
            let _ = answer.send(checkpoint(connection));
        }
    }
}

/// Waits for readers of an old state, which prevent truncating the log.
fn checkpoint(connection: &Connection) -> Result<(), Error> {
    let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
    Ok(connection.query_row(sql, [], |_| Ok(()))?)
}

/// Runs one transaction. After some failures, such as a full disk, SQLite rolls all of it
/// back itself: then the operations so far have failed, and the rest are left for the next
/// transaction.
fn transact(connection: &Connection, batch: &mut vec::IntoIter<Write>) {
    let begun = connection
        .execute_batch("BEGIN IMMEDIATE")
        .map_err(Error::from);
    let (mut replies, mut undone) = (Vec::<Reply>::new(), false);
    for write in batch {
        replies.push(write(begun.clone().map(|()| connection)));
        undone = begun.is_ok() && connection.is_autocommit();
        if undone {
            break;
        }
    }
    let committed = if undone {
        Err(Error::RolledBack)
    } else {
        begun.and_then(|()| commit(connection))
    };
    for reply in replies {
        reply(committed.clone());
    }
}

fn commit(connection: &Connection) -> Result<(), Error> {
    let committed = connection.execute_batch("COMMIT");
    if committed.is_err() && !connection.is_autocommit() {
        let _ = connection.execute_batch("ROLLBACK");
    }
    Ok(committed?)
}

/// Runs the operation in a savepoint, so that it is rolled back alone if it fails.
pub(super) fn savepoint<T, E: From<Error>>(
    connection: &Connection,
    operation: impl FnOnce(&Connection) -> Result<T, E>,
) -> Result<T, E> {
    run(connection, "SAVEPOINT operation")?;
    // The writer continues; an operation that panicked is rolled back.
    let result = catch_unwind(AssertUnwindSafe(|| operation(connection)))
        .unwrap_or_else(|_| Err(Error::Panicked.into()));
    if connection.is_autocommit() {
        // The whole transaction has been rolled back already.
        return result;
    }
    if result.is_err() {
        run(connection, "ROLLBACK TO operation")?;
    }
    run(connection, "RELEASE operation")?;
    result
}
