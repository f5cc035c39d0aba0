//! Server-rendered pieces that several pages share.

use leptos::prelude::*;

use crate::data::About;
use atelier_api::Kind;

pub(crate) mod actions;
pub(crate) mod adjust;
pub(crate) mod allowance;
pub(crate) mod attach;
pub(crate) mod brush;
pub(crate) mod card;
pub(crate) mod compare;
pub(crate) mod empty;
pub(crate) mod examples;
pub(crate) mod facts;
pub(crate) mod fixed;
mod larger;
pub(crate) mod models;
pub(crate) mod picture;
pub(crate) mod viewer;
pub(crate) mod wall;

/// Explains the built-in engine, to its operator with how to replace it; nothing if a model is connected.
pub(crate) fn engine_note(about: &About, kind: Kind) -> Option<impl IntoView + use<>> {
    let t = about.texts();
    let (what, models) = match kind {
        Kind::Image => (t.local_engine, &about.pictures),
        Kind::Restoration => (t.local_restorer, &about.photos),
    };
    let [set, connects] = t.connect;
    models.is_built_in().then(|| {
        view! {
            <p class="note">
                {what}
                {about.operator.then(|| view! { {set}<code>"OPENAI_API_KEY"</code>{connects} })}
            </p>
        }
    })
}
