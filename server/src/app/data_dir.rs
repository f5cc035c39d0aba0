//! The data folder: created, locked, and holding the secret that processes share.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

use anyhow::{Context as _, Result, bail, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use tracing::warn;
use uuid::Uuid;

use crate::config::{Config, Secret};

/// Holds the pictures.
pub const IMAGES: &str = "images";

/// Holds answers that are paid for and not yet in the store.
pub const JOURNAL: &str = "journal";

/// Holds uploads until they are decoded.
pub const UPLOADS: &str = "uploads";

const SECRET: &str = "secret";

fn cannot_write(data: &Path) -> String {
    format!(
        "cannot write to the data folder {data:?} (setting data, ATELIER_DATA). \
         Make it writable for this user, or choose another folder"
    )
}

/// Denies other users of the machine access to the folder, which holds private photos
/// and the secret.
fn keep_private(data: &Path) -> io::Result<()> {
    if let Some(parent) = data.parent() {
        fs::create_dir_all(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(data) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => return made,
    }
    let mode = fs::metadata(data)?.permissions().mode() & 0o7777;
    let private = private(mode);
    if mode != private
        && is_ours(data)?
        && let Err(error) = fs::set_permissions(data, Permissions::from_mode(private))
    {
        warn!(%error, "other users of this machine may be able to read the data folder");
    }
    Ok(())
}

/// The mode without access for others, and for the group too unless it may write: then
/// processes of several users share the folder.
const fn private(mode: u32) -> u32 {
    if mode & 0o020 == 0 {
        mode & !0o077
    } else {
        mode & !0o007
    }
}

/// Whether the folder is Atelier's, or nobody's yet: not one like `/tmp`.
fn is_ours(data: &Path) -> io::Result<bool> {
    let known = [SECRET, IMAGES].iter().any(|name| data.join(name).exists());
    Ok(known || fs::read_dir(data)?.next().is_none())
}

/// Creates the folder and its subfolders.
pub fn make(data: &Path) -> Result<()> {
    keep_private(data).with_context(|| cannot_write(data))?;
    for folder in [IMAGES, UPLOADS] {
        fs::create_dir_all(data.join(folder)).with_context(|| cannot_write(data))?;
    }
    Ok(())
}

/// Locks the folder for this process, as long as it holds the file: two processes on
/// one database would regard each other's leases as dead.
pub fn lock(data: &Path) -> Result<File> {
    let lock = OpenOptions::new()
        .create(true)
        .append(true)
        .open(data.join("lock"))
        .with_context(|| cannot_write(data))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => bail!(
            "another atelier works in the data folder {data:?} (setting data, ATELIER_DATA). \
             Stop it, or choose another folder. Several share one only over a Redis (redis_url)."
        ),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| cannot_write(data)),
    }
}

/// Whether a secret has been created.
pub fn has_secret(data: &Path) -> bool {
    data.join(SECRET).exists()
}

/// Returns the configured secret, or the one created at the first start.
pub fn secret(config: &Config) -> Result<String> {
    if let Some(Secret(secret)) = &config.secret {
        return Ok(secret.clone());
    }
    let path = config.data.join(SECRET);
    if !path.exists() {
        make_secret(&config.data, &path).with_context(|| {
            format!(
                "cannot keep the secret in {path:?}. Make the folder writable, or set ATELIER_SECRET"
            )
        })?;
    }
    let secret =
        fs::read_to_string(&path).with_context(|| format!("cannot read the secret in {path:?}"))?;
    ensure!(
        !secret.trim().is_empty(),
        "the secret in {path:?} is empty. Delete the file to have one made, or set ATELIER_SECRET."
    );
    Ok(secret.trim().to_owned())
}

/// Writes the secret under a temporary name and links it: the first process wins, and
/// all that share the folder read the same secret.
fn make_secret(data: &Path, path: &Path) -> io::Result<()> {
    let random = [*Uuid::new_v4().as_bytes(), *Uuid::new_v4().as_bytes()].concat();
    let draft = data.join(format!("secret.{}", Uuid::new_v4().simple()));
    let mut file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&draft)?;
    let linked = write!(file, "whsec_{}", BASE64.encode(random))
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::hard_link(&draft, path));
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_that_start_together_share_one_secret() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config {
            data: folder.path().to_owned(),
            ..Config::load(|_| None).unwrap()
        };
        let secrets = std::thread::scope(|scope| {
            let starts = [(); 8].map(|()| scope.spawn(|| secret(&config).unwrap()));
            starts.map(|start| start.join().unwrap())
        });
        assert!(secrets.iter().all(|one| *one == secrets[0]));
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }
}
