//! Finished pictures, shown below the form.

use leptos::prelude::*;

use super::picture::{shape, small};
use crate::{texts::Texts, words};
use atelier_api::{Job, Kind};

/// The caller's finished jobs, newest first; nothing if there are none.
pub(crate) fn wall(jobs: &[Job], t: &'static Texts) -> impl IntoView + use<> {
    let pictures = jobs.iter().filter_map(|job| tile(job, t));
    let pictures = pictures.map(|picture| view! { <li>{picture}</li> });
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
    })
}

/// A finished job as a small picture that leads to its page.
pub(crate) fn tile(job: &Job, t: &Texts) -> Option<impl IntoView + use<>> {
    let image = job.images.first()?;
    let class = format!("hung {}", shape(image.width, image.height));
    let name = words::clip(words::name(job, t), 80);
    let enlarged = job.params.enlarge.filter(|_| job.kind == Kind::Image);
    let name = match (job.images.len(), enlarged) {
        (1, Some(times)) => format!("{name} · {} {}", t.enlarged, (t.times)(times)),
        (1, None) => name,
        (several, _) => format!("{several} × {name}"),
    };
    Some(view! {
        <a href=format!("/jobs/{}", job.id) data-view>
            <span class=class>{small(job, 0, t)}</span>
            <span class="name" dir="auto" aria-hidden="true">{name}</span>
        </a>
    })
}
