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
        ("python/openai_sync.py", "openai"),
        ("python/openai_async.py", "openai"),
        ("python/anthropic_messages.py", "openai"),
        ("python/anthropic_direct.py", "anthropic"),
        ("python/google_native.py", "gemini"),
        ("python/google_vertex.py", "vertex"),
        ("python/huggingface.py", "huggingface"),
        ("python/qstash_sync.py", "openai"),
        ("python/qstash_async.py", "openai"),
        ("node/openai.mjs", "openai"),
        ("node/qstash.mjs", "openai"),
    ],
};

/// IBM's, whose packages are large and do not go with the others'.
const WATSONX: Suite = Suite {
    requirements: "watsonx",
    programs: &[("python/watsonx.py", "watsonx")],
};

/// What is built on them, or speaks the same.
const PEERS: Suite = Suite {
    requirements: "peers",
    programs: &[
        ("python/langchain_openai_client.py", "openai"),
        ("python/litellm_client.py", "openai"),
        ("python/agents_client.py", "openai"),
        ("python/llm_command.py", "openai"),
        ("node/vercel.mjs", "openai"),
    ],
};

struct Suite {
    /// The file `python/NAME.txt`.
    requirements: &'static str,
    /// Each with the kind of upstream behind Atelier.
    programs: &'static [(&'static str, &'static str)],
}

/// Runs the official clients against the programs that the tests have just built.
pub(crate) fn official(words: &[String]) -> Result<()> {
    let built = exec::target().join("debug");
    let results = [OFFICIAL, WATSONX].map(|suite| suite.run(&built, words));
    results.into_iter().collect()
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
        for (name, kind) in self.programs {
            println!("--- {name}");
            let interpreter = if name.starts_with("python/") {
                python.clone()
            } else {
                PathBuf::from("node")
            };
            let mut program = exec::isolated(interpreter)?;
            program.arg(folder.join(name)).args(words);
            if let Err(error) = Site::start(built, kind)?.run(&mut program) {
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
    /// Behind it is an upstream of this kind.
    pub(crate) fn start(built: &Path, kind: &str) -> Result<Site> {
        let upstream = Upstream::start(built, kind)?;
        let binary = built.join("atelier");
        let file = exec::target().join("clients.toml");
        fs::write(&file, configuration(&upstream, kind))?;
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

/// The stand-in, receivers on this machine, and no limits but those of the keys.
fn configuration(upstream: &Upstream, kind: &str) -> String {
    let Upstream { url, base, .. } = upstream;
    let connected = |name: &str, kind: &str, more: &str| {
        format!(
            "[[upstreams]]\nname = '{name}'\nkind = '{kind}'\nbase_url = '{base}'\n\
             api_key_env = 'UPSTREAM_KEY'\n{more}\n"
        )
    };
    let upstreams = match kind {
        // It stands for both.
        "openai" => {
            let ours = "models = ['gpt-*', 'text-embedding-*', 'omni-*', 'whisper-*']";
            connected("openai", kind, ours)
                + &connected("anthropic", "anthropic", "models = ['claude-*']")
        }
        // Its key is a file, for which tokens are fetched.
        "vertex" => String::new(),
        "watsonx" => {
            let tokens = format!("token_url = '{url}/identity/token'\nproject_id = 'ours'");
            connected(kind, kind, &tokens)
        }
        _ => connected(kind, kind, ""),
    };
    format!("limits = []\n[messages]\nallow_private = true\n{upstreams}")
}
