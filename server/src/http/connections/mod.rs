//! The connections of a server: how many there are, in all and from one
//! address, and how long each may take for what. Whoever opens many and says
//! nothing, speaks slowly, or does not listen, must not keep the others out.
//!
//! | wait | bound by |
//! |---|---|
//! | for a request's head, from its first byte | `head`, in `TimedStream` |
//! | for the next request | `idle`, by hyper |
//! | for a request's body | `body` and `body_rate`, in `TimedBody` |
//! | until the client takes more of an answer | `write`, in `TimedStream` |
//!
//! HTTP/1.1 is spoken, as every proxy does towards the servers behind it.

mod body;
mod stream;
mod unread;

use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::ConnectInfo, response::IntoResponse};
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

pub use self::body::TooSlow;
use self::{
    body::{AnswerBody, TimedBody},
    stream::{Phase, TimedStream},
};
use crate::{
    app::{Permit, Permits},
    config::ConnectionsConfig,
    http::{crowded, network},
    telemetry::metrics,
};

/// So long whoever is turned away may take to send a head and hear the answer.
const FAREWELL: Duration = Duration::from_secs(3);

/// When the system has no room for another connection, this long until the next try.
const BREATH: Duration = Duration::from_millis(100);

/// Files that are open besides connections, and those that answers are read from.
const OTHER_FILES: usize = 256;

/// Serves a router's answers.
pub struct Server {
    router: Router,
    settings: ConnectionsConfig,
    trusted_proxies: Vec<IpNet>,
    /// Taken by every connection.
    all: Arc<Permits>,
    /// Taken by address.
    each: Arc<Permits>,
    /// Taken by those who are being turned away.
    leaving: Arc<Permits>,
}

/// What a connection holds until it ends.
struct Held {
    _one_of_all: Permit,
    _one_of_its_own: Option<Permit>,
}

impl Server {
    /// A server of these answers. It raises the process's limit of open files,
    /// as far as it may, to what the settings ask for.
    pub fn new(router: Router, settings: ConnectionsConfig, trusted_proxies: Vec<IpNet>) -> Self {
        let most = affordable(settings.most as usize);
        Self {
            router,
            trusted_proxies,
            all: Permits::new(most),
            each: Permits::new(settings.per_address as usize),
            leaving: Permits::new((most / 4).max(1)),
            settings,
        }
    }

    /// Serves until `closing`; then requests under way are answered, and no more taken.
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
        // Answers are small and go out whole: waiting to fill a packet only delays them.
        let _ = socket.set_nodelay(true);
        let Some(held) = self.admit(peer) else {
            return self.turn_away(socket);
        };
        let connection = open.watch(self.serve(socket, peer));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                debug!(%error, "a connection ended early");
            }
            drop(held);
        });
    }

    fn admit(&self, peer: SocketAddr) -> Option<Held> {
        let ip = peer.ip().to_canonical();
        let proxy = self.trusted_proxies.iter().any(|net| net.contains(&ip));
        let one_of_its_own = match proxy {
            true => None,
            false => Some(self.each.try_acquire(&network(ip))?),
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
        let (router, settings) = (self.router.clone(), self.settings.clone());
        let phase = Phase::default();
        let stream = TimedStream::new(socket, phase.clone(), settings.head, settings.write);
        let idle = settings.idle;
        let service = service_fn(move |request: Request<Incoming>| {
            let busy = phase.begin();
            let timed = |body| Body::new(TimedBody::new(body, busy.clone(), &settings));
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

    /// Answers 503 to whoever finds no place, and closes; without an answer
    /// where there are too many even for that.
    fn turn_away(&self, socket: TcpStream) {
        metrics::connection_refused();
        let Some(place) = self.leaving.try_acquire("") else {
            return;
        };
        let service = service_fn(|_| async { Ok::<_, Infallible>(crowded().into_response()) });
        let answer = http1::Builder::new()
            .keep_alive(false)
            .serve_connection(TokioIo::new(socket), service);
        tokio::spawn(async move {
            let _ = timeout(FAREWELL, answer).await;
            drop(place);
        });
    }
}

/// A connection that ended before it was accepted is nothing; anything else
/// (mostly: too many open files) would only repeat itself at once.
async fn recover(error: &io::Error) {
    use io::ErrorKind as K;
    if !matches!(
        error.kind(),
        K::ConnectionRefused | K::ConnectionAborted | K::ConnectionReset
    ) {
        warn!(%error, "no connection can be accepted");
        sleep(BREATH).await;
    }
}

/// So many connections as are wanted, or as files may be open: each takes one,
/// and its answer may read another.
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

/// Raises the limit of open files to `wanted` as far as the system lets us; what it is then.
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
