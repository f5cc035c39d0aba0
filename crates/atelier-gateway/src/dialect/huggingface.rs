//! Hugging Face's Inference Providers. A colon in a model's name chooses the provider, and
//! belongs to the name.

use super::{Base, Row};

pub(super) const ROW: Row = Row {
    name: "huggingface",
    base: Base::At("https://router.huggingface.co/v1"),
    headers: |config| {
        let payer = config.bill_to.iter();
        payer.map(|payer| ("x-hf-bill-to", payer.clone())).collect()
    },
    renames: Row::MAX_TOKENS,
    ..Row::OPENAI
};
