//! Finished pictures, shown below the form.

use leptos::prelude::*;

use super::picture::{ratio, small, veil};
use crate::{texts::Texts, words};
use atelier_api::{Job, Kind};

/// The caller's finished jobs, newest first; nothing if there are none.
pub(crate) fn wall(jobs: &[Job], t: &'static Texts) -> impl IntoView + use<> {
    let pictures = jobs.iter().filter_map(|job| {
        let picture = tile(job, false, t)?;
        Some(view! { <li class=width(job)>{picture}</li> })
    });
    let pictures = pictures.collect_view();
    (!jobs.is_empty()).then(|| {
        view! {
            <section class="wall" aria-labelledby="wall">
                <h2 id="wall">{t.wall}</h2>
                <ul class="hanging">{pictures}</ul>
                <p class="onward">
                    <a href="/gallery">{t.everything}</a>
                </p>
            </section>
        }
        .into_any()
    })
}

/// The class that makes an entry as wide as its picture is among the others of its row.
pub(crate) fn width(job: &Job) -> Option<String> {
    job.images.first().map(ratio)
}

/// A finished job as a small picture that leads to its page; for `seen` see [`small`].
pub(crate) fn tile(job: &Job, seen: bool, t: &Texts) -> Option<impl IntoView + use<>> {
    let image = job.images.first()?;
    let name = words::clip(words::name(job, t), 80);
    let name = match job.images.len() {
        1 => name,
        several => format!("{several} × {name}"),
    };
    let enlarged = job.params.enlarge.filter(|_| job.kind == Kind::Image);
    let enlarged = enlarged.map(|times| {
        let note = format!("{} {}", t.enlarged, (t.times)(times));
        view! { <span class="enlarged">{note}</span> }
    });
    Some(view! {
        <a href=format!("/jobs/{}", job.id) data-view>
            <span class="hung">{veil(image)} {small(job, 0, seen, t)} {enlarged}</span>
            <span class="name" dir="auto" aria-hidden="true">{name}</span>
        </a>
    })
}
