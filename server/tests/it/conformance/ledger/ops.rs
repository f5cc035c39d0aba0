//! What may happen next.

use proptest::prelude::*;

#[derive(Debug, Clone)]
pub(super) enum Op {
    /// Somebody asks for a picture, perhaps to be told by a notice.
    Order { words: u8, hook: bool },
    /// A worker claims a call, perhaps to fall silent at once.
    Begin { silent: bool },
    /// One of the calls begun comes to an end.
    End(usize, End),
    /// The answer of one of them, at this price in cents, is in a journal; its process dies.
    Write(usize, Option<u8>),
    /// What is in the journal is recorded where that is still possible.
    Recover,
    /// A recorded outcome arrives, perhaps at a process that dies right after.
    Deliver { which: usize, dies: bool },
    /// An owner calls off a job, perhaps at a process that dies right after.
    Cancel { which: usize, dies: bool },
    /// An owner deletes what has ended.
    Delete(usize),
    /// What is in the outbox is attended to.
    Attend,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    /// With a picture, at this price in cents.
    Picture(Option<u8>),
    /// For good.
    Fail(Price),
    Retry(Price),
    /// The call is dropped, perhaps before anything was sent.
    HandBack(bool),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Price {
    Nothing,
    Cents(u8),
    Unknown,
}

pub(super) fn op() -> impl Strategy<Value = Op> {
    let which = || 0..100_usize;
    let dies = || prop::bool::weighted(0.3);
    prop_oneof![
        6 => (0..3_u8, any::<bool>()).prop_map(|(words, hook)| Op::Order { words, hook }),
        4 => prop::bool::weighted(0.3).prop_map(|silent| Op::Begin { silent }),
        5 => (which(), end()).prop_map(|(which, end)| Op::End(which, end)),
        2 => (which(), price_told()).prop_map(|(which, cents)| Op::Write(which, cents)),
        1 => Just(Op::Recover),
        3 => (which(), dies()).prop_map(|(which, dies)| Op::Deliver { which, dies }),
        4 => (which(), dies()).prop_map(|(which, dies)| Op::Cancel { which, dies }),
        2 => which().prop_map(Op::Delete),
        1 => Just(Op::Attend),
    ]
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![
        3 => price_told().prop_map(End::Picture),
        2 => price().prop_map(End::Fail),
        3 => price().prop_map(End::Retry),
        1 => any::<bool>().prop_map(End::HandBack),
    ]
}

fn price_told() -> impl Strategy<Value = Option<u8>> {
    prop::option::of(1..9_u8)
}

fn price() -> impl Strategy<Value = Price> {
    prop_oneof![
        Just(Price::Nothing),
        (1..9_u8).prop_map(Price::Cents),
        Just(Price::Unknown),
    ]
}
