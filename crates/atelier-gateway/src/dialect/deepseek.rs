//! DeepSeek. What the model has thought (`reasoning_content`) must come back with its message.

use super::{Base, Row};

pub(super) const ROW: Row = Row {
    name: "deepseek",
    base: Base::At("https://api.deepseek.com"),
    renames: Row::MAX_TOKENS,
    ..Row::OPENAI
};
