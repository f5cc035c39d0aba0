//! The command line: configuration, then the command.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use atelier::{config::Config, serve};
use clap::{Parser, Subcommand};
use tracing_subscriber::{
    filter::Targets, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

/// An AI image studio in one binary: a prompt becomes a picture, an old photo
/// a restored one.
///
/// Settings come from the file named by ATELIER_CONFIG and from the
/// environment; `atelier config` prints them all.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the site and work on its jobs (the default)
    Serve,
    /// Print the effective configuration, secrets redacted
    Config,
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "the log may not be there yet")]
fn complain(error: &anyhow::Error) {
    eprintln!("atelier: {error:#}");
}

fn run(cli: &Cli) -> Result<()> {
    let config = Config::load(|name| std::env::var(name).ok())?;
    match cli.command {
        None | Some(Command::Serve) => {
            start_log(&config)?;
            let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
            runtime.block_on(serve::serve(config))
        }
        Some(Command::Config) => print_config(&config),
    }
}

#[expect(clippy::print_stdout, reason = "this is the command's answer")]
fn print_config(config: &Config) -> Result<()> {
    print!(
        "{}",
        toml::to_string(config).context("cannot print the configuration")?
    );
    Ok(())
}

fn start_log(config: &Config) -> Result<()> {
    let filter: Targets = config
        .log
        .parse()
        .with_context(|| format!("log (RUST_LOG) is {:?}", config.log))?;
    tracing_subscriber::registry()
        .with(filter)
        .with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr))
        .try_init()
        .context("cannot start the log")
}
