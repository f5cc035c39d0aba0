//! The output folder: content-hashed names, brotli, and no unnecessary writes.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    hash::Hasher as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use brotli::enc::BrotliEncoderParams;
use siphasher::sip128::{Hasher128 as _, SipHasher13};

/// A folder that will hold exactly the files put into it.
pub(crate) struct Folder {
    path: PathBuf,
    kept: BTreeSet<PathBuf>,
}

impl Folder {
    pub(crate) fn open(path: PathBuf) -> Folder {
        let kept = BTreeSet::new();
        Folder { path, kept }
    }

    /// Puts `stem.HASH.extension` and its compressed twin; returns the name.
    pub(crate) fn put_hashed(
        &mut self,
        stem: &str,
        extension: &str,
        bytes: &[u8],
    ) -> Result<String> {
        let name = format!("{stem}.{}.{extension}", hash(bytes));
        self.put_compressed(&name, bytes)?;
        Ok(name)
    }

    /// Puts `name`, and `name.br` if that saves a tenth or more.
    pub(crate) fn put_compressed(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let compressed = brotli(bytes)?;
        if compressed.len() * 10 <= bytes.len() * 9 {
            self.put(&format!("{name}.br"), &compressed)?;
        }
        self.put(name, bytes)
    }

    /// Puts one file; writes it only if it is new or different.
    pub(crate) fn put(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.path.join(name);
        if !fs::read(&path).is_ok_and(|old| old == bytes) {
            let parent = path.parent().unwrap_or(&self.path);
            fs::create_dir_all(parent)
                .and_then(|()| fs::write(&path, bytes))
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        self.kept.insert(path);
        Ok(())
    }

    /// Removes files of earlier builds that this one did not put.
    pub(crate) fn remove_others(&self) -> Result<()> {
        for path in files(&self.path)? {
            if !self.kept.contains(&path) {
                fs::remove_file(&path)
                    .with_context(|| format!("cannot remove {}", path.display()))?;
            }
        }
        Ok(())
    }

    /// A stamp of `inputs` and the folder's content: if it is unchanged, there is nothing to do.
    pub(crate) fn stamp(&self, inputs: &str) -> String {
        let mut stamp = format!("{inputs}\n");
        for path in files(&self.path).unwrap_or_default() {
            let bytes = fs::metadata(&path).map_or(0, |file| file.len());
            let _ = writeln!(stamp, "{bytes} {}", path.display());
        }
        stamp
    }
}

/// All files below a folder, sorted; none if the folder does not exist.
pub(crate) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if folder.is_dir() {
        let entries =
            fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                found.append(&mut files(&path)?);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

/// A name for these bytes: 64 bits of SipHash in hexadecimal. Enough to distinguish
/// versions of our own files, which no attacker chooses.
pub(crate) fn hash(bytes: &[u8]) -> String {
    let mut hasher = SipHasher13::new();
    hasher.write(bytes);
    format!("{:016x}", hasher.finish128().h1)
}

fn brotli(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut compressed = Vec::new();
    let best = BrotliEncoderParams {
        quality: 11,
        size_hint: bytes.len(),
        ..BrotliEncoderParams::default()
    };
    brotli::BrotliCompress(&mut &bytes[..], &mut compressed, &best).context("brotli failed")?;
    Ok(compressed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_follows_the_content_and_nothing_else() {
        assert_eq!(hash(b"a"), hash(b"a"));
        assert_ne!(hash(b"a"), hash(b"b"));
        assert_eq!(hash(b"").len(), 16);
    }
}
