//! The layer in front of an axum router.

#![expect(clippy::unwrap_used, reason = "a test that fails should say where")]

use std::{sync::Arc, time::Duration};

use atelier_limit::{
    Algorithm, Decision, Demand, Error, HourlyStats, Identity, LimitLayer, Limiter, OnError,
    Policy, Scope, Settlement, SqliteLimiter, Unit,
};
use atelier_store::{clock::Clock, sqlite::Database};
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    response::Response,
    routing::get,
};
use jiff::Timestamp;
use tempfile::TempDir;
use tower::ServiceExt as _;

const DAY: Duration = Duration::from_hours(24);

fn policy(name: &str, scope: Scope, quota: f64) -> Policy {
    let (unit, algorithm) = (Unit::Requests, Algorithm::FixedWindow);
    Policy::new(name, scope, unit, algorithm, quota, DAY).unwrap()
}

fn router(limiter: Arc<dyn Limiter>, policies: Vec<Policy>) -> Router {
    let identify = |request: &Request| {
        let text = |name| request.headers().get(name)?.to_str().ok();
        Identity {
            ip: text("ip").and_then(|ip| ip.parse().ok()),
            user: text("user").map(ToOwned::to_owned),
        }
    };
    let layer = LimitLayer::new(limiter, policies, Clock::system(), identify);
    Router::new().route("/", get(async || "hello")).layer(layer)
}

fn sqlite(folder: &TempDir) -> Arc<dyn Limiter> {
    let schemas = [SqliteLimiter::SCHEMA];
    let database = Database::open(&folder.path().join("limits.db"), &schemas).unwrap();
    Arc::new(SqliteLimiter::new(database))
}

async fn ask(router: &Router, who: (&str, &str)) -> Response {
    let request = Request::get("/").header(who.0, who.1);
    let request = request.body(Body::empty()).unwrap();
    router.clone().oneshot(request).await.unwrap()
}

fn field<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers()[name].to_str().unwrap()
}

#[tokio::test]
async fn who_is_over_a_limit_is_told_which_and_until_when() {
    let policies = vec![
        policy("address", Scope::Ip, 2.0),
        policy("user", Scope::User, 1.0),
    ];
    let folder = tempfile::tempdir().unwrap();
    let router = router(sqlite(&folder), policies);
    let mut answers = Vec::new();
    // One subscriber's network.
    for ip in ["2001:db8::1", "2001:db8::2", "2001:db8::3"] {
        answers.push(ask(&router, ("ip", ip)).await);
    }
    assert_eq!([200, 200], [answers[0].status(), answers[1].status()]);
    let left = field(&answers[1], "ratelimit");
    assert!(left.starts_with("\"address\";r=0;t="), "{left}");
    let policy = field(&answers[1], "ratelimit-policy");
    assert_eq!(policy, "\"address\";q=2;w=86400");

    let refusal = answers.remove(2);
    assert_eq!(refusal.status(), 429);
    let seconds: u64 = field(&refusal, "retry-after").parse().unwrap();
    assert!((1..=86_400).contains(&seconds));
    assert_eq!(field(&refusal, "content-type"), "application/problem+json");
    let body = to_bytes(refusal.into_body(), 1_000).await.unwrap();
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["violated-policies"], serde_json::json!(["address"]));

    assert_eq!(ask(&router, ("ip", "2001:db8:0:1::1")).await.status(), 200);
    assert_eq!(ask(&router, ("user", "alice")).await.status(), 200);
    assert_eq!(ask(&router, ("user", "alice")).await.status(), 429);
    assert_eq!(ask(&router, ("user", "bob")).await.status(), 200);
}

/// A store that cannot be asked.
struct Away;

#[async_trait::async_trait]
impl Limiter for Away {
    async fn charge(&self, _: Vec<Demand>, _: Timestamp) -> Result<Decision, Error> {
        Err(atelier_store::Error::silent(DAY).into())
    }

    async fn settle(&self, _: &str, _: Vec<Settlement>, _: Timestamp) -> Result<(), Error> {
        Ok(())
    }

    async fn record(&self, _: Vec<HourlyStats>, _: Timestamp, _: Duration) -> Result<(), Error> {
        Ok(())
    }

    async fn stats(&self, _: Timestamp, _: Timestamp) -> Result<Vec<HourlyStats>, Error> {
        Ok(Vec::new())
    }

    async fn sweep(&self, _: Timestamp) -> Result<(), Error> {
        Ok(())
    }
}

#[tokio::test]
async fn what_cannot_be_counted_passes_where_the_policy_says_so() {
    for (on_error, status) in [(OnError::Allow, 200), (OnError::Deny, 503)] {
        let policy = policy("all", Scope::Global, 1.0).with_on_error(on_error);
        let router = router(Arc::new(Away), vec![policy]);
        assert_eq!(ask(&router, ("ip", "203.0.113.7")).await.status(), status);
    }
}
