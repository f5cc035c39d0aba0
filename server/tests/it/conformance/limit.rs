use std::{sync::Arc, time::Duration};

use atelier::limit::{Action, Algorithm, Decision, Demand, Limiter, Policy, Receipt, Scope, Unit};

use super::{Stores, at};

/// The test's time begins on a full minute.
const MINUTE: i64 = 60_000;

fn policy(name: &str, quota: u64) -> Policy {
    Policy {
        name: name.into(),
        scope: Scope::Ip,
        unit: Unit::Requests,
        algorithm: Algorithm::FixedWindow,
        quota,
        window: Duration::from_secs(60),
        actions: vec![Action::Image],
    }
}

fn demand(policy: &Policy, subject: &str, cost: u64) -> Demand {
    Demand {
        policy: policy.clone(),
        subject: subject.into(),
        cost,
    }
}

async fn charge(limiter: &Arc<dyn Limiter>, demands: &[Demand], now: i64) -> Decision {
    limiter.charge(demands.to_vec(), at(now)).await.unwrap()
}

async fn receipts(limiter: &Arc<dyn Limiter>, demands: &[Demand], now: i64) -> Vec<Receipt> {
    charge(limiter, demands, now)
        .await
        .receipts
        .expect("the charge fits")
}

async fn remaining(limiter: &Arc<dyn Limiter>, policy: &Policy, subject: &str, now: i64) -> u64 {
    charge(limiter, &[demand(policy, subject, 0)], now)
        .await
        .standings[0]
        .remaining
}

pub(super) async fn the_quota_is_given_out_once_per_window(stores: Stores) {
    let (limiter, policy) = (stores.limiter, policy("p", 3));
    for left in [2, 1, 0] {
        let decision = charge(&limiter, &[demand(&policy, "a", 1)], 1000).await;
        assert!(decision.receipts.is_some());
        assert_eq!(decision.standings[0].remaining, left);
        assert_eq!(decision.standings[0].reset, Duration::from_secs(59));
    }
    let over = charge(&limiter, &[demand(&policy, "a", 1)], MINUTE - 1).await;
    assert!(over.receipts.is_none() && over.standings[0].violated);
    assert_eq!(over.standings[0].reset, Duration::from_millis(1));
    let renewed = charge(&limiter, &[demand(&policy, "a", 3)], MINUTE).await;
    assert!(renewed.receipts.is_some());
}

pub(super) async fn a_rejected_request_consumes_nothing_anywhere(stores: Stores) {
    let limiter = stores.limiter;
    let (wide, narrow) = (policy("wide", 10), policy("narrow", 1));
    let both = [demand(&wide, "a", 1), demand(&narrow, "a", 1)];
    receipts(&limiter, &both, 0).await;
    let decision = charge(&limiter, &both, 0).await;
    assert!(decision.receipts.is_none());
    let violated: Vec<bool> = decision
        .standings
        .iter()
        .map(|standing| standing.violated)
        .collect();
    assert_eq!(violated, [false, true]);
    assert_eq!(decision.standings[0].remaining, 9);
    assert_eq!(remaining(&limiter, &wide, "a", 0).await, 9);
}

pub(super) async fn a_refund_gives_back_what_was_charged(stores: Stores) {
    let (limiter, policy) = (stores.limiter, policy("p", 5));
    let first = receipts(&limiter, &[demand(&policy, "a", 2)], 0).await;
    receipts(&limiter, &[demand(&policy, "a", 3)], 0).await;
    limiter.refund(first, at(1)).await.unwrap();
    assert_eq!(remaining(&limiter, &policy, "a", 2).await, 2);
}

pub(super) async fn a_refund_after_the_window_changes_nothing(stores: Stores) {
    let (limiter, policy) = (stores.limiter, policy("p", 5));
    let earlier = receipts(&limiter, &[demand(&policy, "a", 2)], 0).await;
    receipts(&limiter, &[demand(&policy, "a", 4)], MINUTE).await;
    limiter.refund(earlier, at(MINUTE)).await.unwrap();
    assert_eq!(remaining(&limiter, &policy, "a", MINUTE).await, 1);
}

pub(super) async fn subjects_do_not_share(stores: Stores) {
    let (limiter, policy) = (stores.limiter, policy("p", 1));
    receipts(&limiter, &[demand(&policy, "a", 1)], 0).await;
    receipts(&limiter, &[demand(&policy, "b", 1)], 0).await;
    assert_eq!(remaining(&limiter, &policy, "a", 0).await, 0);
    assert_eq!(remaining(&limiter, &policy, "c", 0).await, 1);
}

pub(super) async fn a_look_changes_nothing(stores: Stores) {
    let (limiter, policy) = (stores.limiter, policy("p", 1));
    for _ in 0..3 {
        assert_eq!(remaining(&limiter, &policy, "a", 0).await, 1);
    }
    receipts(&limiter, &[demand(&policy, "a", 1)], 0).await;
    let look = charge(&limiter, &[demand(&policy, "a", 0)], 0).await;
    assert!(!look.standings[0].violated);
}

pub(super) async fn fifty_at_once_never_get_more_than_the_quota(stores: Stores) {
    let (limiter, policy) = (stores.limiter, policy("p", 20));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (limiter, demands) = (Arc::clone(&limiter), vec![demand(&policy, "a", 1)]);
        tasks.spawn(async move {
            limiter
                .charge(demands, at(0))
                .await
                .unwrap()
                .receipts
                .is_some()
        });
    }
    let allowed = tasks
        .join_all()
        .await
        .into_iter()
        .filter(|allowed| *allowed)
        .count();
    assert_eq!(allowed, 20);
}

pub(super) async fn a_quota_lowered_is_obeyed(stores: Stores) {
    let limiter = stores.limiter;
    receipts(&limiter, &[demand(&policy("p", 10), "a", 8)], 0).await;
    let lowered = policy("p", 5);
    assert_eq!(remaining(&limiter, &lowered, "a", 0).await, 0);
    assert!(
        charge(&limiter, &[demand(&lowered, "a", 1)], 0)
            .await
            .receipts
            .is_none()
    );
}
