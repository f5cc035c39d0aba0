//! An axum application with limits: 10 requests a minute for each address. Try
//! `for i in $(seq 12); do curl -i http://127.0.0.1:3001/; done`.

use std::{
    error::Error,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use atelier_limit::{
    Algorithm, Identity, LimitLayer, Limiter, Policy, RedisLimiter, Scope, SqliteLimiter, Unit,
};
use atelier_store::{clock::Clock, redis::Redis, sqlite::Database};
use axum::{
    Router,
    extract::{ConnectInfo, Request},
    routing::get,
};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let (limiter, clock): (Arc<dyn Limiter>, Clock) = match std::env::var("REDIS_URL") {
        Ok(url) => {
            let redis = Redis::open(url.parse()?);
            let clock = redis.clock().await?;
            (Arc::new(RedisLimiter::new(redis)), clock)
        }
        Err(_) => {
            let file = folder.path().join("limits.db");
            let database = Database::open(&file, &[SqliteLimiter::SCHEMA])?;
            (Arc::new(SqliteLimiter::new(database)), Clock::system())
        }
    };

    let minute = Duration::from_secs(60);
    let window = Algorithm::SlidingWindow;
    let policy = Policy::new(
        "per-address",
        Scope::Ip,
        Unit::Requests,
        window,
        10.0,
        minute,
    )?;
    let identify = |request: &Request| Identity {
        ip: request
            .extensions()
            .get::<ConnectInfo<SocketAddr>>()
            .map(|from| from.0.ip()),
        user: None,
    };
    let app = Router::new()
        .route("/", get(async || "hello\n"))
        .layer(LimitLayer::new(limiter, [policy], clock, identify));

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 3001)).await?;
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, service).await?)
}
