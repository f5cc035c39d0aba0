//! `atelier serve`: the site and its workers in one process, from opening the data
//! folder to handing back the last job.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result};
use atelier_api::Kind;
use atelier_connections::Permits;
use axum_extra::extract::cookie::Key;
use metrics_exporter_prometheus::PrometheusHandle;
use sha2::{Digest as _, Sha256, Sha512};
use tokio::{
    net::TcpListener,
    time::{interval, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use url::Url;

use crate::{
    access::Gate,
    app::Studio,
    app::context::{AppContext, start_cryptography},
    app::data_dir,
    app::extras::Extras,
    callback,
    cli::dev_queue,
    cli::worker::{LAST_MOMENT, StopSignals, shut_down},
    config::Config,
    gateway::Gateway,
    http::{self, JobKeys, Pools, ReceiptKeys, Site},
    limit::Stats,
    messages::Messages,
    telemetry::metrics,
    worker::{self, Calls, SigningKeys},
};

/// Interval between deletions of what has expired.
const SWEEP: Duration = Duration::from_secs(600);

/// The same for messages.
const SWEEP_MESSAGES: Duration = Duration::from_secs(5);

/// Interval between attempts to resolve uncertain orders.
const RESOLVE: Duration = Duration::from_millis(500);

/// Interval between searches of the outbox for what dead processes left in it, and the time
/// that living ones have to process their own entries.
const OUTBOX: Duration = Duration::from_secs(5);

/// Interval between writes of statistics to the store.
const RECORD: Duration = Duration::from_secs(5);

/// Interval between writes of the gateway's calls to the store.
const RECORD_CALLS: Duration = Duration::from_secs(1);

/// Runs until it is asked to stop, then drains.
pub async fn serve(mut config: Config, is_development: bool) -> Result<()> {
    let mut signals = StopSignals::listen()?;
    if is_development {
        dev_queue::prepare(&mut config)?;
    }
    start_cryptography();
    let context = AppContext::open(&config).await?;
    let secret = data_dir::secret(&config)?;
    let listener = bind(config.listen).await?;
    let address = listener
        .local_addr()
        .context("the listening socket has no address")?;
    let drain = CancellationToken::new();
    let stats = Stats::new((!config.figures.show_addresses).then(|| salt(&secret)));
    let studio = Arc::new(context.studio(&config, stats, drain.clone())?);
    let callback = own_callback(&config, address)?;
    let closing = CancellationToken::new();
    let gate = gate(&config, &context, is_development)?;
    let keys = signing_keys(&context, &secret, is_development);
    // The site starts even while its store is unreachable.
    let _ = gate.renew().await;
    tokio::spawn(renew(Arc::clone(&gate)));
    let gateway = Gateway::open(&config, Arc::clone(&studio), Arc::clone(&gate))?;
    let gateway = Arc::new(gateway);
    let messages = Messages::open(
        &config,
        Arc::clone(&studio),
        Arc::clone(&gate),
        Arc::clone(&keys),
        address,
    );
    let messages = Arc::new(messages);
    tokio::spawn(follow(Arc::clone(&gateway)));
    let site = site(
        &config,
        &context,
        (&studio, &gateway, &messages),
        gate,
        &secret,
    )?;
    let metrics = site.metrics.clone();
    let site = http::router(site);
    let mut worker = context.worker(&config, &secret, callback, drain)?;
    worker.gateway = Some(worker::Gateway {
        calls: Arc::clone(&gateway) as Arc<dyn Calls>,
        parallel: config.gateway.jobs as usize,
    });
    worker.messages.site = Some(site.clone());
    worker.messages.keys = keys;
    let worker = Arc::new(worker);
    let trusted_proxies = config.trusted_proxies.clone();
    let server = http::connections::server(site, &config.connections, trusted_proxies);
    tokio::spawn(sweep(Arc::clone(&studio)));
    tokio::spawn(sweep_messages(Arc::clone(&studio)));
    tokio::spawn(Arc::clone(&messages).keep_firing());
    tokio::spawn(process_outbox(Arc::clone(&studio)));
    tokio::spawn(discard(Arc::clone(&studio)));
    if let Some(semantic) = studio.stores.semantic.clone() {
        tokio::spawn(async move { semantic.keep_renewing().await });
    }
    tokio::spawn(record(Arc::clone(&studio)));
    tokio::spawn(record_calls(Arc::clone(&studio), metrics));
    tokio::spawn(resolve(Arc::clone(&studio)));
    let workers = worker.start(config.workers);
    let server = tokio::spawn(server.run(listener, closing.clone()));
    announce(&config, &studio, address);
    signals.next().await;
    // Connections stay open meanwhile, for deliveries and polls.
    let running = [&workers, &gateway.calls];
    shut_down(&config, &worker, &running, &mut signals).await;
    studio.record_stats().await;
    studio.record_savings().await;
    closing.cancel();
    // A client that neither reads nor disconnects must not keep the process alive.
    let _ = timeout(LAST_MOMENT, server).await;
    studio.record_calls().await;
    worker.record_events().await;
    context.close().await;
    info!("server stopped");
    Ok(())
}

fn gate(config: &Config, context: &AppContext, is_development: bool) -> Result<Arc<Gate>> {
    let access = Arc::clone(&context.stores.access);
    let gate = Gate::new(access, config.deny.subjects()?);
    if is_development {
        return Ok(Arc::new(
            gate.admitting(dev_queue::TOKEN, dev_queue::holder()),
        ));
    }
    Ok(Arc::new(gate))
}

fn signing_keys(context: &AppContext, secret: &str, is_development: bool) -> Arc<SigningKeys> {
    let keys = SigningKeys::new(Arc::clone(&context.stores.messages), secret);
    if is_development {
        return Arc::new(keys.public(dev_queue::KEYS));
    }
    Arc::new(keys)
}

fn announce(config: &Config, studio: &Studio, address: SocketAddr) {
    let models = studio.models.names();
    info!(
        %address,
        models = models.join(", "),
        workers = config.workers,
        redis = config.redis_url.as_ref().map(tracing::field::display),
        "server started"
    );
    if studio.models.of(Kind::Image).name() == "local" {
        info!(
            "the built-in sketch engine draws the pictures, not an AI model; set OPENAI_API_KEY to connect one"
        );
    }
    let url = config
        .public_url
        .clone()
        .map_or_else(|| format!("http://{address}/"), |url| url.to_string());
    info!("serving at {url}");
}

async fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!(
            "cannot listen on {address} (setting listen, ATELIER_LISTEN). \
             Stop what listens there, or choose another port"
        )
    })
}

/// The URL for deliveries to this process, unless configured.
fn own_callback(config: &Config, address: SocketAddr) -> Result<Url> {
    match &config.callback_url {
        Some(url) => Ok(url.clone()),
        None => {
            Url::parse(&format!("http://{}", reachable(address))).context("the callback's address")
        }
    }
}

/// The address under which this process reaches itself: one cannot connect to the unspecified address.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

fn site(
    config: &Config,
    context: &AppContext,
    (studio, gateway, messages): (&Arc<Studio>, &Arc<Gateway>, &Arc<Messages>),
    gate: Arc<Gate>,
    secret: &str,
) -> Result<Site> {
    // Every use of the secret has its own derived key.
    let derived = |purpose: &str| {
        let hash = Sha512::new_with_prefix(purpose);
        hash.chain_update(callback::key(secret).as_bytes())
            .finalize()
    };
    Ok(Site {
        studio: Arc::clone(studio),
        gateway: Arc::clone(gateway),
        messages: Arc::clone(messages),
        gate,
        metrics: metrics::install()?,
        signer: callback::signer(secret),
        webhooks: Arc::clone(&context.webhooks),
        cookies: Key::from(&derived("atelier session cookies")),
        links: JobKeys::new(derived("atelier links").into()),
        owner_keys: JobKeys::new(derived("atelier owner keys").into()),
        receipts: ReceiptKeys::new(derived("atelier limit receipts").into()),
        trusted_proxies: config.trusted_proxies.clone(),
        proxy_header: config.proxy_header,
        photos: config.photos.clone(),
        extras: Extras::read(&config.studio)?,
        uploads: config.data.join(data_dir::UPLOADS),
        pools: Pools::default(),
        polls: Permits::new(config.connections.polls as usize),
        callbacks: config.callbacks.clone(),
        admin_token: config.admin_token.clone(),
        https: config
            .public_url
            .as_ref()
            .is_some_and(|url| url.scheme() == "https"),
        origin: config
            .public_url
            .as_ref()
            .map(|url| url.origin().ascii_serialization()),
    })
}

async fn record(studio: Arc<Studio>) {
    let mut tick = interval(RECORD);
    loop {
        tick.tick().await;
        studio.record_stats().await;
        studio.record_savings().await;
    }
}

/// Also keeps what the metrics hold in memory small, which they sort into their histograms.
async fn record_calls(studio: Arc<Studio>, metrics: PrometheusHandle) {
    let mut tick = interval(RECORD_CALLS);
    loop {
        tick.tick().await;
        studio.record_calls().await;
        metrics.run_upkeep();
    }
}

async fn resolve(studio: Arc<Studio>) {
    let mut tick = interval(RESOLVE);
    loop {
        tick.tick().await;
        studio.resolve_uncertain().await;
    }
}

/// The salt for hashing addresses in statistics.
fn salt(secret: &str) -> [u8; 32] {
    let salt = Sha256::new_with_prefix(b"atelier figures");
    salt.chain_update(callback::key(secret).as_bytes())
        .finalize()
        .into()
}

async fn renew(gate: Arc<Gate>) {
    gate.keep_renewing().await;
}

async fn process_outbox(studio: Arc<Studio>) {
    let mut tick = interval(OUTBOX);
    loop {
        tick.tick().await;
        if let Err(error) = studio.process_outbox(OUTBOX).await {
            warn!(%error, "the outbox could not be read");
        }
    }
}

/// Keeps up with the upstreams.
async fn follow(gateway: Arc<Gateway>) {
    tokio::join!(
        gateway.keep_listing(),
        gateway.keep_sharing(),
        gateway.keep_permits()
    );
}

/// Deletes files that nothing refers to.
async fn discard(studio: Arc<Studio>) {
    tokio::join!(studio.keep_discarding(), studio.keep_removing_orphans());
}

/// Messages are kept for a short time only, and there may be thousands a second.
async fn sweep_messages(studio: Arc<Studio>) {
    let mut tick = interval(SWEEP_MESSAGES.min(studio.settings.messages_kept));
    loop {
        tick.tick().await;
        if let Err(error) = studio.sweep_messages().await {
            warn!(%error, "deletion of old messages failed");
        }
    }
}

async fn sweep(studio: Arc<Studio>) {
    // A short retention of photos needs shorter intervals.
    let mut tick = interval(SWEEP.min(studio.settings.photos_kept.max(Duration::from_secs(1))));
    loop {
        tick.tick().await;
        if let Err(error) = studio.sweep().await {
            warn!(%error, "deletion of expired records failed");
        }
    }
}
