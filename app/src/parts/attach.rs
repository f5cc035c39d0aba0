//! Pictures attached to a prompt.

use leptos::prelude::*;

use super::{brush::tools, models::of_each};
use crate::{
    data::{About, Model},
    islands::photo::Photo,
    texts::Texts,
    words,
};
use atelier_api::{Image, Job, MOST_ATTACHED};

/// What a file picker offers; the server looks at the bytes.
pub(crate) const ACCEPT: &str = "image/jpeg,image/png,image/webp,image/gif,image/bmp,image/tiff";

/// The field for them. Scripts show what is chosen, and have a brush for a single one.
pub(crate) fn attach(about: &About) -> AnyView {
    let t = about.texts();
    let [max_bytes, max_pixels] = [about.photo_max_bytes, about.photo_max_pixels];
    let privacy = of_each(&about.pictures, |model| privacy(model, t));
    let masks = about.pictures.any(|model| model.edits && model.masks);
    view! {
        <Photo>
            <div class="attach">
                <div class="pick">
                    <label class="button" for="image">{t.bring.attach}</label>
                    <input
                        id="image"
                        type="file"
                        name="image"
                        multiple
                        accept=ACCEPT
                        data-most=MOST_ATTACHED.to_string()
                        data-max-bytes=max_bytes.to_string()
                        data-max-pixels=max_pixels.to_string()
                    />
                    <span class="fine scripted">{(t.bring.attach_how)(MOST_ATTACHED)}</span>
                </div>
                <ul class="thumbs" data-thumbs aria-label=t.bring.attached>
                    <li hidden>
                        <img alt="" width="72" height="72" />
                        <button type="button" aria-label=t.bring.take_off>"×"</button>
                    </li>
                </ul>
                <figure class="chosen" data-chosen hidden>
                    <div class="easel">
                        <img data-preview alt=t.bring.attached width="160" height="160" />
                        {masks.then(|| view! { <canvas data-mask></canvas> })}
                    </div>
                    <figcaption>
                        <span data-name></span>
                        {masks.then(|| tools(t.bring.only_here, t))}
                    </figcaption>
                </figure>
                {privacy}
            </div>
        </Photo>
    }
    .into_any()
}

/// Who gets what is attached, and what that costs.
fn privacy(model: &Model, t: &'static Texts) -> Option<AnyView> {
    let price = (model.attached_usd > 0.0)
        .then(|| (t.bring.attached_price)(&words::money(model.attached_usd, t)));
    model.edits.then(|| {
        view! { <p class="fine about">{(t.bring.attached_privacy)(model.vendor())} {price}</p> }
            .into_any()
    })
}

/// The pictures of an earlier order, to be attached again without being sent.
pub(crate) fn attached_again(job: &Job, t: &'static Texts) -> Option<AnyView> {
    (!job.attached.is_empty()).then(|| {
        view! {
            <label class="tick">
                <input type="checkbox" name="attached" value=job.id.clone() checked autocomplete="off" />
                <span>{t.bring.same_attached}</span>
                <span class="thumbs">{job.attached.iter().map(|image| thumbnail(image, t)).collect_view()}</span>
            </label>
        }
        .into_any()
    })
}

/// A small copy.
pub(crate) fn thumbnail(image: &Image, t: &'static Texts) -> impl IntoView + use<> {
    view! {
        <img
            src=format!("{}?width=320", image.url)
            alt=t.bring.attached
            width=image.width.to_string()
            height=image.height.to_string()
            loading="lazy"
        />
    }
}
