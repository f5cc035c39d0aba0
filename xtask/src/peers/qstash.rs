//! The suites of the message queue's official clients, unchanged, against the release binary, on
//! the embedded store and on a Redis.
//! They are run from folders that are named, since no registry has them. What they call on the
//! internet is answered by `crates/atelier-hosts-mock`.

mod hosts;
mod report;
mod strangers;
mod suites;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use self::{hosts::Hosts, suites::Suite};
use crate::{exec, redis::Redis, run, server::Server};

const PEER: &str = "xtask/peers/qstash";

/// `cargo xtask peers qstash JS_DIR PY_DIR [OPENAPI_FILE]`
pub(super) fn run(arguments: &[String]) -> Result<()> {
    let (js, py, openapi) = match arguments {
        [js, py] => (there(js)?, there(py)?, None),
        [js, py, openapi] => (there(js)?, there(py)?, Some(there(openapi)?)),
        _ => bail!(
            "name the folders with the sources of qstash-js and qstash-py, which are not fetched \
             from here; a third argument may name their OpenAPI file"
        ),
    };
    let binary = run::build()?;
    let mut failed = Vec::new();
    for store in [Store::Embedded, Store::Redis] {
        let site = Site::start(&binary, store)?;
        for (name, suite) in [
            ("qstash-js", suites::js(&js)?),
            ("qstash-py", suites::py(&py)?),
        ] {
            failed.extend(site.run(name, suite)?);
        }
        if let Some(openapi) = &openapi {
            failed.extend(site.stranger(openapi)?);
        }
    }
    if !failed.is_empty() {
        bail!("there were failures: {}", failed.join(", "));
    }
    Ok(())
}

fn there(path: &str) -> Result<PathBuf> {
    fs::canonicalize(path).with_context(|| format!("there is no {path}"))
}

/// What keeps the messages.
#[derive(Debug, Clone, Copy)]
enum Store {
    Embedded,
    Redis,
}

/// The release binary, for which the hosts of the internet are on this machine.
struct Site {
    server: Server,
    binary: PathBuf,
    store: Store,
    _hosts: Hosts,
    _redis: Option<Redis>,
}

/// A key of an owner without any messages, and the owner's signing keys.
struct Account {
    url: String,
    key: String,
    current: String,
    next: String,
}

impl Site {
    fn start(binary: &Path, store: Store) -> Result<Site> {
        let redis = match store {
            Store::Embedded => None,
            Store::Redis => Some(Redis::start(&[])?),
        };
        let url = redis.as_ref().map(Redis::url);
        let hosts = Hosts::start()?;
        let file = exec::target().join("qstash.toml");
        fs::write(&file, configuration(&hosts))?;
        let file = file.to_string_lossy();
        let file = Some(("ATELIER_CONFIG", &*file));
        let url = url.as_deref().map(|url| ("ATELIER_REDIS_URL", url));
        let variables: Vec<_> = file.into_iter().chain(url).collect();
        let mut server = Server::start_with(binary, "qstash", &variables)?;
        server.wait("/healthz")?;
        Ok(Site {
            server,
            binary: binary.to_owned(),
            store,
            _hosts: hosts,
            _redis: redis,
        })
    }

    fn account(&self, name: &str) -> Result<Account> {
        let key = self
            .server
            .key(&self.binary, name, &["--scope", "messages"])?;
        let url = self.server.url();
        let keys = ureq::get(format!("{url}/v2/keys"))
            .header("authorization", format!("Bearer {key}"))
            .call()
            .context("no signing keys")?
            .into_body()
            .read_to_string()?;
        let keys: Value = serde_json::from_str(&keys)?;
        let part = |name: &str| {
            keys[name]
                .as_str()
                .map(str::to_owned)
                .context("no signing key")
        };
        Ok(Account {
            current: part("current")?,
            next: part("next")?,
            url,
            key,
        })
    }

    /// Runs a suite; returns its name if a test failed.
    fn run(&self, name: &str, suite: Suite) -> Result<Option<String>> {
        let title = self.title(name);
        eprintln!("running {title}");
        let report = suite.run(&self.account(name)?)?;
        report.print(&title);
        Ok(report.has_failures().then_some(title))
    }

    /// Calls everything that the file describes, in ways that it does not; returns a name if that
    /// found something.
    fn stranger(&self, openapi: &Path) -> Result<Option<String>> {
        let title = self.title("schemathesis");
        eprintln!("{title}: calling everything in {}", openapi.display());
        let failed = strangers::run(openapi, &self.account("schemathesis")?)?;
        Ok(failed.then_some(title))
    }

    fn title(&self, name: &str) -> String {
        format!("{name}, {:?}", self.store)
    }
}

/// Private addresses are allowed, since all that is called is here.
fn configuration(hosts: &Hosts) -> String {
    let names = hosts.names.iter();
    let resolve: Vec<String> = names
        .map(|name| format!("{name:?} = {:?}", hosts.address))
        .collect();
    format!(
        "limits = []\n\n[messages]\nallow_private = true\n\n[messages.testing]\nca_file = {:?}\n\
         resolve = {{ {} }}\n",
        hosts.authority,
        resolve.join(", ")
    )
}
