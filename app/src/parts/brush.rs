//! The brush, with which visitors paint over a part of a picture. Only scripts have one.

use leptos::prelude::*;

use crate::texts::Texts;

/// A tick to take it by, and what it is set with.
pub(crate) fn tools(tick: &'static str, t: &'static Texts) -> impl IntoView {
    view! {
        <span class="brush">
            <label class="tick">
                <input type="checkbox" data-paint autocomplete="off" />
                <span>{tick}</span>
            </label>
            <label class="width">
                <span>{t.brush}</span>
                <input type="range" data-width min="1" max="12" value="4" autocomplete="off" />
            </label>
            <label class="tick rub">
                <input type="checkbox" data-rub autocomplete="off" />
                <span>{t.bring.eraser}</span>
            </label>
            <button type="button" data-unpaint>{t.undo}</button>
            <button type="button" data-wipe>{t.start_over}</button>
        </span>
    }
}
