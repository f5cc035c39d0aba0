//! A photo before and after.

use leptos::prelude::*;

use super::picture::{img, shape};
use crate::{data::Seen, texts::Texts};
use atelier_api::Image;

/// Before and after. Side by side in plain HTML; with JavaScript one over the other,
/// parted by a range input, unless the box asks for side by side.
pub(super) fn compare(
    seen: &Seen,
    original: &Image,
    restored: &Image,
    t: &'static Texts,
) -> impl IntoView + use<> {
    let class = format!("frame compare {}", shape(restored.width, restored.height));
    view! {
        <div class=class>
            {pair(original, restored, [t.photo_as_it_was, t.photo_restored], t)}
            <p class="views scripted">
                {view("side", t.side_by_side)}
                <button type="button" class="hold">{t.hold}</button>
                {view("difference", t.only_changes)}
                {view("actual", t.actual_size)}
            </p>
            {strength(seen, t)}
        </div>
    }
}

/// Both and the range input, with what each shows.
pub(crate) fn pair(
    original: &Image,
    restored: &Image,
    [before, after]: [&'static str; 2],
    t: &'static Texts,
) -> impl IntoView + use<> {
    view! {
        <div class="pair">
            <figure class="after">
                {img(restored, after.into(), None)}
                <figcaption>{t.after}</figcaption>
            </figure>
            <figure class="before">
                {img(original, before.into(), None)}
                <figcaption>{t.before}</figcaption>
            </figure>
            <label class="part">
                <span class="unseen">{t.how_much_before}</span>
                <input type="range" name="before" min="0" max="100" value="50" autocomplete="off" />
                <span class="share" aria-hidden="true">{t.before}" "<bdi>"50\u{a0}%"</bdi></span>
            </label>
        </div>
    }
}

/// A way to look at both; the style sheet does the rest.
fn view(name: &'static str, label: &'static str) -> impl IntoView {
    view! {
        <label class="tick">
            <input type="checkbox" name=name autocomplete="off" />
            <span>{label}</span>
        </label>
    }
}

/// How much of the repair is shown, and downloaded.
fn strength(seen: &Seen, t: &Texts) -> impl IntoView + use<> {
    let action = format!("/jobs/{}/download", seen.job.id);
    let query = seen.query();
    let key = query.strip_prefix("?key=").map(str::to_owned);
    view! {
        <form class="mix" action=action>
            {key.map(|key| view! { <input type="hidden" name="key" value=key /> })}
            <label>
                <span>{t.strength}</span>
                <input type="range" name="strength" min="0" max="100" value="100" autocomplete="off" />
                <bdi aria-hidden="true">"100\u{a0}%"</bdi>
            </label>
            <button type="submit">{t.bring.save_mixed}</button>
        </form>
    }
}
