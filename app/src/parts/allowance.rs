//! What the caller has left.

use leptos::prelude::*;

use crate::{data::About, words};
use atelier_api::{Kind, Limit};

/// The tightest limit in a sentence; empty if nothing is limited. The form's island
/// updates it from the page of a new job.
pub(crate) fn left(limits: &[Limit], kind: Kind, about: &About) -> impl IntoView + use<> {
    let usd = match kind {
        Kind::Image => about.pictures.usual.image_usd[0][0],
        Kind::Restoration => about.photos.usual.restoration_usd,
    };
    let told = words::allowance(limits, kind, usd, about.texts());
    let class = match &told {
        Some(allowance) if allowance.spent => "left spent",
        _ => "left",
    };
    view! { <p class=class data-left=kind.as_str()>{told.map(|allowance| allowance.sentence)}</p> }
}
