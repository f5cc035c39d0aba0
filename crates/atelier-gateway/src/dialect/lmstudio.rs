//! LM Studio, which loads models when they are asked for.

use super::{Base, Row};

pub(super) const ROW: Row = Row {
    name: "lmstudio",
    base: Base::At("http://localhost:1234/v1"),
    renames: Row::MAX_TOKENS,
    ..Row::OPENAI
};
