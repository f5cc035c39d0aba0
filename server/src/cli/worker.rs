//! `atelier worker`: works on the jobs of servers that share its Redis. Also the
//! shutdown of every process that works.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result, ensure};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::info;
use url::Url;

use crate::{
    app::context::{AppContext, start_cryptography},
    app::data_dir,
    config::Config,
    worker::Worker,
};

/// Maximum time after the grace period for handing back jobs and closing connections.
pub(crate) const LAST_MOMENT: Duration = Duration::from_secs(3);

/// Works until a stop signal, then drains.
pub async fn work(config: Config) -> Result<()> {
    let mut signals = StopSignals::listen()?;
    ensure!(
        config.redis_url.is_some(),
        "a worker by itself needs the Redis that its servers use: set redis_url (ATELIER_REDIS_URL). \
         Without one, `atelier serve` does all the work."
    );
    let callback = callback(&config)?;
    start_cryptography();
    let context = AppContext::open(&config).await?;
    let secret = data_dir::secret(&config)?;
    let worker = context.worker(&config, &secret, callback.clone(), CancellationToken::new())?;
    let worker = Arc::new(worker);
    let workers = worker.start(config.workers);
    info!(
        models = context.models.names().join(", "),
        workers = config.workers,
        "worker started, delivering to {callback}"
    );
    signals.next().await;
    shut_down(&config, &worker, &[&workers], &mut signals).await;
    worker.record_events().await;
    info!("worker stopped");
    Ok(())
}

/// The URL of a server that accepts deliveries.
fn callback(config: &Config) -> Result<Url> {
    let url = config.callback_url.as_ref().or(config.public_url.as_ref());
    url.cloned().context(
        "a worker by itself must know where a server takes its deliveries: \
         set callback_url (ATELIER_CALLBACK_URL) or public_url (ATELIER_PUBLIC_URL)",
    )
}

/// The signals that ask a process to stop: SIGTERM, SIGINT, and SIGHUP, which a
/// closed terminal sends.
pub(crate) struct StopSignals([Signal; 3]);

impl StopSignals {
    /// Starts to listen.
    pub(crate) fn listen() -> Result<Self> {
        let listen = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self([
            listen(SignalKind::terminate())?,
            listen(SignalKind::interrupt())?,
            listen(SignalKind::hangup())?,
        ]))
    }

    /// Returns at the next signal.
    pub(crate) async fn next(&mut self) {
        let [terminate, interrupt, hangup] = &mut self.0;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

/// Starts nothing new, lets running work finish within the grace period, and hands back
/// the rest. Another signal ends the grace period.
pub(crate) async fn shut_down(
    config: &Config,
    worker: &Worker,
    running: &[&TaskTracker],
    signals: &mut StopSignals,
) {
    info!(grace = ?config.queue.grace, "stopping: finishing what is running");
    worker.drain.cancel();
    let ended = || {
        let running = running.iter().map(|tasks| {
            tasks.close();
            tasks.wait()
        });
        futures::future::join_all(running)
    };
    let all_done = tokio::select! {
        _ = ended() => true,
        () = sleep(config.queue.grace) => false,
        () = signals.next() => false,
    };
    if !all_done {
        worker.hand_back.cancel();
        let _ = timeout(LAST_MOMENT, ended()).await;
    }
}
