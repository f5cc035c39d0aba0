//! What visitors feel, in a real browser on a slowed-down phone, and how many pages a second there are.

use std::path::Path;

use anyhow::Result;

use crate::{exec, fonts, tools};

/// Prints the lines of `end2end/bench/web.mjs`.
pub(super) fn measure(binary: &Path) -> Result<()> {
    let chromium = tools::browser()?;
    tools::wrk()?;
    let folder = exec::root().join("end2end");
    exec::npm_ci(&folder)?;
    eprintln!("measuring the pages in a browser");
    let mut bench = exec::isolated("node")?;
    bench.arg("bench/web.mjs").current_dir(&folder);
    bench.env("ATELIER_BIN", binary).env("CHROMIUM", chromium);
    bench.env(
        "FONTCONFIG_FILE",
        fonts::configurations()?.join("wide.conf"),
    );
    exec::run(&mut bench)
}
