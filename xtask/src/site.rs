//! `cargo xtask site`: builds what browsers download, ready to be embedded.
//!
//! ```text
//! frontend ── cargo ──> wasm ── wasm-bindgen ──> js, wasm ─┐
//! later ───── cargo ──> wasm ── wasm-bindgen ──> js, wasm ─┤
//! style/main.css ── lightningcss ──> css ──────────────────┼─ hash, brotli ──> target/site
//! style/fonts/*.woff2 ─────────────────────────────────────┤
//! public/* ────────────────────────────────────────────────┘
//! ```

use std::{
    env, fs,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use anyhow::{Context as _, Result, bail};

use crate::{
    bundle, exec,
    folder::{self, Folder, hash},
    tools,
};

/// How the WASM is compiled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// As small as possible: for serving and testing.
    Small,
    /// Compiled quickly, with function names so that panics are readable.
    Dev,
}

/// `cargo xtask site [--dev]`
pub(crate) fn command(args: &[String]) -> Result<()> {
    let mode = match args {
        [] => Mode::Small,
        [flag] if flag == "--dev" => Mode::Dev,
        _ => bail!("usage: cargo xtask site [--dev]"),
    };
    build(mode)
}

/// Brings `target/site` up to date. Unchanged files are not written, so that crates that
/// embed them are not recompiled without need.
pub(crate) fn build(mode: Mode) -> Result<()> {
    tools::wasm_target()?;
    let [wasm, later] = [compile(mode, "frontend")?, compile(mode, "later")?];
    let styles = exec::root().join("style");
    let public = exec::root().join("public");
    let inputs = digest(mode, &[&wasm, &later], &[&styles, &public])?;

    let mut site = Folder::open(exec::target().join("site"));
    let stamp = exec::target().join("site.stamp");
    if fs::read_to_string(&stamp).is_ok_and(|old| old == site.stamp(&inputs)) {
        return Ok(());
    }
    fill(
        &mut site,
        mode,
        [&wasm, &later],
        &styles.join("main.css"),
        &public,
    )?;
    fs::write(&stamp, site.stamp(&inputs)).context("cannot write target/site.stamp")
}

fn fill(
    site: &mut Folder,
    mode: Mode,
    modules: [&Path; 2],
    css: &Path,
    public: &Path,
) -> Result<()> {
    let names_kept = mode == Mode::Dev;
    let [first, later] = modules.map(|wasm| bundle::javascript(wasm, names_kept));
    let (first, later) = (first?, later?);
    let (css, font) = fonts(site, bundle::css(css)?, css)?;
    let manifest = serde_json::json!({
        "js": site.put_hashed("frontend", "js", first.js.as_bytes())?,
        "wasm": site.put_hashed("frontend", "wasm", &first.wasm)?,
        "later_js": site.put_hashed("later", "js", later.js.as_bytes())?,
        "later_wasm": site.put_hashed("later", "wasm", &later.wasm)?,
        "css": site.put_hashed("style", "css", css.as_bytes())?,
        "font": font,
    });
    for path in folder::files(public)? {
        let name = path.strip_prefix(public)?.to_string_lossy().into_owned();
        site.put_compressed(&name, &folder::read(&path)?)?;
    }
    site.put("site.json", format!("{manifest:#}\n").as_bytes())?;
    site.remove_others()
}

/// Puts the fonts that a style sheet names, and names them in it by their content. Returns the sheet, and
/// the first font, which every page needs.
fn fonts(site: &mut Folder, mut css: String, entry: &Path) -> Result<(String, String)> {
    let (folder, mut first) = (entry.with_file_name("fonts"), None);
    for path in folder::files(&folder)? {
        let Some(stem) = path
            .file_stem()
            .filter(|_| path.extension() == Some("woff2".as_ref()))
        else {
            continue;
        };
        let stem = stem.to_string_lossy();
        let named = format!("fonts/{stem}.woff2");
        let place = css
            .find(&named)
            .with_context(|| format!("the style sheet does not use {named}"))?;
        let name = site.put_hashed(&stem, "woff2", &folder::read(&path)?)?;
        css = css.replace(&named, &name);
        if first.as_ref().is_none_or(|(before, _)| place < *before) {
            first = Some((place, name));
        }
    }
    let (_, first) = first.context("the style sheet uses no font")?;
    Ok((css, first))
}

/// Builds one of the two modules. Not both at once: their features would be unified.
fn compile(mode: Mode, module: &str) -> Result<PathBuf> {
    let (profile, folder) = match mode {
        Mode::Small => ("wasm", "wasm"),
        Mode::Dev => ("dev", "debug"),
    };
    let mut cargo = exec::cargo("build --target wasm32-unknown-unknown");
    let package = format!("atelier-{module}");
    exec::run(cargo.args(["--package", &package, "--profile", profile]))?;
    let name = format!("atelier_{module}.wasm");
    Ok(exec::target()
        .join("wasm32-unknown-unknown")
        .join(folder)
        .join(name))
}

/// All inputs of the site, this program included.
fn digest(mode: Mode, modules: &[&Path], folders: &[&Path]) -> Result<String> {
    let maker = fs::metadata(env::current_exe()?)?.modified()?;
    let mut all = maker.duration_since(UNIX_EPOCH)?.as_nanos().to_string();
    all += if mode == Mode::Dev { "dev" } else { "small" };
    for wasm in modules {
        all += &hash(&folder::read(wasm)?);
    }
    for folder in folders {
        for path in folder::files(folder)? {
            all += &path.to_string_lossy();
            all += &hash(&folder::read(&path)?);
        }
    }
    Ok(hash(all.as_bytes()))
}
