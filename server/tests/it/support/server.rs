//! A server under test, and its clients.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::ExitStatus,
    sync::Arc,
};

use nix::sys::signal::Signal;
use reqwest::{Client, RequestBuilder, Response, header};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{PATIENCE, Process, form, taken, text};

/// A server under test. Killed when dropped.
pub(crate) struct Atelier {
    pub(super) process: Process,
    pub(crate) url: String,
    pub(crate) client: Client,
    /// Stays as long as the server.
    pub(super) _folder: Arc<TempDir>,
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

    /// Asks it to end; all that it has logged until then.
    pub(crate) fn whole_log(self) -> String {
        self.process.whole_log()
    }

    /// How the process ended.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        self.process.ended()
    }

    /// Waits for a line of the log that contains the words.
    pub(crate) fn logged(&self, words: &str) -> String {
        self.process.logged(words)
    }

    /// A path as the process sees it, which may have file systems of its own.
    pub(crate) fn seen(&self, path: &Path) -> PathBuf {
        format!("/proc/{}/root{}", self.process.id(), path.display()).into()
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

/// A client with a session of its own, where the server is to be reached at this address.
pub(super) fn visitor(url: &str) -> Client {
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

pub(super) fn client() -> Client {
    builder().build().unwrap()
}

fn builder() -> reqwest::ClientBuilder {
    let redirect = reqwest::redirect::Policy::none();
    atelier::app::context::start_cryptography();
    Client::builder()
        .no_proxy()
        .redirect(redirect)
        .timeout(PATIENCE)
}
