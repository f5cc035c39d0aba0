//! `cargo xtask run`: build everything in release and become the server.

use std::{os::unix::process::CommandExt as _, path::PathBuf};

use anyhow::{Context as _, Result};

use crate::{exec, site};

/// `cargo xtask run [-- ARGS…]`
pub(crate) fn command(args: &[String]) -> Result<()> {
    let args = match args {
        [dashes, rest @ ..] if dashes == "--" => rest,
        all => all,
    };
    let binary = build()?;
    // Replacing this process passes signals and the exit status through.
    let error = exec::command(&binary).args(args).exec();
    Err(error).with_context(|| format!("cannot start {}", binary.display()))
}

/// The release binary, up to date, with the site in it.
pub(crate) fn build() -> Result<PathBuf> {
    let binary = exec::target().join("release/atelier");
    if !binary.exists() {
        eprintln!(
            "A first build takes about ten minutes on two cores. First the site, then the server:"
        );
    }
    site::build(site::Mode::Small)?;
    exec::run(&mut exec::cargo("build --release --package atelier"))?;
    Ok(binary)
}
