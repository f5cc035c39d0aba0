//! `cargo xtask pictures`: what the pages show before a visitor has made anything, by the built-in engines.

use anyhow::{Result, ensure};

use crate::{eval, exec};

pub(crate) fn command(arguments: &[String]) -> Result<()> {
    ensure!(arguments.is_empty(), "usage: cargo xtask pictures");
    let public = exec::root().join("public");
    let mut sketches =
        exec::cargo("run --release --quiet --package atelier-sketch --example studio --");
    exec::run(sketches.arg(&public))?;
    let photos = eval::photographs(&eval::python()?, &exec::target().join("samples"))?;
    let mut samples = exec::cargo("bench --quiet --package atelier-restore --bench restore --");
    exec::run(
        samples
            .arg("samples")
            .arg(photos)
            .arg(public.join("samples")),
    )
}
