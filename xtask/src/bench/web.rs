//! Page metrics in a real browser that emulates a slow phone, and pages served per second.

use std::path::Path;

use anyhow::Result;

use crate::{exec, fonts, tools};

/// Prints the lines of `end2end/bench/web.mjs`.
pub(super) fn measure(binary: &Path) -> Result<()> {
    tools::node()?;
    let chromium = tools::chromium()?;
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
