//! The endpoints.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Result;
use atelier_limit::{
    Algorithm, Costs, Identity, LimitLayer, Policy, Receipt, Scope, Unit, responses::limited,
};
use atelier_queue::{Cache, Failure, Hooks, Join, NewJob, Outcome as _, Status};
use atelier_webhook::ssrf;
use axum::{
    Extension, Json, Router,
    extract::{ConnectInfo, Path, Query, Request, State},
    http::{
        HeaderMap, StatusCode,
        header::{AUTHORIZATION, LOCATION},
    },
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use tracing::error;
use uuid::Uuid;

use crate::{
    App,
    work::{Job, Question, Task},
};

/// How long `POST /chat` waits for the answer before it gives the job's address.
const PATIENCE: Duration = Duration::from_secs(60);

/// A question that comes while the same one is being answered, or just was, shares its call.
const JOINED: Duration = Duration::from_secs(10);

pub(crate) fn router(app: Arc<App>) -> Result<Router> {
    let (window, minute) = (Algorithm::SlidingWindow, Duration::from_mins(1));
    let quota = app.settings.per_minute;
    let policy = |name, scope| Policy::new(name, scope, Unit::Requests, window, quota, minute);
    let policies = [
        policy("requests-per-user", Scope::User)?,
        policy("requests-per-address", Scope::Ip)?,
    ];
    let identity = |request: &Request| {
        let identity = request.extensions().get();
        identity.cloned().unwrap_or_default()
    };
    let (limiter, clock) = (Arc::clone(&app.stores.limiter), app.stores.clock.clone());
    let limits = LimitLayer::new(limiter, policies, clock, identity);
    Ok(Router::new()
        .route("/chat", post(chat).layer(limits))
        .route("/jobs/{id}", get(job))
        .layer(from_fn_with_state(Arc::clone(&app), identify))
        .with_state(app))
}

/// Finds out who asks. A key that is not known is refused, so that nobody escapes the
/// limits of their address by inventing users.
async fn identify(
    State(app): State<Arc<App>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    let key = bearer(request.headers());
    let user = key.map(|key| app.settings.keys.get(key).cloned());
    if user == Some(None) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    request.extensions_mut().insert(Identity {
        ip: Some(peer.ip()),
        user: user.flatten(),
    });
    next.run(request).await
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ")
}

/// Whose jobs and answers these are.
fn owner(who: &Identity) -> String {
    match (&who.user, who.ip) {
        (Some(user), _) => format!("user:{user}"),
        (None, ip) => format!(
            "address:{}",
            ip.map(|ip| ip.to_string()).unwrap_or_default()
        ),
    }
}

#[derive(Deserialize)]
struct Asked {
    question: String,
}

#[derive(Deserialize)]
struct Terms {
    callback: Option<String>,
}

async fn chat(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Identity>,
    Query(Terms { callback }): Query<Terms>,
    Json(Asked { question }): Json<Asked>,
) -> Result<Response, Refusal> {
    if let Some(url) = &callback {
        let checked = ssrf::check(url, app.settings.allow_private_callbacks);
        checked.map_err(|refused| {
            Refusal((StatusCode::BAD_REQUEST, refused.to_string()).into_response())
        })?;
    }
    let owner = owner(&who);
    let question = Question {
        model: app.settings.model.clone(),
        text: question,
    };
    let (answer, source) = app.stores.find(&owner, &question).await.unzip();
    let charge = match answer {
        Some(_) => Vec::new(),
        None => {
            let estimate = app.upstream.estimate(&question);
            app.reserve(&who, estimate).await?
        }
    };
    let id = Uuid::now_v7().simple().to_string();
    let new = NewJob {
        charge: serde_json::json!(charge),
        hooks: Hooks {
            callback_url: callback.clone(),
            failure_callback_url: None,
        },
        join: Some(Join {
            digest: question.digest(&owner),
            window: JOINED,
        }),
        answer,
        ..NewJob::new(id, owner, Task::Ask(question))
    };
    // From here on the question is not lost. If it cannot be kept, what was reserved stays
    // so for the day: whether the store has it nevertheless is not known.
    let queue = &*app.stores.queue;
    let job = queue.enqueue(new, app.stores.clock.now()).await?;
    if callback.is_some() {
        return Ok(accepted(&job));
    }
    match timeout(PATIENCE, atelier_queue::wait(queue, &job.id)).await {
        Ok(ended) => Ok(show(&ended?.ok_or(Refusal::not_found())?, source)),
        Err(_) => Ok(accepted(&job)),
    }
}

async fn job(
    State(app): State<Arc<App>>,
    Extension(who): Extension<Identity>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    let job = app.stores.queue.get(&id).await?;
    let job = job.filter(|job| job.owner == owner(&who));
    Ok(show(&job.ok_or(Refusal::not_found())?, None))
}

/// A job as clients and callbacks see it.
#[derive(Serialize)]
pub(crate) struct View<'a> {
    id: &'a str,
    status: Status,
    cache: Cache,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<&'a String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a Failure>,
}

impl<'a> View<'a> {
    pub(crate) fn of(job: &'a Job) -> Self {
        let outcome = job.outcome.as_ref();
        Self {
            id: &job.id,
            status: job.status,
            cache: job.cache,
            answer: outcome.and_then(|outcome| outcome.answer()),
            error: outcome.and_then(|outcome| outcome.failure()),
        }
    }
}

/// `source` tells a semantic hit from an exact one, which the queue cannot.
fn show(job: &Job, source: Option<Cache>) -> Response {
    let cache = source.unwrap_or(job.cache);
    let view = View {
        cache,
        ..View::of(job)
    };
    let status = match job.status {
        Status::Failed => StatusCode::BAD_GATEWAY,
        _ => StatusCode::OK,
    };
    (status, Json(view)).into_response()
}

fn accepted(job: &Job) -> Response {
    let address = [(LOCATION, format!("/jobs/{}", job.id))];
    (StatusCode::ACCEPTED, address, Json(View::of(job))).into_response()
}

impl App {
    /// Takes an estimate from the budgets. Nobody spends more than they have, however many
    /// calls they begin at once.
    async fn reserve(&self, who: &Identity, usd: f64) -> Result<Vec<Receipt>, Refusal> {
        let costs = Costs {
            usd,
            ..Costs::default()
        };
        let (demands, now) = (who.demands(&self.budgets, costs), self.stores.clock.now());
        let decision = self.stores.limiter.charge(demands, now).await?;
        let over = || Refusal(limited(&decision.standings));
        decision.receipts.ok_or_else(over)
    }
}

/// The answer to a request that is not served.
struct Refusal(Response);

impl Refusal {
    fn not_found() -> Self {
        Self(StatusCode::NOT_FOUND.into_response())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.0
    }
}

/// A store cannot be asked.
impl<E: Into<anyhow::Error>> From<E> for Refusal {
    fn from(error: E) -> Self {
        error!(error = %error.into(), "a request could not be served");
        Self(StatusCode::SERVICE_UNAVAILABLE.into_response())
    }
}
