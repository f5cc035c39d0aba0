//! A Redis with vector sets: the machine's own from version 8 on, else that of Debian 13,
//! unpacked with its dependencies without installing it.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::debian;

const VERSION: u32 = 8;

/// The command line that starts it.
pub(crate) fn words() -> Result<Vec<OsString>> {
    let own = vec![OsString::from("redis-server")];
    if version(&own).is_some_and(|version| version >= VERSION) {
        return Ok(own);
    }
    let root = debian::unpacked("redis8", "redis-server").with_context(|| {
        format!("Redis {VERSION} or later is needed: put its redis-server into the PATH")
    })?;
    let words = unpacked(&root)?;
    match version(&words) {
        Some(version) if version >= VERSION => Ok(words),
        _ => bail!("the redis-server in {root:?} does not start"),
    }
}

/// It has its own C library, and so needs that library's loader.
fn unpacked(root: &Path) -> Result<Vec<OsString>> {
    let loader = libraries(root)?.into_iter().find(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("ld-linux")
    });
    let loader = loader.context("no loader was unpacked")?;
    let folder = loader.parent().unwrap_or(root).to_owned();
    let server = root.join("usr/bin/redis-server");
    Ok(vec![
        loader.into(),
        "--library-path".into(),
        folder.into(),
        server.into(),
    ])
}

/// The folder `usr/lib/…-linux-gnu`.
fn libraries(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for folder in fs::read_dir(root.join("usr/lib"))? {
        let folder = folder?.path();
        if folder.to_string_lossy().ends_with("-linux-gnu") {
            for file in fs::read_dir(folder)? {
                found.push(file?.path());
            }
        }
    }
    Ok(found)
}

fn version(words: &[OsString]) -> Option<u32> {
    let (program, rest) = words.split_first()?;
    let output = Command::new(program).args(rest).arg("--version").output();
    let output = String::from_utf8(output.ok()?.stdout).ok()?;
    let version = output.strip_prefix("Redis server v=")?;
    version.split('.').next()?.parse().ok()
}
