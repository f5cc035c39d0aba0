//! Packages of Debian 13 with their dependencies, unpacked below `target` without installing them.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Result, bail};

use crate::exec;

const SUITE: &str = "trixie";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// The root folder of the unpacked packages, in `target/{name}`: downloaded once.
pub(crate) fn unpacked(name: &str, packages: &str) -> Result<PathBuf> {
    let folder = exec::target().join(name);
    let root = folder.join("root");
    if !root.is_dir() {
        download(&folder, packages)?;
    }
    Ok(root)
}

/// The packages with all dependencies, resolved by apt as if nothing were installed.
fn download(folder: &Path, packages: &str) -> Result<()> {
    if !Path::new(KEYRING).exists() || exec::find(&["dpkg"]).is_none() {
        bail!("on this system it cannot be had from Debian");
    }
    // apt creates only some of its folders itself.
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
            .args(words.split(' '))
            // Standard output may be a command's result.
            .stdout(io::stderr());
        exec::run(&mut apt)
    };
    apt("update")?;
    apt(&format!(
        "install --no-install-recommends --download-only {packages}"
    ))?;
    let unpacking = folder.join("unpacking");
    for file in fs::read_dir(folder.join("var/cache/apt/archives"))? {
        let file = file?.path();
        if file.extension().is_some_and(|extension| extension == "deb") {
            exec::run(exec::command("dpkg").arg("-x").arg(file).arg(&unpacking))?;
        }
    }
    // A partial folder would look complete.
    Ok(fs::rename(unpacking, folder.join("root"))?)
}

/// The mirror from which this machine gets Debian's packages.
fn mirror() -> String {
    let mut question = exec::command("apt-get");
    question.args(["indextargets", "--format", "$(REPO_URI)"]);
    let known = exec::output(&mut question).unwrap_or_default();
    let debian = known.lines().find(|uri| uri.ends_with("/debian/"));
    debian.unwrap_or("http://deb.debian.org/debian/").to_owned()
}
