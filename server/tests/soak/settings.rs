//! What can be set: `SOAK_JOBS`, `SOAK_SECONDS` (how long processes are
//! killed), `SOAK_KILL_EVERY` (seconds), `SOAK_SILENCE` (seconds for which
//! Redis does not answer), `SOAK_SEED`.

use std::{env, str::FromStr, time::Duration};

use crate::fleet::Store;

/// Who asks for pictures.
pub(crate) const OWNERS: usize = 20;

/// Calls allowed for one job.
pub(crate) const ATTEMPTS: usize = 6;

/// How long a dead worker's job stays claimed.
pub(crate) const LEASE: Duration = Duration::from_secs(3);

/// When the server gives up a call that hangs. A busy machine must not be taken for one: such calls are repeated
/// without a kill.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(4);

/// One job in so many fails at every attempt.
const DOOMED: usize = 75;

#[derive(Debug)]
pub(crate) struct Settings {
    /// Decides what fails, how, and who is killed; not what is under way then.
    pub(crate) seed: u64,
    pub(crate) jobs: usize,
    /// How long processes are killed. Most of it passes before the last job
    /// is handed in.
    pub(crate) length: Duration,
    pub(crate) kill_every: Duration,
    /// For how long Redis does not answer.
    pub(crate) silence: Duration,
    /// Only so that the test ends.
    pub(crate) deadline: Duration,
}

impl Settings {
    pub(crate) fn read(store: Store) -> Self {
        let seconds = match store {
            Store::Redis => 22.0,
            Store::Embedded => 10.0,
        };
        let length = Duration::from_secs_f64(variable("SOAK_SECONDS").unwrap_or(seconds));
        Self {
            seed: variable("SOAK_SEED").unwrap_or_else(|| fastrand::u64(..)),
            jobs: variable("SOAK_JOBS").unwrap_or(150),
            length,
            kill_every: Duration::from_secs_f64(variable("SOAK_KILL_EVERY").unwrap_or(2.0)),
            silence: Duration::from_secs_f64(variable("SOAK_SILENCE").unwrap_or(5.0)),
            deadline: 3 * length + Duration::from_secs(300),
        }
    }

    /// The server's configuration file.
    pub(crate) fn file() -> String {
        format!(
            "limits = []\n\
             [queue]\nlease = '{LEASE:?}'\nattempts = {ATTEMPTS}\nretry_base = '100ms'\nretry_cap = '2s'\n\
             [openai]\nparallel = 32\ntimeout = '{TIMEOUT:?}'\n\
             [messages]\nallow_private = true\n"
        )
    }
}

fn variable<T: FromStr>(name: &str) -> Option<T> {
    let text = env::var(name).ok()?;
    let value = text.parse().ok();
    assert!(value.is_some(), "{name} is {text:?}");
    value
}

/// The prompt of a job, unlike that of any other.
pub(crate) fn prompt(job: usize, owner: usize) -> String {
    let doom = if job % DOOMED == DOOMED / 2 {
        ", doomed"
    } else {
        ""
    };
    format!("soak {job} of owner {owner}{doom}")
}

pub(crate) fn is_doomed(prompt: &str) -> bool {
    prompt.contains("doomed")
}
