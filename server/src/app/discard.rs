//! Deletes files that nothing refers to. A blob that loses its last reference is
//! noted in the queue's own transaction ([`Housekeeping`]), and the note is removed
//! after the file: a dropped request, a failing store or a killed process only
//! delays the deletion. Files that were never noted, because a process died
//! first, are found by comparing the blob store with the records.
//!
//! [`Housekeeping`]: crate::queue::Housekeeping

use std::{collections::HashSet, time::Duration};

use futures::StreamExt as _;
use jiff::Timestamp;
use tokio::time::interval;
use tracing::{debug, info, warn};

use super::{Error, Studio};
use crate::{
    blob::{BlobKey, Stored},
    job::unreferenced,
    queue,
};

/// Interval between retries of noted deletions.
const RETRY: Duration = Duration::from_secs(10);

/// Notes processed, and files checked, at a time.
const BATCH: usize = 100;

/// Interval between searches for orphaned files.
const ORPHAN_SEARCH: Duration = Duration::from_secs(60 * 60);

/// A file without a record may be an upload whose order is being accepted, or a
/// picture whose outcome is about to be recorded, but not if it is older than this.
const SAFE_AGE: Duration = Duration::from_secs(60 * 60);

/// Up to this many files without a record are plausible. More of them, if they are also
/// most of all files, mean that the records belong to another store.
const MAX_ORPHANS: usize = 10;

impl Studio {
    /// Discards a blob that was kept for an order. If the store cannot tell whether
    /// a job refers to it by now, it is left to the search for orphans.
    pub async fn discard(&self, blob: &BlobKey) {
        let key = vec![blob.to_string()];
        let discarded = async {
            let free = self.unreferenced(&key).await?;
            self.stores.files.note_discards(&free).await?;
            self.discard_all(free).await;
            Ok::<_, queue::Error>(())
        };
        if let Err(error) = discarded.await {
            warn!(%error, key = &**blob, "cannot check whether a file is still needed; it is kept for now");
        }
    }

    /// Whether the blob is noted for deletion.
    pub async fn is_discarded(&self, key: &BlobKey) -> Result<bool, Error> {
        Ok(self.stores.files.is_discarded(key).await?)
    }

    async fn unreferenced(&self, keys: &[String]) -> Result<Vec<String>, queue::Error> {
        unreferenced(&self.stores.journal, &*self.stores.files, keys).await
    }

    /// Deletes noted blobs and clears their notes. If a blob cannot be deleted, its
    /// note is kept.
    pub(super) async fn discard_all(&self, keys: Vec<String>) {
        let mut gone = Vec::new();
        for key in keys.into_iter().map(BlobKey::from) {
            match self.stores.blobs.delete(&key).await {
                Ok(()) => gone.push(key.into()),
                Err(error) => {
                    warn!(%error, key = &*key, "a file cannot be deleted; retrying later");
                }
            }
        }
        if gone.is_empty() {
            return;
        }
        if let Err(error) = self.stores.files.discarded(&gone).await {
            debug!(%error, "deletion notes could not be cleared");
        }
    }

    /// Retries noted deletions until the process ends.
    pub async fn keep_discarding(&self) {
        let mut tick = interval(RETRY);
        loop {
            tick.tick().await;
            if let Err(error) = self.discard_noted().await {
                debug!(%error, "cannot read which files are to be deleted");
            }
        }
    }

    /// Retries a batch of the noted deletions.
    pub async fn discard_noted(&self) -> Result<(), Error> {
        let noted = self.stores.files.discards(BATCH).await?;
        let free: HashSet<String> = self.unreferenced(&noted).await?.into_iter().collect();
        let (free, needed): (Vec<_>, Vec<_>) =
            noted.into_iter().partition(|key| free.contains(key));
        self.stores.files.discarded(&needed).await?;
        self.discard_all(free).await;
        Ok(())
    }

    /// Deletes orphaned files periodically until the process ends.
    pub async fn keep_removing_orphans(&self) {
        let mut tick = interval(ORPHAN_SEARCH);
        loop {
            tick.tick().await;
            if let Err(error) = self.discard_orphans().await {
                warn!(%error, "search for files without a record failed");
            }
        }
    }

    /// Deletes the files older than the safe age that nothing refers to.
    pub async fn discard_orphans(&self) -> Result<(), Error> {
        // The age of files is measured by this machine's clock.
        let Ok(before) = Timestamp::now().checked_sub(SAFE_AGE) else {
            return Ok(());
        };
        self.stores.blobs.remove_half_written(before);
        let (mut orphans, mut looked_at) = (Vec::new(), 0);
        let mut batches = Box::pin(self.stores.blobs.stored(before).chunks(BATCH));
        while let Some(batch) = batches.next().await {
            let batch = batch.into_iter().collect::<Result<Vec<_>, _>>()?;
            looked_at += batch.len();
            orphans.extend(self.orphans(batch).await?);
        }
        if orphans.len() > MAX_ORPHANS && 2 * orphans.len() > looked_at {
            warn!(
                files = looked_at,
                without_record = orphans.len(),
                "most files have no record: does this store belong to them? They are kept"
            );
            return Ok(());
        }
        for orphan in &orphans {
            self.stores.blobs.remove(orphan).await?;
        }
        if !orphans.is_empty() {
            info!(count = orphans.len(), "discarded files without a record");
        }
        Ok(())
    }

    /// Returns those of the files whose blobs nothing refers to.
    async fn orphans(&self, files: Vec<Stored>) -> Result<Vec<Stored>, Error> {
        let keys = files.iter().flat_map(Stored::keys).map(String::from);
        let keys: Vec<String> = keys.collect();
        let free: HashSet<String> = self.unreferenced(&keys).await?.into_iter().collect();
        let is_orphan = |file: &Stored| file.keys().all(|key| free.contains(&*key));
        Ok(files.into_iter().filter(is_orphan).collect())
    }
}
