//! Bundles WASM, JavaScript and CSS for browsers.

use std::{collections::HashMap, path::Path};

use anyhow::{Context as _, Result, anyhow, bail};
use lightningcss::{
    bundler::{Bundler, FileProvider},
    stylesheet::{MinifyOptions, ParserOptions, PrinterOptions},
    targets::{Browsers, Targets},
};
use wasm_bindgen_cli_support::Bindgen;

/// The front end's module and the JavaScript that connects it to the browser.
pub(crate) struct Module {
    pub(crate) js: String,
    pub(crate) wasm: Vec<u8>,
}

/// Runs wasm-bindgen. The page passes the hashed URL of the WASM to `init`,
/// so the JavaScript has no default for it.
pub(crate) fn javascript(wasm: &Path, names_kept: bool) -> Result<Module> {
    let mut output = Bindgen::new()
        .input_path(wasm)
        .out_name("frontend")
        .web(true)?
        .typescript(false)
        .omit_default_module_path(true)
        .keep_debug(false)
        .remove_name_section(!names_kept)
        .remove_producers_section(true)
        .generate_output()
        .context("wasm-bindgen failed")?;
    let mut snippets = output.snippets().values();
    if snippets.any(|list| !list.is_empty()) || !output.local_modules().is_empty() {
        bail!(
            "a dependency of the front end brings its own JavaScript, which the site does not serve"
        );
    }
    let mut names = Names::default();
    let module = output.wasm_mut();
    for import in module.imports.iter_mut() {
        import.name = names.shorten(&import.name);
    }
    for export in module.exports.iter_mut() {
        if INTERNAL
            .iter()
            .any(|prefix| export.name.starts_with(prefix))
        {
            export.name = names.shorten(&export.name);
        }
    }
    let wasm = module.emit_wasm();
    Ok(Module {
        js: bare(&names.replace(output.js())),
        wasm,
    })
}

/// The prefix of names used only between the module and its JavaScript.
const INTERNAL: [&str; 2] = ["__wb", "wasm_bindgen__"];

/// Shortens those names. Their hashes do not compress; without them both files are some 2 kB smaller.
#[derive(Default)]
struct Names(HashMap<String, String>);

impl Names {
    fn shorten(&mut self, name: &str) -> String {
        let short = format!("${}", self.0.len());
        self.0.entry(name.to_owned()).or_insert(short).clone()
    }

    fn replace(&self, js: &str) -> String {
        let within =
            |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '$';
        let mut replaced = String::with_capacity(js.len());
        let mut rest = js;
        while let Some(start) = rest.find(within) {
            let (before, from) = rest.split_at(start);
            let end = from.find(|letter| !within(letter)).unwrap_or(from.len());
            let (word, after) = from.split_at(end);
            replaced += before;
            replaced += self.0.get(word).map_or(word, String::as_str);
            rest = after;
        }
        replaced + rest
    }
}

/// Removes comments and indentation from wasm-bindgen's JavaScript, which has no multi-line strings.
fn bare(js: &str) -> String {
    let mut lines = String::with_capacity(js.len());
    let mut commented = false;
    for line in js.lines().map(str::trim) {
        commented |= line.starts_with("/*");
        if !commented && !line.is_empty() && !line.starts_with("//") {
            lines += line;
            lines.push('\n');
        }
        commented &= !line.ends_with("*/");
    }
    lines
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

/// The oldest browsers in which nesting, `light-dark()`, `oklch()` and `color-mix()` all
/// work (Baseline 2024): these are kept, newer features are lowered, and prefixes are
/// added only where still needed.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_names_are_shortened_and_no_others() {
        let mut names = Names::default();
        assert_eq!(names.shorten("__wbg_get_0a1b"), "$0");
        assert_eq!(names.shorten("__wbg_get_0a1b2"), "$1");
        assert_eq!(names.shorten("__wbg_get_0a1b"), "$0");
        let js = "a.__wbg_get_0a1b2(__wbg_get_0a1b, '__wbg_get')";
        assert_eq!(names.replace(js), "a.$1($0, '__wbg_get')");
    }

    #[test]
    fn comments_and_indentation_are_left_out() {
        let js = "/**\n * @param {number} a\n */\nfunction f(a) {\n    // why\n    return a; /* it */\n}\n";
        assert_eq!(bare(js), "function f(a) {\nreturn a; /* it */\n}\n");
    }
}
