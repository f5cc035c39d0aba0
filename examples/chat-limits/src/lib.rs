//! A chat endpoint that can be let out on the internet. One question's walk:
//!
//! 1. `chat` counts it per minute with a `LimitLayer` of `atelier-limit`, by address or
//!    by user, before its handler runs.
//! 2. `answers` looks for what was asked before with `atelier-cache`: the same words, or
//!    other words of the same meaning.
//! 3. Otherwise `chat` reserves what the call may cost in `atelier-limit`, and
//!    `atelier-queue` keeps the question: from then on it is answered, whatever is killed.
//! 4. `work` claims it, asks the `upstream`, and records what it said: an answer that
//!    is recorded is not paid for again.
//! 5. When it has ended, `work` settles the price and queues the callback, which
//!    `atelier-webhook` signs and keeps out of private networks.
//!
//! [`Stores`] keeps all of it, in one SQLite file or in a Redis that several processes share.

mod answers;
mod chat;
mod stores;
mod upstream;
mod work;

use std::{collections::HashMap, sync::Arc, time::Duration};

use anyhow::Result;
use atelier_limit::{Algorithm, InvalidPolicy, Policy, Scope, Unit};
use atelier_queue::{Lane, Worker, Workers};
use atelier_webhook::{CallbackClient, Secret, Signer};
use axum::Router;
use tokio::task::JoinSet;
use url::Url;
use uuid::Uuid;

pub use self::stores::Stores;
use self::upstream::Upstream;

/// Callbacks in progress at once.
const CALLBACKS: usize = 8;

/// What can be chosen.
pub struct Settings {
    /// An API like OpenAI's, such as `https://api.openai.com/v1`; unset: answers are echoes.
    pub upstream: Option<Url>,
    /// The upstream's key.
    pub upstream_key: String,
    /// The upstream's model.
    pub model: String,
    /// The users' names by their keys.
    pub keys: HashMap<String, String>,
    /// Signs callbacks.
    pub secret: Secret,
    /// Whether callbacks may go to private networks: for trying it out.
    pub allow_private_callbacks: bool,
    /// Questions that a user or an address may ask per minute.
    pub per_minute: f64,
    /// US dollars that a user or an address may spend per day.
    pub usd_per_day: f64,
    /// Calls at once; 0: this process only takes questions, and others answer them.
    pub workers: usize,
}

impl Default for Settings {
    fn default() -> Self {
        let random = [Uuid::new_v4(), Uuid::new_v4()].map(Uuid::into_bytes);
        Self {
            upstream: None,
            upstream_key: String::new(),
            model: "gpt-4.1-mini".into(),
            keys: HashMap::new(),
            secret: Secret::from_bytes(random.concat()),
            allow_private_callbacks: false,
            per_minute: 10.0,
            usd_per_day: 0.10,
            workers: 4,
        }
    }
}

/// What handlers and workers share.
struct App {
    stores: Stores,
    /// Dollars per day.
    budgets: Vec<Arc<Policy>>,
    upstream: Upstream,
    callbacks: CallbackClient,
    settings: Settings,
}

/// The application at work. Dropping it ends it at once, as a crash would.
pub struct Application {
    /// To be served with connect info.
    pub router: Router,
    /// To be stopped at the end.
    pub workers: Workers,
    _maintenance: JoinSet<()>,
}

/// Starts the workers.
///
/// # Errors
/// If a setting is not allowed.
pub fn start(settings: Settings, stores: Stores) -> Result<Application> {
    // Fails only if a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let app = Arc::new(App {
        budgets: budgets(settings.usd_per_day)?,
        upstream: Upstream::new(&settings)?,
        callbacks: CallbackClient::builder()
            .allow_private(settings.allow_private_callbacks)
            .build(Signer::new(settings.secret.clone()))?,
        stores,
        settings,
    });
    let (queue, clock) = (Arc::clone(&app.stores.queue), app.stores.clock.clone());
    let worker = Worker::new(queue, clock, Arc::clone(&app));
    let mut maintenance = JoinSet::new();
    maintenance.spawn(stores::maintain(Arc::clone(&app)));
    Ok(Application {
        workers: worker.start([
            (Lane::open(work::CHAT), app.settings.workers),
            (Lane::open(work::CALLBACKS), CALLBACKS),
        ]),
        router: chat::router(app)?,
        _maintenance: maintenance,
    })
}

fn budgets(usd: f64) -> Result<Vec<Arc<Policy>>, InvalidPolicy> {
    let (window, day) = (Algorithm::FixedWindow, Duration::from_hours(24));
    let policy = |name, scope| Policy::new(name, scope, Unit::Usd, window, usd, day).map(Arc::new);
    Ok(vec![
        policy("dollars-per-user", Scope::User)?,
        policy("dollars-per-address", Scope::Ip)?,
    ])
}
