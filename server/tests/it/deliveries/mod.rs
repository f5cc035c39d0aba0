//! Messages: what happens to them after they were published, with real receivers.

mod callbacks;
mod commands;
mod delivery;
mod faults;
mod gaps;
mod names;
mod own;
mod retention;
mod schedules;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    response::{IntoResponse as _, Response},
};
use reqwest::RequestBuilder;
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::{Mutex as AsyncMutex, mpsc},
    time::{sleep, timeout},
};

use crate::support::{Atelier, PATIENCE, Setup, redis_database, text};

/// Private networks are open, as the receivers are there; a lease is soon over.
const FILE: &str = "limits = []\n[messages]\nallow_private = true\n[queue]\nlease = '2s'";

/// A server with a key that may publish.
pub(crate) struct Site {
    pub(crate) setup: Setup,
    pub(crate) server: Atelier,
    pub(crate) key: String,
}

/// The embedded store, or a Redis of its own.
#[derive(Clone, Copy)]
pub(crate) enum Kept {
    Embedded,
    Redis,
}

impl Site {
    fn start() -> Self {
        Self::with(FILE)
    }

    async fn on(kept: Kept) -> Self {
        let setup = Setup::with_file(FILE);
        Self::of(match kept {
            Kept::Embedded => setup,
            Kept::Redis => setup.set("ATELIER_REDIS_URL", &redis_database().await),
        })
    }

    fn with(file: &str) -> Self {
        Self::of(Setup::with_file(file))
    }

    fn of(setup: Setup) -> Self {
        let key = key(&setup, "messages");
        let server = setup.start();
        Self { setup, server, key }
    }

    /// The same after the server was killed and started anew.
    fn killed(self) -> Self {
        let Self { setup, server, key } = self;
        server.kill();
        let server = setup.start();
        Self { setup, server, key }
    }

    /// A request that publishes to this URL.
    fn publish(&self, url: &str) -> RequestBuilder {
        let path = format!("/v2/publish/{url}");
        self.server.post(&path).bearer_auth(&self.key)
    }

    fn enqueue(&self, queue: &str, url: &str) -> RequestBuilder {
        let path = format!("/v2/enqueue/{queue}/{url}");
        self.server.post(&path).bearer_auth(&self.key)
    }

    /// Pauses or resumes a flow control key.
    async fn flow(&self, change: &str) {
        let path = format!("/v2/flowControl/held/{change}");
        let changed = self.server.post(&path).bearer_auth(&self.key).send().await;
        changed.unwrap().error_for_status().unwrap();
    }

    async fn json(&self, path: &str) -> Value {
        let answer = self.server.get(path).bearer_auth(&self.key).send().await;
        answer.unwrap().json().await.unwrap()
    }

    /// The dead letters, once there are so many.
    async fn dead(&self, count: usize) -> Vec<Value> {
        let started = Instant::now();
        loop {
            let letters = self.json("/v2/dlq").await["messages"].take();
            let letters = letters.as_array().cloned().unwrap_or_default();
            if letters.len() >= count {
                return letters;
            }
            assert!(started.elapsed() < PATIENCE, "waited too long: {letters:?}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// What became of a message, the earliest first, once the last is this.
    async fn states(&self, id: &str, last: &str) -> Vec<String> {
        let started = Instant::now();
        loop {
            let events = self.json(&format!("/v2/events?messageId={id}")).await;
            let events = events["events"].as_array().cloned().unwrap_or_default();
            let states: Vec<_> = events
                .iter()
                .rev()
                .map(|event| text(&event["state"]).to_owned())
                .collect();
            if states.last().is_some_and(|state| state == last) {
                return states;
            }
            assert!(started.elapsed() < PATIENCE, "waited too long: {states:?}");
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// A new API key with this scope.
pub(crate) fn key(setup: &Setup, scope: &str) -> String {
    let output = setup.run(&["keys", "create", scope, "--scope", scope]);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Sends what publishes one message; its id.
pub(crate) async fn sent(request: RequestBuilder) -> String {
    let response = request.send().await.unwrap();
    let status = response.status();
    let answer: Value = response.json().await.unwrap();
    assert!(status.is_success(), "{status} {answer}");
    text(&answer["messageId"]).to_owned()
}

/// What a receiver answers.
#[derive(Clone)]
pub(crate) enum Answer {
    /// A status with header fields and a body.
    With(u16, Vec<(&'static str, String)>, &'static [u8]),
    /// Nothing, for so long, and then 200.
    After(Duration),
}

impl Answer {
    pub(crate) fn status(status: u16) -> Self {
        Self::With(status, vec![], b"")
    }

    async fn respond(self) -> Response {
        match self {
            Self::With(status, fields, body) => {
                let fields = fields.into_iter().map(|(name, value)| {
                    let value: HeaderValue = value.parse().unwrap();
                    (HeaderName::from_static(name), value)
                });
                let status = StatusCode::from_u16(status).unwrap();
                (status, fields.collect::<HeaderMap>(), body).into_response()
            }
            Self::After(pause) => {
                sleep(pause).await;
                StatusCode::OK.into_response()
            }
        }
    }
}

/// A request as a receiver got it.
pub(crate) struct Call {
    pub(crate) method: String,
    /// With its query.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) at: Instant,
}

impl Call {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// Somebody's server, which messages are delivered to.
pub(crate) struct Receiver {
    pub(crate) url: String,
    calls: AsyncMutex<mpsc::UnboundedReceiver<Call>>,
}

impl Receiver {
    /// Answers so at first, and then well.
    pub(crate) async fn start(answers: Vec<Answer>) -> Self {
        let answers = Arc::new(Mutex::new(VecDeque::from(answers)));
        let (sender, calls) = mpsc::unbounded_channel();
        let receive = async move |request: Request| {
            let at = Instant::now();
            let (parts, body) = request.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let call = Call {
                method: parts.method.to_string(),
                path: parts.uri.to_string(),
                headers: parts.headers,
                body,
                at,
            };
            // Nobody may be interested any more.
            let _ = sender.send(call);
            let next = answers.lock().unwrap().pop_front();
            next.unwrap_or_else(|| Answer::status(200)).respond().await
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(axum::serve(listener, Router::new().fallback(receive)).into_future());
        Self {
            url,
            calls: AsyncMutex::new(calls),
        }
    }

    pub(crate) async fn next(&self) -> Call {
        let mut calls = self.calls.lock().await;
        let next = timeout(PATIENCE, calls.recv()).await;
        next.expect("a message arrives").unwrap()
    }

    /// Errors if another call comes in this time.
    pub(crate) async fn nothing_more(&self, within: Duration) {
        let mut calls = self.calls.lock().await;
        if let Ok(Some(call)) = timeout(within, calls.recv()).await {
            panic!("{} {} came as well", call.method, call.path);
        }
    }
}
