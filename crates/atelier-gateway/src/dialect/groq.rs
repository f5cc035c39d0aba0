//! Groq, which tells the usage of a stream in `x_groq` of its last chunk, unasked.

use super::{Base, Row, StreamUsage};

pub(super) const ROW: Row = Row {
    name: "groq",
    base: Base::At("https://api.groq.com/openai/v1"),
    usage: StreamUsage::Told,
    ..Row::OPENAI
};
