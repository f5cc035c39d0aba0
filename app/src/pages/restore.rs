//! `/restore`: an old photo becomes a restored one.

use jiff::Timestamp;
use leptos::prelude::*;

use super::{Content, Visitor, away_note, engine};
use crate::{
    data::{About, Data, Seen},
    islands::{desk::Desk, photo::Photo},
    parts::{allowance::left, card::card, engine_note, wall::wall},
    wire::{Kind, Status},
    words,
};

/// Photos on the wall below the form.
const WALL: usize = 12;

/// What the file picker offers; the server looks at the bytes.
const ACCEPT: &str = "image/jpeg,image/png,image/webp,image/gif,image/bmp,image/tiff";

pub(crate) async fn load(data: &dyn Data) -> Content {
    let about = data.about();
    let engine = engine(&about);
    let Visitor {
        limits,
        mut jobs,
        away,
    } = Visitor::ask(data, WALL * 2).await;
    jobs.retain(|job| job.kind == Kind::Restoration);
    let body = move || {
        let now = Timestamp::now();
        let working: Vec<_> = jobs
            .iter()
            .filter(|job| !job.status.is_terminal())
            .cloned()
            .collect();
        let done: Vec<_> = jobs
            .into_iter()
            .filter(|job| job.status == Status::Succeeded)
            .take(WALL)
            .collect();
        let note = engine_note(&about, Kind::Restoration);
        view! {
            <Desk>
                <section class="intro">
                    <h1>"Bring an old photo back"</h1>
                    <p>"Faded, scratched or grainy: choose a photo and see it beside what it was."</p>
                    {note}
                    {away.then(away_note)}
                </section>
                <Form about=about.clone() />
                {left(&limits, Kind::Restoration, &about)}
                <section class="jobs" data-jobs aria-label="Your photos in the making">
                    {working.into_iter().map(|job| card(&Seen::own(job), &about, now)).collect_view()}
                </section>
            </Desk>
            {wall(&done)}
        }
        .into_any()
    };
    Content {
        status: 200,
        title: "Restore a photo".into(),
        description: "Upload a faded, scratched or noisy photo and get it back restored.",
        here: "/restore",
        refresh: false,
        social: None,
        private: false,
        engine,
        body: Box::new(body),
    }
}

/// What happens to the photo.
fn privacy(about: &About) -> String {
    let kept = words::round(about.photo_kept_seconds);
    let place = match about.provider {
        "local" => {
            "Your photo stays on this server, and only you can see it and what becomes of it."
        }
        "openai" => {
            "Your photo is sent to OpenAI to be restored, under their terms; here only you can see it and what becomes of it."
        }
        _ => {
            "Your photo is sent to Replicate to be restored, under their terms; here only you can see it and what becomes of it."
        }
    };
    format!("{place} Both are deleted {kept} after it is done, or at once when you say so.")
}

#[component]
fn Form(about: About) -> impl IntoView {
    let megapixels = about.photo_max_pixels / 1_000_000;
    let rules = format!(
        "JPEG, PNG, WebP, GIF, BMP or TIFF, up to {} and {megapixels} megapixels.",
        words::megabytes(about.photo_max_bytes),
    );
    let own = about.provider == "local";
    let enlarges = about.provider != "openai";
    view! {
        <form class="desk" method="post" action="/api/restorations" enctype="multipart/form-data" data-send>
            <Photo>
                <div class="drop">
                    <label for="photo">"Choose a photo, or drop it here"</label>
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
                        <img data-preview alt="The photo you chose" width="160" height="160" />
                        {about.masks.then(|| view! { <canvas data-mask></canvas> })}
                    </div>
                    <figcaption>
                        <span data-name></span>
                        {about.masks.then(brush)}
                    </figcaption>
                </figure>
            </Photo>
            <div class="dials">
                {own.then(strength)}
                {enlarges.then(enlarge)}
                <label class="tick">
                    <input type="checkbox" name="monochrome" value="true" />
                    <span>"Keep it black and white"</span>
                </label>
            </div>
            <p class="fine">{privacy(&about)}</p>
            <p class="alert" role="alert" data-alert></p>
            <p class="send">
                <button class="main" type="submit" data-busy="Uploading …">"Restore it"</button>
            </p>
        </form>
    }
}

/// Painting over the damage, where a part of a photo can be repaired. Only scripts have a brush.
fn brush() -> impl IntoView {
    view! {
        <span class="brush">
            <label class="tick">
                <input type="checkbox" data-paint autocomplete="off" />
                <span>"Repair only what I paint over"</span>
            </label>
            <label class="width">
                <span>"Brush"</span>
                <input type="range" data-width min="1" max="12" value="4" autocomplete="off" />
            </label>
            <button type="button" data-wipe>"Start over"</button>
        </span>
    }
}

/// How much of what the built-in restorer finds wrong it puts right.
fn strength() -> impl IntoView {
    view! {
        <label class="pick">
            <span>"Strength"</span>
            <span class="range">
                <small aria-hidden="true">"gentle"</small>
                <input type="range" name="strength" min="10" max="100" step="10" value="100" />
                <small aria-hidden="true">"full"</small>
            </span>
        </label>
    }
}

fn enlarge() -> impl IntoView {
    view! {
        <label class="pick">
            <span>"Size"</span>
            <select name="enlarge">
                <option value="1" selected>"As it is"</option>
                <option value="2">"Twice as large"</option>
                <option value="4">"Four times as large"</option>
            </select>
        </label>
    }
}
