//! Serves until Ctrl-C, and finishes what is in progress.

use std::{collections::HashMap, env, net::SocketAddr, path::Path, str::FromStr};

use anyhow::{Context as _, Result};
use atelier_store::redis::Redis;
use chat_limits::{Settings, Stores, start};
use tokio::{net::TcpListener, signal::ctrl_c};
use tracing::info;

#[tokio::main]
async fn main() -> Result<()> {
    tracing_subscriber::fmt().init();
    let stores = match env::var("REDIS_URL") {
        Ok(url) => Stores::redis(Redis::open(url.parse()?)).await?,
        Err(_) => Stores::sqlite(Path::new("chat-limits.db")).await?,
    };
    let settings = settings()?;
    if env::var_os("WEBHOOK_SECRET").is_none() {
        info!(
            secret = settings.secret.expose(),
            "a secret was made up to sign callbacks"
        );
    }
    let application = start(settings, stores)?;

    let listener = TcpListener::bind(("127.0.0.1", 3002)).await?;
    info!(address = %listener.local_addr()?, "server started");
    let service = application.router.clone();
    let service = service.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service)
        .with_graceful_shutdown(async { drop(ctrl_c().await) })
        .await?;
    application.workers.stop().await;
    Ok(())
}

fn settings() -> Result<Settings> {
    let default = Settings::default();
    Ok(Settings {
        upstream: variable("OPENAI_BASE_URL")?,
        upstream_key: variable("OPENAI_API_KEY")?.unwrap_or(default.upstream_key),
        model: variable("OPENAI_MODEL")?.unwrap_or(default.model),
        keys: keys(&variable::<String>("API_KEYS")?.unwrap_or_default()),
        secret: variable("WEBHOOK_SECRET")?.unwrap_or(default.secret),
        allow_private_callbacks: variable("ALLOW_PRIVATE_CALLBACKS")?.unwrap_or(false),
        per_minute: variable("PER_MINUTE")?.unwrap_or(default.per_minute),
        usd_per_day: variable("USD_PER_DAY")?.unwrap_or(default.usd_per_day),
        workers: variable("WORKERS")?.unwrap_or(default.workers),
    })
}

/// Reads `USER:KEY,USER:KEY`.
fn keys(text: &str) -> HashMap<String, String> {
    let pairs = text.split(',').filter_map(|pair| pair.split_once(':'));
    pairs.map(|(user, key)| (key.into(), user.into())).collect()
}

fn variable<T: FromStr<Err: Into<anyhow::Error>>>(name: &'static str) -> Result<Option<T>> {
    let text = env::var(name).ok();
    let value = text.map(|text| text.parse().map_err(Into::into));
    value
        .transpose()
        .with_context(|| format!("{name} cannot be read"))
}
