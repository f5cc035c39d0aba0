//! The command line: configuration, then the command.

pub mod cache;
pub mod calls;
pub mod dead;
pub mod deny;
mod dev_queue;
pub mod keys;
pub mod messages;
pub mod serve;
mod table;
pub mod upstreams;
pub mod worker;

use std::{
    io::{self, Write as _},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use clap::{Parser, Subcommand};
use rustix::{fs::Mode, process::umask};
use tokio::runtime::Runtime;
use tracing_subscriber::{layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::config::Config;

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
    Serve {
        /// Stand in for the development server of QStash's clients, on this machine alone
        #[arg(long)]
        dev_queue: bool,
    },
    /// Work on jobs without serving the site; needs a Redis
    Worker,
    /// List, retry or delete the jobs that failed
    Dead {
        #[command(subcommand)]
        action: dead::Action,
    },
    /// What the caches save, why two prompts share a picture, and purging
    Cache {
        #[command(subcommand)]
        action: cache::Action,
    },
    /// The last calls of the gateway, and what is counted of all
    Calls(calls::Calls),
    /// List, show or cancel messages that were published
    Messages {
        #[command(subcommand)]
        action: messages::Action,
    },
    /// List, pause, resume or delete schedules of messages
    Schedules {
        #[command(subcommand)]
        action: messages::SchedulesAction,
    },
    /// List or delete groups of URLs that messages are published to
    Groups {
        #[command(subcommand)]
        action: messages::GroupsAction,
    },
    /// List, retry or delete messages that failed
    Dlq {
        #[command(subcommand)]
        action: messages::DlqAction,
    },
    /// Check whether the gateway's upstreams can be used
    Upstreams {
        #[command(subcommand)]
        action: upstreams::Action,
    },
    /// Make, list or revoke API keys
    Keys {
        #[command(subcommand)]
        action: keys::Action,
    },
    /// Refuse addresses, API keys or programs
    Deny {
        #[command(subcommand)]
        action: deny::Action,
    },
    /// Print the effective configuration, secrets redacted
    Config,
}

/// Maximum time for blocking threads to end.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// Runs the command that the program was started with.
///
/// # Errors
/// If the command fails; the error is for the terminal.
pub fn run() -> Result<()> {
    run_command(&Cli::parse())
}

fn run_command(cli: &Cli) -> Result<()> {
    // New files are readable by this user only: the database, pictures, the secret.
    umask(Mode::from_bits_truncate(0o077));
    let config = Config::load(|name| std::env::var(name).ok())?;
    match &cli.command {
        None => run_long(&config.clone(), serve::serve(config, false)),
        Some(Command::Serve { dev_queue }) => {
            run_long(&config.clone(), serve::serve(config, *dev_queue))
        }
        Some(Command::Worker) => run_long(&config.clone(), worker::work(config)),
        Some(Command::Dead { action }) => print(&runtime()?.block_on(dead::run(&config, action))?),
        Some(Command::Cache { action }) => {
            print(&runtime()?.block_on(cache::run(&config, action))?)
        }
        Some(Command::Calls(calls)) => print(&runtime()?.block_on(calls::run(&config, calls))?),
        Some(Command::Messages { action }) => {
            print(&runtime()?.block_on(messages::run(&config, action))?)
        }
        Some(Command::Schedules { action }) => {
            print(&runtime()?.block_on(messages::schedules(&config, action))?)
        }
        Some(Command::Groups { action }) => {
            print(&runtime()?.block_on(messages::groups(&config, action))?)
        }
        Some(Command::Dlq { action }) => {
            print(&runtime()?.block_on(messages::dlq(&config, action))?)
        }
        Some(Command::Upstreams { action }) => {
            let (answer, failed) = runtime()?.block_on(upstreams::run(&config, action))?;
            print(&answer)?;
            ensure!(failed == 0, "upstreams that cannot be used: {failed}");
            Ok(())
        }
        Some(Command::Keys { action }) => print(&runtime()?.block_on(keys::run(&config, action))?),
        Some(Command::Deny { action }) => print(&runtime()?.block_on(deny::run(&config, action))?),
        Some(Command::Config) => print(&config.to_file()?),
    }
}

/// Runs a process that logs.
fn run_long(config: &Config, process: impl Future<Output = Result<()>>) -> Result<()> {
    start_log(config)?;
    let runtime = runtime()?;
    let result = runtime.block_on(process);
    // A photo may still be being decoded: that cannot be interrupted, and nobody waits for it.
    runtime.shutdown_timeout(LAST_MOMENT);
    result
}

fn runtime() -> Result<Runtime> {
    Runtime::new().context("cannot start the runtime")
}

/// Prints a command's output. A closed pipe is no error.
fn print(answer: &str) -> Result<()> {
    match io::stdout().write_all(answer.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write the answer")
        }
        _ => Ok(()),
    }
}

fn start_log(config: &Config) -> Result<()> {
    tracing_subscriber::registry()
        .with(config.log_filter()?)
        .with(tracing_subscriber::fmt::layer().with_writer(io::stderr))
        .try_init()
        .context("cannot start the log")
}
