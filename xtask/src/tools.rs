//! The required tools: installed if possible, named otherwise.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

use crate::exec;

const WASM: &str = "wasm32-unknown-unknown";
const NODE: u32 = 18;
const REDIS: [u32; 2] = [6, 2];
const CHROMIUM: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];
const FIREFOX: [&str; 2] = ["firefox-esr", "firefox"];

/// The Rust version that the project is checked with, and the oldest that builds it.
/// Every release of clippy finds more, so warnings are errors only with this one.
const CHECKED_WITH: &str = env!("CARGO_PKG_RUST_VERSION");

/// Arguments of clippy beyond the workspace's lints.
pub(crate) fn strictness() -> &'static [&'static str] {
    let version = exec::output(exec::command("rustc").arg("--version")).unwrap_or_default();
    if version.starts_with(&format!("rustc {CHECKED_WITH}.")) {
        return &["-D", "warnings"];
    }
    println!("The project is checked with Rust {CHECKED_WITH}; this is {version}. Warnings pass.");
    &[]
}

/// The standard library for WebAssembly.
pub(crate) fn wasm_target() -> Result<()> {
    let sysroot = exec::output(exec::command("rustc").args(["--print", "sysroot"]))?;
    if Path::new(&sysroot)
        .join("lib/rustlib")
        .join(WASM)
        .join("lib")
        .is_dir()
    {
        return Ok(());
    }
    rustup(&["target", "add", WASM]).with_context(|| format!("Rust's `{WASM}` target is missing"))
}

/// A cargo `subcommand` from a component of the toolchain.
pub(crate) fn component(name: &str, subcommand: &str) -> Result<()> {
    if exec::output(exec::cargo(subcommand).arg("--version")).is_ok() {
        return Ok(());
    }
    rustup(&["component", "add", name])
        .with_context(|| format!("Rust's `{name}` component is missing"))
}

/// Node.js with npm.
pub(crate) fn node() -> Result<()> {
    let mut packages = Vec::new();
    if node_version().is_none_or(|version| version < NODE) {
        packages.push("nodejs");
    }
    if exec::find(&["npm"]).is_none() || exec::find(&["npx"]).is_none() {
        packages.push("npm");
    }
    if !packages.is_empty() {
        install("Node.js is needed:", &packages)?;
    }
    match node_version() {
        Some(version) if version >= NODE => Ok(()),
        Some(old) => bail!("Node.js {NODE} or later is needed, this is {old}: https://nodejs.org"),
        None => bail!("Node.js {NODE} or later is needed and was not found: https://nodejs.org"),
    }
}

/// Chromium.
pub(crate) fn chromium() -> Result<PathBuf> {
    browser(
        &CHROMIUM,
        "chromium",
        "no Chromium that starts was found. On Ubuntu, whose `chromium` is a snap, install \
         Google Chrome's .deb; any `chromium` or `google-chrome` in the PATH will do",
    )
}

/// Firefox.
pub(crate) fn firefox() -> Result<PathBuf> {
    browser(
        &FIREFOX,
        "firefox-esr",
        "no Firefox that starts was found. On Ubuntu, whose `firefox` is a snap, install \
         Mozilla's .deb; any `firefox-esr` or `firefox` in the PATH will do",
    )
}

/// WebKitGTK's WebDriver with its browser, and a screen to run it on.
pub(crate) fn webkit() -> Result<()> {
    let missing = |name: &&str| exec::find(&[name]).is_none();
    if ["WebKitWebDriver", "Xvfb"].iter().any(missing) {
        install("the browser tests need", &["webkit2gtk-driver", "xvfb"])?;
    }
    Ok(())
}

/// The first of these names that starts, installed if there is none.
fn browser(names: &[&str], package: &str, missing: &'static str) -> Result<PathBuf> {
    let starts = |path: &PathBuf| exec::output(exec::command(path).arg("--version")).is_ok();
    let find = || {
        let found = names.iter().filter_map(|name| exec::find(&[name]));
        found.into_iter().find(starts)
    };
    if let Some(there) = find() {
        return Ok(there);
    }
    install("the browser tests need", &[package])?;
    find().context(missing)
}

/// `redis-server` and `redis-cli`.
pub(crate) fn redis() -> Result<()> {
    let missing = |name: &&str| exec::find(&[name]).is_none();
    if ["redis-server", "redis-cli"].iter().any(missing) {
        install("Redis is needed:", &["redis-server", "redis-tools"])?;
    }
    let said = exec::output(exec::command("redis-server").arg("--version"))?;
    match redis_version(&said) {
        Some(version) if version < REDIS => {
            let [least, minor] = REDIS;
            bail!("Redis {least}.{minor} or later is needed, this is: {said}")
        }
        _ => Ok(()),
    }
}

/// Parses major and minor version from the output of `redis-server --version`, or Valkey's.
fn redis_version(said: &str) -> Option<[u32; 2]> {
    let (_, version) = said.split_once(" v=")?;
    let mut numbers = version.split('.').map(str::parse);
    Some([numbers.next()?.ok()?, numbers.next()?.ok()?])
}

/// `wrk`, a load generator.
pub(crate) fn wrk() -> Result<()> {
    if exec::find(&["wrk"]).is_none() {
        install("The load test needs", &["wrk"])?;
    }
    Ok(())
}

/// A Python with the packages of a `requirements.txt`, in a virtual environment of this name.
pub(crate) fn python_with(name: &str, requirements: &Path) -> Result<PathBuf> {
    let folder = exec::target().join("python").join(name);
    let (python, done) = (folder.join("bin/python"), folder.join("installed"));
    let wanted = fs::read_to_string(requirements)?;
    if fs::read_to_string(&done).is_ok_and(|there| there == wanted) {
        return Ok(python);
    }
    if exec::output(exec::command("python3").args(["-c", "import ensurepip"])).is_err() {
        install("Python is needed:", &["python3", "python3-venv"])?;
    }
    exec::run(exec::command("python3").args(["-m", "venv"]).arg(&folder))?;
    let mut pip = exec::command(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--requirement"]);
    exec::run(pip.arg(requirements))?;
    fs::write(done, wanted)?;
    Ok(python)
}

fn rustup(args: &[&str]) -> Result<()> {
    if exec::find(&["rustup"]).is_none() {
        bail!(
            "install rustup from https://rustup.rs, then run `rustup {}`",
            args.join(" ")
        );
    }
    exec::run(exec::command("rustup").args(args))
}

fn node_version() -> Option<u32> {
    let version = exec::output(exec::command("node").arg("--version")).ok()?;
    version
        .trim_start_matches('v')
        .split('.')
        .next()?
        .parse()
        .ok()
}

/// Installs Debian packages if possible; otherwise errors with the reason and the command to run.
fn install(reason: &str, packages: &[&str]) -> Result<()> {
    let list = packages.join(" ");
    let root = exec::output(exec::command("id").arg("-u")).is_ok_and(|id| id == "0");
    if !root || exec::find(&["apt-get"]).is_none() {
        bail!("{reason} {list}; on Debian: sudo apt-get install {list}");
    }
    let apt = |args: &[&str]| {
        let mut apt = exec::command("apt-get");
        exec::run(apt.args(args).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    apt(&["update", "--quiet"])?;
    apt(&[
        &["install", "--quiet", "--yes", "--no-install-recommends"],
        packages,
    ]
    .concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_names_the_rust_that_is_checked() {
        let readme = include_str!("../../README.md");
        assert!(readme.contains(&format!("Rust {CHECKED_WITH}")));
    }

    #[test]
    fn redis_and_valkey_say_their_version() {
        let redis = "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=3b";
        assert_eq!(redis_version(redis), Some([7, 0]));
        let valkey = "Valkey server v=8.1.1 sha=00000000:1 malloc=jemalloc-5.3.0 bits=64";
        assert_eq!(redis_version(valkey), Some([8, 1]));
        assert_eq!(redis_version("something else"), None);
    }
}
