//! What can be changed about a restored photo without sending it again.

use leptos::prelude::*;

use super::{
    brush::tools,
    models::{models, of_each, same},
};
use crate::{
    data::{About, Model, Seen},
    texts::Texts,
};
use atelier_api::{Image, Kind};

/// For its owner: another restoration of the same photo, or of its result where they paint over that.
pub(crate) fn adjust(seen: &Seen, about: &About) -> Option<AnyView> {
    let (job, t) = (&seen.job, about.texts());
    let result = (job.images.first())
        .filter(|_| seen.mine && job.kind == Kind::Restoration && job.original.is_some())?;
    let enlarge = job.params.enlarge.unwrap_or(1);
    let monochrome = job.params.monochrome == Some(true);
    let further =
        (about.photos.any(|model| model.masks)).then(|| further(seen, result, about).into_any());
    let enlarges = about.photos.any(|model| model.enlarges);
    let fold = view! {
        <details class="more">
            <summary class="button">{t.bring.adjust}</summary>
            <div class="adjust">
                <form class="dials" method="post" action="/api/restorations" enctype="multipart/form-data" data-send>
                    <input type="hidden" name="original" value=seen.name() />
                    {enlarges.then(|| sizes(enlarge, t))}
                    <label class="tick">
                        <input type="checkbox" name="monochrome" value="true" checked=monochrome autocomplete="off" />
                        <span>{t.black_and_white}</span>
                    </label>
                    {models(&about.photos, job.kind, job.model.as_deref(), t)}
                    {about.photos.is_choice().then(|| of_each(&about.photos, |model| Some(sent(model, t))))}
                    <button type="submit" data-busy=t.sending>{t.bring.restore_again}</button>
                    <p class="alert" role="alert" data-alert></p>
                </form>
                {further}
                <p class="fine">{t.bring.nothing_sent}</p>
            </div>
        </details>
    };
    Some(fold.into_any())
}

/// Who gets the photo.
pub(crate) fn whose(model: &Model, t: &Texts) -> String {
    if model.is_built_in() {
        t.stays_here.to_owned()
    } else {
        (t.sent_to)(model.vendor())
    }
}

fn sent(model: &Model, t: &'static Texts) -> AnyView {
    view! { <p class="fine">{whose(model, t)}</p> }.into_any()
}

/// Painting over what is left in the result.
fn further(seen: &Seen, result: &Image, about: &About) -> impl IntoView + use<> {
    let t = about.texts();
    view! {
        <form class="scripted" method="post" action="/api/restorations" enctype="multipart/form-data" data-send>
            <input type="hidden" name="original" value=seen.name() />
            // What is painted takes its place.
            <input type="hidden" name="mask" value="" />
            {same(&seen.job, &about.photos, |model| model.masks)}
            <div class="chosen" data-chosen data-one>
                <div class="easel">
                    <img
                        data-preview
                        src=format!("{}?width=960", result.url)
                        alt=""
                        width=result.width.to_string()
                        height=result.height.to_string()
                        loading="lazy"
                    />
                    <canvas data-mask></canvas>
                </div>
                {tools(t.bring.repair_more, t)}
            </div>
            <button type="submit" data-busy=t.sending>{t.bring.repair_painted}</button>
            <p class="alert" role="alert" data-alert></p>
        </form>
    }
}

/// How many times as wide and high.
pub(crate) fn sizes(chosen: u32, t: &'static Texts) -> impl IntoView {
    let sizes = [(1, t.as_it_is), (2, t.twice), (4, t.four_times)];
    let sizes = sizes.map(|(times, label)| {
        view! { <option value=times.to_string() selected=times == chosen>{label}</option> }
    });
    view! {
        <label class="pick">
            <span>{t.size}</span>
            <select name="enlarge">{sizes.into_iter().collect_view()}</select>
        </label>
    }
}
