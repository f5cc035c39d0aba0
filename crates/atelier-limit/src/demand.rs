//! What a request demands of the policies.

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use super::{Policy, Scope, Unit, policy::MAX_PARTS};

/// What one request demands of one policy.
#[derive(Debug, Clone)]
pub struct Demand {
    /// The policy.
    pub policy: Arc<Policy>,
    /// The counter's name: the policy's, then the subject that pays.
    pub key: String,
    /// In [parts](Unit::parts); 0 only looks.
    pub cost: u64,
}

impl Demand {
    /// A demand of `cost` [parts](Unit::parts) that `subject` pays.
    pub fn new(policy: &Arc<Policy>, subject: &str, cost: u64) -> Self {
        let mut key = String::with_capacity(policy.prefix.len() + subject.len());
        key.push_str(&policy.prefix);
        key.push_str(subject);
        Self {
            policy: Arc::clone(policy),
            key,
            // Larger costs exceed every quota as well, and a double can hold this one.
            cost: if cost > MAX_PARTS {
                MAX_PARTS + 2
            } else {
                cost
            },
        }
    }

    /// The subject that pays; empty for all callers together.
    pub fn subject(&self) -> &str {
        &self.key[self.policy.prefix.len()..]
    }
}

/// The address that stands for one client: an IPv4 address (also if mapped into IPv6), or
/// the first address of the /64 network that one IPv6 subscriber usually has.
pub fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from(u128::from(ip) & (u128::MAX << 64)).into(),
        ip => ip,
    }
}

/// Who pays.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asker<'a> {
    /// An IPv4 address or an IPv6 /64 network.
    pub ip: &'a str,
    /// The API key's id, if there is one.
    pub user: Option<&'a str>,
    /// The key's own policies, which replace all policies of users.
    pub own: &'a [Arc<Policy>],
    /// The provider to be called.
    pub provider: &'a str,
}

/// What a request costs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Costs {
    /// Requests.
    pub requests: u64,
    /// Pictures.
    pub images: u64,
    /// Tokens of language models.
    pub tokens: u64,
    /// US dollars.
    pub usd: f64,
}

impl Costs {
    fn parts(self, unit: Unit) -> u64 {
        match unit {
            Unit::Requests => self.requests,
            Unit::Images => self.images,
            Unit::Tokens => self.tokens,
            Unit::Usd => micros(self.usd),
        }
    }
}

/// Returns US dollars in millionths, rounded up.
pub fn micros(usd: f64) -> u64 {
    // The product of a price and a number may be slightly above a whole number.
    (usd * 1e6 - 1e-6).ceil().max(0.0) as u64
}

/// Returns a demand for each policy that applies: to `action`, or to any action.
pub fn demands(
    policies: &[Arc<Policy>],
    action: Option<&str>,
    asker: Asker<'_>,
    costs: Costs,
) -> Vec<Demand> {
    policies
        .iter()
        .filter(|policy| policy.scope != Scope::User || asker.own.is_empty())
        .chain(asker.own)
        .filter(|policy| action.is_none_or(|action| policy.counts(action)))
        .filter_map(|policy| {
            let subject = asker.subject(policy.scope)?;
            Some(Demand::new(policy, subject, costs.parts(policy.unit)))
        })
        .collect()
}

impl<'a> Asker<'a> {
    /// Who pays in this scope; `None` if it does not apply.
    fn subject(&self, scope: Scope) -> Option<&'a str> {
        match (scope, self.user) {
            (Scope::Ip, None) => Some(self.ip),
            (Scope::User, Some(user)) => Some(user),
            (Scope::Ip, Some(_)) | (Scope::User, None) => None,
            (Scope::Global, _) => Some(""),
            (Scope::Provider, _) => Some(self.provider),
        }
    }
}

#[test]
fn each_policy_is_asked_for_what_it_counts_of_whom_it_counts() {
    use std::time::Duration;

    use super::Algorithm;

    let policy = |scope, unit, actions: &[&str]| {
        let (window, day) = (Algorithm::FixedWindow, Duration::from_hours(24));
        let policy = Policy::new("p", scope, unit, window, 9.0, day).unwrap();
        let actions = actions.iter().map(|action| (*action).to_owned());
        Arc::new(Policy {
            actions: actions.collect(),
            ..policy
        })
    };
    let policies = [
        policy(Scope::Ip, Unit::Requests, &[]),
        policy(Scope::User, Unit::Images, &[]),
        policy(Scope::Global, Unit::Usd, &["paint", "mend"]),
        policy(Scope::Provider, Unit::Requests, &["mend"]),
    ];
    let own = [Unit::Usd, Unit::Tokens].map(|unit| policy(Scope::User, unit, &[]));
    let costs = Costs {
        requests: 1,
        images: 2,
        tokens: 70,
        usd: 0.5,
    };
    let asked = |action, user: Option<&str>, own: &[Arc<Policy>]| {
        let asker = Asker {
            ip: "203.0.113.7",
            user,
            own,
            provider: "acme",
        };
        let demands = demands(&policies, action, asker, costs);
        let told = demands
            .iter()
            .map(|demand| (demand.subject().to_owned(), demand.cost));
        told.collect::<Vec<_>>()
    };
    let told = |told: &[(&str, u64)]| {
        let told = told.iter().map(|(who, cost)| ((*who).to_owned(), *cost));
        told.collect::<Vec<_>>()
    };
    let address = told(&[("203.0.113.7", 1), ("", 500_000)]);
    assert_eq!(asked(Some("paint"), None, &[]), address);
    let user = told(&[("ada", 2), ("", 500_000), ("acme", 1)]);
    assert_eq!(asked(Some("mend"), Some("ada"), &[]), user);
    // Its own policies stand for all policies of users.
    let with_own = told(&[("", 500_000), ("acme", 1), ("ada", 500_000), ("ada", 70)]);
    assert_eq!(asked(None, Some("ada"), &own), with_own);
}

#[test]
fn money_is_counted_in_millionths_rounded_up() {
    for (usd, parts) in [
        (0.0, 0),
        (1.0, 1_000_000),
        (0.04, 40_000),
        (0.000_000_4, 1),
        (0.1 + 0.2, 300_000),
        (-1.0, 0),
    ] {
        assert_eq!(micros(usd), parts, "{usd}");
    }
}

#[test]
fn a_subscriber_has_one_address_or_one_network() {
    for (ip, expected) in [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
    ] {
        assert_eq!(network(ip.parse().unwrap()).to_string(), expected);
    }
}
