//! What may happen next, before it is known to whom.

use crate::work::Priority;
use proptest::{option, prelude::*};

/// One of several, by an index into those there are at the time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pick {
    /// Among those to which it can happen, or among the others.
    pub(super) fitting: bool,
    pub(super) index: usize,
}

#[derive(Debug, Clone)]
pub(super) enum Op {
    Wait(i64),
    Add(Addition),
    Claim {
        worker: usize,
        lanes: usize,
        times: usize,
    },
    /// The worker forgets its tickets; another takes its place.
    Crash(usize),
    Act(Pick, Act),
    Job(Pick, Deed),
    Throttle {
        lane: usize,
        hold: i64,
    },
    Gate(u8, Turn),
}

/// What an operator does to a gate.
#[derive(Debug, Clone)]
pub(super) enum Turn {
    Pause(bool),
    Pin(u8),
    Unpin,
    Reset,
    Keep(bool),
    Remove,
}

#[derive(Debug, Clone)]
pub(super) struct Addition {
    pub(super) owner: usize,
    pub(super) lane: usize,
    pub(super) digest: Option<u8>,
    pub(super) pictures: u32,
    pub(super) priority: Priority,
    pub(super) delay: Option<i64>,
    pub(super) answer: Option<u8>,
    pub(super) answered_only: bool,
    /// It improves this photo.
    pub(super) photo: Option<u8>,
    /// The gates that it passes, and their terms.
    pub(super) gates: (u8, u8),
    /// It takes slots of this job's, one of the latest.
    pub(super) inherits: Option<usize>,
}

/// What a worker does under a ticket, fresh or stale.
#[derive(Debug, Clone)]
pub(super) enum Act {
    Report(Option<u8>, Option<u8>),
    /// And whether the delivery ends at once.
    Succeed(u8, bool),
    /// The same with an answer that was paid for under an earlier claim.
    TakeOver(u8, bool),
    Fail(bool),
    Retry(i64),
    Yield(i64),
    /// And whether the call that was dropped is kept.
    Release(bool),
    Postpone(i64),
    Complete,
    /// Both steps at once.
    Finish(u8),
}

/// What a client or an operator does to a job.
#[derive(Debug, Clone)]
pub(super) enum Deed {
    AddAgain,
    Cancel,
    Delete,
    Retry(Priority),
    Acknowledge,
    Get,
}

pub(super) fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        5 => wait().prop_map(Op::Wait),
        8 => addition().prop_map(Op::Add),
        9 => claim(),
        1 => (0..3_usize).prop_map(Op::Crash),
        14 => (pick(), act()).prop_map(|(pick, act)| Op::Act(pick, act)),
        12 => (pick(), deed()).prop_map(|(pick, deed)| Op::Job(pick, deed)),
        3 => (0..4_u8, turn()).prop_map(|(gate, turn)| Op::Gate(gate, turn)),
        1 => (0..2_usize, -500..3000_i64).prop_map(|(lane, hold)| Op::Throttle { lane, hold }),
    ]
}

fn turn() -> impl Strategy<Value = Turn> {
    prop_oneof![
        1 => Just(Turn::Pause(true)),
        3 => Just(Turn::Pause(false)),
        2 => (0..4_u8).prop_map(Turn::Pin),
        1 => Just(Turn::Unpin),
        1 => Just(Turn::Reset),
        1 => any::<bool>().prop_map(Turn::Keep),
        1 => Just(Turn::Remove),
    ]
}

fn claim() -> impl Strategy<Value = Op> {
    (0..3_usize, 0..4_usize, 1..4_usize).prop_map(|(worker, lanes, times)| Op::Claim {
        worker,
        lanes,
        times,
    })
}

/// A moment, about the pace of a lane, about the length of a lease, or longer
/// than an answer may be shared.
fn wait() -> impl Strategy<Value = i64> {
    prop_oneof![4 => 1..50_i64, 3 => 200..1500_i64, 2 => 4000..6000_i64, 1 => Just(25_000)]
}

fn addition() -> impl Strategy<Value = Addition> {
    let digest = prop_oneof![4 => Just(None), 5 => Just(Some(0)), 1 => Just(Some(1))];
    let rare = || prop_oneof![5 => Just(None), 1 => (0..4_u8).prop_map(Some)];
    let delay = option::weighted(0.2, -100..3000_i64);
    (
        0..3_usize,
        0..2_usize,
        digest,
        1..5_u32,
        priority(),
        delay,
        rare(),
        prop::bool::weighted(0.1),
        rare(),
        (prop_oneof![1 => Just(0), 2 => 1..8_u8], 0..4_u8),
        option::weighted(0.2, 0..6_usize),
    )
        .prop_map(
            |(
                owner,
                lane,
                digest,
                pictures,
                priority,
                delay,
                answer,
                answered_only,
                photo,
                gates,
                inherits,
            )| {
                Addition {
                    owner,
                    lane,
                    digest,
                    pictures,
                    priority,
                    delay,
                    answer,
                    answered_only,
                    photo,
                    gates,
                    inherits,
                }
            },
        )
}

fn priority() -> impl Strategy<Value = Priority> {
    prop_oneof![
        1 => Just(Priority::Low),
        4 => Just(Priority::Normal),
        1 => Just(Priority::High),
    ]
}

fn pick() -> impl Strategy<Value = Pick> {
    (prop::bool::weighted(0.8), 0..60_usize).prop_map(|(fitting, index)| Pick { fitting, index })
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (0..8_u8).prop_map(Act::Finish),
        3 => (option::of(0..3_u8), option::of(0..3_u8)).prop_map(|(share, key)| Act::Report(share, key)),
        5 => (0..8_u8, any::<bool>()).prop_map(|(key, end)| Act::Succeed(key, end)),
        3 => (0..8_u8, any::<bool>()).prop_map(|(key, end)| Act::TakeOver(key, end)),
        5 => any::<bool>().prop_map(Act::Fail),
        2 => (-10..3000_i64).prop_map(Act::Retry),
        1 => (-10..3000_i64).prop_map(Act::Yield),
        1 => any::<bool>().prop_map(Act::Release),
        2 => (-10..3000_i64).prop_map(Act::Postpone),
        4 => Just(Act::Complete),
    ]
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        1 => Just(Deed::AddAgain),
        4 => Just(Deed::Cancel),
        3 => Just(Deed::Delete),
        6 => priority().prop_map(Deed::Retry),
        3 => Just(Deed::Acknowledge),
        1 => Just(Deed::Get),
    ]
}
