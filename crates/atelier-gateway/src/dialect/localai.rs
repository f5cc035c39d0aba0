//! LocalAI. The codes of its errors are numbers, and a 503 may mean that a model rests.

use super::{Base, Row};

pub(super) const ROW: Row = Row {
    name: "localai",
    base: Base::At("http://localhost:8080/v1"),
    renames: Row::MAX_TOKENS,
    ..Row::OPENAI
};
