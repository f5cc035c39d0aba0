//! openai-python's own tests, which are generated from OpenAI's OpenAPI file: first straight
//! against a mock that is made from the same file, then through Atelier to it.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use serde_json::json;

use crate::{
    exec,
    server::{self, Server},
    tools,
};

/// What the mock needs to read three megabytes of YAML.
const PATIENCE: Duration = Duration::from_secs(60);

const PEER: &str = "xtask/peers/openai-python";

/// The parts of the API that the gateway has.
const TESTS: [&str; 9] = [
    "tests/api_resources/chat",
    "tests/api_resources/responses",
    "tests/api_resources/audio",
    "tests/api_resources/test_responses.py",
    "tests/api_resources/test_completions.py",
    "tests/api_resources/test_embeddings.py",
    "tests/api_resources/test_images.py",
    "tests/api_resources/test_models.py",
    "tests/api_resources/test_moderations.py",
];

/// Runs the tests of a checkout, all that concern the gateway or those that are named.
pub(super) fn run(arguments: &[String]) -> Result<()> {
    let Some((checkout, tests)) = arguments.split_first() else {
        bail!("name a folder with the sources of openai-python");
    };
    let checkout = fs::canonicalize(checkout).with_context(|| format!("no folder {checkout}"))?;
    let peer = exec::root().join(PEER);
    let suite = Suite {
        python: tools::python_with("openai-python", &peer.join("requirements.txt"))?,
        tests: match tests {
            [] => TESTS.map(str::to_owned).to_vec(),
            named => named.to_vec(),
        },
        checkout,
        peer,
    };
    let mock = Mock::start(&suite)?;
    let straight = suite.passes(&mock.url, "My API Key")?;
    let (site, key) = start(&mock.url)?;
    let through = suite.passes(&format!("{}/v1", site.url()), &key)?;
    let lost: Vec<_> = straight.difference(&through).collect();
    for name in &lost {
        println!("passes only without Atelier: {name}");
    }
    println!(
        "{}",
        json!({
            "name": "openai-python", "passes_straight": straight.len(),
            "passes_through": through.len(), "ok": lost.is_empty() && !straight.is_empty(),
        })
    );
    if !lost.is_empty() {
        bail!("{} tests pass only without Atelier", lost.len());
    }
    Ok(())
}

struct Suite {
    python: PathBuf,
    tests: Vec<String>,
    checkout: PathBuf,
    peer: PathBuf,
}

impl Suite {
    /// The names of the tests that pass.
    fn passes(&self, url: &str, key: &str) -> Result<BTreeSet<String>> {
        eprintln!("running the tests against {url}");
        let mut pytest = exec::isolated(&self.python)?;
        pytest.current_dir(&self.checkout);
        pytest.args("-m pytest -q -rA --tb=line --no-header -p key -p no:cacheprovider".split(' '));
        pytest.args(["-o", "addopts="]).args(&self.tests);
        let sources = [self.checkout.join("src"), self.peer.clone()];
        let sources = sources.map(|path| path.to_string_lossy().into_owned());
        pytest.env("PYTHONPATH", sources.join(":"));
        pytest
            .env("TEST_API_BASE_URL", url)
            .env("TEST_API_KEY", key);
        pytest.env("PYTHONDONTWRITEBYTECODE", "1");
        let output = pytest.output().context("pytest does not start")?;
        let said = String::from_utf8_lossy(&output.stdout);
        let log = exec::target().join("openai-python.log");
        fs::write(&log, &*said)?;
        eprintln!("{}", said.lines().last().unwrap_or_default());
        let passed = said.lines().filter_map(|line| line.strip_prefix("PASSED "));
        let passed: BTreeSet<_> = passed.map(str::to_owned).collect();
        if passed.is_empty() {
            bail!("no test passed; pytest's output is {}", log.display());
        }
        Ok(passed)
    }
}

/// The mock that is made from the OpenAPI file.
struct Mock {
    child: Child,
    url: String,
}

impl Mock {
    fn start(suite: &Suite) -> Result<Mock> {
        tools::node()?;
        exec::npm_ci(&suite.peer)?;
        let port = server::free_port()?;
        let mut steady = Command::new(suite.peer.join("node_modules/.bin/steady"));
        steady.args(["--host", "127.0.0.1", "--port", &port.to_string()]);
        // As openai-python's own scripts start it.
        for format in ["query-array", "form-array", "query-object", "form-object"] {
            steady.arg(format!("--validator-{format}-format=brackets"));
        }
        steady.arg(suite.checkout.join("api_reference/openapi.transformed.yml"));
        let log = fs::File::create(exec::target().join("steady.log"))?;
        steady.stdout(log.try_clone()?).stderr(log);
        let child = steady.spawn().context("the mock does not start")?;
        let url = format!("http://127.0.0.1:{port}");
        let mut mock = Mock { child, url };
        mock.wait()?;
        Ok(mock)
    }

    fn wait(&mut self) -> Result<()> {
        let started = Instant::now();
        let health = format!("{}/_x-steady/health", self.url);
        while ureq::get(&health).call().is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("the mock ended: {status}; its log is target/steady.log");
            }
            if started.elapsed() > PATIENCE {
                bail!("the mock does not answer; its log is target/steady.log");
            }
            sleep(Duration::from_millis(100));
        }
        Ok(())
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        // It may have ended by itself; errors cannot be reported here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An Atelier before the mock, and a key for it.
fn start(mock: &str) -> Result<(Server, String)> {
    let binary: &Path = &exec::target().join("debug/atelier");
    let file = exec::target().join("peers.toml");
    let configuration = format!(
        "limits = []\n\n[gateway]\npassthrough = true\n\n[[upstreams]]\nname = \"openai\"\nbase_url = \"{mock}\"\n\
         api_key_env = \"UPSTREAM_KEY\"\nmodels = [\"*\"]\n"
    );
    fs::write(&file, configuration)?;
    let file = file.to_string_lossy();
    let variables = [("ATELIER_CONFIG", &*file), ("UPSTREAM_KEY", "My API Key")];
    let mut server = Server::start_with(binary, "peers", &variables)?;
    server.wait("/healthz")?;
    let key = server.key(binary, "tests", &["--scope", "gateway"])?;
    Ok((server, key))
}
