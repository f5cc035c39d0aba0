//! A Redis that has vector sets: the machine's own from version 8 on, else the
//! one of Debian 13, unpacked beside what it needs and installed nowhere.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use crate::exec;

const VERSION: u32 = 8;
const SUITE: &str = "trixie";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The words that start it.
pub(crate) fn words() -> Result<Vec<OsString>> {
    let own = vec![OsString::from("redis-server")];
    if version(&own).is_some_and(|version| version >= VERSION) {
        return Ok(own);
    }
    let folder = exec::target().join("redis8");
    let root = folder.join("root");
    if !root.is_dir() {
        download(&folder).with_context(|| {
            format!("Redis {VERSION} or later is needed: put its redis-server into the PATH")
        })?;
    }
    let words = unpacked(&root)?;
    match version(&words) {
        Some(version) if version >= VERSION => Ok(words),
        _ => bail!("the redis-server in {root:?} does not start"),
    }
}

/// Debian's packages with all that they need; apt knows what that is when it is
/// told that nothing is installed.
fn download(folder: &Path) -> Result<()> {
    if !Path::new(KEYRING).exists() || exec::find(&["dpkg"]).is_none() {
        bail!("on this system it cannot be had from Debian");
    }
    // apt makes only some of its folders by itself.
    for path in [
        "etc/apt/preferences.d",
        "var/lib/dpkg",
        "var/cache/apt/archives/partial",
    ] {
        fs::create_dir_all(folder.join(path))?;
    }
    fs::write(folder.join("var/lib/dpkg/status"), "")?;
    let source = format!("deb [signed-by={KEYRING}] {} {SUITE} main\n", mirror());
    fs::write(folder.join("etc/apt/sources.list"), source)?;
    let apt = |words: &str| {
        let mut apt = exec::command("apt-get");
        apt.args(["-o", &format!("Dir={}", folder.display())])
            .args(["-o", "APT::Sandbox::User=root", "--quiet", "--yes"])
            .args(words.split(' '));
        exec::run(&mut apt)
    };
    apt("update")?;
    apt("install --no-install-recommends --download-only redis-server")?;
    let unpacking = folder.join("unpacking");
    for file in fs::read_dir(folder.join("var/cache/apt/archives"))? {
        let file = file?.path();
        if file.extension().is_some_and(|extension| extension == "deb") {
            exec::run(exec::command("dpkg").arg("-x").arg(file).arg(&unpacking))?;
        }
    }
    // Half of it would look like the whole.
    Ok(fs::rename(unpacking, folder.join("root"))?)
}

/// Where this machine has Debian's packages from.
fn mirror() -> String {
    let mut question = exec::command("apt-get");
    question.args(["indextargets", "--format", "$(REPO_URI)"]);
    let known = exec::output(&mut question).unwrap_or_default();
    let debian = known.lines().find(|uri| uri.ends_with("/debian/"));
    debian.unwrap_or("http://deb.debian.org/debian/").to_owned()
}

/// It has a C library of its own, and so needs the loader of that.
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

/// What is in `usr/lib/…-linux-gnu`.
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
