//! A journal: one small file for each record.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    marker::PhantomData,
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};
use tempfile::NamedTempFile;
use tokio::task::spawn_blocking;
use tracing::warn;

const EXTENSION: &str = "json";

/// What must survive the process until somebody else has it: a folder of records by the
/// names of what they are about. Clones share it, and so may several processes.
#[derive(Debug, Clone)]
pub struct Journal<T> {
    folder: PathBuf,
    record: PhantomData<fn() -> T>,
}

impl<T: Serialize + DeserializeOwned + Send + 'static> Journal<T> {
    /// A journal in this folder, which is created when first needed.
    pub fn in_folder(folder: PathBuf) -> Self {
        Self {
            folder,
            record: PhantomData,
        }
    }

    /// Writes the entry, so that it survives the process; it replaces an earlier one.
    ///
    /// # Errors
    /// If the name cannot be one of a file, or the file cannot be written.
    pub async fn write(&self, name: &str, entry: &T) -> io::Result<()> {
        let (folder, text) = (self.folder.clone(), serde_json::to_vec(entry)?);
        let path = self.path(name);
        blocking(move || write(&folder, &path?, &text)).await
    }

    /// Syncs the entry to disk, so that it survives a power failure; it is no error if there
    /// is none. A failure is logged.
    pub async fn sync(&self, name: &str) {
        let (folder, path) = (self.folder.clone(), self.path(name));
        let synced = blocking(move || match sync(&folder, &path?) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        });
        if let Err(error) = synced.await {
            warn!(%error, name, "a journal entry could not be synced to disk");
        }
    }

    /// Returns the entry of this name, if there is one.
    ///
    /// # Errors
    /// If the name cannot be one of a file, or the entry cannot be read.
    pub async fn find(&self, name: &str) -> io::Result<Option<T>> {
        let path = self.path(name)?;
        blocking(move || match fs::read(&path) {
            Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        })
        .await
    }

    /// Removes the entry; it is no error if there is none. A failure is logged.
    pub async fn remove(&self, name: &str) {
        let path = self.path(name);
        let removed = blocking(move || match fs::remove_file(path?) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        });
        if let Err(error) = removed.await {
            warn!(%error, name, "a journal entry could not be removed");
        }
    }

    /// Returns all entries. Unreadable ones are kept on disk, and left out.
    pub async fn entries(&self) -> Vec<T> {
        let folder = self.folder.clone();
        let read = blocking(move || entries(&folder)).await;
        read.unwrap_or_else(|error| {
            warn!(%error, "the journal could not be read");
            Vec::new()
        })
    }

    /// Returns the entry's path. Errors if the name cannot be one of a file.
    fn path(&self, name: &str) -> io::Result<PathBuf> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if name.is_empty() || !name.bytes().all(plain) {
            let text = format!("{name:?} can be no file's name");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        Ok(self.folder.join(name).with_extension(EXTENSION))
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

fn entries<T: DeserializeOwned>(folder: &Path) -> io::Result<Vec<T>> {
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

    type Entry = (String, u64);

    fn entry(name: &str, number: u64) -> Entry {
        (name.to_owned(), number)
    }

    async fn write(journal: &Journal<Entry>, name: &str, number: u64) {
        journal.write(name, &entry(name, number)).await.unwrap();
    }

    #[tokio::test]
    async fn an_entry_is_there_until_it_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::in_folder(folder.path().join("journal"));
        assert!(journal.entries().await.is_empty());
        assert_eq!(journal.find("a").await.unwrap(), None);
        for (name, number) in [("a", 1), ("b-2", 1), ("a", 2)] {
            write(&journal, name, number).await;
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
        fs::write(folder.path().join("half.json"), "[\"a").unwrap();
        fs::write(folder.path().join(".tmpabc"), "").unwrap();
        write(&journal, "a", 1).await;
        assert_eq!(journal.entries().await, [entry("a", 1)]);
        assert!(journal.find("half").await.is_err());
        assert!(journal.find("../a").await.is_err());
    }
}
