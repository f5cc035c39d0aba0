//! Larger versions of a picture that was made from words: in more pixels, or continued beyond its frame.

use leptos::prelude::*;

use super::{actions::edits, models::same};
use crate::{
    data::{About, Model, Seen},
    texts::Texts,
};
use atelier_api::{Extend, Kind};

/// Orders a picture in twice the size, for its owner.
pub(super) fn enlarge(seen: &Seen, index: usize, about: &About) -> Option<impl IntoView + use<>> {
    let picture = seen.job.kind == Kind::Image && seen.job.params.enlarge.is_none();
    let t = about.texts();
    (picture && seen.mine && about.photos.usual.enlarges).then(|| {
        let button = view! { <button type="submit" data-busy=t.sending>{t.enlarge}</button> };
        form(seen, index, ("enlarge", "2".to_owned()), button)
    })
}

/// Orders a picture continued beyond its frame, for its owner, where a model can draw in a part alone.
pub(super) fn extend(seen: &Seen, index: usize, about: &About) -> Option<impl IntoView + use<>> {
    let (job, t) = (&seen.job, about.texts());
    let can = |model: &Model| model.edits && model.masks;
    (edits(seen, about) && about.pictures.any(can)).then(|| {
        let ways = Extend::ALL.iter().map(|way| {
            let label = extended(way, t);
            let button = view! {
                {same(job, &about.pictures, can)}
                <button type="submit" aria-label=label.map(|label| format!("{}: {label}", t.bring.extend))>
                    {label}
                </button>
            };
            form(seen, index, ("extend", way.to_string()), button)
        });
        view! {
            <div class="ways">
                <span aria-hidden="true">{t.bring.extend}</span>
                {ways.collect_view()}
            </div>
        }
    })
}

/// The form that orders it.
fn form<B: IntoView + 'static>(
    seen: &Seen,
    index: usize,
    (name, value): (&'static str, String),
    button: B,
) -> impl IntoView + use<B> {
    view! {
        <form method="post" action="/api/images" data-send>
            <input type="hidden" name="from" value=seen.name() />
            <input type="hidden" name="picture" value=(index + 1).to_string() />
            <input type="hidden" name=name value=value />
            {button}
            <p class="alert" role="alert" data-alert></p>
        </form>
    }
}

/// Where a picture is extended, in words.
pub(super) fn extended(extend: &Extend, t: &Texts) -> Option<&'static str> {
    Some(match extend {
        Extend::Around => t.bring.all_around,
        Extend::Wide => t.bring.wider,
        Extend::Tall => t.bring.taller,
        Extend::Other(_) => return None,
    })
}
