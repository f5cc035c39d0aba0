//! Mistral, which refuses fields that it does not know and tells the usage of streams unasked.

use super::{Base, Row, StreamUsage};

pub(super) const ROW: Row = Row {
    name: "mistral",
    base: Base::At("https://api.mistral.ai/v1"),
    usage: StreamUsage::Told,
    drops: &[
        "prompt_cache_key",
        "prompt_cache_retention",
        "safety_identifier",
        "service_tier",
        "store",
        "user",
    ],
    renames: &[
        ("max_completion_tokens", "max_tokens"),
        ("seed", "random_seed"),
    ],
    ..Row::OPENAI
};
