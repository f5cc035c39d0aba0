//! vLLM. Its queue has no bound: the time-outs are ours.

use super::{Base, Row};

pub(super) const ROW: Row = Row {
    name: "vllm",
    base: Base::At("http://localhost:8000/v1"),
    ..Row::OPENAI
};
