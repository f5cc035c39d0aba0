//! `cargo xtask eval`: measures the quality of the heuristics on labelled data.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

use crate::{exec, tools};

/// Our own labelled pairs of prompts, and of questions.
const PAIRS: &str = "crates/atelier-cache/tests/data/prompt-pairs.jsonl";
const QUESTIONS: &str = "crates/atelier-cache/tests/data/question-pairs.jsonl";

/// The comparison with OpenCV, and its requirements.
const OPENCV: &str = "xtask/peers/opencv";
/// Photographs included in scikit-image, all in the public domain or under CC0.
const PHOTOS: [&str; 12] = [
    "astronaut.png",
    "brick.png",
    "camera.png",
    "chelsea.png",
    "coffee.png",
    "coins.png",
    "grass.png",
    "gravel.png",
    "hubble_deep_field.jpg",
    "moon.png",
    "motorcycle_left.png",
    "rocket.jpg",
];

/// `cargo xtask eval semantic [FILE [-v]]`, `cargo xtask eval questions [FILE [-v]]`,
/// `cargo xtask eval restore`
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    match arguments
        .split_first()
        .map(|(name, rest)| (name.as_str(), rest))
    {
        Some(("semantic", rest)) => semantic("pictures", PAIRS, rest),
        Some(("questions", rest)) => semantic("questions", QUESTIONS, rest),
        Some(("restore", [])) => restore(),
        _ => {
            bail!("there are: eval semantic [FILE [-v]], eval questions [FILE [-v]], eval restore")
        }
    }
}

fn semantic(kind: &str, pairs: &str, arguments: &[String]) -> Result<()> {
    let (file, rest) = match arguments.split_first() {
        Some((file, rest)) => (
            env::current_dir().context("no current folder")?.join(file),
            rest,
        ),
        None => (exec::root().join(pairs), arguments),
    };
    let mut eval = exec::cargo("bench --quiet --package atelier-cache --bench eval --");
    exec::run(eval.arg(kind).arg(file).args(rest))
}

/// A Python with OpenCV and scikit-image, for its photographs.
pub(crate) fn python() -> Result<PathBuf> {
    tools::python_with(
        "opencv",
        &exec::root().join(OPENCV).join("requirements.txt"),
    )
}

/// Artificially ages photographs, restores them with OpenCV and the built-in restorer, and compares.
fn restore() -> Result<()> {
    let peer = exec::root().join(OPENCV);
    let python = python()?;
    let work = exec::target().join("restore");
    let photos = photographs(&python, &work)?;
    let bench = || exec::cargo("bench --quiet --package atelier-restore --bench restore --");
    exec::run(bench().arg("age").arg(photos).arg(&work))?;
    let mut opencv = exec::command(&python);
    opencv.arg(peer.join("restore.py")).arg(work.join("aged"));
    let seconds = exec::output(opencv.arg(work.join("opencv")))?;
    exec::run(bench().arg("score").arg(&work).arg(seconds))
}

/// A folder with only [`PHOTOS`].
pub(crate) fn photographs(python: &Path, work: &Path) -> Result<PathBuf> {
    let print = "import skimage, os; print(os.path.dirname(skimage.__file__))";
    let package = exec::output(exec::command(python).args(["-c", print]))?;
    if work.exists() {
        fs::remove_dir_all(work)?;
    }
    let folder = work.join("photos");
    fs::create_dir_all(&folder)?;
    for photo in PHOTOS {
        let from = Path::new(&package).join("data").join(photo);
        fs::copy(&from, folder.join(photo)).with_context(|| format!("no photograph {photo}"))?;
    }
    Ok(folder)
}
