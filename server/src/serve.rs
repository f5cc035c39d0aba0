//! `atelier serve`: the site and its workers in one process, from the first
//! look at the data folder to the last job handed back.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use axum_extra::extract::cookie::Key;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use jiff::Timestamp;
use sha2::{Digest as _, Sha512};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::Semaphore,
    time::{Instant, interval, timeout, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{info, warn};
use url::Url;
use uuid::Uuid;

use crate::{
    blob::Blobs,
    cache::SqliteCache,
    callback::{self, Courier, Signer},
    config::{Config, ProviderName, Secret},
    http::{self, Site},
    limit::SqliteLimiter,
    provider::{Provider, local::Local, openai::OpenAi},
    queue::SqliteQueue,
    sqlite::Database,
    studio::Studio,
    worker::Worker,
};

/// What has expired is forgotten this often.
const SWEEP: Duration = Duration::from_secs(600);

/// After the grace: how long handing back and closing connections may take.
const LAST_MOMENT: Duration = Duration::from_secs(3);

/// Runs until SIGTERM or SIGINT, then drains.
pub async fn serve(config: Config) -> Result<()> {
    // Fails only if a provider is installed already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let _lock = open_folder(&config.data)?;
    let secret = secret(&config)?;
    let listener = bind(config.listen).await?;
    let address = listener
        .local_addr()
        .context("the listening socket has no address")?;
    let drain = CancellationToken::new();
    let studio = Arc::new(studio(&config, drain.clone()).await?);
    let worker = Arc::new(worker(&config, &studio, &secret, address)?);
    let closing = CancellationToken::new();
    let site = http::router(site(&config, &studio, &secret)?);
    let server = axum::serve(
        listener,
        site.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .with_graceful_shutdown(closing.clone().cancelled_owned());
    tokio::spawn(sweep(Arc::clone(&studio)));
    let workers = worker.start(config.workers);
    let server = tokio::spawn(server.into_future());
    announce(&config, &studio, address);
    asked_to_stop().await?;
    shut_down(&config, &worker, &workers).await;
    closing.cancel();
    // A client that neither reads nor leaves must not keep the process.
    let _ = timeout(LAST_MOMENT, server).await;
    info!("closed");
    Ok(())
}

fn announce(config: &Config, studio: &Studio, address: SocketAddr) {
    let provider = &studio.provider;
    let models: Vec<&str> = [
        atelier_app::wire::Kind::Image,
        atelier_app::wire::Kind::Restoration,
    ]
    .map(|kind| provider.model(kind))
    .to_vec();
    info!(
        provider = provider.name(),
        models = models.join(", "),
        workers = config.workers,
        "open"
    );
    let url = config
        .public_url
        .clone()
        .map_or_else(|| format!("http://{address}/"), |url| url.to_string());
    info!("serving at {url}");
}

/// Makes the folder, and locks it: two processes on one database would take
/// each other's leases for dead.
fn open_folder(data: &Path) -> Result<File> {
    let cannot = || {
        format!(
            "cannot write to the data folder {data:?} (setting data, ATELIER_DATA). \
             Make it writable for this user, or choose another folder"
        )
    };
    for folder in ["images", "uploads"] {
        fs::create_dir_all(data.join(folder)).with_context(cannot)?;
    }
    let lock = OpenOptions::new()
        .create(true)
        .append(true)
        .open(data.join("lock"))
        .with_context(cannot)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => bail!(
            "another atelier works in the data folder {data:?} (setting data, ATELIER_DATA). \
             Stop it, or choose another folder."
        ),
        Err(TryLockError::Error(error)) => Err(error).with_context(cannot),
    }
}

/// The configured secret, or the one made at the first start.
fn secret(config: &Config) -> Result<String> {
    if let Some(Secret(secret)) = &config.secret {
        return Ok(secret.clone());
    }
    let path = config.data.join("secret");
    match fs::read_to_string(&path) {
        Ok(secret) if !secret.trim().is_empty() => Ok(secret.trim().to_owned()),
        Ok(_) => write_secret(&path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => write_secret(&path),
        Err(error) => Err(error).with_context(|| format!("cannot read the secret in {path:?}")),
    }
}

fn write_secret(path: &Path) -> Result<String> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let random = [*Uuid::new_v4().as_bytes(), *Uuid::new_v4().as_bytes()].concat();
    let secret = format!("whsec_{}", BASE64.encode(random));
    OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(secret.as_bytes()))
        .with_context(|| format!("cannot keep the secret in {path:?}"))?;
    Ok(secret)
}

async fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!(
            "cannot listen on {address} (setting listen, ATELIER_LISTEN). \
             Stop what listens there, or choose another port"
        )
    })
}

async fn studio(config: &Config, drain: CancellationToken) -> Result<Studio> {
    let database = Database::open(&config.data.join("atelier.db")).with_context(|| {
        format!(
            "cannot open the database in {:?} (setting data, ATELIER_DATA)",
            config.data
        )
    })?;
    Ok(Studio {
        queue: Arc::new(SqliteQueue::take_over(database.clone(), Timestamp::now()).await?),
        cache: Arc::new(SqliteCache::new(database.clone())),
        limiter: Arc::new(SqliteLimiter::new(database)),
        blobs: Blobs::in_folder(&config.data.join("images"))?,
        provider: provider(config)?,
        policies: config.limits.clone(),
        cache_ttl: config.cache.ttl,
        drain,
    })
}

fn provider(config: &Config) -> Result<Arc<dyn Provider>> {
    Ok(match config.provider() {
        ProviderName::Local => Arc::new(Local),
        ProviderName::OpenAi => {
            Arc::new(OpenAi::new(config.openai.clone()).context("cannot make an HTTP client")?)
        }
    })
}

fn worker(config: &Config, studio: &Studio, secret: &str, address: SocketAddr) -> Result<Worker> {
    let url = match &config.callback_url {
        Some(url) => url.clone(),
        None => Url::parse(&format!("http://{}", reachable(address)))
            .context("the callback's address")?,
    };
    Ok(Worker {
        queue: Arc::clone(&studio.queue),
        provider: Arc::clone(&studio.provider),
        blobs: studio.blobs.clone(),
        courier: Courier::new(url, signer(secret)?).context("cannot make an HTTP client")?,
        settings: config.queue.clone(),
        drain: studio.drain.clone(),
        hand_back: CancellationToken::new(),
    })
}

/// Where this process reaches itself: "every address" is none to connect to.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

fn signer(secret: &str) -> Result<Signer> {
    Signer::new(secret).context("secret (ATELIER_SECRET) cannot sign")
}

fn site(config: &Config, studio: &Arc<Studio>, secret: &str) -> Result<Site> {
    // Another use of the secret, so another key.
    let mut cookies = Sha512::new_with_prefix(b"atelier session cookies");
    cookies.update(callback::key(secret));
    Ok(Site {
        studio: Arc::clone(studio),
        signer: signer(secret)?,
        cookies: Key::from(&cookies.finalize()),
        trusted_proxies: config.trusted_proxies.clone(),
        photos: config.photos.clone(),
        uploads: config.data.join("uploads"),
        decoding: Semaphore::new(1),
        https: config
            .public_url
            .as_ref()
            .is_some_and(|url| url.scheme() == "https"),
    })
}

async fn sweep(studio: Arc<Studio>) {
    let mut tick = interval(SWEEP);
    loop {
        tick.tick().await;
        if let Err(error) = studio.sweep().await {
            warn!(%error, "what has expired could not be forgotten");
        }
    }
}

async fn asked_to_stop() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    tokio::select! {
        _ = terminate.recv() => {}
        stopped = tokio::signal::ctrl_c() => stopped.context("cannot listen for SIGINT")?,
    }
    Ok(())
}

/// New work is refused, running work gets its grace, the rest is handed back.
/// Connections stay open meanwhile: deliveries and polls need them.
async fn shut_down(config: &Config, worker: &Worker, workers: &TaskTracker) {
    info!(grace = ?config.queue.grace, "stopping: finishing what is running");
    let deadline = Instant::now() + config.queue.grace;
    worker.drain.cancel();
    if timeout_at(deadline, workers.wait()).await.is_err() {
        worker.hand_back.cancel();
        let _ = timeout(LAST_MOMENT, workers.wait()).await;
    }
}
