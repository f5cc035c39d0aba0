//! `cargo xtask eval`: how good the heuristics are, on labelled data.

use std::{env, path::PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::exec;

/// Our own labelled pairs.
const PAIRS: &str = "server/tests/data/prompt-pairs.jsonl";

/// `cargo xtask eval semantic [FILE [-v]]`
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    let Some(("semantic", rest)) = arguments
        .split_first()
        .map(|(name, rest)| (name.as_str(), rest))
    else {
        bail!("there is: eval semantic [FILE [-v]]");
    };
    let (file, rest) = match rest.split_first() {
        Some((file, rest)) => (
            env::current_dir().context("no current folder")?.join(file),
            rest,
        ),
        None => (PathBuf::from(exec::root()).join(PAIRS), rest),
    };
    let mut eval = exec::cargo("bench --quiet --package atelier --bench eval --");
    exec::run(eval.arg(file).args(rest))
}
