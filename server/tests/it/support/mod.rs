//! The real binary on a free port with a folder of its own, a client, and a
//! strict stand-in for the one thing that costs money.

mod openai;
mod process;
mod recorder;
mod redis;
mod replicate;
#[path = "../../skew/mod.rs"]
mod skew;

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Command, ExitStatus, Output, Stdio},
    sync::Arc,
    time::Duration,
};

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use nix::sys::signal::Signal;
use reqwest::{Client, RequestBuilder, Response, header, multipart};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) use self::{
    openai::{Answer, OpenAi, picture, usage},
    process::{Process, signal},
    recorder::{Delivery, Recorder},
    redis::{redis, redis_8, redis_8_database, redis_cluster, redis_database},
    replicate::{Fate, Replicate, WEBHOOK_SECRET, sign as replicate_webhook},
};

/// Everything must happen within this; nothing is expected to take long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A server under test. Killed when dropped.
pub(crate) struct Atelier {
    process: Process,
    pub(crate) url: String,
    pub(crate) client: Client,
    /// Stays as long as the server.
    _folder: Arc<TempDir>,
}

/// How a server is to be started.
pub(crate) struct Setup {
    pub(crate) folder: Arc<TempDir>,
    file: String,
    environment: Vec<(String, String)>,
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
        }
    }

    /// The same for another process, with the same data folder.
    pub(crate) fn again(&self) -> Self {
        Self {
            folder: Arc::clone(&self.folder),
            file: self.file.clone(),
            environment: self.environment.clone(),
        }
    }

    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.into(), value.into()));
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
        let mut command = Command::new(env!("CARGO_BIN_EXE_atelier"));
        command
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
        let (process, line) = Process::start(self.command(), "serving at ");
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
        Process::start(command, "working, delivering to ").0
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

/// A client with a session of its own, where the server is to be reached at this address.
fn visitor(url: &str) -> Client {
    let Some(session) = session(url) else {
        return client();
    };
    let headers = [(header::COOKIE, session.parse().unwrap())];
    let client = builder().default_headers(headers.into_iter().collect());
    client.build().unwrap()
}

fn session(url: &str) -> Option<String> {
    let host = url.strip_prefix("http://")?;
    let mut stream = TcpStream::connect(host).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let request = format!("GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let cookie = answer.split("set-cookie: ").nth(1)?;
    Some(cookie.split(';').next()?.to_owned())
}

fn client() -> Client {
    builder().build().unwrap()
}

fn builder() -> reqwest::ClientBuilder {
    let redirect = reqwest::redirect::Policy::none();
    atelier::rooms::start_cryptography();
    Client::builder()
        .no_proxy()
        .redirect(redirect)
        .timeout(PATIENCE)
}

impl Atelier {
    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.url))
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.url))
    }

    pub(crate) fn delete(&self, path: &str) -> RequestBuilder {
        self.client.delete(format!("{}{path}", self.url))
    }

    /// The same server for a program that keeps no cookies.
    pub(crate) fn without_session(mut self) -> Self {
        self.client = client();
        self
    }

    /// A browser with a session of its own.
    pub(crate) fn visitor(&self) -> Client {
        visitor(&self.url)
    }

    /// Asks for a picture.
    pub(crate) async fn paint(&self, prompt: &str) -> Value {
        self.submit(&json!({ "prompt": prompt })).await
    }

    /// Hands in an order for pictures that is expected to be taken.
    pub(crate) async fn submit(&self, body: &Value) -> Value {
        taken(self.post("/api/images").json(body).send().await.unwrap()).await
    }

    /// Asks for a restoration of this file.
    pub(crate) async fn restore(&self, file: Vec<u8>) -> Response {
        self.post("/api/restorations")
            .multipart(form(file))
            .send()
            .await
            .unwrap()
    }

    /// What the path answers, as JSON.
    pub(crate) async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).send().await.unwrap();
        answer.json().await.unwrap()
    }

    pub(crate) async fn job(&self, id: &str) -> Value {
        self.json(&format!("/api/jobs/{id}")).await
    }

    /// Polls as a browser does until `done` says so.
    pub(crate) async fn until(&self, job: &Value, done: impl Fn(&Value) -> bool) -> Value {
        let mut job = job.clone();
        let started = std::time::Instant::now();
        while !done(&job) {
            assert!(started.elapsed() < PATIENCE, "waited too long: {job}");
            let url = text(&job["url"]);
            let joint = if url.contains('?') { '&' } else { '?' };
            let path = format!("{url}{joint}after={}&wait=25", job["version"]);
            job = self
                .get(&path)
                .send()
                .await
                .unwrap()
                .error_for_status()
                .unwrap()
                .json()
                .await
                .unwrap();
        }
        job
    }

    pub(crate) async fn finished(&self, job: &Value) -> Value {
        self.until(job, |job| {
            matches!(text(&job["status"]), "succeeded" | "failed" | "cancelled")
        })
        .await
    }

    pub(crate) async fn succeeded(&self, job: &Value) -> Value {
        let job = self.finished(job).await;
        assert_eq!(job["status"], "succeeded", "{job}");
        job
    }

    /// The bytes of a job's only picture.
    pub(crate) async fn picture(&self, job: &Value) -> Vec<u8> {
        let response = self
            .get(text(&job["images"][0]["url"]))
            .send()
            .await
            .unwrap();
        response
            .error_for_status()
            .unwrap()
            .bytes()
            .await
            .unwrap()
            .to_vec()
    }

    /// SIGKILL: nothing is tidied up.
    pub(crate) fn kill(self) {
        self.process.kill();
    }

    /// Sends SIGTERM.
    pub(crate) fn ask_to_stop(&self) {
        self.process.ask_to_stop();
    }

    pub(crate) fn signal(&self, which: Signal) {
        self.process.signal(which);
    }

    /// Whether the log had these words before the server could be asked anything.
    pub(crate) fn started_with(&self, words: &str) -> bool {
        self.process.started_with(words)
    }

    /// How the process ended.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        self.process.ended()
    }

    /// Waits for a line of the log that contains the words.
    pub(crate) fn logged(&self, words: &str) -> String {
        self.process.logged(words)
    }

    /// Resident memory in bytes.
    pub(crate) fn memory(&self) -> u64 {
        self.memory_as("VmRSS:")
    }

    /// The most that was ever resident, in bytes.
    pub(crate) fn peak_memory(&self) -> u64 {
        self.memory_as("VmHWM:")
    }

    fn memory_as(&self, name: &str) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
        kilobytes * 1024
    }
}

/// The job of a submission that was taken.
pub(crate) async fn taken(response: Response) -> Value {
    let status = response.status();
    let location = response
        .headers()
        .get("location")
        .map(|value| value.to_str().unwrap().to_owned());
    let job: Value = response.json().await.unwrap();
    let expected = if job["status"] == "succeeded" {
        200
    } else {
        202
    };
    assert_eq!(status.as_u16(), expected, "{job}");
    let url = text(&job["url"]);
    assert_eq!(location.as_deref(), Some(url));
    let plain = format!("/api/jobs/{}", text(&job["id"]));
    assert_eq!(url.split('?').next(), Some(plain.as_str()));
    job
}

/// A refusal: its status and its problem document.
pub(crate) async fn problem(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["status"], status);
    for field in ["type", "title", "detail", "code"] {
        assert!(!text(&problem[field]).is_empty(), "{field} in {problem}");
    }
    (status, problem)
}

pub(crate) fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
}

pub(crate) fn form(file: Vec<u8>) -> multipart::Form {
    multipart::Form::new().part("photo", multipart::Part::bytes(file).file_name("photo.jpg"))
}

/// A small photo of nothing in particular.
pub(crate) fn photo(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let picture = RgbImage::from_fn(width, height, |x, y| {
        let wave = |n: u32| ((f64::from(n) / 9.0).sin() * 60.0 + 120.0) as u8;
        Rgb([wave(x), wave(y), wave(x + y)])
    });
    encode(&DynamicImage::ImageRgb8(picture), format)
}

pub(crate) fn encode(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Waits until it is so.
pub(crate) async fn eventually(what: &str, so: impl Fn() -> bool) {
    let started = std::time::Instant::now();
    while !so() {
        assert!(started.elapsed() < PATIENCE, "waited too long: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Names of the blobs kept in a data folder.
pub(crate) fn blobs(data: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(data.join("images")).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}
