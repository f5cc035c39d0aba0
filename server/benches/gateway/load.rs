//! A load generator: connections that send one call after the other.

use std::{
    cell::{Cell, RefCell},
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use axum::body::Bytes;
use http_body_util::{BodyExt as _, Collected, Full};
use hyper::{
    Request,
    body::Incoming,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    task::{LocalSet, spawn_local},
    time::timeout,
};

/// Nothing takes as long, unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// What the calls are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Of the kind that is not cached unless asked for.
    Sampled,
    /// At temperature 0, each another: looked up in the cache, and stored.
    Distinct,
    /// At temperature 0, always the same.
    Repeated,
    /// Streams of a hundred events.
    Stream,
    /// Streams that stay open after the first event.
    Held,
}

/// Where calls go.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) headers: Vec<(&'static str, String)>,
}

pub(crate) struct Load {
    pub(crate) kind: Kind,
    pub(crate) connections: usize,
    pub(crate) time: Duration,
}

/// What came of it. Times are in milliseconds.
pub(crate) struct Figures {
    pub(crate) calls_per_second: f64,
    pub(crate) first: Vec<f64>,
    pub(crate) whole: Vec<f64>,
    pub(crate) failures: usize,
    /// The first of them.
    pub(crate) failure: Option<String>,
}

#[derive(Default)]
struct Taken {
    first: Vec<f64>,
    whole: Vec<f64>,
    failures: usize,
    failure: Option<String>,
}

impl Taken {
    fn fail(&mut self, why: Option<String>) {
        self.failures += 1;
        self.failure = self.failure.take().or(why);
    }
}

impl Load {
    pub(crate) async fn run(&self, target: &Target) -> Figures {
        let taken = Rc::new(RefCell::new(Taken::default()));
        let number = Rc::new(Cell::new(0));
        let started = Instant::now();
        let deadline = started + self.time;
        let connections = LocalSet::new();
        for _ in 0..self.connections {
            let (target, kind) = (target.clone(), self.kind);
            let (taken, number) = (Rc::clone(&taken), Rc::clone(&number));
            connections.spawn_local(async move {
                let mut connection = target.connect().await;
                while Instant::now() < deadline {
                    number.set(number.get() + 1);
                    let call = timeout(PATIENCE, connection.call(&target, kind, number.get()));
                    match call.await {
                        Ok(Ok(times)) => {
                            let mut taken = taken.borrow_mut();
                            taken.first.push(times.first);
                            taken.whole.push(times.whole);
                        }
                        failed => {
                            let why = match failed {
                                Ok(done) => done.err(),
                                Err(_) => Some("it hangs".into()),
                            };
                            taken.borrow_mut().fail(why);
                            connection = target.connect().await;
                        }
                    }
                }
            });
        }
        connections.await;
        let took = started.elapsed().as_secs_f64();
        let mut taken = taken.take();
        taken.first.sort_by(f64::total_cmp);
        taken.whole.sort_by(f64::total_cmp);
        Figures {
            calls_per_second: taken.whole.len() as f64 / took,
            first: taken.first,
            whole: taken.whole,
            failures: taken.failures,
            failure: taken.failure,
        }
    }
}

/// The value that so many per cent do not exceed.
pub(crate) fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let at = sorted.len() * percent / 100;
    sorted.get(at).copied().unwrap_or(f64::INFINITY)
}

/// How long the first byte of a body took, and the last.
struct Times {
    first: f64,
    whole: f64,
}

pub(crate) struct Connection(SendRequest<Full<Bytes>>);

impl Target {
    /// A connection, driven by a task of its own.
    pub(crate) async fn connect(&self) -> Connection {
        let stream = TcpStream::connect(self.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        spawn_local(connection);
        Connection(sender)
    }

    fn request(&self, kind: Kind, number: usize) -> Request<Full<Bytes>> {
        let mut request = Request::post("/v1/chat/completions")
            .header("host", self.address.to_string())
            .header("content-type", "application/json");
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let body = Target::body(kind, number);
        request.body(Full::new(Bytes::from(body))).unwrap()
    }
}

impl Connection {
    /// Sends a call and returns what is answered, from the first byte of the body on.
    pub(crate) async fn send(
        &mut self,
        target: &Target,
        kind: Kind,
        number: usize,
    ) -> Result<Incoming, String> {
        let ready = self.0.ready().await;
        ready.map_err(|error| error.to_string())?;
        let response = self.0.send_request(target.request(kind, number)).await;
        let response = response.map_err(|error| error.to_string())?;
        if response.status().is_success() {
            return Ok(response.into_body());
        }
        let status = response.status();
        let body = response.into_body().collect().await;
        let body = body.map(Collected::to_bytes).unwrap_or_default();
        Err(format!("{status}: {}", String::from_utf8_lossy(&body)))
    }

    async fn call(&mut self, target: &Target, kind: Kind, number: usize) -> Result<Times, String> {
        let started = Instant::now();
        let milliseconds = || started.elapsed().as_secs_f64() * 1000.0;
        let mut body = self.send(target, kind, number).await?;
        let mut first = None;
        while let Some(frame) = body.frame().await {
            frame.map_err(|error| error.to_string())?;
            first.get_or_insert_with(milliseconds);
        }
        Ok(Times {
            first: first.ok_or("an empty answer")?,
            whole: milliseconds(),
        })
    }
}
