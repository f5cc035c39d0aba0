//! The blob store for pictures: a folder now, behind an interface for any object store. Keys are unique, and
//! their content never changes. A picture may have variants beside it, smaller or in another format, which
//! are deleted with it.

pub mod journal;
mod stored;

use std::{
    fs::{self, File},
    io::{self, Write as _},
    ops::Range,
    path::{Path as FilePath, PathBuf},
    sync::Arc,
};

use atelier_api::WIDTHS;
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use object_store::{
    GetOptions, GetRange, ObjectStore, ObjectStoreExt as _, local::LocalFileSystem, path::Path,
};
use tokio::task::spawn_blocking;
use uuid::Uuid;

pub use self::stored::Stored;
use crate::{job::Visibility, photo::Format};

/// The suffix of the names of private blobs; a UUID has no such letter.
const PRIVATE: &str = "p";

/// Size in bytes of the test file that a working store must be able to write.
const ROOM: usize = 64 * 1024;

/// A derived form of a picture, made when first requested and kept beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// A WebP that is no wider than this, one of [`WIDTHS`].
    Scaled(u32),
    /// The whole picture in another format.
    Encoded(Format),
}

impl Variant {
    /// All possible variants.
    fn all() -> impl Iterator<Item = Self> {
        let encoded = [Format::Jpeg, Format::Png].map(Self::Encoded);
        WIDTHS.into_iter().map(Self::Scaled).chain(encoded)
    }

    /// The path of this variant of a picture.
    fn path(self, key: &str) -> Path {
        let name = key.split_once('.').map_or(key, |(name, _)| name);
        Path::from(match self {
            Self::Scaled(width) => format!("{name}.{width}.webp"),
            Self::Encoded(Format::Jpeg) => format!("{name}.whole.jpg"),
            Self::Encoded(Format::Png) => format!("{name}.whole.png"),
        })
    }
}

/// Creates a key that nobody can guess, and that contains the blob's visibility.
pub fn new_key(extension: &str, visibility: Visibility) -> String {
    let mark = match visibility {
        Visibility::Everybody => "",
        Visibility::Owner => PRIVATE,
    };
    format!("{}{mark}.{extension}", Uuid::new_v4().simple())
}

/// The visibility of the blob with this key.
pub fn visibility(key: &str) -> Visibility {
    match key.split_once('.') {
        Some((name, _)) if name.ends_with(PRIVATE) => Visibility::Owner,
        _ => Visibility::Everybody,
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
pub fn nameless(folder: &FilePath) -> io::Result<File> {
    match tempfile::tempfile_in(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(folder)?;
            tempfile::tempfile_in(folder)
        }
        file => file,
    }
}

/// Errors if no file can be written to the folder at the moment.
pub fn probe(folder: &FilePath) -> io::Result<()> {
    nameless(folder)?.write_all(&[0; ROOM])
}

/// Pictures by key; clones share the store.
#[derive(Clone)]
pub struct Blobs {
    store: Arc<dyn ObjectStore>,
    folder: PathBuf,
}

/// A blob being read.
pub struct Blob {
    /// Size of the whole blob in bytes.
    pub size: u64,
    /// The part that `stream` carries.
    pub range: Range<u64>,
    pub stream: std::pin::Pin<Box<dyn Stream<Item = Result<Bytes, object_store::Error>> + Send>>,
}

/// The requested part of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    All,
    /// From the first byte to the last, inclusive; to the end if there is no last.
    From(u64, Option<u64>),
    /// The last bytes, this many.
    Last(u64),
}

impl Blobs {
    /// Blobs as files in this folder, which is created if necessary.
    pub fn in_folder(folder: &FilePath) -> Result<Self, Error> {
        let store = LocalFileSystem::new_with_prefix(folder)?;
        Ok(Self {
            store: Arc::new(store),
            folder: folder.to_owned(),
        })
    }

    /// Stores the bytes under a new key.
    pub async fn keep(
        &self,
        bytes: Bytes,
        extension: &str,
        visibility: Visibility,
    ) -> Result<String, Error> {
        let key = new_key(extension, visibility);
        self.keep_as(&key, bytes).await?;
        Ok(key)
    }

    /// Stores the bytes under this key, atomically.
    pub async fn keep_as(&self, key: &str, bytes: Bytes) -> Result<(), Error> {
        self.store.put(&Path::from(key), bytes.into()).await?;
        Ok(())
    }

    /// Errors if no blob can be stored at the moment.
    pub async fn probe(&self) -> io::Result<()> {
        let folder = self.folder.clone();
        spawn_blocking(move || probe(&folder))
            .await
            .map_err(io::Error::other)?
    }

    /// The whole blob.
    pub async fn read(&self, key: &str) -> Result<Bytes, Error> {
        Ok(self.store.get(&Path::from(key)).await?.bytes().await?)
    }

    /// Returns this variant of the picture, if it has been made before.
    pub async fn read_variant(&self, key: &str, variant: Variant) -> Result<Option<Bytes>, Error> {
        match self.store.get(&variant.path(key)).await {
            Ok(found) => Ok(Some(found.bytes().await?)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Stores this variant for as long as its picture exists.
    pub async fn keep_variant(
        &self,
        key: &str,
        variant: Variant,
        bytes: Bytes,
    ) -> Result<(), Error> {
        self.store.put(&variant.path(key), bytes.into()).await?;
        // The picture was deleted meanwhile: nothing would delete the variant.
        if self.size(key).await?.is_none() {
            self.forget(&variant.path(key)).await?;
        }
        Ok(())
    }

    /// Returns a part of the blob as a stream; `None` if there is no such blob.
    pub async fn open(&self, key: &str, part: Part) -> Result<Option<Blob>, Error> {
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
        match self.store.get_opts(&Path::from(key), options).await {
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
    pub async fn size(&self, key: &str) -> Result<Option<u64>, Error> {
        match self.store.head(&Path::from(key)).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Deletes the blob and its variants; it is no error if there is none.
    pub async fn delete(&self, key: &str) -> Result<(), Error> {
        self.forget(&Path::from(key)).await?;
        for variant in Variant::all() {
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
