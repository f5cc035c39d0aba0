//! Any sequence of charges and settlements: a store decides as the pure
//! functions do, whatever language its arithmetic is written in.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use atelier_limit::{
    Counter, Decision, Demand, Limiter, MAX_PARTS, Policy, Receipt, RejectionCache, Settlement,
    decide, settled,
};
use proptest::{prelude::*, test_runner::TestRunner};
use tokio::{runtime::Handle, task::block_in_place};

use super::{Store, at, limits::policy};

#[derive(Debug, Clone)]
enum Step {
    /// A cost for each policy, if it is to be asked, and who pays.
    Charge(Vec<Option<u64>>, u8),
    /// Settles what some earlier charge took, perhaps for the second time.
    Settle(prop::sample::Index, u64),
}

fn policies() -> Vec<Arc<Policy>> {
    [
        ("few", "fixed_window", "quota = 3\nwindow = '60s'"),
        ("short", "fixed_window", "quota = 20\nwindow = '7s'"),
        (
            "huge",
            "fixed_window",
            "quota = 9007199254740992\nwindow = '1h'",
        ),
        ("monthly", "fixed_window", "quota = 5\nwindow = '1mo'"),
        ("gliding", "sliding_window", "quota = 7\nwindow = '20s'"),
        (
            "wide",
            "sliding_window",
            "quota = 9007199254740992\nwindow = '30d'",
        ),
        (
            "drops",
            "token_bucket",
            "quota = 3\nwindow = '20s'\nburst = 5",
        ),
        (
            "odd",
            "token_bucket",
            "quota = 7\nwindow = '61s'\nburst = 3",
        ),
    ]
    .into_iter()
    .map(|(name, algorithm, rest)| policy(name, algorithm, rest))
    .collect()
}

fn cost() -> impl Strategy<Value = u64> {
    prop_oneof![
        8 => 0_u64..5,
        1 => MAX_PARTS - 3..MAX_PARTS + 3,
        1 => Just(u64::MAX),
    ]
}

/// Steps, and how far the clock moves before each; sometimes back, sometimes far.
fn steps() -> impl Strategy<Value = Vec<(i64, Step)>> {
    let asked = prop::collection::vec(prop::option::weighted(0.3, cost()), 8);
    let charge = (asked, 0_u8..2).prop_map(|(costs, subject)| Step::Charge(costs, subject));
    let settle = (any::<prop::sample::Index>(), 0_u64..6)
        .prop_map(|(which, actual)| Step::Settle(which, actual));
    let step = prop_oneof![4 => charge, 1 => settle];
    let wait = prop_oneof![
        4 => 0_i64..300,
        6 => 0_i64..3_000,
        2 => 0_i64..90_000,
        2 => -20_000_i64..0,
        1 => -90_000_000_i64..90_000_000,
        1 => -1_000_000_000_i64..3_000_000_000,
    ];
    prop::collection::vec((wait, step), 1..30)
}

/// The counters as the pure functions keep them.
#[derive(Default)]
struct Model {
    counters: HashMap<String, Counter>,
    settled: Vec<usize>,
}

impl Model {
    fn charge(&mut self, demands: &[Demand], now: i64) -> Decision {
        let before: Vec<Option<Counter>> = demands
            .iter()
            .map(|demand| self.counters.get(&demand.key).copied())
            .collect();
        let (decision, after) = decide(demands, &before, now);
        for (demand, counter) in demands.iter().zip(after.unwrap_or_default()) {
            if demand.cost > 0 {
                self.counters.insert(demand.key.clone(), counter);
            }
        }
        decision
    }

    fn settle(&mut self, charge: usize, settlements: &[Settlement], now: i64) {
        if self.settled.contains(&charge) {
            return;
        }
        self.settled.push(charge);
        for settlement in settlements {
            if let Some(counter) = self.counters.get_mut(&settlement.receipt.key) {
                *counter = settled(settlement, *counter, now).unwrap_or(*counter);
            }
        }
    }
}

pub(super) async fn any_sequence_agrees_with_the_pure_functions(limiter: Store) {
    let same = |real: &Decision, model: &Decision, _set_back| {
        assert_eq!(real.standings, model.standings);
        assert_eq!(real.receipts, model.receipts);
    };
    for_any_sequence(&limiter, same);
}

/// What else is left may be told as it was when the refusal was noted. A counter too far ahead of a clock
/// that was set back is not believed, a moment later it may be: then the wait is told shorter than it is.
pub(super) async fn a_memory_refuses_only_what_the_store_would(limiter: Store) {
    let memory: Arc<dyn Limiter> = Arc::new(RejectionCache::new(Arc::clone(&*limiter)));
    let same = |real: &Decision, model: &Decision, set_back| {
        assert_eq!(real.receipts, model.receipts);
        let violated = |decision: &Decision| -> Vec<_> {
            let standings = decision.standings.iter();
            let violated = standings.filter(|standing| standing.violated);
            violated.map(|standing| standing.reset).collect()
        };
        let (told, right) = (violated(real), violated(model));
        let (told, right) = (told.iter().max(), right.iter().max());
        assert!(
            told == right || set_back && told < right,
            "{told:?}, {right:?}"
        );
    };
    for_any_sequence(&memory, same);
}

/// `same` is also told whether the clock is behind where it was.
fn for_any_sequence(limiter: &Arc<dyn Limiter>, same: impl Fn(&Decision, &Decision, bool)) {
    let case = AtomicU32::new(0);
    let config = ProptestConfig {
        cases: std::env::var("PROPTEST_CASES")
            .ok()
            .and_then(|cases| cases.parse().ok())
            .unwrap_or(60),
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let run = |steps| {
        let case = case.fetch_add(1, Ordering::Relaxed);
        block_in_place(|| Handle::current().block_on(compare(limiter, case, steps, &same)));
        Ok(())
    };
    TestRunner::new(config).run(&steps(), run).unwrap();
}

async fn compare(
    limiter: &Arc<dyn Limiter>,
    case: u32,
    steps: Vec<(i64, Step)>,
    same: impl Fn(&Decision, &Decision, bool),
) {
    let policies = policies();
    let (mut model, mut taken) = (Model::default(), vec![]);
    let (mut clock, mut latest) = (100_000_000, 0);
    for (wait, step) in steps {
        clock += wait;
        latest = clock.max(latest);
        let now = at(clock);
        match step {
            Step::Charge(costs, subject) => {
                let subject = format!("case {case}, subject {subject}");
                let demands = demands(&policies, &costs, &subject);
                let expected = model.charge(&demands, now.as_millisecond());
                // A second time, if refused, so that there is something to remember.
                for _ in 0..=usize::from(expected.receipts.is_none()) {
                    let decision = limiter.charge(demands.clone(), now).await.unwrap();
                    same(&decision, &expected, clock < latest);
                    taken.extend(decision.receipts);
                }
            }
            Step::Settle(which, actual) if !taken.is_empty() => {
                let which = which.index(taken.len());
                let settlements = settlements(&taken[which], actual);
                model.settle(which, &settlements, now.as_millisecond());
                let id = format!("case {case}, charge {which}");
                limiter.settle(&id, settlements, now).await.unwrap();
            }
            Step::Settle(..) => {}
        }
    }
}

fn settlements(receipts: &[Receipt], actual: u64) -> Vec<Settlement> {
    let settlement = |receipt: &Receipt| Settlement {
        receipt: receipt.clone(),
        actual,
    };
    receipts.iter().map(settlement).collect()
}

fn demands(policies: &[Arc<Policy>], costs: &[Option<u64>], subject: &str) -> Vec<Demand> {
    policies
        .iter()
        .zip(costs)
        .filter_map(|(policy, cost)| Some(Demand::new(policy, subject, (*cost)?)))
        .collect()
}
