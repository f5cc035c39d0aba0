//! `cargo xtask peers`: what others wrote, where it is too much for every check.

mod openai;
mod qstash;

use anyhow::{Result, bail};

use crate::{clients, exec, site};

/// `cargo xtask peers clients [WORD…]`, `cargo xtask peers openai DIR [TESTS…]`,
/// `cargo xtask peers qstash JS_DIR PY_DIR [OPENAPI_FILE]`
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    let (name, rest) = match arguments.split_first() {
        Some((name, rest)) => (name.as_str(), rest),
        None => ("", arguments),
    };
    match name {
        "clients" => {
            build()?;
            clients::peers(rest)
        }
        "openai" => {
            build()?;
            openai::run(rest)
        }
        "qstash" => qstash::run(rest),
        _ => bail!(
            "there are: peers clients [WORD…], peers openai DIR [TESTS…], \
             peers qstash JS_DIR PY_DIR [OPENAPI_FILE]"
        ),
    }
}

/// The server and the stand-in, as for the tests.
fn build() -> Result<()> {
    site::build(site::Mode::Small)?;
    exec::run(&mut exec::cargo(
        "build --package atelier --package atelier-upstream-mock",
    ))
}
