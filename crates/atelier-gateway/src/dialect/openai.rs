//! OpenAI, and whatever does as OpenAI does.

use super::Row;

pub(super) const ROW: Row = Row::OPENAI;
