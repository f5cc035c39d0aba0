//! Finished pictures, hung below the form.

use leptos::prelude::*;

use super::picture::{describe, shape};
use crate::{wire::Job, words};

/// The caller's finished jobs, newest first; nothing when there are none.
pub(crate) fn wall(jobs: &[Job]) -> impl IntoView + use<> {
    let pictures = jobs.iter().filter_map(hung).collect_view();
    (!jobs.is_empty()).then(|| {
        view! {
            <section class="wall" aria-labelledby="wall">
                <h2 id="wall">"On your wall"</h2>
                <ul>{pictures}</ul>
            </section>
        }
    })
}

fn hung(job: &Job) -> Option<impl IntoView + use<>> {
    let image = job.images.first()?.clone();
    let class = format!("hung {}", shape(image.width, image.height));
    let alt = describe(job, 0);
    let name = words::clip(words::name(job), 80);
    Some(view! {
        <li>
            <a href=format!("/jobs/{}", job.id)>
                <span class=class>
                    <img
                        src=image.url
                        alt=alt
                        width=image.width.to_string()
                        height=image.height.to_string()
                        loading="lazy"
                        decoding="async"
                    />
                </span>
                <span class="name" aria-hidden="true">{name}</span>
            </a>
        </li>
    })
}
