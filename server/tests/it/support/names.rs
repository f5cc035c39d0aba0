//! Names that stand for what a test says, which may change at any moment.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::LazyLock,
};

use super::{Setup, skew};

/// The library that is preloaded, compiled once for all tests.
static LIBRARY: LazyLock<PathBuf> = LazyLock::new(|| skew::compiled("tests/it/support/names.c"));

/// All names that a server looks up, with one meaning.
pub(crate) struct Names(PathBuf);

impl Names {
    /// Those in this folder.
    pub(crate) fn new(folder: &Path) -> Self {
        Self(folder.join("names"))
    }

    /// From now on they stand for these addresses. Whoever connects to one reaches this machine.
    pub(crate) fn mean(&self, addresses: &[&str]) {
        let draft = self.0.with_extension("draft");
        fs::write(&draft, addresses.join(" ")).unwrap();
        fs::rename(draft, &self.0).unwrap();
    }

    /// The same with the server's lookups answered so.
    pub(crate) fn told_to(&self, setup: Setup) -> Setup {
        setup
            .set("LD_PRELOAD", LIBRARY.to_str().unwrap())
            .set("NAMES_FILE", self.0.to_str().unwrap())
    }
}
