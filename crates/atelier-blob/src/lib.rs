#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod journal;
mod key;
mod stored;

use std::{
    fs::{self, File},
    io::{self, Write as _},
    ops::Range,
    path::{Path as FilePath, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use object_store::{
    GetOptions, GetRange, ObjectStore, ObjectStoreExt as _, local::LocalFileSystem, path::Path,
};
use tokio::task::spawn_blocking;

pub use self::{
    journal::Journal,
    key::{BlobKey, Visibility},
    stored::Stored,
};

/// Size in bytes of the test file that a working store must be able to write.
const ROOM: usize = 64 * 1024;

/// A derived form of a blob, made when first requested and kept beside it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Variant(String);

impl Variant {
    /// The variant whose files end like this, for example `320.webp`.
    pub fn new(ending: impl Into<String>) -> Self {
        Self(ending.into())
    }

    /// The path of this variant of a blob.
    fn path(&self, key: &BlobKey) -> Path {
        Path::from(format!("{}.{}", key.stem(), self.0))
    }
}

/// The blob store failed.
#[derive(Debug, thiserror::Error)]
#[error("the blob store failed: {0}")]
pub struct Error(#[from] object_store::Error);

impl Error {
    /// Whether there is no such blob; a retry would not find it.
    pub const fn is_missing(&self) -> bool {
        matches!(self.0, object_store::Error::NotFound { .. })
    }

    /// Whether the disk is full.
    pub fn is_full(&self) -> bool {
        let mut cause: Option<&dyn std::error::Error> = Some(&self.0);
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref::<io::Error>() {
                return is_full(error);
            }
            cause = error.source();
        }
        false
    }
}

/// Whether a file could not be written because the disk is full.
pub fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind as K;
    matches!(error.kind(), K::StorageFull | K::QuotaExceeded)
}

/// Creates an unnamed temporary file in the folder, which is recreated if it was deleted.
///
/// # Errors
/// If that is not possible.
pub fn nameless(folder: &FilePath) -> io::Result<File> {
    match tempfile::tempfile_in(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(folder)?;
            tempfile::tempfile_in(folder)
        }
        file => file,
    }
}

/// Tries to write a file to the folder.
///
/// # Errors
/// If none can be written at the moment.
pub fn probe(folder: &FilePath) -> io::Result<()> {
    nameless(folder)?.write_all(&[0; ROOM])
}

/// Blobs by key; clones share the store.
#[derive(Clone)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    folder: PathBuf,
    variants: Arc<[Variant]>,
}

/// A blob being read.
pub struct Blob {
    /// Size of the whole blob in bytes.
    pub size: u64,
    /// The part that `stream` carries.
    pub range: Range<u64>,
    /// The content.
    pub stream: std::pin::Pin<Box<dyn Stream<Item = Result<Bytes, object_store::Error>> + Send>>,
}

/// The requested part of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The whole blob.
    All,
    /// From the first byte to the last, inclusive; to the end if there is no last.
    From(u64, Option<u64>),
    /// The last bytes, this many.
    Last(u64),
}

impl Blobs {
    /// Blobs as files in this folder, which is created if necessary.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn in_folder(folder: &FilePath) -> Result<Self, Error> {
        let store = LocalFileSystem::new_with_prefix(folder)?;
        Ok(Self {
            store: Arc::new(store),
            folder: folder.to_owned(),
            variants: Arc::default(),
        })
    }

    /// The same blobs, which may have these variants.
    #[must_use]
    pub fn with_variants(self, variants: impl IntoIterator<Item = Variant>) -> Self {
        Self {
            variants: variants.into_iter().collect(),
            ..self
        }
    }

    /// Stores the bytes under a new key.
    ///
    /// # Errors
    /// If they cannot be stored.
    pub async fn keep(
        &self,
        bytes: Bytes,
        extension: &str,
        visibility: Visibility,
    ) -> Result<BlobKey, Error> {
        let key = BlobKey::new(extension, visibility);
        self.keep_as(&key, bytes).await?;
        Ok(key)
    }

    /// Stores the bytes under this key, atomically.
    ///
    /// # Errors
    /// If they cannot be stored.
    pub async fn keep_as(&self, key: &BlobKey, bytes: Bytes) -> Result<(), Error> {
        self.store.put(&path(key), bytes.into()).await?;
        Ok(())
    }

    /// Tries to store a file.
    ///
    /// # Errors
    /// If none can be stored at the moment.
    pub async fn probe(&self) -> io::Result<()> {
        let folder = self.folder.clone();
        spawn_blocking(move || probe(&folder))
            .await
            .map_err(io::Error::other)?
    }

    /// Returns the whole blob.
    ///
    /// # Errors
    /// If there is no such blob ([`Error::is_missing`]), or it cannot be read.
    pub async fn read(&self, key: &BlobKey) -> Result<Bytes, Error> {
        Ok(self.store.get(&path(key)).await?.bytes().await?)
    }

    /// Returns this variant of the blob, if it has been made before.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn read_variant(
        &self,
        key: &BlobKey,
        variant: &Variant,
    ) -> Result<Option<Bytes>, Error> {
        match self.store.get(&variant.path(key)).await {
            Ok(found) => Ok(Some(found.bytes().await?)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Stores this variant for as long as its blob exists.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn keep_variant(
        &self,
        key: &BlobKey,
        variant: &Variant,
        bytes: Bytes,
    ) -> Result<(), Error> {
        self.store.put(&variant.path(key), bytes.into()).await?;
        // The blob was deleted meanwhile: nothing would delete the variant.
        if self.size(key).await?.is_none() {
            self.forget(&variant.path(key)).await?;
        }
        Ok(())
    }

    /// Returns a part of the blob as a stream; `None` if there is no such blob.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn open(&self, key: &BlobKey, part: Part) -> Result<Option<Blob>, Error> {
        let range = match part {
            Part::All => None,
            Part::From(first, None) => Some(GetRange::Offset(first)),
            Part::From(first, Some(last)) => Some(GetRange::Bounded(first..last.saturating_add(1))),
            Part::Last(count) => Some(GetRange::Suffix(count)),
        };
        let options = GetOptions {
            range,
            ..GetOptions::default()
        };
        match self.store.get_opts(&path(key), options).await {
            Ok(found) => {
                let (size, range) = (found.meta.size, found.range.clone());
                Ok(Some(Blob {
                    size,
                    range,
                    stream: found.into_stream().boxed(),
                }))
            }
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the size in bytes; `None` if there is no such blob.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn size(&self, key: &BlobKey) -> Result<Option<u64>, Error> {
        match self.store.head(&path(key)).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Deletes the blob and its variants; it is no error if there is none.
    ///
    /// # Errors
    /// If one of them cannot be deleted.
    pub async fn delete(&self, key: &BlobKey) -> Result<(), Error> {
        self.forget(&path(key)).await?;
        for variant in &*self.variants {
            self.forget(&variant.path(key)).await?;
        }
        Ok(())
    }

    async fn forget(&self, path: &Path) -> Result<(), Error> {
        match self.store.delete(path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn path(key: &BlobKey) -> Path {
    Path::from(&**key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_variant_is_there_as_long_as_its_blob() {
        let folder = tempfile::tempdir().unwrap();
        let small = Variant::new("320.webp");
        let blobs = Blobs::in_folder(folder.path()).unwrap();
        let blobs = blobs.with_variants([small.clone()]);
        let key = blobs.keep("blob".into(), "png", Visibility::Everybody);
        let key = key.await.unwrap();
        assert_eq!(blobs.size(&key).await.unwrap(), Some(4));
        assert_eq!(blobs.read_variant(&key, &small).await.unwrap(), None);
        blobs
            .keep_variant(&key, &small, "small".into())
            .await
            .unwrap();
        let kept = blobs.read_variant(&key, &small).await.unwrap();
        assert_eq!(kept.unwrap(), "small");

        blobs.delete(&key).await.unwrap();
        assert!(blobs.read(&key).await.unwrap_err().is_missing());
        // Whoever makes one meanwhile leaves nothing behind.
        blobs
            .keep_variant(&key, &small, "small".into())
            .await
            .unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        blobs.delete(&key).await.unwrap();
    }

    #[tokio::test]
    async fn a_part_is_read_by_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let blobs = Blobs::in_folder(folder.path()).unwrap();
        let key = BlobKey::from("0190.png");
        assert!(blobs.open(&key, Part::All).await.unwrap().is_none());
        blobs.keep_as(&key, "0123456789".into()).await.unwrap();
        for (part, range, text) in [
            (Part::All, 0..10, "0123456789"),
            (Part::From(7, None), 7..10, "789"),
            (Part::From(2, Some(4)), 2..5, "234"),
            (Part::Last(3), 7..10, "789"),
        ] {
            let blob = blobs.open(&key, part).await.unwrap().unwrap();
            assert_eq!((blob.size, blob.range), (10, range));
            let chunks: Vec<Bytes> = blob.stream.map(Result::unwrap).collect().await;
            assert_eq!(chunks.concat(), text.as_bytes());
        }
    }
}
