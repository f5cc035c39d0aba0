//! Server-rendered pieces that several pages share.

use leptos::prelude::*;

use crate::{data::About, wire::Kind};

pub(crate) mod allowance;
pub(crate) mod card;
pub(crate) mod photo;
pub(crate) mod picture;
pub(crate) mod wall;

/// Says what the built-in engine is; nothing when a model is connected.
pub(crate) fn engine_note(about: &About, kind: Kind) -> Option<impl IntoView + use<>> {
    let what = match kind {
        Kind::Image => "This is the built-in sketch engine, not an AI model.",
        Kind::Restoration => {
            "This is the built-in restorer: classical image processing, not an AI model."
        }
    };
    (about.provider == "local").then(|| {
        view! {
            <p class="note">{what}" Set "<code>"OPENAI_API_KEY"</code>" to connect one."</p>
        }
    })
}
