//! The application, an upstream and a receiver of callbacks, over real sockets.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use atelier_webhook::{Secret, Signer};
use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use chat_limits::{Application, Settings, Stores, start};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, mpsc},
    task::JoinSet,
    time::timeout,
};

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// An upstream that answers with the number of the call.
pub(crate) struct Fake {
    address: SocketAddr,
    pub(crate) calls: AtomicUsize,
    /// An answer takes one.
    pub(crate) permits: Semaphore,
    /// What each call is said to have taken.
    pub(crate) tokens: AtomicU64,
}

impl Fake {
    pub(crate) async fn start(permits: usize) -> Arc<Self> {
        let (listener, address) = listen().await;
        let fake = Arc::new(Self {
            address,
            calls: AtomicUsize::new(0),
            permits: Semaphore::new(permits),
            tokens: AtomicU64::new(10),
        });
        let router = Router::new()
            .route("/v1/chat/completions", post(Self::complete))
            .with_state(Arc::clone(&fake));
        tokio::spawn(async { axum::serve(listener, router).await });
        fake
    }

    async fn complete(State(fake): State<Arc<Self>>, body: Json<Value>) -> Json<Value> {
        assert_eq!(body["messages"][0]["role"], "user");
        let call = fake.calls.fetch_add(1, Ordering::SeqCst) + 1;
        fake.permits.acquire().await.unwrap().forget();
        let tokens = fake.tokens.load(Ordering::SeqCst);
        Json(json!({
            "choices": [{"message": {"role": "assistant", "content": format!("answer {call}")}}],
            "usage": {"prompt_tokens": tokens, "completion_tokens": tokens},
        }))
    }

    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

/// One process of the application, over a store of its own or of others'.
pub(crate) struct Process {
    address: SocketAddr,
    http: Client,
    _application: Application,
    _server: JoinSet<()>,
}

fn secret() -> Secret {
    Secret::from_bytes(*b"a key of twenty-four bytes")
}

pub(crate) fn settings(fake: &Fake) -> Settings {
    let keys = [("key-of-ada", "ada"), ("key-of-ben", "ben")];
    Settings {
        upstream: Some(format!("http://{}/v1", fake.address).parse().unwrap()),
        keys: HashMap::from(keys.map(|(key, user)| (key.into(), user.into()))),
        secret: secret(),
        allow_private_callbacks: true,
        per_minute: 1_000.0,
        ..Settings::default()
    }
}

impl Process {
    pub(crate) async fn start(settings: Settings, stores: Stores) -> Self {
        let application = start(settings, stores).unwrap();
        let (listener, address) = listen().await;
        let router = application.router.clone();
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let mut server = JoinSet::new();
        server.spawn(async { axum::serve(listener, service).await.unwrap() });
        Self {
            address,
            http: Client::builder().no_proxy().build().unwrap(),
            _application: application,
            _server: server,
        }
    }

    pub(crate) async fn ask(&self, user: Option<&str>, terms: &str, question: &str) -> Response {
        let url = format!("http://{}/chat{terms}", self.address);
        let mut request = self.http.post(url).json(&json!({"question": question}));
        if let Some(key) = user {
            request = request.bearer_auth(key);
        }
        let answer = timeout(PATIENCE, request.send()).await;
        answer.unwrap().unwrap()
    }

    pub(crate) async fn answer(&self, question: &str) -> Value {
        let response = self.ask(None, "", question).await;
        assert_eq!(response.status(), StatusCode::OK);
        response.json().await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        let url = format!("http://{}{path}", self.address);
        self.http.get(url).send().await.unwrap()
    }
}

/// Receives callbacks, refuses the first of them, and hands on what it believes.
pub(crate) async fn receiver() -> (String, mpsc::UnboundedReceiver<Value>) {
    let (believed, received) = mpsc::unbounded_channel();
    let refused = Arc::new(AtomicUsize::new(0));
    let receive = async move |headers: HeaderMap, body: Bytes| {
        let signer = Signer::new(secret());
        if signer.verify(&headers, &body, SystemTime::now()).is_err() {
            return StatusCode::UNAUTHORIZED;
        }
        if refused.fetch_add(1, Ordering::SeqCst) == 0 {
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        let body: Value = serde_json::from_slice(&body).unwrap();
        believed.send(body).unwrap();
        StatusCode::NO_CONTENT
    };
    let (listener, address) = listen().await;
    let router = Router::new().route("/hook", post(receive));
    tokio::spawn(async { axum::serve(listener, router).await });
    (format!("http://{address}/hook"), received)
}
