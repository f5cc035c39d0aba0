//! The reader threads.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
};

use rusqlite::Connection;

use super::{
    Error,
    connection::{open_to_read, run},
};

pub(super) type Read = Box<dyn FnOnce(Result<&Connection, Error>) + Send>;

/// Number of concurrent reads; more would only compete for two or four cores.
const READERS: usize = 3;

/// Maximum number of reads that a thread takes at a time, so that under load it is not woken
/// for each.
const READS: usize = 8;

pub(super) fn start(path: &Path) -> Result<mpsc::Sender<Read>, Error> {
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
        // One read lock for all of them; otherwise each statement takes its own.
        let locked = opened.as_ref().is_ok_and(|c| run(c, "BEGIN").is_ok());
        for read in reads {
            let connection = opened.as_ref().map_err(Clone::clone);
            // The caller learns of a panic; the thread continues.
            let _ = catch_unwind(AssertUnwindSafe(|| read(connection)));
        }
        connection = opened.ok();
        if locked {
            // A connection whose read transaction cannot end would return stale data for ever.
            connection = connection.filter(|c| run(c, "COMMIT").is_ok());
        }
    }
}
