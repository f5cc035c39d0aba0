use proptest::prelude::*;

use super::*;

const START: i64 = 1_800_000_000_000;

pub(crate) fn fixed(quota: u64, length: i64) -> Rule {
    Rule::FixedWindow { quota, length }
}

pub(crate) fn sliding(quota: u64, length: i64) -> Rule {
    Rule::SlidingWindow { quota, length }
}

pub(crate) fn month(quota: u64) -> Rule {
    Rule::CalendarMonth { quota }
}

pub(crate) fn bucket(size: u64, refill: u64, period: u64) -> Rule {
    Rule::TokenBucket {
        size,
        refill,
        period,
    }
}

/// Small rules of every algorithm.
fn rules() -> impl Strategy<Value = Rule> {
    prop_oneof![
        (0_u64..20, 1_000_i64..90_000).prop_map(|(quota, length)| fixed(quota, length)),
        (0_u64..20, 1_000_i64..90_000).prop_map(|(quota, length)| sliding(quota, length)),
        (0_u64..20).prop_map(month),
        (1_u64..20, 1_u64..9, 100_u64..9_000)
            .prop_map(|(size, refill, period)| bucket(size, refill, period)),
    ]
}

/// How far the clock moves, and a cost.
fn steps() -> impl Strategy<Value = Vec<(i64, u64)>> {
    prop::collection::vec((0_i64..30_000, 0_u64..8), 1..150)
}

/// What is let through, and when.
fn taken(rule: Rule, steps: Vec<(i64, u64)>) -> Vec<(i64, u64)> {
    let (mut now, mut state, mut taken) = (START, None, vec![]);
    for (wait, cost) in steps {
        now += wait;
        if let Some(next) = rule.charge(state, now, cost) {
            taken.push((now, cost));
            state = Some(next);
        }
    }
    taken
}

/// The most that is taken in any span of `length` that begins with a charge.
fn densest(taken: &[(i64, u64)], length: i64) -> u64 {
    let from = |start: i64| {
        taken
            .iter()
            .filter(move |(at, _)| (start..=start + length).contains(at))
            .map(|(_, cost)| cost)
            .sum()
    };
    taken.iter().map(|(at, _)| from(*at)).max().unwrap_or(0)
}

proptest! {
    #[test]
    fn no_aligned_window_lets_more_than_the_quota_through(
        quota in 0_u64..20, length in 1_000_i64..90_000, steps in steps(),
    ) {
        for rule in [fixed(quota, length), sliding(quota, length)] {
            let mut windows = std::collections::HashMap::<i64, u64>::new();
            for (at, cost) in taken(rule, steps.clone()) {
                *windows.entry(at.div_euclid(length)).or_default() += cost;
            }
            prop_assert!(windows.values().all(|used| *used <= quota), "{rule:?}");
        }
    }

    #[test]
    fn a_bucket_gives_no_more_than_its_size_and_what_flows_in(
        size in 1_u64..20, refill in 1_u64..9, period in 100_u64..9_000, steps in steps(),
    ) {
        let taken = taken(bucket(size, refill, period), steps);
        for span in [0_i64, 1_000, 10_000, 100_000] {
            let flows = span.unsigned_abs() * refill / period + 1;
            prop_assert!(densest(&taken, span) <= size + flows);
        }
    }

    #[test]
    fn what_is_given_back_at_once_was_never_taken(rule in rules(), steps in steps(), cost in 0_u64..8) {
        let (mut now, mut state) = (START, None);
        for (wait, cost) in steps {
            now += wait;
            state = rule.charge(state, now, cost).or(state);
        }
        if let Some(charged) = rule.charge(state, now, cost) {
            let refunded = rule.settle(charged, now, rule.mark(charged), cost, 0);
            prop_assert_eq!(refunded, rule.at(state, now));
        }
    }

    #[test]
    fn a_refund_never_gives_more_than_was_there_without_the_charge(
        rule in rules(), before in steps(), after in steps(), cost in 1_u64..8,
    ) {
        let (mut now, mut with) = (START, None);
        for (wait, cost) in before {
            now += wait;
            with = rule.charge(with, now, cost).or(with);
        }
        let mut without = with;
        let Some(charged) = rule.charge(with, now, cost) else { return Ok(()) };
        let mark = rule.mark(charged);
        with = Some(charged);
        for (wait, cost) in after {
            now += wait;
            // The same for both, so that they can be compared.
            if let Some(next) = rule.charge(with, now, cost) {
                with = Some(next);
                without = rule.charge(without, now, cost);
                prop_assert!(without.is_some(), "one charge less leaves no less room");
            }
        }
        let refunded = with.map(|state| rule.settle(state, now, mark, cost, 0));
        prop_assert!(rule.remaining(refunded, now) <= rule.remaining(without, now));
    }

    #[test]
    fn a_clock_going_backwards_gives_nothing_away(rule in rules(), steps in steps(), back in 0_i64..60_000) {
        let (mut now, mut state) = (START, None);
        for (wait, cost) in steps {
            now += wait;
            state = rule.charge(state, now, cost).or(state);
        }
        prop_assert!(rule.remaining(state, now - back) <= rule.remaining(state, now));
    }

    #[test]
    fn a_clock_that_was_wrong_is_forgotten(rule in rules(), ahead in 10_000_000_i64..10_000_000_000) {
        // A counter in the month to come is within a window of now, and believed.
        prop_assume!(!matches!(rule, Rule::CalendarMonth { .. }));
        let full = rule.remaining(None, START);
        let wrong = rule.charge(None, START + ahead, full);
        let wait = rule.wait(wrong, START, full).unwrap();
        prop_assert!(wait <= 2 * 60 * 60 * 1000, "{rule:?}: {wait}");
    }

    #[test]
    fn capacity_is_free_exactly_when_it_is_said_to_be(rule in rules(), steps in steps(), cost in 1_u64..20) {
        let (mut now, mut state) = (START, None);
        for (wait, cost) in steps {
            now += wait;
            state = rule.charge(state, now, cost).or(state);
        }
        match rule.wait(state, now, cost) {
            Some(wait) => {
                prop_assert!(rule.charge(state, now + wait, cost).is_some());
                prop_assert!(wait == 0 || rule.charge(state, now + wait - 1, cost).is_none());
            }
            None => prop_assert!(rule.charge(None, now, cost).is_none()),
        }
        let renewed = now + rule.renewal(state, now);
        prop_assert_eq!(rule.remaining(state, renewed), rule.remaining(None, renewed));
    }

    #[test]
    fn what_costs_more_than_reserved_is_owed(
        rule in rules(), cost in 0_u64..8, more in 0_u64..8,
    ) {
        let Some(charged) = rule.charge(None, START, cost) else { return Ok(()) };
        let settled = rule.settle(charged, START, rule.mark(charged), cost, cost + more);
        let all = rule.remaining(None, START);
        prop_assert_eq!(rule.remaining(Some(settled), START), all.saturating_sub(cost + more));
    }
}

#[test]
fn a_window_is_aligned_and_renews_at_once() {
    let rule = fixed(3, 60_000);
    let midnight = 1_799_971_200_000;
    let charged = rule.charge(None, midnight + 59_999, 3).unwrap();
    assert_eq!(charged.at, midnight);
    assert_eq!(rule.wait(Some(charged), midnight + 59_999, 1), Some(1));
    assert_eq!(rule.remaining(Some(charged), midnight + 60_000), 3);
}

/// The months from January 2028, a leap year, to February 2029.
#[test]
fn a_month_is_as_long_as_the_calendar_says() {
    const DAY: i64 = 24 * 60 * 60 * 1000;
    let year_2028 = 1_830_297_600_000;
    let lengths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 28];
    let (rule, mut first) = (month(3), year_2028);
    for days in lengths {
        let next = first + days * DAY;
        for now in [first, first + DAY, next - 1] {
            let charged = rule.charge(None, now, 3).unwrap();
            assert_eq!((charged.at, rule.mark(charged)), (first, first));
            assert_eq!(rule.end(charged), next);
            assert_eq!(rule.remaining(Some(charged), next - 1), 0);
            assert_eq!(rule.wait(Some(charged), now, 1), Some(next - now));
            assert_eq!(rule.remaining(Some(charged), next), 3);
        }
        first = next;
    }
    assert_eq!(rule.wait(None, first, 4), None);
}

#[test]
fn a_counter_a_month_ahead_of_the_clock_is_believed_and_a_later_one_is_not() {
    const DAY: i64 = 24 * 60 * 60 * 1000;
    let rule = month(3);
    let full = |at| Counter {
        at,
        used: 3,
        before: 0,
    };
    // 1 February, 16 days ahead, and 1 March.
    let (february, march) = (START + 1_440_000_000, START + 1_440_000_000 + 28 * DAY);
    assert_eq!(rule.remaining(Some(full(february)), START), 0);
    assert_eq!(rule.remaining(Some(full(march)), START), 3);
}

#[test]
fn what_a_month_gave_is_given_back_within_it() {
    let rule = month(9);
    let charged = rule.charge(None, START, 4).unwrap();
    let settled = rule.settle(charged, START + 1, rule.mark(charged), 4, 1);
    assert_eq!(rule.remaining(Some(settled), START + 1), 8);
    let next = rule
        .charge(Some(charged), START + 1_440_000_000, 2)
        .unwrap();
    let late = rule.settle(next, START + 1_440_000_001, rule.mark(charged), 4, 0);
    assert_eq!(late, next);
}

#[test]
fn the_window_before_weighs_by_what_of_it_is_within_a_length_of_now() {
    let rule = sliding(10, 60_000);
    let start = START - START % 60_000;
    let before = rule.charge(None, start, 8);
    for (elapsed, left) in [
        (60_000, 2),
        (75_000, 4),
        (90_000, 6),
        (119_999, 9),
        (120_000, 10),
    ] {
        assert_eq!(rule.remaining(before, start + elapsed), left, "{elapsed}");
    }
    // 8 x (60 - x) / 60 <= 10 - 5 for x >= 22.5.
    assert_eq!(rule.wait(before, start + 60_000, 5), Some(22_500));
}

#[test]
fn a_bucket_is_refilled_evenly() {
    // Five a minute.
    let rule = bucket(5, 1, 12_000);
    let state = rule.charge(None, START, 5);
    assert_eq!(rule.wait(state, START, 1), Some(12_000));
    assert_eq!(rule.wait(state, START + 11_000, 2), Some(13_000));
    assert_eq!(rule.wait(state, START, 6), None);
    assert_eq!(rule.remaining(state, START + 24_000), 2);
    assert_eq!(rule.renewal(state, START + 24_000), 36_000);
}

#[test]
fn a_bucket_gives_back_only_what_has_not_come_back_by_itself() {
    let rule = bucket(5, 1, 12_000);
    let charged = rule.charge(None, START, 5).unwrap();
    let mark = rule.mark(charged);
    let half = rule.settle(charged, START + 30_000, mark, 5, 0);
    assert_eq!(rule.remaining(Some(half), START + 30_000), 5);
    let refilled = rule.charge(Some(charged), START + 60_000, 5).unwrap();
    let late = rule.settle(refilled, START + 60_000, mark, 5, 0);
    assert_eq!(rule.remaining(Some(late), START + 60_000), 0);
}

#[test]
fn a_refund_reaches_the_window_before() {
    let rule = sliding(10, 60_000);
    let start = START - START % 60_000;
    let charged = rule.charge(None, start, 8).unwrap();
    let next = rule.charge(Some(charged), start + 60_000, 1).unwrap();
    let refunded = rule.settle(next, start + 60_000, rule.mark(charged), 8, 0);
    assert_eq!(rule.remaining(Some(refunded), start + 60_000), 9);
}

#[test]
fn a_counter_says_nothing_when_its_window_has_no_share_left() {
    let rule = sliding(9, 10_000);
    let counter = |used, before| Counter {
        at: START,
        used,
        before,
    };
    for (counter, ends) in [
        (counter(1, 0), 20_000),
        (counter(1, 1), 20_000),
        (counter(0, 1), 10_000),
        (counter(0, 0), 0),
    ] {
        assert_eq!(rule.end(counter), START + ends);
    }
}

/// A clock that was set back finds counters ahead of it, but none of another age.
#[test]
fn a_bucket_is_believed_as_far_ahead_as_it_takes_to_fill() {
    // Full in an hour.
    let rule = bucket(3_600, 1, 1_000);
    let empty = |ahead| Counter {
        at: START + ahead,
        used: 3_600_000,
        before: 0,
    };
    let believed = rule.at(Some(empty(3_000_000)), START);
    assert_eq!(believed.at, START + 3_000_000);
    let not_believed = rule.at(Some(empty(3_600_000 + SLACK + 1)), START);
    assert_eq!(not_believed.at, START);
}

#[test]
fn whoever_waits_for_a_bucket_ahead_of_the_clock_waits_for_that_too() {
    let empty = Counter {
        at: START + 500,
        used: 10_000,
        before: 0,
    };
    assert_eq!(
        bucket(10, 1, 1_000).wait(Some(empty), START, 1),
        Some(1_500)
    );
}
