//! The HTTP interface: routes, who is asking, and the only place that turns results
//! into status codes.

mod admin;
mod api;
mod conditional;
pub mod connections;
mod error;
mod extract;
mod health;
mod job_keys;
mod middleware;
mod outlive;
mod pools;
mod problem;
mod site;
mod storage;
mod v1;
mod v2;

use std::{path::PathBuf, sync::Arc};

use atelier_connections::Permits;
use atelier_webhook::Signer;
use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRef},
    middleware::{from_fn, from_fn_with_state, map_response},
    routing::{get, post},
};
use axum_extra::extract::cookie::Key;
use ipnet::IpNet;
use metrics_exporter_prometheus::PrometheusHandle;
use tower_http::catch_panic::CatchPanicLayer;

pub use self::{api::blocks::ReceiptKeys, job_keys::JobKeys, pools::Pools};
use self::{
    api::{blocks, callback, gallery, images, jobs, limits, links, restorations},
    error::Error,
    middleware::{caller, drain_body::drain_body, headers, scopes},
    site::{assets, download, pages, pictures},
};
use crate::{
    access::Gate,
    app::{Studio, extras::Extras},
    callback::PATH as CALLBACK,
    config::{CallbacksConfig, PhotosConfig, ProxyHeader, Secret},
    gateway::Gateway,
    messages::Messages,
    providers::replicate::{self, Webhooks},
};

type Result<T, E = Error> = std::result::Result<T, E>;

/// What the handlers share.
pub struct Site {
    pub studio: Arc<Studio>,
    pub gateway: Arc<Gateway>,
    pub messages: Arc<Messages>,
    pub gate: Arc<Gate>,
    pub metrics: PrometheusHandle,
    pub signer: Signer,
    pub webhooks: Arc<Webhooks>,
    /// Signs session cookies.
    pub cookies: Key,
    /// Keys of links, which show others what otherwise only the owner sees.
    pub links: JobKeys,
    /// Keys of jobs that were ordered with neither session nor API key.
    pub owner_keys: JobKeys,
    /// Signs receipts for what checks of limits charged.
    pub receipts: ReceiptKeys,
    pub trusted_proxies: Vec<IpNet>,
    pub proxy_header: Option<ProxyHeader>,
    pub photos: PhotosConfig,
    /// The operator's styles and presets.
    pub extras: Extras,
    /// The folder in which uploads wait to be decoded.
    pub uploads: PathBuf,
    /// Limits concurrent work on pictures.
    pub pools: Pools,
    /// Limits waiting polls per caller.
    pub polls: Arc<Permits>,
    /// Whether the site is served over TLS, by its public URL.
    pub https: bool,
    /// The origin of the site's public URL, as browsers write it.
    pub origin: Option<String>,
    /// Who may request callbacks, and to which hosts.
    pub callbacks: CallbacksConfig,
    /// The token for the operator's routes; without it they do not exist.
    pub admin_token: Option<Secret>,
}

#[derive(Clone)]
struct State(Arc<Site>);

impl std::ops::Deref for State {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.0
    }
}

impl FromRef<State> for Key {
    fn from_ref(state: &State) -> Self {
        state.cookies.clone()
    }
}

/// All routes.
pub fn router(site: Site) -> Router {
    // Lets Leptos run its tasks on this runtime; fails only if it does already.
    let _ = any_spawner::Executor::init_tokio();
    let state = State(Arc::new(site));
    let studio = Router::new()
        .route("/api/images", post(images::submit))
        .route(
            "/api/restorations",
            post(restorations::submit).layer(DefaultBodyLimit::disable()),
        )
        .route_layer(from_fn_with_state(state.clone(), limits::always_tell))
        .route("/api/jobs", get(jobs::list))
        .route("/api/jobs/zip", post(gallery::zip))
        .route("/api/jobs/delete", post(gallery::delete))
        .route("/api/jobs/mark", post(gallery::mark))
        .route("/api/jobs/{id}/link", post(links::make))
        .route("/api/jobs/{id}/share", post(links::share))
        .route("/api/jobs/{id}/unshare", post(links::unshare))
        .route("/api/jobs/{id}/delete", post(jobs::delete))
        .route("/api/limits", get(limits::list))
        .route_layer(from_fn_with_state(state.clone(), scopes::studio));
    let api = Router::new()
        .merge(studio)
        // Any key polls the jobs that are its own, whatever door they came in by.
        .route("/api/jobs/{id}", get(jobs::status).delete(jobs::cancel))
        .merge(blocks::routes())
        .merge(admin::routes(&state))
        .layer(from_fn_with_state(state.clone(), headers::same_origin))
        .layer(DefaultBodyLimit::max(images::MAX_BODY));
    let guarded = Router::new()
        .merge(api)
        .route("/images/{key}", get(pictures::serve))
        .route("/jobs/{id}/download", get(download::serve))
        .fallback(pages::serve)
        .layer(from_fn_with_state(state.clone(), caller::turn_away));
    let open = Router::new()
        .route(CALLBACK, post(callback::receive))
        .route(replicate::PATH, post(callback::replicate))
        .layer(DefaultBodyLimit::max(images::MAX_BODY))
        .route("/assets/{name}", get(assets::hashed))
        .route("/thumbnails/{name}", get(assets::thumbnail))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics));
    guarded
        .merge(open)
        .layer(map_response(error::method_not_allowed))
        .layer(from_fn_with_state(
            state.clone(),
            pages::problems_for_people,
        ))
        .layer(from_fn(headers::plain_bodies))
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(headers::pages_compressed())
        .merge(v1::routes(&state))
        .merge(v2::routes(&state))
        .layer(from_fn_with_state(state.clone(), headers::secure))
        .layer(from_fn_with_state(state.clone(), drain_body))
        .with_state(state)
}
