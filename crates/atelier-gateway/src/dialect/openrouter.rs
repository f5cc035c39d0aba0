//! OpenRouter, which tells unasked what a call has cost: `usage.cost`, in dollars. Errors come
//! in the midst of streams too.

use super::{Base, Row, StreamUsage};

pub(super) const ROW: Row = Row {
    name: "openrouter",
    base: Base::At("https://openrouter.ai/api/v1"),
    usage: StreamUsage::Told,
    ..Row::OPENAI
};
