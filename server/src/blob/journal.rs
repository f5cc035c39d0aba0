//! The journal of answers that are paid for and not yet in the store: one small file per job in a
//! folder beside the pictures, written before the pictures are, and before the outcome is recorded.
//! It is removed once the store has the outcome or no longer wants it, and is ignored without its
//! pictures. So neither an unreachable store nor a crash makes a call be paid for twice.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;
use tokio::task::spawn_blocking;
use tracing::warn;

use crate::{
    job::{Outcome, Picture},
    queue::Ticket,
};

const EXTENSION: &str = "json";

/// The folder of the entries; clones share it, and so may several processes.
#[derive(Debug, Clone)]
pub struct Journal {
    folder: PathBuf,
}

/// An answer, with the claim under which it was paid for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    #[serde(flatten)]
    pub ticket: Ticket,
    pub outcome: Outcome,
}

impl Entry {
    /// The same answer, to be recorded under this later claim.
    pub fn taken_over(self, ticket: Ticket) -> Self {
        Self {
            outcome: self.outcome.paid_under(self.ticket.token),
            ticket,
        }
    }

    /// The pictures.
    pub fn pictures(&self) -> &[Picture] {
        match &self.outcome {
            Outcome::Succeeded { pictures, .. } => pictures,
            Outcome::Failed(_) => &[],
        }
    }
}

impl Journal {
    /// A journal in this folder, which is created when first needed.
    pub fn in_folder(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Writes the entry, so that it survives the process.
    pub async fn write(&self, entry: &Entry) -> io::Result<()> {
        let (folder, text) = (self.folder.clone(), serde_json::to_vec(entry)?);
        let path = self.path(&entry.ticket.id);
        blocking(move || write(&folder, &path?, &text)).await
    }

    /// Syncs the job's entry to disk, so that it survives a power failure; it is no error if there is none.
    pub async fn sync(&self, id: &str) {
        let (folder, path) = (self.folder.clone(), self.path(id));
        let synced = blocking(move || match sync(&folder, &path?) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        });
        if let Err(error) = synced.await {
            warn!(%error, id, "a journal entry could not be synced to disk");
        }
    }

    /// Returns the job's entry, if it has one.
    pub async fn find(&self, id: &str) -> io::Result<Option<Entry>> {
        let path = self.path(id)?;
        blocking(move || match fs::read(&path) {
            Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        })
        .await
    }

    /// Removes the job's entry; it is no error if there is none.
    pub async fn remove(&self, id: &str) {
        let path = self.path(id);
        let removed = blocking(move || match fs::remove_file(path?) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        });
        if let Err(error) = removed.await {
            warn!(%error, id, "a journal entry could not be removed");
        }
    }

    /// Returns all entries. Unreadable ones are kept on disk, and left out.
    pub async fn entries(&self) -> Vec<Entry> {
        let folder = self.folder.clone();
        let read = blocking(move || entries(&folder)).await;
        read.unwrap_or_else(|error| {
            warn!(%error, "the journal could not be read");
            Vec::new()
        })
    }

    /// Returns the entry's path. Errors if the id cannot be a file name.
    fn path(&self, id: &str) -> io::Result<PathBuf> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if id.is_empty() || !id.bytes().all(plain) {
            let text = format!("{id:?} can be no file's name");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        Ok(self.folder.join(id).with_extension(EXTENSION))
    }
}

/// Writes a file atomically: under another name first, then renamed.
fn write(folder: &Path, path: &Path, text: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(text)?;
    file.persist(path)?;
    Ok(())
}

fn sync(folder: &Path, path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()?;
    File::open(folder)?.sync_all()
}

fn entries(folder: &Path) -> io::Result<Vec<Entry>> {
    let files = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        files => files?,
    };
    let mut entries = Vec::new();
    for file in files {
        let path = file?.path();
        if path
            .extension()
            .is_none_or(|extension| extension != EXTENSION)
        {
            continue;
        }
        let text = fs::read(&path);
        match text.and_then(|text| Ok(serde_json::from_slice(&text)?)) {
            Ok(entry) => entries.push(entry),
            Err(error) => warn!(%error, ?path, "a journal entry cannot be read"),
        }
    }
    Ok(entries)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    spawn_blocking(work).await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, token: u64) -> Entry {
        let (id, outcome) = (
            id.to_owned(),
            Outcome::Succeeded {
                pictures: Vec::new(),
                cost_usd: Some(0.5),
                earlier_claims: Vec::new(),
            },
        );
        Entry {
            ticket: Ticket { id, token },
            outcome,
        }
    }

    #[tokio::test]
    async fn an_entry_is_there_until_it_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::in_folder(folder.path().join("journal"));
        assert!(journal.entries().await.is_empty());
        assert_eq!(journal.find("a").await.unwrap(), None);
        for entry in [entry("a", 1), entry("b-2", 1), entry("a", 2)] {
            journal.write(&entry).await.unwrap();
        }
        journal.sync("a").await;
        journal.sync("none").await;
        assert_eq!(journal.find("a").await.unwrap(), Some(entry("a", 2)));
        assert_eq!(journal.entries().await.len(), 2);
        for _ in 0..2 {
            journal.remove("a").await;
            assert_eq!(journal.entries().await, [entry("b-2", 1)]);
        }
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::in_folder(folder.path().to_owned());
        fs::write(folder.path().join("half.json"), "{\"id\":").unwrap();
        fs::write(folder.path().join(".tmpabc"), "").unwrap();
        journal.write(&entry("a", 1)).await.unwrap();
        assert_eq!(journal.entries().await, [entry("a", 1)]);
        assert!(journal.find("half").await.is_err());
        assert!(journal.find("../a").await.is_err());
    }
}
