//! Moves the log into the file, the only operation that waits for the disk, without keeping
//! the writer: a thread of its own copies what the log holds, and the writer then only what
//! it has added meanwhile. SQLite begins the log anew when all of it has been copied, which
//! under load no other thread would ever see.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
        mpsc,
    },
    thread,
};

use rusqlite::{Connection, hooks::Wal, wal::CheckpointMode};
use tracing::warn;

use super::{Error, connection::open_to_checkpoint};

/// Number of pages in the log from which it is moved into the file.
const PAGES: i32 = 8192;

/// What the thread does.
const IDLE: u8 = 0;
const COPYING: u8 = 1;
/// It has copied the log as it was.
const COPIED: u8 = 2;

/// The writer's side.
pub(super) struct Checkpoints {
    state: Arc<AtomicU8>,
    wake: mpsc::Sender<()>,
}

impl Checkpoints {
    /// Starts the thread, which ends with the writer.
    pub(super) fn start(path: &Path) -> Result<Self, Error> {
        let (wake, woken) = mpsc::channel();
        let state = Arc::new(AtomicU8::new(IDLE));
        let (shared, file) = (Arc::clone(&state), path.to_owned());
        thread::Builder::new()
            .name("sqlite-checkpointer".into())
            .spawn(move || {
                while woken.recv().is_ok() {
                    if let Err(error) = open_to_checkpoint(&file).and_then(|c| copy(&c)) {
                        warn!(%error, "the database's log could not be moved into its file");
                    }
                    // The writer tries as well, so that one that fails here is not left alone.
                    shared.store(COPIED, Ordering::Release);
                }
            })
            .map_err(|_| Error::Closed)?;
        Ok(Self { state, wake })
    }

    /// The writer has committed, and the log has so many pages. An error would be that of a
    /// commit that is durable already.
    pub(super) fn after_commit(&self, log: &mut Wal, pages: i32) -> rusqlite::Result<()> {
        match self.state.load(Ordering::Acquire) {
            COPYING => {}
            COPIED => {
                if let Err(error) = log.checkpoint_v2(CheckpointMode::PASSIVE) {
                    warn!(%error, "the database's log could not be begun anew");
                }
                self.state.store(IDLE, Ordering::Release);
            }
            _ if pages >= PAGES => {
                self.state.store(COPYING, Ordering::Release);
                // The thread lives as long as this.
                let _ = self.wake.send(());
            }
            _ => {}
        }
        Ok(())
    }
}

/// Copies what no reader prevents.
fn copy(connection: &Connection) -> Result<(), Error> {
    let sql = "PRAGMA wal_checkpoint(PASSIVE)";
    Ok(connection.query_row(sql, [], |_| Ok(()))?)
}
