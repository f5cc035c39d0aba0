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
        view! {
            <form method="post" action="/api/images" data-send>
                <input type="hidden" name="from" value=seen.name() />
                <input type="hidden" name="picture" value=(index + 1).to_string() />
                <input type="hidden" name="enlarge" value="2" />
                <button type="submit" data-busy=t.sending>{t.enlarge}</button>
                <p class="alert" role="alert" data-alert></p>
            </form>
        }
    })
}

/// Orders a picture continued beyond its frame, for its owner, where a model can draw in a part alone.
pub(super) fn extend(seen: &Seen, index: usize, about: &About) -> Option<impl IntoView + use<>> {
    let (job, t) = (&seen.job, about.texts());
    let can = |model: &Model| model.edits && model.masks;
    (edits(seen, about) && about.pictures.any(can)).then(|| {
        let ways = Extend::ALL.iter().map(|way| {
            let label = extended(way, t);
            view! {
                <form method="post" action="/api/images" data-send>
                    <input type="hidden" name="from" value=seen.name() />
                    <input type="hidden" name="picture" value=(index + 1).to_string() />
                    <input type="hidden" name="extend" value=way.to_string() />
                    {same(job, &about.pictures, can)}
                    <button type="submit" aria-label=label.map(|label| format!("{}: {label}", t.bring.extend))>
                        {label}
                    </button>
                    <p class="alert" role="alert" data-alert></p>
                </form>
            }
        });
        view! {
            <div class="ways">
                <span aria-hidden="true">{t.bring.extend}</span>
                {ways.collect_view()}
            </div>
        }
    })
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
