//! The server of llama.cpp. Without a key of its own it refuses whoever sends one.

use super::{Base, Row};

pub(super) const ROW: Row = Row {
    name: "llamacpp",
    base: Base::At("http://localhost:8080/v1"),
    renames: Row::MAX_TOKENS,
    ..Row::OPENAI
};
