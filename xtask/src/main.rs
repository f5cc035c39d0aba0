//! Atelier's own commands. `cargo xtask` lists them.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool: measurements go to stdout, progress to stderr"
)]

mod exec;
mod tools;
mod debian;

mod bundle;
mod folder;
mod site;

mod fonts;
mod redis;
mod redis8;
mod server;
mod upstream;

mod bench;
mod clients;
mod eval;
mod peers;
mod pictures;
mod run;
mod soak;
mod test;

use std::{env, process::ExitCode};

use anyhow::{Result, bail};

const HELP: &str = "\
Atelier's own commands:

  cargo xtask run [-- ARGS…]    build everything in release and serve it
  cargo xtask test [FILTER…]    run every check; a filter narrows the Rust and browser tests
  cargo xtask soak [FILTER…]    kill processes for minutes while jobs run; prints figures
  cargo xtask bench [NAME…]     measure weight, start, web, queue, limit, cache, gateway, messages;
                                one JSON object per line
  cargo xtask peers clients     smoke tests of the gateway with what is built on the official clients
  cargo xtask peers openai DIR…
                                openai-python's own tests, through Atelier and without it; DIR is a
                                checkout of it
  cargo xtask peers qstash JS_DIR PY_DIR [OPENAPI_FILE]
                                the suites of the message queue's official clients, from checkouts of
                                qstash-js and qstash-py, which are not fetched; and calls of all kinds
                                to what the OpenAPI file describes
  cargo xtask eval semantic [FILE [-v]]
                                how often the semantic cache is right, on labelled pairs of prompts
  cargo xtask eval questions [FILE [-v]]
                                the same on pairs of questions
  cargo xtask eval restore      how good the built-in restorer is, beside OpenCV on the same photos
  cargo xtask pictures          draw the studio's examples again, and age its sample photos, into public
  cargo xtask site [--dev]      build only the site, into target/site
";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    match dispatch(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(args: &[String]) -> Result<()> {
    let Some((command, rest)) = args.split_first() else {
        print!("{HELP}");
        return Ok(());
    };
    match command.as_str() {
        "run" => run::command(rest),
        "test" => test::command(rest),
        "soak" => soak::command(rest),
        "bench" => bench::command(rest),
        "peers" => peers::command(rest),
        "eval" => eval::command(rest),
        "pictures" => pictures::command(rest),
        "site" => site::command(rest),
        "help" | "-h" | "--help" => {
            print!("{HELP}");
            Ok(())
        }
        unknown => bail!("no command `{unknown}`\n\n{HELP}"),
    }
}
