#![doc = include_str!("../README.md")]
//!
//! | wait | bound by |
//! |---|---|
//! | for a request's head, from its first byte | [`Limits::head`] |
//! | for the next request | [`Limits::idle`], by hyper |
//! | for a request's body | [`Limits::body`] and [`Limits::body_rate`] |
//! | until the client takes more of an answer | [`Limits::write`] |
//!
//! Only HTTP/1.1 is supported, which every proxy uses towards its backends.

#![warn(missing_docs)]

mod body;
mod permits;
mod stream;
mod unread;

use std::{
    convert::Infallible,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::{Router, body::Body, extract::ConnectInfo, http::StatusCode, response::Response};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulConnection, GracefulShutdown},
};
use ipnet::IpNet;
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use tracing::{debug, warn};

pub use self::{
    body::TooSlow,
    permits::{Permit, Permits},
};
use self::{
    body::{AnswerBody, TimedBody},
    stream::{Phase, TimedStream},
};

/// Maximum time for a rejected client to send a head and read the response.
const FAREWELL: Duration = Duration::from_secs(3);

/// Pause after the system could not accept a connection.
const BREATH: Duration = Duration::from_millis(100);

/// Open files other than connections and those that responses are read from.
const OTHER_FILES: usize = 256;

/// Limits on the number and time of connections.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Maximum number of connections.
    pub most: u32,
    /// Maximum number of connections from one address.
    pub per_address: u32,
    /// Maximum time from the first byte of a request's head to its last.
    pub head: Duration,
    /// Maximum time from one request to the next.
    pub idle: Duration,
    /// Maximum time for which a body may pause, and may take besides what its rate allows.
    pub body: Duration,
    /// Minimum rate of a body, in bytes per second.
    pub body_rate: u32,
    /// Maximum time for which a client may take nothing of an answer that waits for it.
    pub write: Duration,
}

/// Answers where no handler is asked.
#[derive(Debug, Clone, Copy)]
pub struct Answers {
    /// To a connection over the limits.
    pub crowded: fn() -> Response,
    /// The media type and the body of the answer to a head that cannot be parsed; hyper
    /// chooses its status.
    pub unread_head: fn(StatusCode) -> (&'static str, Vec<u8>),
    /// The name under which connections from an address are counted.
    pub address: fn(IpAddr) -> String,
}

/// Serves a router.
pub struct Server {
    router: Router,
    limits: Limits,
    answers: Answers,
    trusted_proxies: Vec<IpNet>,
    /// One permit per connection.
    all: Arc<Permits>,
    /// Permits per address.
    each: Arc<Permits>,
    /// Permits for connections being rejected.
    rejected: Arc<Permits>,
}

/// The permits that a connection holds until it ends.
struct Held {
    _one_of_all: Permit,
    _one_of_its_own: Option<Permit>,
}

impl Server {
    /// Creates a server for the router. Raises the process's limit of open files as far
    /// as possible to what the limits require. Connections from trusted proxies are counted
    /// in total only.
    pub fn new(
        router: Router,
        limits: Limits,
        answers: Answers,
        trusted_proxies: Vec<IpNet>,
    ) -> Self {
        let most = affordable(limits.most as usize);
        Self {
            router,
            trusted_proxies,
            all: Permits::new(most),
            each: Permits::new(limits.per_address as usize),
            rejected: Permits::new((most / 4).max(1)),
            limits,
            answers,
        }
    }

    /// Serves until `closing` is cancelled; then answers the requests in progress and accepts no more.
    pub async fn run(self, listener: TcpListener, closing: CancellationToken) {
        let open = GracefulShutdown::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = closing.cancelled() => break,
            };
            match accepted {
                Ok((socket, peer)) => self.welcome(socket, peer, &open),
                Err(error) => recover(&error).await,
            }
        }
        drop(listener);
        open.shutdown().await;
    }

    fn welcome(&self, socket: TcpStream, peer: SocketAddr, open: &GracefulShutdown) {
        // Responses are small and written whole: Nagle's algorithm would only delay them.
        let _ = socket.set_nodelay(true);
        let Some(held) = self.admit(peer) else {
            return self.turn_away(socket);
        };
        let connection = open.watch(self.serve(socket, peer));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                debug!(%error, "connection ended early");
            }
            drop(held);
        });
    }

    fn admit(&self, peer: SocketAddr) -> Option<Held> {
        let ip = peer.ip().to_canonical();
        let proxy = self.trusted_proxies.iter().any(|net| net.contains(&ip));
        let one_of_its_own = match proxy {
            true => None,
            false => Some(self.each.try_acquire(&(self.answers.address)(ip))?),
        };
        Some(Held {
            _one_of_all: self.all.try_acquire("")?,
            _one_of_its_own: one_of_its_own,
        })
    }

    fn serve(
        &self,
        socket: TcpStream,
        peer: SocketAddr,
    ) -> impl GracefulConnection<Error = hyper::Error> + Send + use<> {
        let (router, limits) = (self.router.clone(), self.limits.clone());
        let phase = Phase::default();
        let stream = TimedStream::new(socket, phase.clone(), &limits, self.answers.unread_head);
        let idle = limits.idle;
        let service = service_fn(move |request: Request<Incoming>| {
            let busy = phase.begin();
            let timed = |body| Body::new(TimedBody::new(body, busy.clone(), &limits));
            let mut request = request.map(timed);
            request.extensions_mut().insert(ConnectInfo(peer));
            let answer = router.clone().oneshot(request);
            async move { Ok::<_, Infallible>(answer.await?.map(|body| AnswerBody::new(body, busy))) }
        });
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(idle)
            .serve_connection(TokioIo::new(stream), service)
    }

    /// Answers 503 to a connection over the limits and closes it; closes it without an
    /// answer if there are too many even for that.
    fn turn_away(&self, socket: TcpStream) {
        let crowded = self.answers.crowded;
        let Some(permit) = self.rejected.try_acquire("") else {
            return;
        };
        let service = service_fn(move |_| async move { Ok::<_, Infallible>(crowded()) });
        let answer = http1::Builder::new()
            .keep_alive(false)
            .serve_connection(TokioIo::new(socket), service);
        tokio::spawn(async move {
            let _ = timeout(FAREWELL, answer).await;
            drop(permit);
        });
    }
}

/// Pauses after a failed accept, unless the connection had ended before: any other error
/// (mostly too many open files) would recur at once.
async fn recover(error: &io::Error) {
    use io::ErrorKind as K;
    if !matches!(
        error.kind(),
        K::ConnectionRefused | K::ConnectionAborted | K::ConnectionReset
    ) {
        warn!(%error, "cannot accept connections");
        sleep(BREATH).await;
    }
}

/// The wanted number of connections, or as many as the limit of open files allows: each
/// takes one, and its response may read another.
fn affordable(wanted: usize) -> usize {
    let files = files_for(2 * wanted + OTHER_FILES);
    let most = wanted.min(files.saturating_sub(OTHER_FILES) / 2).max(1);
    if most < wanted {
        warn!(
            wanted,
            most, "connections.most is more than this process may have files open (ulimit -n)"
        );
    }
    most
}

/// Raises the limit of open files towards `wanted`. Returns the resulting limit.
#[cfg(unix)]
fn files_for(wanted: usize) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let unlimited = |limit: Option<u64>| limit.unwrap_or(u64::MAX);
    let (now, most) = (unlimited(limit.current), unlimited(limit.maximum));
    let raised = most.min(wanted as u64);
    let files = if now >= raised {
        now
    } else {
        let limit = Rlimit {
            current: Some(raised),
            ..limit
        };
        setrlimit(Resource::Nofile, limit).map_or(now, |()| raised)
    };
    usize::try_from(files).unwrap_or(usize::MAX)
}

#[cfg(not(unix))]
fn files_for(wanted: usize) -> usize {
    wanted
}
