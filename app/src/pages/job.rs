//! `/jobs/{id}`: one job in whatever state it is.

use jiff::Timestamp;
use leptos::prelude::*;

use super::{Content, Social, engine, problem};
use crate::{
    data::{Data, Seen, Unavailable},
    parts::{allowance::left, card::card, picture::describe},
    wire::{Job, Kind},
    words,
};

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
    let limits = data.limits().await?;
    let kind = job.kind;
    let (heading, here, another) = match kind {
        Kind::Image => ("Picture", "/", "Paint another picture"),
        Kind::Restoration => ("Photo", "/restore", "Restore another photo"),
    };
    let working = !job.status.is_terminal();
    let title = title(job);
    let social = social(&seen, &about.origin);
    let engine = engine(&about);
    let body = move || {
        view! {
            <h1 class="unseen">{heading}</h1>
            <div class="alone">{card(&seen, &about, Timestamp::now())}</div>
                {working
                    .then(|| {
                        view! {
                            <noscript>
                                <p class="fine later">"This page looks again every two seconds. Calling a job off needs JavaScript."</p>
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
        description: "A picture made in this studio.",
        here: "",
        refresh: working,
        social,
        private: kind == Kind::Restoration,
        engine,
        body: Box::new(body),
    })
}

/// Only what others can see is shown to others.
fn social(seen: &Seen, origin: &str) -> Option<Social> {
    let job = &seen.job;
    let image = job.images.first()?;
    let query = match (&seen.key, job.kind) {
        (Some(key), _) => format!("?key={key}"),
        (None, Kind::Image) => String::new(),
        (None, Kind::Restoration) => return None,
    };
    Some(Social {
        address: format!("{origin}/jobs/{}{query}", job.id),
        image: format!("{origin}{}", image.url),
        width: image.width,
        height: image.height,
        alt: describe(job, 0),
    })
}

/// The stage while there is something to wait for, else what was made.
fn title(job: &Job) -> String {
    if job.status == crate::wire::Status::Succeeded {
        words::clip(words::name(job), 60)
    } else {
        words::stage(job).to_owned()
    }
}
