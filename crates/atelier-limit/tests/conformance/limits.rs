use std::{sync::Arc, time::Duration};

use atelier_limit::{Decision, Demand, HourlyStats, Limiter, Policy, Receipt, Settlement};

use super::{Store, at};

/// The test's time begins on a full minute.
const MINUTE: i64 = 60_000;

pub(super) fn policy(name: &str, algorithm: &str, rest: &str) -> Arc<Policy> {
    let text = format!(
        "name = '{name}'\nscope = 'ip'\nunit = 'requests'\nalgorithm = '{algorithm}'\n{rest}"
    );
    Arc::new(toml::from_str(&text).unwrap())
}

/// So many a minute.
fn window(name: &str, quota: u64) -> Arc<Policy> {
    let rest = format!("quota = {quota}\nwindow = '60s'");
    policy(name, "fixed_window", &rest)
}

fn demand(policy: &Arc<Policy>, subject: &str, cost: u64) -> Demand {
    Demand::new(policy, subject, cost)
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

async fn remaining(
    limiter: &Arc<dyn Limiter>,
    policy: &Arc<Policy>,
    subject: &str,
    now: i64,
) -> u64 {
    charge(limiter, &[demand(policy, subject, 0)], now)
        .await
        .standings[0]
        .remaining
}

async fn refund(limiter: &Arc<dyn Limiter>, id: &str, receipts: Vec<Receipt>, now: i64) {
    let settlements = receipts.into_iter().map(Settlement::refund).collect();
    limiter.settle(id, settlements, at(now)).await.unwrap();
}

pub(super) async fn the_quota_is_given_out_once_per_window(limiter: Store) {
    let policy = window("p", 3);
    for left in [2, 1, 0] {
        let decision = charge(&limiter, &[demand(&policy, "a", 1)], 1000).await;
        assert!(decision.receipts.is_some());
        assert_eq!(decision.standings[0].remaining, left);
        assert_eq!(decision.standings[0].reset, Some(Duration::from_secs(59)));
    }
    let over = charge(&limiter, &[demand(&policy, "a", 1)], MINUTE - 1).await;
    assert!(over.receipts.is_none() && over.standings[0].violated);
    assert_eq!(over.standings[0].reset, Some(Duration::from_millis(1)));
    let renewed = charge(&limiter, &[demand(&policy, "a", 3)], MINUTE).await;
    assert!(renewed.receipts.is_some());
}

pub(super) async fn a_rejected_request_consumes_nothing_anywhere(limiter: Store) {
    let (wide, narrow) = (window("wide", 10), window("narrow", 1));
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

pub(super) async fn a_refund_gives_back_what_was_charged(limiter: Store) {
    let policy = window("p", 5);
    let first = receipts(&limiter, &[demand(&policy, "a", 2)], 0).await;
    receipts(&limiter, &[demand(&policy, "a", 3)], 0).await;
    refund(&limiter, "job", first, 1).await;
    assert_eq!(remaining(&limiter, &policy, "a", 2).await, 2);
}

pub(super) async fn a_refund_after_the_window_changes_nothing(limiter: Store) {
    let policy = window("p", 5);
    let earlier = receipts(&limiter, &[demand(&policy, "a", 2)], 0).await;
    receipts(&limiter, &[demand(&policy, "a", 4)], MINUTE).await;
    refund(&limiter, "job", earlier, MINUTE).await;
    assert_eq!(remaining(&limiter, &policy, "a", MINUTE).await, 1);
}

pub(super) async fn subjects_do_not_share(limiter: Store) {
    let policy = window("p", 1);
    receipts(&limiter, &[demand(&policy, "a", 1)], 0).await;
    receipts(&limiter, &[demand(&policy, "b", 1)], 0).await;
    assert_eq!(remaining(&limiter, &policy, "a", 0).await, 0);
    assert_eq!(remaining(&limiter, &policy, "c", 0).await, 1);
}

pub(super) async fn a_look_changes_nothing(limiter: Store) {
    let policy = window("p", 1);
    for _ in 0..3 {
        assert_eq!(remaining(&limiter, &policy, "a", 0).await, 1);
    }
    receipts(&limiter, &[demand(&policy, "a", 1)], 0).await;
    let look = charge(&limiter, &[demand(&policy, "a", 0)], 0).await;
    assert!(!look.standings[0].violated);
}

pub(super) async fn fifty_at_once_never_get_more_than_the_quota(limiter: Store) {
    let policy = window("p", 20);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (limiter, demands) = (Arc::clone(&*limiter), vec![demand(&policy, "a", 1)]);
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

pub(super) async fn a_quota_lowered_is_obeyed(limiter: Store) {
    receipts(&limiter, &[demand(&window("p", 10), "a", 8)], 0).await;
    let lowered = window("p", 5);
    assert_eq!(remaining(&limiter, &lowered, "a", 0).await, 0);
    assert!(
        charge(&limiter, &[demand(&lowered, "a", 1)], 0)
            .await
            .receipts
            .is_none()
    );
}

pub(super) async fn a_refund_is_given_once(limiter: Store) {
    let policy = window("p", 9);
    let first = receipts(&limiter, &[demand(&policy, "a", 2)], 0).await;
    receipts(&limiter, &[demand(&policy, "a", 4)], 0).await;
    for _ in 0..3 {
        refund(&limiter, "job", first.clone(), 1).await;
    }
    assert_eq!(remaining(&limiter, &policy, "a", 2).await, 5);
    refund(&limiter, "another", first, 3).await;
    assert_eq!(remaining(&limiter, &policy, "a", 4).await, 7);
}

pub(super) async fn a_settlement_may_cost_more_than_is_left(limiter: Store) {
    let policy = window("p", 5);
    let taken = receipts(&limiter, &[demand(&policy, "a", 4)], 0).await;
    let settlements = taken
        .into_iter()
        .map(|receipt| Settlement { receipt, actual: 7 })
        .collect();
    limiter.settle("job", settlements, at(1)).await.unwrap();
    assert_eq!(remaining(&limiter, &policy, "a", 2).await, 0);
    assert_eq!(remaining(&limiter, &policy, "a", MINUTE).await, 5);
}

pub(super) async fn a_cost_above_the_quota_never_fits(limiter: Store) {
    for (algorithm, rest) in [
        ("fixed_window", "quota = 5\nwindow = '60s'"),
        ("sliding_window", "quota = 5\nwindow = '60s'"),
        ("token_bucket", "quota = 9\nwindow = '60s'\nburst = 5"),
    ] {
        let policy = policy("p", algorithm, rest);
        for cost in [6, u64::MAX] {
            let decision = charge(&limiter, &[demand(&policy, "a", cost)], 0).await;
            assert!(decision.receipts.is_none() && decision.standings[0].violated);
            assert_eq!(decision.standings[0].reset, None);
        }
        receipts(&limiter, &[demand(&policy, "a", 5)], 0).await;
    }
}

pub(super) async fn a_policy_of_another_shape_begins_anew(limiter: Store) {
    let shapes = [
        policy("p", "fixed_window", "quota = 1\nwindow = '60s'"),
        policy("p", "fixed_window", "quota = 1\nwindow = '61s'"),
        policy("p", "sliding_window", "quota = 1\nwindow = '60s'"),
        policy("p", "token_bucket", "quota = 1\nwindow = '60s'"),
        policy("p", "token_bucket", "quota = 2\nwindow = '60s'\nburst = 1"),
    ];
    for shape in &shapes {
        receipts(&limiter, &[demand(shape, "a", 1)], 0).await;
    }
    for shape in &shapes {
        assert_eq!(remaining(&limiter, shape, "a", 0).await, 0);
    }
}

pub(super) async fn a_month_ends_with_the_calendars(limiter: Store) {
    const DAY: i64 = 24 * 60 * MINUTE;
    let policy = policy("p", "fixed_window", "quota = 3\nwindow = '1mo'");
    // The test's time begins on 15 January at 8 o'clock.
    let february = 16 * DAY + 16 * 60 * MINUTE;
    let march = february + 28 * DAY;
    for (first, next) in [(0, february), (february, march)] {
        let taken = receipts(&limiter, &[demand(&policy, "a", 3)], first).await;
        let over = charge(&limiter, &[demand(&policy, "a", 1)], next - 1).await;
        assert!(over.receipts.is_none());
        assert_eq!(over.standings[0].reset, Some(Duration::from_millis(1)));
        limiter.sweep(at(next - 1)).await.unwrap();
        refund(&limiter, &format!("{first}"), taken.clone(), next - 1).await;
        assert_eq!(remaining(&limiter, &policy, "a", next - 1).await, 3);
        // Nothing of it is given back to the month that follows.
        let who = format!("late {first}");
        let late = receipts(&limiter, &[demand(&policy, &who, 2)], next - 1).await;
        receipts(&limiter, &[demand(&policy, &who, 2)], next).await;
        refund(&limiter, &who, late, next).await;
        assert_eq!(remaining(&limiter, &policy, &who, next).await, 1);
        assert_eq!(remaining(&limiter, &policy, "a", next).await, 3);
    }
}

pub(super) async fn what_is_forgotten_says_nothing_any_more(limiter: Store) {
    let policy = window("p", 3);
    receipts(&limiter, &[demand(&policy, "a", 3)], 0).await;
    limiter.sweep(at(MINUTE - 1)).await.unwrap();
    assert_eq!(remaining(&limiter, &policy, "a", MINUTE - 1).await, 0);
    limiter.sweep(at(2 * MINUTE)).await.unwrap();
    assert_eq!(remaining(&limiter, &policy, "a", 2 * MINUTE).await, 3);
}

pub(super) async fn statistics_add_up_and_grow_old(limiter: Store) {
    const HOUR: i64 = 60 * MINUTE;
    let keep = Duration::from_secs(2 * 60 * 60);
    let hour = |hours: i64| at(hours * HOUR).as_millisecond();
    let hourly = |hours: i64, allowed: u64, who: &[(&str, u64)]| HourlyStats {
        policy: "p".into(),
        hour: hour(hours),
        allowed,
        rejected: who.iter().map(|(_, times)| times).sum(),
        who: who
            .iter()
            .map(|(who, times)| ((*who).into(), *times))
            .collect(),
    };
    let record = async |stats: Vec<HourlyStats>, hours: i64| {
        limiter.record(stats, at(hours * HOUR), keep).await.unwrap();
    };
    record(vec![hourly(0, 1, &[("a", 1), ("b", 5)])], 0).await;
    record(vec![hourly(0, 2, &[("a", 6)]), hourly(1, 3, &[])], 1).await;
    let since = async |from: i64, to: i64| {
        let stats = limiter.stats(at(from * HOUR + 1), at(to * HOUR)).await;
        stats.unwrap()
    };
    let expected = [hourly(0, 3, &[("a", 7), ("b", 5)]), hourly(1, 3, &[])];
    assert_eq!(since(0, 1).await, expected);
    assert_eq!(since(1, 1).await, expected[1..]);
    let names: Vec<_> = (0..150).map(|n| (format!("n{n}"), n + 1)).collect();
    let names: Vec<_> = names
        .iter()
        .map(|(n, times)| (n.as_str(), *times))
        .collect();
    record(vec![hourly(3, 0, &names)], 3).await;
    let kept = since(3, 3).await.remove(0);
    assert_eq!((kept.who.len(), &kept.who[0]), (100, &("n149".into(), 150)));
    assert_eq!(kept.rejected, 150 * 151 / 2);
}
