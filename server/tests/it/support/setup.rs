//! How a process under test is started.

use std::{
    process::{Command, Output, Stdio},
    sync::Arc,
};

use tempfile::TempDir;

use super::{Atelier, OpenAi, Process, Replicate, openai, replicate, server::visitor, skew};

/// How a server is to be started.
pub(crate) struct Setup {
    pub(crate) folder: Arc<TempDir>,
    file: String,
    environment: Vec<(String, String)>,
    /// Put before the binary: a program and its arguments.
    wrapper: Vec<String>,
}

impl Setup {
    /// Defaults, but for limits, which most tests would only trip over.
    pub(crate) fn new() -> Self {
        Self::with_file("limits = []")
    }

    /// The given configuration file.
    pub(crate) fn with_file(file: &str) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        Self {
            folder,
            file: file.into(),
            environment: Vec::new(),
            wrapper: Vec::new(),
        }
    }

    /// The same for another process, with the same data folder.
    pub(crate) fn again(&self) -> Self {
        Self {
            folder: Arc::clone(&self.folder),
            file: self.file.clone(),
            environment: self.environment.clone(),
            wrapper: self.wrapper.clone(),
        }
    }

    /// Started by this program, whose last argument is the binary.
    pub(crate) fn wrapped(mut self, wrapper: &[&str]) -> Self {
        self.wrapper = wrapper.iter().map(|word| (*word).into()).collect();
        self
    }

    /// With another configuration file.
    pub(crate) fn file(mut self, file: &str) -> Self {
        self.file = file.into();
        self
    }

    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.environment.retain(|(one, _)| one != name);
        self
    }

    /// Pictures from this stand-in.
    pub(crate) fn openai(self, provider: &OpenAi) -> Self {
        self.set("OPENAI_API_KEY", openai::KEY)
            .set("OPENAI_BASE_URL", &provider.url)
    }

    /// Pictures from this other stand-in.
    pub(crate) fn replicate(self, provider: &Replicate) -> Self {
        self.set("ATELIER_PROVIDER", "replicate")
            .set("REPLICATE_API_TOKEN", replicate::TOKEN)
            .set("REPLICATE_BASE_URL", &provider.url)
    }

    /// On a machine whose clock is so many seconds ahead, or behind.
    pub(crate) fn skewed(self, seconds: i64) -> Self {
        let file = self.folder.path().join(format!("skew{seconds}"));
        skew::set(&file, seconds);
        let environment = skew::environment(&file);
        let skewed = environment.iter();
        skewed.fold(self, |setup, (name, value)| setup.set(name, value))
    }

    /// Sets the clock of the machine that was made with `from`.
    pub(crate) fn set_clock(&self, from: i64, seconds: i64) {
        skew::set(&self.folder.path().join(format!("skew{from}")), seconds);
    }

    /// Whether several processes can work at once.
    pub(crate) fn shares_a_store(&self) -> bool {
        self.environment
            .iter()
            .any(|(name, _)| name == "ATELIER_REDIS_URL")
    }

    pub(crate) fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self) -> Command {
        let file = self.folder.path().join("atelier.toml");
        std::fs::write(&file, &self.file).unwrap();
        let binary = env!("CARGO_BIN_EXE_atelier").to_owned();
        let mut words = self.wrapper.iter().chain([&binary]);
        let mut command = Command::new(words.next().unwrap());
        command
            .args(words)
            .env_clear()
            .env("ATELIER_CONFIG", file)
            .env("ATELIER_DATA", self.data())
            .env("ATELIER_LISTEN", "127.0.0.1:0")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    /// Starts the server and waits until it names its address.
    pub(crate) fn start(&self) -> Atelier {
        self.started(self.command())
    }

    /// The same as a stand-in for the development server of the clients of messages.
    pub(crate) fn start_dev_queue(&self) -> Atelier {
        let mut command = self.command();
        command.args(["serve", "--dev-queue"]);
        self.started(command)
    }

    fn started(&self, command: Command) -> Atelier {
        let (process, line) = Process::start(command, "serving at ");
        let url = line.split("serving at ").last().unwrap();
        let url = url.trim_end_matches('/').to_owned();
        Atelier {
            process,
            client: visitor(&url),
            url,
            _folder: Arc::clone(&self.folder),
        }
    }

    /// Starts a server whose public address is where it can be reached.
    pub(crate) fn start_in_public(&self) -> Atelier {
        let address = free_address();
        let url = format!("http://{address}");
        let setup = self.again().set("ATELIER_LISTEN", &address);
        let server = setup.set("ATELIER_PUBLIC_URL", &url).start();
        Atelier {
            client: visitor(&url),
            url,
            ..server
        }
    }

    /// Starts a server whose public address is not where it can be reached.
    pub(crate) fn start_at_its_own_address(&self) -> Atelier {
        let address = free_address();
        let setup = self.again().set("ATELIER_LISTEN", &address);
        let (server, url) = (setup.start(), format!("http://{address}"));
        Atelier {
            client: visitor(&url),
            url,
            ..server
        }
    }

    /// Starts the server and waits until it logs these words.
    pub(crate) fn start_logging(&self, words: &str) -> Process {
        Process::start(self.command(), words).0
    }

    /// Starts a worker by itself and waits until it works.
    pub(crate) fn start_worker(&self) -> Process {
        let mut command = self.command();
        command.arg("worker");
        Process::start(command, "worker started, delivering to ").0
    }

    /// A new API key.
    pub(crate) fn key(&self, name: &str) -> String {
        let output = self.run(&["keys", "create", name]);
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().unwrap()
    }

    /// Starts a server that refuses to; what it says.
    pub(crate) fn refusal(&self) -> String {
        self.refusal_of(&[])
    }

    /// Runs a command that is expected to fail; what it says.
    pub(crate) fn refusal_of(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success(), "{arguments:?} was to be refused");
        String::from_utf8(output.stderr).unwrap()
    }
}

fn free_address() -> String {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap().to_string()
}
