//! `/jobs/{id}`: one job in whatever state it is.

use jiff::Timestamp;
use leptos::prelude::*;

use super::{Content, Document, Social, engine, problem};
use crate::{
    data::{About, Data, Seen, Unavailable},
    parts::{allowance::left, card::card, picture::describe},
    texts::Texts,
    words,
};
use atelier_api::{Image, Job, Kind, PREVIEW_SIDE, Status};

pub(crate) async fn load(
    data: &dyn Data,
    id: &str,
    key: Option<&str>,
) -> Result<Content, Unavailable> {
    let about = data.about();
    let Some(seen) = data.job(id, key).await? else {
        return Ok(problem::no_job(data));
    };
    let job = &seen.job;
    let kind = job.kind;
    let limits = data.limits(kind).await?;
    let t = about.texts();
    let (heading, here, another) = match kind {
        Kind::Image => (t.picture, "/", t.another_picture),
        Kind::Restoration => (t.photo, "/restore", t.restore_another),
    };
    let (working, private) = (!job.status.is_terminal(), seen.withheld);
    let by_key = seen.by_key();
    let title = title(job, t);
    let social = social(&seen, &about);
    let (engine, document) = (engine(&about), Document::of(&about));
    let body = move || {
        view! {
            <h1 class="unseen">{heading}</h1>
            <div class="alone">{card(&seen, &about, Timestamp::now())}</div>
                {working
                    .then(|| {
                        view! {
                            <noscript>
                                <p class="fine later">{t.looks_again}</p>
                            </noscript>
                        }
                    })}
                <p class="onward">
                    <a href=here>{another}</a>
                </p>
                {left(&limits, kind, &about)}
        }
        .into_any()
    };
    Ok(Content {
        status: 200,
        title,
        description: t.job_description,
        here: "",
        refresh: working,
        social,
        private: private || by_key || kind == Kind::Restoration,
        engine,
        document,
        body: Box::new(body),
    })
}

/// Only what others can see is shown to others.
fn social(seen: &Seen, about: &About) -> Option<Social> {
    let origin = &about.origin;
    let job = &seen.job;
    let image = job.images.first().filter(|_| !seen.withheld)?;
    let query = match (&seen.key, job.kind) {
        (Some(key), _) => format!("?key={key}"),
        (None, Kind::Image) => String::new(),
        (None, Kind::Restoration) => return None,
    };
    let [width, height] = preview_sides(image);
    Some(Social {
        kind: "article",
        address: format!("{origin}/jobs/{}{query}", job.id),
        image: format!("{origin}{}?preview=jpeg", image.url),
        width,
        height,
        alt: describe(job, 0, about.texts()),
    })
}

/// The size of the copy for other sites.
fn preview_sides(image: &Image) -> [u32; 2] {
    let longest = image.width.max(image.height).max(1);
    let share = (f64::from(PREVIEW_SIDE) / f64::from(longest)).min(1.0);
    [image.width, image.height].map(|side| ((f64::from(side) * share).round() as u32).max(1))
}

/// The stage while there is something to wait for, else what was made.
fn title(job: &Job, t: &Texts) -> String {
    let stage = (t.stage)(job);
    match job.status {
        Status::Succeeded => words::clip(words::name(job, t), 60),
        status if status.is_terminal() => stage.to_owned(),
        _ => format!("{stage} …"),
    }
}
