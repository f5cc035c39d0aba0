//! How the two suites are run.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result};

use super::{Account, PEER, report::Report};
use crate::{exec, tools};

/// Dead letters are waited for, ten seconds each time.
const AT_MOST: Duration = Duration::from_secs(20 * 60);

/// The files of qstash-js that speak to a server. The others need none, or are about workflows
/// and about a program that the client would download.
const JS: [&str; 9] = [
    "src/client/client.test.ts",
    "src/client/dlq.test.ts",
    "src/client/flow-control.test.ts",
    "src/client/llm/api.test.ts",
    "src/client/logs.test.ts",
    "src/client/messages.test.ts",
    "src/client/queue.test.ts",
    "src/client/schedules.test.ts",
    "src/client/url-groups.test.ts",
];

/// What bun needs of a checkout.
const JS_SOURCES: [&str; 4] = ["src", "package.json", "tsconfig.json", "version.ts"];

pub(super) struct Suite {
    command: Command,
    /// Where JUnit's XML goes.
    results: PathBuf,
}

impl Suite {
    /// Runs all of it, one test after the other.
    pub(super) fn run(mut self, account: &Account) -> Result<Report> {
        // The file may not exist.
        let _ = fs::remove_file(&self.results);
        let told = [
            ("QSTASH_URL", account.url.as_str()),
            ("QSTASH_TOKEN", &account.key),
            ("QSTASH_CURRENT_SIGNING_KEY", &account.current),
            ("QSTASH_NEXT_SIGNING_KEY", &account.next),
            ("OPENAI_API_KEY", "sk-suite"),
            ("OPENAI_ORGANIZATION", "org-suite"),
        ];
        // It fails if a test fails: that is in its report.
        let ended = exec::run_within(AT_MOST, self.command.envs(told));
        let results = fs::read_to_string(&self.results).with_context(|| match ended {
            Ok(()) => "the suite wrote no report".to_owned(),
            Err(error) => format!("the suite wrote no report: {error:#}"),
        })?;
        Report::read(&results)
    }
}

/// qstash-js, by bun. It is copied to where its packages are, which leaves the checkout alone.
pub(super) fn js(checkout: &Path) -> Result<Suite> {
    tools::node()?;
    let peer = exec::root().join(PEER);
    exec::npm_ci(&peer)?;
    let folder = exec::target().join("qstash-js");
    // The folder may not exist.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    for name in JS_SOURCES {
        exec::run(
            exec::command("cp")
                .arg("-r")
                .arg(checkout.join(name))
                .arg(&folder),
        )?;
    }
    std::os::unix::fs::symlink(peer.join("node_modules"), folder.join("node_modules"))?;
    let results = folder.join("results.xml");
    let mut command = exec::isolated(peer.join("node_modules/.bin/bun"))?;
    command.current_dir(&folder).arg("test");
    command.args(["--max-concurrency=1", "--reporter=junit"]);
    command.arg(format!("--reporter-outfile={}", results.display()));
    command.args(JS);
    Ok(Suite { command, results })
}

/// qstash-py, by pytest.
pub(super) fn py(checkout: &Path) -> Result<Suite> {
    let requirements = exec::root().join(PEER).join("requirements.txt");
    let python = tools::python_with("qstash-py", &requirements)?;
    let results = exec::target().join("qstash-py.xml");
    let mut command = exec::isolated(python)?;
    command.current_dir(checkout);
    command.args("-m pytest -q --tb=short -p no:cacheprovider".split(' '));
    command
        .arg(format!("--junitxml={}", results.display()))
        .arg("tests");
    command.env("PYTHONPATH", checkout);
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    Ok(Suite { command, results })
}
