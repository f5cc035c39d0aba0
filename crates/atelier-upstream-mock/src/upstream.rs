//! The server: what it was told to do, what it has seen.

use std::{
    collections::{HashMap, VecDeque},
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::{HeaderValue, Method},
    response::Response,
    routing::{delete, get, post},
};
use serde_json::Value;
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};

use crate::{
    behaviour::Behaviour,
    call::Call,
    control,
    delivery::{self, Disturbance},
    kind::Kind,
    manner, route,
    tokens::{self, Tokens},
    wire::{Breaker, Fragile},
};

/// The longest body that is read, beyond that of any test.
const LONGEST_BODY: usize = 128 << 20;

/// The stand-in. It stops when this is dropped.
pub struct Upstream {
    address: SocketAddr,
    shared: Arc<Shared>,
    server: JoinHandle<io::Result<()>>,
}

/// What all calls share.
#[derive(Default)]
pub(crate) struct Shared {
    pub(crate) kind: Kind,
    pub(crate) tokens: Tokens,
    /// How far its clock is ahead, in seconds.
    pub(crate) clock: AtomicI64,
    /// What becomes of the next calls.
    pub(crate) script: Mutex<VecDeque<Behaviour>>,
    pub(crate) calls: Mutex<Vec<Call>>,
    called: Notify,
    /// Lets calls that hang go on.
    pub(crate) release: Arc<Notify>,
    /// Calls whose client went away before the end of the answer.
    abandoned: AtomicUsize,
    gone: Notify,
    /// Stored responses, and what was put into them.
    pub(crate) responses: Mutex<HashMap<String, Stored>>,
    answers: AtomicU64,
}

/// A response that can be read again.
#[derive(Clone)]
pub(crate) struct Stored {
    pub(crate) response: Value,
    pub(crate) input: Vec<Value>,
}

impl Upstream {
    /// Starts on a free port of the loopback interface.
    pub async fn start() -> io::Result<Upstream> {
        Upstream::start_as(Kind::OpenAi).await
    }

    /// Starts as a stand-in for another.
    pub async fn start_as(kind: Kind) -> io::Result<Upstream> {
        Upstream::listen(SocketAddr::from(([127, 0, 0, 1], 0)), kind).await
    }

    /// Starts as a stand-in for this one, at this address.
    pub async fn listen(address: SocketAddr, kind: Kind) -> io::Result<Upstream> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            kind,
            ..Shared::default()
        });
        let router = Router::new()
            .route("/_mock", delete(control::forget))
            .route("/_mock/next", post(control::next))
            .route("/_mock/calls", get(control::calls))
            .route("/_mock/account", get(control::account))
            .route("/_mock/release", post(control::release))
            .fallback(serve)
            .with_state(Arc::clone(&shared));
        let service = router.into_make_service_with_connect_info::<Breaker>();
        let server = tokio::spawn(axum::serve(Fragile(listener), service).into_future());
        Ok(Upstream {
            address,
            shared,
            server,
        })
    }

    /// The base URL of OpenAI's API; that of Anthropic's is the same without `/v1`.
    pub fn url(&self) -> String {
        format!("{}{}", self.address(), self.shared.kind.base())
    }

    /// The address without a path.
    pub fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The file of a Google service account that gets tokens here.
    pub fn service_account(&self) -> String {
        tokens::service_account(&self.address())
    }

    /// How many tokens were given for keys.
    pub fn tokens(&self) -> u64 {
        self.shared.tokens.given()
    }

    /// The last token that was given.
    pub fn token(&self) -> Option<String> {
        self.shared.tokens.current()
    }

    /// The last token is not valid any more.
    pub fn revoke(&self) {
        self.shared.tokens.revoke();
    }

    /// Its clock is so many seconds ahead.
    pub fn clock_is_ahead(&self, seconds: i64) {
        self.shared.clock.store(seconds, Ordering::Release);
    }

    /// Tokens live so many seconds from now on.
    pub fn tokens_live(&self, seconds: u64) {
        self.shared.tokens.live(seconds);
    }

    /// What becomes of the next calls, in this order; those after them are answered. Questions
    /// for the list of models are always answered.
    pub fn then(&self, script: impl IntoIterator<Item = Behaviour>) {
        lock(&self.shared.script).extend(script);
    }

    /// The requests so far, refused ones among them.
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.shared.calls).clone()
    }

    /// How many calls went to this path, such as `/v1/chat/completions`.
    pub fn calls_to(&self, path: &str) -> usize {
        let calls = lock(&self.shared.calls);
        calls.iter().filter(|call| call.path() == path).count()
    }

    /// Returns when so many calls to this path have arrived.
    pub async fn called(&self, path: &str, times: usize) {
        until(&self.shared.called, || self.calls_to(path) >= times).await;
    }

    /// Returns when so many clients have gone away before the end of their answer.
    pub async fn abandoned(&self, times: usize) {
        until(&self.shared.gone, || {
            self.shared.abandoned.load(Ordering::Acquire) >= times
        })
        .await;
    }

    /// Lets the calls that hang go on.
    pub fn release(&self) {
        self.shared.release.notify_waiters();
    }

    /// Serves until the process ends.
    pub async fn forever(mut self) -> io::Result<()> {
        (&mut self.server).await.map_err(io::Error::other)?
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shared {
    /// A number that no answer had before.
    pub(crate) fn number(&self) -> u64 {
        self.answers.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// What the clock says, if it is wrong.
    pub(crate) fn date(&self) -> Option<HeaderValue> {
        let ahead = self.clock.load(Ordering::Acquire);
        let by = Duration::from_secs(ahead.unsigned_abs());
        let now = SystemTime::now();
        let date = if ahead > 0 { now + by } else { now - by };
        let date = (ahead != 0).then(|| httpdate::fmt_http_date(date))?;
        HeaderValue::try_from(date).ok()
    }

    /// Notes that a client went away.
    pub(crate) fn abandon(&self) {
        self.abandoned.fetch_add(1, Ordering::Release);
        self.gone.notify_waiters();
    }
}

/// Waits for a condition that can change whenever `changed` is notified.
async fn until(changed: &Notify, so: impl Fn() -> bool) {
    loop {
        let next = changed.notified();
        if so() {
            return;
        }
        next.await;
    }
}

/// A test that failed elsewhere must not hide behind a lock that it left.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(breaker): ConnectInfo<Breaker>,
    request: Request<Body>,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LONGEST_BODY).await else {
        shared.abandon();
        breaker.close();
        return Response::default();
    };
    let call = Call {
        method: parts.method,
        uri: parts.uri,
        headers: parts.headers,
        body,
    };
    // Before the call is known of, so that no release is missed.
    let released = Arc::clone(&shared.release).notified_owned();
    let behaviour = recorded(&shared, &call);
    let answer = match shared.kind {
        Kind::OpenAi => route::answer(&shared, &call).await,
        kind => manner::answer(&shared, kind, &call).await,
    };
    let disturbance = Disturbance {
        behaviour,
        breaker,
        released,
    };
    delivery::send(&shared, &call, answer, disturbance).await
}

/// Records the call; returns what becomes of it.
fn recorded(shared: &Shared, call: &Call) -> Behaviour {
    lock(&shared.calls).push(call.clone());
    let is_list = ["/models", "/foundation_model_specs"];
    let is_list = is_list.iter().any(|end| call.path().ends_with(end));
    let is_token = call.path().ends_with("/token");
    let behaviour = if is_token || (call.method == Method::GET && is_list) {
        Behaviour::Answer
    } else {
        lock(&shared.script).pop_front().unwrap_or_default()
    };
    shared.called.notify_waiters();
    behaviour
}
