//! A [tower layer](https://docs.rs/tower-layer) that charges a request to the policies
//! before the service is called.

use std::{
    net::IpAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use atelier_store::clock::Clock;
use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;
use tracing::warn;

use super::{
    Asker, Costs, Decision, Demand, Limiter, OnError, Policy, Standing, demands, headers, network,
    responses,
};

/// Who sends a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// Pays in [`Scope::Ip`](crate::Scope::Ip) if there is no user. An IPv6 address stands
    /// for its /64 network, which one subscriber usually has.
    pub ip: Option<IpAddr>,
    /// Pays in [`Scope::User`](crate::Scope::User).
    pub user: Option<String>,
}

impl Identity {
    /// Returns a demand for each of the policies that applies, at these costs: for what
    /// is charged by hand, such as a budget whose price is known afterwards.
    pub fn demands(&self, policies: &[Arc<Policy>], costs: Costs) -> Vec<Demand> {
        let ip = self
            .ip
            .map_or_else(String::new, |ip| network(ip).to_string());
        let asker = Asker {
            ip: &ip,
            user: self.user.as_deref(),
            ..Asker::default()
        };
        demands(policies, None, asker, costs)
    }
}

/// Limits the requests to a service: each costs one of
/// [`Unit::Requests`](crate::Unit::Requests).
///
/// Answers carry `RateLimit-Policy` and `RateLimit`. A request over a limit is answered
/// with 429, `Retry-After` and a problem (RFC 9457) that names the `violated-policies`.
/// While the store is unreachable, requests pass if all policies that apply have
/// [`OnError::Allow`], and are answered with 503 otherwise.
#[derive(Clone)]
pub struct LimitLayer<I> {
    rules: Arc<Rules>,
    identify: I,
}

struct Rules {
    limiter: Arc<dyn Limiter>,
    policies: Vec<Arc<Policy>>,
    clock: Clock,
}

/// A service with limits.
#[derive(Clone)]
pub struct Limited<S, I> {
    inner: S,
    layer: LimitLayer<I>,
}

impl<I> LimitLayer<I> {
    /// Limits by these policies. `identify` returns who sends a request; `clock` is the
    /// store's.
    pub fn new(
        limiter: Arc<dyn Limiter>,
        policies: impl IntoIterator<Item = Policy>,
        clock: Clock,
        identify: I,
    ) -> Self {
        let rules = Rules {
            limiter,
            policies: policies.into_iter().map(Arc::new).collect(),
            clock,
        };
        Self {
            rules: Arc::new(rules),
            identify,
        }
    }
}

impl<S, I: Clone> Layer<S> for LimitLayer<I> {
    type Service = Limited<S, I>;

    fn layer(&self, inner: S) -> Self::Service {
        Limited {
            inner,
            layer: self.clone(),
        }
    }
}

impl<S, I, B, A> Service<Request<B>> for Limited<S, I>
where
    S: Service<Request<B>, Response = Response<A>> + Clone + Send + 'static,
    S::Future: Send,
    I: Fn(&Request<B>) -> Identity,
    B: Send + 'static,
    A: From<String> + Send + 'static,
{
    type Response = Response<A>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<A>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The service that is ready is called; its clone is polled next.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let identity = (self.layer.identify)(&request);
        let rules = Arc::clone(&self.layer.rules);
        Box::pin(async move {
            match rules.charge(&identity).await {
                Charge::Passed(standings) => {
                    let mut response = inner.call(request).await?;
                    // The service may have told of limits of its own.
                    headers::append(response.headers_mut(), &standings);
                    Ok(response)
                }
                Charge::Limited(standings) => Ok(responses::limited(&standings)),
                Charge::Unknown => Ok(responses::unavailable()),
            }
        })
    }
}

enum Charge {
    Passed(Vec<Standing>),
    Limited(Vec<Standing>),
    /// The store failed.
    Unknown,
}

impl Rules {
    async fn charge(&self, identity: &Identity) -> Charge {
        let costs = Costs {
            requests: 1,
            ..Costs::default()
        };
        let demands = identity.demands(&self.policies, costs);
        let forgiving = demands
            .iter()
            .all(|demand| demand.policy.on_error == OnError::Allow);
        match self.limiter.charge(demands, self.clock.now()).await {
            Ok(Decision {
                standings,
                receipts: Some(_),
            }) => Charge::Passed(standings),
            Ok(Decision { standings, .. }) => Charge::Limited(standings),
            Err(error) => {
                warn!(%error, "the limit store failed");
                if forgiving {
                    Charge::Passed(Vec::new())
                } else {
                    Charge::Unknown
                }
            }
        }
    }
}
