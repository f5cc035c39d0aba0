//! A job as a picture in its frame with a label beside it, in every state.

use jiff::Timestamp;
use leptos::prelude::*;

use super::{
    actions,
    facts::{cache_note, facts, privacy, seconds_between},
    picture,
};
use crate::{
    data::{About, Seen},
    islands::watch::Watch,
    texts::Texts,
    words,
};
use atelier_api::{Job, Kind, Status};

/// Longer prompts are folded.
const LONG_PROMPT: usize = 280;

/// One job. The island reads its attributes: the job's state, how long it has been
/// running, and what to announce when this card replaces another.
pub(crate) fn card(seen: &Seen, about: &About, now: Timestamp) -> impl IntoView + use<> {
    let (job, t) = (&seen.job, about.texts());
    let stage_now = (t.stage)(job);
    let say = match (job.status, job.kind) {
        // The alert in the card speaks for itself.
        (Status::Failed, _) => String::new(),
        (_, Kind::Image) => format!("{stage_now}: {}", words::clip(&job.prompt, 60)),
        (_, Kind::Restoration) => stage_now.to_owned(),
    };
    // What did not work out, or is not wanted, is a row without a frame.
    let (frame, rest) = match job.status {
        Status::Queued | Status::Running | Status::Delivering => (
            Some(picture::vacant(job, progress(job, about, now), t)),
            actions::under_way(job, t).into_any(),
        ),
        Status::Succeeded => (
            Some(picture::frames(seen, actions::edits(seen, about), t)),
            succeeded(seen, about, now).into_any(),
        ),
        Status::Failed => (None, failure(seen, about).into_any()),
        Status::Cancelled => (
            None,
            view! { {stage(job, t)} {actions::after_cancelling(seen, about)} }.into_any(),
        ),
    };
    let title = title(seen, t);
    let key = Some(seen.query()).filter(|key| !key.is_empty());
    let (id, version, attempt) = (
        job.id.clone(),
        job.version.to_string(),
        job.attempt.to_string(),
    );
    let (status, preview) = (job.status.as_str(), job.preview.clone());
    let regret = (job.kind == Kind::Image && job.status.is_terminal()).then(|| {
        view! {
            <p class="note regret">
                {t.deleted}<button type="button" data-do="undo">{t.undo}</button>
            </p>
        }
    });
    view! {
        <Watch>
            <article
                class="job"
                data-id=id
                data-key=key
                data-version=version
                data-status=status
                data-attempt=attempt
                data-preview=preview
                data-say=say
            >
                {frame}
                <div class="label">{title} {rest}</div>
                {regret}
            </article>
        </Watch>
    }
}

fn title(seen: &Seen, t: &Texts) -> impl IntoView + use<> {
    let job = &seen.job;
    let address = format!("/jobs/{}{}", job.id, seen.query());
    let name = words::name(job, t);
    let short = words::clip(name, LONG_PROMPT);
    let whole = (short != name).then(|| {
        let name = name.to_owned();
        view! {
            <details>
                <summary>{t.all_words}</summary>
                <p class="words" dir="auto">{name}</p>
            </details>
        }
    });
    view! {
        <h2 tabindex="-1">
            <a href=address dir="auto">{short}</a>
        </h2>
        {whole}
    }
}

fn stage(job: &Job, t: &Texts) -> impl IntoView + use<> {
    view! { <p class="stage">{(t.stage)(job)}</p> }
}

/// A job's progress: the stage, the fraction if known, and the time.
fn progress(job: &Job, about: &About, now: Timestamp) -> AnyView {
    let t = about.texts();
    let typical = match job.kind {
        Kind::Image => about.typical_image_seconds,
        Kind::Restoration => about.typical_restoration_seconds,
    };
    let elapsed = seconds_between(&job.created_at, &now.to_string()).unwrap_or(0);
    let late = u64::from(typical) * 3 + 10;
    let tries = (job.attempt > 1).then(|| (t.another_try)(job.attempt));
    let progress = job.progress.map(|progress| progress.to_string());
    view! {
        {stage(job, t)}
        <progress max="1" value=progress aria-label=t.progress></progress>
        <p class="fine">
            <span data-ahead>{words::ahead(job, t)}</span>
            <span>
                <bdi data-elapsed=elapsed.to_string()>{words::duration(elapsed)}</bdi>
            </span>
            <span>{(t.usually)(&words::duration(typical.into()))}</span>
        </p>
        {tries.map(|tries| view! { <p class="fine">{tries}</p> })}
        <p class="fine" data-late=late.to_string() hidden=elapsed <= late>
            {t.late}
        </p>
        <p class="alert" role="alert" data-trouble></p>
    }
    .into_any()
}

fn succeeded(seen: &Seen, about: &About, now: Timestamp) -> impl IntoView + use<> {
    let (job, t) = (&seen.job, about.texts());
    view! {
        {cache_note(job, now, t)}
        {facts(job, about)}
        {actions::finished(seen, about)}
        {seen.withheld.then(|| view! { <p class="fine">{t.page_closed}</p> })}
        {privacy(seen, about, now)}
    }
}

/// Why there is no picture.
fn failure(seen: &Seen, about: &About) -> impl IntoView + use<> {
    let (job, t) = (&seen.job, about.texts());
    let message = job.error.as_ref().map_or(t.no_reason, |error| {
        (t.failure)(&error.code).unwrap_or(&error.message)
    });
    let message = message.to_owned();
    view! {
        {stage(job, t)}
        {actions::after_failure(seen, about)}
        <p class="alert" role="alert">{message}</p>
    }
}
