//! Google AI Studio's endpoint for OpenAI's clients. Usage comes in every chunk and is the
//! total so far; errors come in a list of one; a wrong key is a 400; and what a message holds
//! beside OpenAI's fields (the signatures of thoughts) must come back.

use super::{Base, Listing, Row};

/// Kinds of models that neither chat nor embed.
const OTHERS: &[&str] = &["aqa", "imagen", "lyria", "veo"];

pub(super) const ROW: Row = Row {
    name: "gemini",
    base: Base::At("https://generativelanguage.googleapis.com/v1beta/openai"),
    listing: Listing::Listed {
        path: "/models",
        list: "data",
        id: "id",
        prefix: "models/",
        without: OTHERS,
        headers: &[],
    },
    bad_keys: &["API_KEY_INVALID"],
    ..Row::OPENAI
};
