//! What the caller has left.

use leptos::prelude::*;

use crate::{
    wire::{Kind, Limit},
    words,
};

/// The tightest limit in a sentence; empty when nothing is limited. The desk renews
/// it from the page of a new job.
pub(crate) fn left(limits: &[Limit], kind: Kind) -> impl IntoView + use<> {
    let told = words::allowance(limits, kind);
    let class = match &told {
        Some(allowance) if allowance.spent => "left spent",
        _ => "left",
    };
    view! { <p class=class data-left>{told.map(|allowance| allowance.sentence)}</p> }
}
