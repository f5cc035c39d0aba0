//! Lists all stored files, for finding orphans.

use std::{fs, future::ready, path::Path as FilePath, time::SystemTime};

use futures::{Stream, StreamExt as _};
use jiff::Timestamp;
use object_store::{ObjectStore as _, path::Path};
use tracing::debug;

use super::{BlobKey, Blobs, Error, key::PRIVATE};

/// A file of the store: a blob, or a variant of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    path: Path,
}

impl Stored {
    /// The keys of the blobs that it may be, or be a variant of: variants begin with the
    /// blob's name.
    pub fn keys(&self) -> impl Iterator<Item = BlobKey> + use<> {
        BlobKey::of_stem(stem(&self.path))
    }
}

/// The part of the file's name that a blob shares with its variants.
fn stem(path: &Path) -> &str {
    let name = path.filename().unwrap_or_default();
    name.split('.').next().unwrap_or_default()
}

/// Whether the file has the name of a blob or a variant: an operator may have put other
/// files into the folder.
fn is_ours(path: &Path) -> bool {
    let stem = stem(path);
    let random = stem.strip_suffix(PRIVATE).unwrap_or(stem);
    path.parts().count() == 1
        && random.len() == 32
        && random.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl Blobs {
    /// All blobs and variants written before `before`, or the errors of listing them.
    pub fn stored(&self, before: Timestamp) -> impl Stream<Item = Result<Stored, Error>> + Send {
        let before = before.as_millisecond();
        self.store.list(None).filter_map(move |found| {
            let old = match found {
                Ok(meta) if meta.last_modified.timestamp_millis() >= before => None,
                Ok(meta) if !is_ours(&meta.location) => None,
                Ok(meta) => Some(Ok(Stored {
                    path: meta.location,
                })),
                Err(error) => Some(Err(error.into())),
            };
            ready(old)
        })
    }

    /// Deletes the file; it is no error if it is gone.
    ///
    /// # Errors
    /// If it cannot be deleted.
    pub async fn remove(&self, stored: &Stored) -> Result<(), Error> {
        self.forget(&stored.path).await
    }

    /// Deletes partial files of killed processes that were written before `before`. No
    /// list contains them.
    pub fn remove_half_written(&self, before: Timestamp) {
        if let Err(error) = remove_half_written(&self.folder, before.into()) {
            debug!(%error, "cannot look for partial files");
        }
    }
}

fn remove_half_written(folder: &FilePath, before: SystemTime) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // `object_store` writes `NAME#NUMBER` and renames it.
        let staged = entry.file_name().to_string_lossy().contains('#');
        if staged && entry.metadata()?.modified()? < before {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_beside_a_blob_belongs_to_it() {
        for name in ["ab12p.jpg", "ab12p.320.webp", "ab12p.download.png"] {
            let stored = Stored { path: name.into() };
            let keys: Vec<BlobKey> = stored.keys().collect();
            assert!(keys.contains(&"ab12p.jpg".into()), "{keys:?}");
        }
    }
}
