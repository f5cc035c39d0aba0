//! `/restore`: an old photo becomes a restored one.

use jiff::Timestamp;
use leptos::prelude::*;

use super::{Content, Document, Visitor, away_note, engine, sorted};
use crate::{
    data::{About, Data, Seen},
    islands::{form::FormIsland, photo::Photo},
    parts::{
        adjust::{sizes, whose},
        allowance::left,
        attach::ACCEPT,
        brush::tools,
        card::card,
        engine_note,
        examples::samples,
        models::{models, of_each},
        wall::wall,
    },
    texts::Texts,
    words,
};
use atelier_api::Kind;

pub(crate) async fn load(data: &dyn Data) -> Content {
    let about = data.about();
    let t = about.texts();
    let (engine, document) = (engine(&about), Document::of(&about));
    let Visitor { limits, jobs, away } = Visitor::ask(data, Kind::Restoration).await;
    let body = move || {
        let now = Timestamp::now();
        let (shown, done) = sorted(jobs, now);
        let note = engine_note(&about, Kind::Restoration);
        view! {
            <FormIsland>
                <div class="composer">
                    <section class="intro">
                        <h1>{t.restore_heading}</h1>
                        <p>{t.restore_what}</p>
                        {note}
                        {away.then(|| away_note(t))}
                    </section>
                    <Form about=about.clone() />
                    {left(&limits, Kind::Restoration, &about)}
                </div>
                <div class="made">
                    <section class="jobs" data-jobs aria-label=t.restore_jobs>
                        {shown.into_iter().map(|job| card(&Seen::own(job), &about, now)).collect_view()}
                    </section>
                    {(done.is_empty() && !away).then(|| samples(t))}
                    {wall(&done, t)}
                </div>
            </FormIsland>
        }
        .into_any()
    };
    Content {
        status: 200,
        title: t.restore_title.into(),
        description: t.restore_description,
        here: "/restore",
        refresh: false,
        social: None,
        private: false,
        engine,
        document,
        body: Box::new(body),
    }
}

/// What happens to the photo.
fn privacy(about: &About) -> impl IntoView + use<> {
    let t = about.texts();
    of_each(&about.photos, |model| {
        let deleted = (t.both_deleted)(&words::round(about.photo_kept_seconds, t));
        Some(view! { <p class="fine">{whose(model, t)}{deleted}</p> }.into_any())
    })
}

#[component]
fn Form(about: About) -> impl IntoView {
    let megapixels = about.photo_max_pixels / 1_000_000;
    let t = about.texts();
    let rules = (t.photo_rules)(&words::megabytes(about.photo_max_bytes), megapixels);
    let photos = &about.photos;
    let usd = Some(photos.usual.restoration_usd).filter(|usd| *usd > 0.0 && !photos.is_choice());
    let price = usd.map(|usd| (t.photo_price)(&words::money(usd, t)));
    let masks = photos.any(|model| model.masks);
    let strengths = photos.any(|model| model.strengths);
    let enlarges = photos.any(|model| model.enlarges);
    view! {
        <form class="desk" method="post" action="/api/restorations" enctype="multipart/form-data" data-send>
            <Photo>
                <div class="drop">
                    <label for="photo">{t.choose_photo}</label>
                    <span class="button scripted" aria-hidden="true">{t.choose_photos}</span>
                    <input
                        id="photo"
                        type="file"
                        name="photo"
                        required
                        accept=ACCEPT
                        aria-describedby="rules"
                        data-max-bytes=about.photo_max_bytes.to_string()
                        data-max-pixels=about.photo_max_pixels.to_string()
                    />
                    <p id="rules" class="fine">{rules}</p>
                </div>
                <figure class="chosen" data-chosen hidden>
                    <div class="easel">
                        <img data-preview alt=t.photo_chosen width="160" height="160" />
                        {masks.then(|| view! { <canvas data-mask></canvas> })}
                    </div>
                    <figcaption>
                        <span data-name></span>
                        {masks.then(|| tools(t.only_painted, t))}
                    </figcaption>
                </figure>
            </Photo>
            <div class="dials">
                {strengths.then(|| strength(t))}
                {enlarges.then(|| sizes(1, t))}
                <label class="tick">
                    <input type="checkbox" name="monochrome" value="true" />
                    <span>{t.keep_monochrome}</span>
                </label>
                {models(photos, Kind::Restoration, None, t)}
            </div>
            {privacy(&about)}
            {price.map(|price| view! { <p class="fine">{price}</p> })}
            <p class="alert" role="alert" data-alert></p>
            <p class="send">
                <button class="main" type="submit" data-busy=t.uploading>{t.restore_it}</button>
                <button type="button" data-abort hidden>{t.call_off}</button>
            </p>
        </form>
    }
    .into_any()
}

/// How much of what the built-in restorer finds wrong it puts right.
fn strength(t: &'static Texts) -> impl IntoView {
    view! {
        <label class="pick">
            <span>{t.strength}</span>
            <span class="range">
                <small aria-hidden="true">{t.gentle}</small>
                <input type="range" name="strength" min="10" max="100" step="10" value="100" />
                <small aria-hidden="true">{t.full}</small>
            </span>
        </label>
    }
}
