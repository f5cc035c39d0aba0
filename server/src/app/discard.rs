//! Files go when nothing needs them any more. What loses its last reference is
//! noted in the queue's own transaction ([`Housekeeping`]), and the note goes
//! after the file: a request that is dropped, a store that fails and a process
//! that is killed only delay it. What was never noted, because a process died
//! before there was anything to note, is found by looking through the store.
//!
//! [`Housekeeping`]: crate::queue::Housekeeping

use std::{collections::HashSet, time::Duration};

use futures::StreamExt as _;
use jiff::Timestamp;
use tokio::time::interval;
use tracing::{debug, info, warn};

use super::{Error, Studio};
use crate::{blob::Stored, blob::journal::Entry, job::Picture, queue};

/// What is noted is tried again this often.
const RETRY: Duration = Duration::from_secs(10);

/// Notes tried at a time, and files looked up.
const BATCH: usize = 100;

/// The store is looked through this often.
const LOOK: Duration = Duration::from_secs(60 * 60);

/// A file without a record may be an upload whose order is being taken, or a
/// picture whose outcome is about to be recorded; not when it is older than this.
const SAFE_AGE: Duration = Duration::from_secs(60 * 60);

/// So many files without a record may be a mishap; if they are also most of all
/// files, it is the wrong store that was asked.
const MISHAP: usize = 10;

impl Studio {
    /// Forgets a picture that was kept for an order. If nobody can tell whether
    /// a job refers to it by now, it stays until the store is looked through.
    pub async fn discard(&self, picture: &Picture) {
        let key = vec![picture.key.clone()];
        let discarded = async {
            let free = self.unreferenced(&key).await?;
            self.files.note_discards(&free).await?;
            self.discard_all(&free).await;
            Ok::<_, queue::Error>(())
        };
        if let Err(error) = discarded.await {
            warn!(%error, key = picture.key, "whether a photo is needed is not known; it stays for now");
        }
    }

    /// Whether the blob is about to be discarded.
    pub async fn is_discarded(&self, key: &str) -> Result<bool, Error> {
        Ok(self.files.is_discarded(key).await?)
    }

    /// Those of the blobs that nothing refers to: the one place that decides
    /// whether a file is still needed. An entry of the journal goes after its
    /// outcome has come into the store, so it is looked for before.
    async fn unreferenced(&self, keys: &[String]) -> Result<Vec<String>, queue::Error> {
        let paid: HashSet<String> = self.paid_pictures().await;
        let mut free = self.files.unreferenced(keys).await?;
        free.retain(|key| !paid.contains(key));
        Ok(free)
    }

    /// Pictures that are paid for, and of which the store does not know yet.
    async fn paid_pictures(&self) -> HashSet<String> {
        let entries = self.journal.entries().await;
        let pictures = entries.iter().flat_map(Entry::pictures);
        pictures.map(|picture| picture.key.clone()).collect()
    }

    /// Discards blobs that are noted, and clears their notes. The note of one
    /// that cannot be discarded stays.
    pub(super) async fn discard_all(&self, keys: &[String]) {
        let mut gone = Vec::new();
        for key in keys {
            match self.blobs.delete(key).await {
                Ok(()) => gone.push(key.clone()),
                Err(error) => warn!(%error, key, "a file cannot be discarded; it is tried again"),
            }
        }
        if gone.is_empty() {
            return;
        }
        if let Err(error) = self.files.discarded(&gone).await {
            debug!(%error, "that files were discarded could not be noted");
        }
    }

    /// Tries again what is noted, for as long as the process lives.
    pub async fn keep_discarding(&self) {
        let mut tick = interval(RETRY);
        loop {
            tick.tick().await;
            if let Err(error) = self.discard_noted().await {
                debug!(%error, "what is to be discarded cannot be asked for");
            }
        }
    }

    /// Tries again some of what is noted.
    pub async fn discard_noted(&self) -> Result<(), Error> {
        let noted = self.files.discards(BATCH).await?;
        let free: HashSet<String> = self.unreferenced(&noted).await?.into_iter().collect();
        let (free, needed): (Vec<_>, Vec<_>) =
            noted.into_iter().partition(|key| free.contains(key));
        self.files.discarded(&needed).await?;
        self.discard_all(&free).await;
        Ok(())
    }

    /// Looks through the store now and then, for as long as the process lives.
    pub async fn keep_looking_through(&self) {
        let mut tick = interval(LOOK);
        loop {
            tick.tick().await;
            if let Err(error) = self.discard_orphans().await {
                warn!(%error, "the store could not be looked through for files without a record");
            }
        }
    }

    /// Discards the files, old enough, that nothing refers to.
    pub async fn discard_orphans(&self) -> Result<(), Error> {
        // Files are as old as this machine's clock says.
        let Ok(before) = Timestamp::now().checked_sub(SAFE_AGE) else {
            return Ok(());
        };
        self.blobs.remove_half_written(before);
        let (mut orphans, mut looked_at) = (Vec::new(), 0);
        let mut batches = Box::pin(self.blobs.stored(before).chunks(BATCH));
        while let Some(batch) = batches.next().await {
            let batch = batch.into_iter().collect::<Result<Vec<_>, _>>()?;
            looked_at += batch.len();
            orphans.extend(self.orphans(batch).await?);
        }
        if orphans.len() > MISHAP && 2 * orphans.len() > looked_at {
            warn!(
                files = looked_at,
                without_record = orphans.len(),
                "most files have no record: is this the store that belongs to them? They stay"
            );
            return Ok(());
        }
        for orphan in &orphans {
            self.blobs.remove(orphan).await?;
        }
        if !orphans.is_empty() {
            info!(count = orphans.len(), "discarded files without a record");
        }
        Ok(())
    }

    /// Those of the files that belong to no blob that is referred to.
    async fn orphans(&self, files: Vec<Stored>) -> Result<Vec<Stored>, Error> {
        let keys: Vec<String> = files.iter().flat_map(Stored::keys).collect();
        let free: HashSet<String> = self.unreferenced(&keys).await?.into_iter().collect();
        let is_orphan = |file: &Stored| file.keys().all(|key| free.contains(&key));
        Ok(files.into_iter().filter(is_orphan).collect())
    }
}
