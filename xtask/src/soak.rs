//! `cargo xtask soak`: the faults test in its long form.

use std::env;

use anyhow::Result;

use crate::{exec, site, tools};

// The flags of `cargo xtask test`, so that nothing is built twice. One half after the
// other, as each needs the whole machine.
const SOAK: &str = "test --workspace --exclude atelier-frontend --exclude xtask --test soak -- \
     --nocapture --test-threads 1";

/// Defaults for the environment: 1,000 jobs, kills as long as they run, and a Redis that is
/// unreachable for 40 s.
const LONG: [(&str, &str); 3] = [
    ("SOAK_JOBS", "1000"),
    ("SOAK_SECONDS", "150"),
    ("SOAK_SILENCE", "40"),
];

/// `cargo xtask soak [FILTER…]`
pub(crate) fn command(filters: &[String]) -> Result<()> {
    tools::redis()?;
    site::build(site::Mode::Small)?;
    let mut soak = exec::cargo(SOAK);
    for (name, value) in LONG {
        if env::var_os(name).is_none() {
            soak.env(name, value);
        }
    }
    exec::run(soak.args(filters))
}
