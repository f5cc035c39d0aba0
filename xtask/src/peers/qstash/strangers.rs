//! Schemathesis: calls that the published OpenAPI file allows, and calls that it does not.

use std::{path::Path, time::Duration};

use anyhow::Result;
use serde_json::json;

use super::{Account, PEER};
use crate::{exec, tools};

const AT_MOST: Duration = Duration::from_secs(15 * 60);

/// Returns whether anything was answered with 5xx.
pub(super) fn run(openapi: &Path, account: &Account) -> Result<bool> {
    let requirements = exec::root().join(PEER).join("schemathesis.txt");
    let python = tools::python_with("schemathesis", &requirements)?;
    let mut st = exec::isolated(python.with_file_name("st"))?;
    st.current_dir(exec::target());
    st.arg("run").arg(openapi).args(["--url", &account.url]);
    st.args([
        "--header",
        &format!("Authorization: Bearer {}", account.key),
    ]);
    // Whatever is published is due when all is over: hosts with such names are not called.
    st.args(["--header", "Upstash-Delay: 1d"]);
    st.args("--checks not_a_server_error --phases examples,coverage,fuzzing".split(' '));
    st.args(
        "--max-examples 50 --seed 1 --continue-on-failure --no-color --warnings off".split(' '),
    );
    let ended = exec::run_within(AT_MOST, &mut st);
    if let Err(error) = &ended {
        eprintln!("{error:#}");
    }
    println!("{}", json!({"name": "schemathesis", "ok": ended.is_ok()}));
    Ok(ended.is_err())
}
