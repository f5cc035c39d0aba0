//! Any sequence of charges and refunds: a store decides as the pure functions
//! do, whatever language its arithmetic is written in.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use atelier::limit::{
    Action, Algorithm, Decision, Demand, Limiter, MAX_QUOTA, Policy, Receipt, Scope, Unit, Window,
    decide, refund,
};
use proptest::{prelude::*, test_runner::TestRunner};
use tokio::{runtime::Handle, task::block_in_place};

use super::{Stores, at};

#[derive(Debug, Clone)]
enum Step {
    /// A cost for each policy, if it is to be asked, and who pays.
    Charge(Vec<Option<u64>>, u8),
    /// Gives back what some earlier charge took, perhaps for the second time.
    Refund(prop::sample::Index),
}

fn policies() -> [Policy; 3] {
    [
        ("few", 3, 60_000),
        ("short", 20, 7_000),
        ("huge", MAX_QUOTA, 3_600_000),
    ]
    .map(|(name, quota, window)| Policy {
        name: name.into(),
        scope: Scope::Ip,
        unit: Unit::Requests,
        algorithm: Algorithm::FixedWindow,
        quota,
        window: Duration::from_millis(window),
        actions: vec![Action::Image],
    })
}

fn cost() -> impl Strategy<Value = u64> {
    prop_oneof![
        6 => 0_u64..5,
        1 => MAX_QUOTA - 3..MAX_QUOTA + 3,
        1 => Just(u64::MAX),
    ]
}

/// Steps, and how far the clock moves before each; sometimes back.
fn steps() -> impl Strategy<Value = Vec<(i64, Step)>> {
    let charge = (prop::collection::vec(prop::option::of(cost()), 3), 0_u8..2)
        .prop_map(|(costs, subject)| Step::Charge(costs, subject));
    let step = prop_oneof![
        4 => charge,
        1 => any::<prop::sample::Index>().prop_map(Step::Refund),
    ];
    let wait = prop_oneof![3 => 0_i64..3_000, 1 => 0_i64..90_000, 1 => -20_000_i64..0];
    prop::collection::vec((wait, step), 1..25)
}

/// The counters as the pure functions keep them, with the end of each window.
#[derive(Default)]
struct Model {
    counters: HashMap<(String, String), (Window, i64)>,
}

impl Model {
    fn charge(&mut self, demands: &[Demand], now: i64) -> Decision {
        let key = |demand: &Demand| (demand.policy.name.clone(), demand.subject.clone());
        let before: Vec<Option<Window>> = demands
            .iter()
            .map(|demand| self.counters.get(&key(demand)).map(|(window, _)| *window))
            .collect();
        let (decision, after) = decide(demands, &before, now);
        for (demand, window) in demands.iter().zip(after) {
            if demand.cost > 0 {
                let length = i64::try_from(demand.policy.window.as_millis()).unwrap();
                let counter = (window, window.start + length);
                self.counters.insert(key(demand), counter);
            }
        }
        decision
    }

    fn refund(&mut self, receipts: &[Receipt], now: i64) {
        for receipt in receipts {
            let key = (receipt.policy.clone(), receipt.subject.clone());
            if let Some((window, ends)) = self.counters.get_mut(&key)
                && *ends > now
            {
                *window = refund(*window, receipt.window, receipt.cost);
            }
        }
    }
}

pub(super) async fn any_sequence_agrees_with_the_pure_functions(stores: Stores) {
    let limiter = &stores.limiter;
    let case = AtomicU32::new(0);
    let config = ProptestConfig {
        cases: 60,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let run = |steps| {
        let case = case.fetch_add(1, Ordering::Relaxed);
        block_in_place(|| Handle::current().block_on(compare(limiter, case, steps)));
        Ok(())
    };
    TestRunner::new(config).run(&steps(), run).unwrap();
}

async fn compare(limiter: &Arc<dyn Limiter>, case: u32, steps: Vec<(i64, Step)>) {
    let (mut model, mut taken, mut clock) = (Model::default(), vec![], 100_000);
    for (wait, step) in steps {
        clock += wait;
        let now = at(clock);
        match step {
            Step::Charge(costs, subject) => {
                let demands = demands(&costs, &format!("case {case}, subject {subject}"));
                let expected = model.charge(&demands, now.as_millisecond());
                let decision = limiter.charge(demands, now).await.unwrap();
                assert_eq!(decision.standings, expected.standings);
                assert_eq!(decision.receipts, expected.receipts);
                taken.extend(decision.receipts);
            }
            Step::Refund(which) if !taken.is_empty() => {
                let receipts: &Vec<Receipt> = which.get(&taken);
                model.refund(receipts, now.as_millisecond());
                limiter.refund(receipts.clone(), now).await.unwrap();
            }
            Step::Refund(_) => {}
        }
    }
}

fn demands(costs: &[Option<u64>], subject: &str) -> Vec<Demand> {
    let demand = |(policy, cost): (Policy, &Option<u64>)| {
        cost.map(|cost| Demand {
            policy,
            subject: subject.into(),
            cost,
        })
    };
    policies()
        .into_iter()
        .zip(costs)
        .filter_map(demand)
        .collect()
}
