//! Anthropic. Its messages are passed on as they come, with the version that the client names;
//! only the list of models, which the gateway asks for itself, needs one from here.

use super::{Auth, Base, Listing, Row};
use crate::Wire;

pub(super) const ROW: Row = Row {
    name: "anthropic",
    wire: Wire::Anthropic,
    base: Base::At("https://api.anthropic.com/v1"),
    auth: Auth::XApiKey,
    listing: Listing::Listed {
        path: "/models",
        list: "data",
        id: "id",
        prefix: "",
        without: &[],
        headers: &[("anthropic-version", "2023-06-01")],
    },
    finals: &[
        "enforced_spend_limit_reached",
        "contract_spend_limit_reached",
    ],
    ..Row::OPENAI
};
