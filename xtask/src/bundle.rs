//! Turns compiled and written sources into what a browser loads.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, anyhow, bail};
use lightningcss::{
    bundler::{Bundler, FileProvider},
    stylesheet::{MinifyOptions, ParserOptions, PrinterOptions},
    targets::{Browsers, Targets},
};
use wasm_bindgen_cli_support::Bindgen;

use crate::{exec, folder};

/// The front end's module and the JavaScript that connects it to the browser.
pub(crate) struct Module {
    pub(crate) js: String,
    pub(crate) wasm: Vec<u8>,
}

/// Runs wasm-bindgen. The page passes the hashed URL of the WASM to `init`,
/// so the JavaScript has no default for it.
pub(crate) fn javascript(wasm: &Path, names_kept: bool) -> Result<Module> {
    let folder = exec::target().join("bindgen");
    // What is not there need not be removed.
    let _ = fs::remove_dir_all(&folder);
    Bindgen::new()
        .input_path(wasm)
        .out_name("frontend")
        .web(true)?
        .typescript(false)
        .omit_default_module_path(true)
        .keep_debug(false)
        .remove_name_section(!names_kept)
        .remove_producers_section(true)
        .generate(&folder)
        .context("wasm-bindgen failed")?;
    if folder.join("snippets").exists() {
        bail!(
            "a dependency of the front end brings its own JavaScript, which the site does not serve"
        );
    }
    Ok(Module {
        js: String::from_utf8(folder::read(&folder.join("frontend.js"))?)?,
        wasm: folder::read(&folder.join("frontend_bg.wasm"))?,
    })
}

/// One minified style sheet from `entry` and all that it imports.
pub(crate) fn css(entry: &Path) -> Result<String> {
    let targets = browsers();
    let files = FileProvider::new();
    let mut sheet = Bundler::new(&files, None, ParserOptions::default())
        .bundle(entry)
        .map_err(|error| anyhow!("{}: {error}", entry.display()))?;
    sheet
        .minify(MinifyOptions {
            targets,
            ..MinifyOptions::default()
        })
        .map_err(|error| anyhow!("{}: {error}", entry.display()))?;
    let printer = PrinterOptions {
        minify: true,
        targets,
        ..PrinterOptions::default()
    };
    Ok(sheet.to_css(printer)?.code)
}

/// The oldest browsers in which nesting, `light-dark()`, `oklch()` and
/// `color-mix()` all work (Baseline 2024): these stay as written, what is
/// newer is lowered, and prefixes appear only where they still matter.
fn browsers() -> Targets {
    let version = |major: u32, minor: u32| Some(major << 16 | minor << 8);
    Targets::from(Browsers {
        chrome: version(123, 0),
        edge: version(123, 0),
        firefox: version(120, 0),
        safari: version(17, 5),
        ios_saf: version(17, 5),
        ..Browsers::default()
    })
}
