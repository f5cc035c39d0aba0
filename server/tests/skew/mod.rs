//! Processes whose machine's clock is wrong: a few lines of C, preloaded into
//! the binary under test. The build needs a C compiler anyway.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{self, Command},
    sync::LazyLock,
};

/// The library that is preloaded, compiled once for all tests.
static LIBRARY: LazyLock<PathBuf> = LazyLock::new(|| compiled("tests/skew/skew.c"));

/// A library made of this source, to be preloaded.
pub(crate) fn compiled(source: &str) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(source);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let library = folder.join(source.with_extension("so").file_name().unwrap());
    // Tests run in several processes: each compiles, the last one's stays.
    let draft = library.with_extension(format!("{}.so", process::id()));
    let compiler = env::var("CC").unwrap_or_else(|_| "cc".into());
    let compiled = Command::new(compiler)
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([&draft, &source])
        .status()
        .unwrap();
    assert!(compiled.success(), "{source:?} cannot be compiled");
    fs::rename(draft, &library).unwrap();
    library
}

/// What to set in a process's environment so that its clock is as far ahead as
/// [`set`] says.
pub(crate) fn environment(file: &Path) -> [(&'static str, String); 2] {
    [
        ("LD_PRELOAD", LIBRARY.to_str().unwrap().into()),
        ("SKEW_FILE", file.to_str().unwrap().into()),
    ]
}

/// Sets the clocks that this file is for; negative: behind.
pub(crate) fn set(file: &Path, seconds_ahead: i64) {
    let draft = file.with_extension("draft");
    fs::write(&draft, seconds_ahead.to_string()).unwrap();
    fs::rename(draft, file).unwrap();
}
