//! Libraries and programs that others wrote, calling `/v1` with the stand-in behind it, and `/v2`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Result, bail};

use crate::{
    exec,
    server::Server,
    tools,
    upstream::{self, Upstream},
};

/// Ten times what the slowest of them takes.
const AT_MOST: Duration = Duration::from_secs(5 * 60);

const FOLDER: &str = "end2end/clients";

/// The official clients.
const OFFICIAL: Suite = Suite {
    requirements: "official",
    programs: &[
        "python/openai_sync.py",
        "python/openai_async.py",
        "python/anthropic_messages.py",
        "python/qstash_sync.py",
        "python/qstash_async.py",
        "node/openai.mjs",
        "node/qstash.mjs",
    ],
};

/// What is built on them, or speaks the same.
const PEERS: Suite = Suite {
    requirements: "peers",
    programs: &[
        "python/langchain_openai_client.py",
        "python/litellm_client.py",
        "python/agents_client.py",
        "python/llm_command.py",
        "node/vercel.mjs",
    ],
};

struct Suite {
    /// The file `python/NAME.txt`.
    requirements: &'static str,
    programs: &'static [&'static str],
}

/// Runs the official clients against the programs that the tests have just built.
pub(crate) fn official(words: &[String]) -> Result<()> {
    OFFICIAL.run(&exec::target().join("debug"), words)
}

/// Runs the others.
pub(crate) fn peers(words: &[String]) -> Result<()> {
    PEERS.run(&exec::target().join("debug"), words)
}

impl Suite {
    /// Runs each program to its end, also after one that failed.
    fn run(&self, built: &Path, words: &[String]) -> Result<()> {
        let folder = exec::root().join(FOLDER);
        let requirements = folder.join(format!("python/{}.txt", self.requirements));
        let python = tools::python_with(self.requirements, &requirements)?;
        tools::node()?;
        exec::npm_ci(&folder.join("node"))?;
        let mut failed = Vec::new();
        for name in self.programs {
            println!("--- {name}");
            let interpreter = if name.starts_with("python/") {
                python.clone()
            } else {
                PathBuf::from("node")
            };
            let mut program = exec::isolated(interpreter)?;
            program.arg(folder.join(name)).args(words);
            if let Err(error) = Site::start(built)?.run(&mut program) {
                eprintln!("{error:#}");
                failed.push(*name);
            }
        }
        if !failed.is_empty() {
            bail!("these clients failed: {}", failed.join(", "));
        }
        Ok(())
    }
}

/// An Atelier with a stand-in behind it and keys of several kinds.
pub(crate) struct Site {
    server: Server,
    upstream: Upstream,
    binary: PathBuf,
}

impl Site {
    pub(crate) fn start(built: &Path) -> Result<Site> {
        let upstream = Upstream::start(built)?;
        let binary = built.join("atelier");
        let file = exec::target().join("clients.toml");
        fs::write(&file, configuration(&upstream.url))?;
        let file = file.to_string_lossy();
        let variables = [("ATELIER_CONFIG", &*file), ("UPSTREAM_KEY", upstream::KEY)];
        let mut server = Server::start_with(&binary, "clients", &variables)?;
        server.wait("/healthz")?;
        Ok(Site {
            server,
            upstream,
            binary,
        })
    }

    /// Runs a client with the addresses and keys in its environment.
    fn run(&self, client: &mut Command) -> Result<()> {
        client.env("PYTHONDONTWRITEBYTECODE", "1");
        client.env("ATELIER_URL", self.server.url());
        client.env("MOCK_URL", &self.upstream.url);
        for (variable, options) in KEYS {
            let key = self.server.key(&self.binary, variable, options)?;
            client.env(variable, key);
        }
        exec::run_within(AT_MOST, client)
    }
}

/// The variables that name keys, and how each key is made.
const KEYS: [(&str, &[&str]); 3] = [
    (
        "ATELIER_KEY",
        &["--scope", "gateway", "--scope", "messages"],
    ),
    (
        "ATELIER_CHAT_KEY",
        &["--scope", "gateway", "--models", "gpt-4o*"],
    ),
    (
        "ATELIER_SPENT_KEY",
        &["--scope", "gateway", "--limit", "0.00003 usd / 1mo"],
    ),
];

/// The stand-in as OpenAI and as Anthropic, receivers on this machine, and no limits but those of the keys.
fn configuration(mock: &str) -> String {
    format!(
        r#"
limits = []

[[upstreams]]
name = "openai"
base_url = "{mock}/v1"
api_key_env = "UPSTREAM_KEY"
models = ["gpt-*", "text-embedding-*", "omni-*", "whisper-*"]

[[upstreams]]
name = "anthropic"
kind = "anthropic"
base_url = "{mock}/v1"
api_key_env = "UPSTREAM_KEY"
models = ["claude-*"]

[messages]
allow_private = true
"#
    )
}
