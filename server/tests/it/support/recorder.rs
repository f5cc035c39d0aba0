//! Stands between worker and callback: passes deliveries on unchanged and
//! keeps a copy of each.

use std::sync::{Arc, Mutex, OnceLock};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use reqwest::{Client, Response};
use tokio::{
    net::TcpListener,
    sync::{Mutex as AsyncMutex, mpsc},
};

use super::{Atelier, PATIENCE};

/// Set `ATELIER_CALLBACK_URL` to its `url`, then name the server by `forward`.
pub(crate) struct Recorder {
    pub(crate) url: String,
    shared: Arc<Shared>,
    passed_on: AsyncMutex<mpsc::UnboundedReceiver<Delivery>>,
}

struct Shared {
    client: Client,
    target: OnceLock<String>,
    deliveries: Mutex<mpsc::UnboundedSender<Delivery>>,
}

/// A delivery as it was sent.
#[derive(Clone)]
pub(crate) struct Delivery {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Recorder {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, passed_on) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            client: super::server::client(),
            target: OnceLock::new(),
            deliveries: Mutex::new(sender),
        });
        let router = Router::new()
            .fallback(pass_on)
            .with_state(Arc::clone(&shared));
        tokio::spawn(axum::serve(listener, router).into_future());
        Self {
            url,
            shared,
            passed_on: AsyncMutex::new(passed_on),
        }
    }

    pub(crate) fn forward(&self, server: &Atelier) {
        self.shared.target.set(server.url.clone()).unwrap();
    }

    /// The next delivery that the server has taken.
    pub(crate) async fn next(&self) -> Delivery {
        let mut passed_on = self.passed_on.lock().await;
        let next = tokio::time::timeout(PATIENCE, passed_on.recv()).await;
        next.expect("an outcome is delivered").unwrap()
    }
}

impl Delivery {
    pub(crate) async fn send(&self, client: &Client, server: &str) -> Response {
        let request = client
            .post(format!("{server}/api/callback"))
            .headers(self.headers.clone());
        request.body(self.body.clone()).send().await.unwrap()
    }

    /// The same with this header set anew.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(name, value.parse().unwrap());
        self
    }
}

async fn pass_on(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let kept = [
        "content-type",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
    ];
    let headers = kept
        .iter()
        .map(|name| (name.parse().unwrap(), headers[*name].clone()))
        .collect();
    let delivery = Delivery { headers, body };
    let Some(target) = shared.target.get() else {
        return StatusCode::SERVICE_UNAVAILABLE;
    };
    let status = delivery.send(&shared.client, target).await.status();
    shared.deliveries.lock().unwrap().send(delivery).unwrap();
    status
}
