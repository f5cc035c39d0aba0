//! Ollama. Its first call of a model loads it, which can take minutes.

use super::{Base, Row};

pub(super) const ROW: Row = Row {
    name: "ollama",
    base: Base::At("http://localhost:11434/v1"),
    renames: Row::MAX_TOKENS,
    ..Row::OPENAI
};
