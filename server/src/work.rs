//! `atelier worker`: works on the jobs of servers that share its Redis. And
//! how every process that works comes to its end.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result, ensure};
use tokio::{
    signal::unix::{SignalKind, signal},
    time::{Instant, timeout, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::info;
use url::Url;

use crate::{
    config::Config,
    folder,
    rooms::{Rooms, start_cryptography},
    worker::Worker,
};

/// After the grace: how long handing back and closing connections may take.
pub(crate) const LAST_MOMENT: Duration = Duration::from_secs(3);

/// Works until SIGTERM or SIGINT, then drains.
pub async fn work(config: Config) -> Result<()> {
    ensure!(
        config.redis_url.is_some(),
        "a worker by itself needs the Redis that its servers use: set redis_url (ATELIER_REDIS_URL). \
         Without one, `atelier serve` does all the work."
    );
    let callback = callback(&config)?;
    start_cryptography();
    let rooms = Rooms::open(&config).await?;
    let secret = folder::secret(&config)?;
    let worker = rooms.worker(&config, &secret, callback.clone(), CancellationToken::new())?;
    let worker = Arc::new(worker);
    let workers = worker.start(config.workers);
    info!(
        provider = rooms.provider.name(),
        workers = config.workers,
        "working, delivering to {callback}"
    );
    asked_to_stop().await?;
    shut_down(&config, &worker, &workers).await;
    info!("closed");
    Ok(())
}

/// Where a server takes deliveries.
fn callback(config: &Config) -> Result<Url> {
    let url = config.callback_url.as_ref().or(config.public_url.as_ref());
    url.cloned().context(
        "a worker by itself must know where a server takes its deliveries: \
         set callback_url (ATELIER_CALLBACK_URL) or public_url (ATELIER_PUBLIC_URL)",
    )
}

/// Returns at SIGTERM or SIGINT.
pub(crate) async fn asked_to_stop() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    tokio::select! {
        _ = terminate.recv() => {}
        stopped = tokio::signal::ctrl_c() => stopped.context("cannot listen for SIGINT")?,
    }
    Ok(())
}

/// Nothing new is begun, running work gets its grace, the rest is handed back.
pub(crate) async fn shut_down(config: &Config, worker: &Worker, workers: &TaskTracker) {
    info!(grace = ?config.queue.grace, "stopping: finishing what is running");
    let deadline = Instant::now() + config.queue.grace;
    worker.drain.cancel();
    if timeout_at(deadline, workers.wait()).await.is_err() {
        worker.hand_back.cancel();
        let _ = timeout(LAST_MOMENT, workers.wait()).await;
    }
}
