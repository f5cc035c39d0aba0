//! A job as a picture in its frame with a label beside it, in every state.

use jiff::Timestamp;
use leptos::prelude::*;

use super::{photo, picture};
use crate::{
    data::{About, Seen},
    islands::watch::Watch,
    wire::{Cache, Job, Kind, Status},
    words,
};

/// Longer prompts are folded.
const LONG_PROMPT: usize = 280;

/// One job. The attributes are what the island needs to know: where the job stands,
/// how long it has been under way, and what to say when this card takes another's place.
pub(crate) fn card(seen: &Seen, about: &About, now: Timestamp) -> impl IntoView + use<> {
    let job = &seen.job;
    let say = match job.status {
        // The alert in the card speaks for itself.
        Status::Failed => "",
        _ => words::stage(job),
    };
    let vacant = |note| picture::vacant(job, note).into_any();
    let (frame, rest) = match job.status {
        Status::Queued | Status::Running | Status::Delivering => {
            (vacant(progress(job, about, now)), under_way(job).into_any())
        }
        Status::Succeeded => (picture::hang(job), succeeded(seen, about, now).into_any()),
        Status::Failed => (vacant(failure(job)), after_failure(seen).into_any()),
        Status::Cancelled => (
            vacant(stage(job).into_any()),
            after_cancelling(seen).into_any(),
        ),
    };
    let title = title(job);
    let (id, version, attempt) = (
        job.id.clone(),
        job.version.to_string(),
        job.attempt.to_string(),
    );
    let (status, preview) = (job.status.as_str(), job.preview.clone());
    view! {
        <Watch>
            <article
                class="job"
                data-id=id
                data-version=version
                data-status=status
                data-attempt=attempt
                data-preview=preview
                data-say=say
            >
                {frame}
                <div class="label">{title} {rest}</div>
            </article>
        </Watch>
    }
}

fn title(job: &Job) -> impl IntoView + use<> {
    let address = format!("/jobs/{}", job.id);
    let name = words::name(job);
    let short = words::clip(name, LONG_PROMPT);
    let whole = (short != name).then(|| {
        let name = name.to_owned();
        view! {
            <details>
                <summary>"All the words"</summary>
                <p class="words">{name}</p>
            </details>
        }
    });
    view! {
        <h2 tabindex="-1">
            <a href=address>{short}</a>
        </h2>
        {whole}
    }
}

fn stage(job: &Job) -> impl IntoView + use<> {
    view! { <p class="stage">{words::stage(job)}</p> }
}

/// How a job comes along: the stage, the progress where it is known, and the time.
fn progress(job: &Job, about: &About, now: Timestamp) -> AnyView {
    let typical = match job.kind {
        Kind::Image => about.typical_image_seconds,
        Kind::Restoration => about.typical_restoration_seconds,
    };
    let elapsed = seconds_between(&job.created_at, &now.to_string()).unwrap_or(0);
    let late = u64::from(typical) * 3 + 10;
    let tries = (job.attempt > 1)
        .then(|| format!("Try {}. The one before did not get through.", job.attempt));
    let progress = job.progress.map(|progress| progress.to_string());
    view! {
        {stage(job)}
        <progress max="1" value=progress aria-label="Progress"></progress>
        <p class="fine">
            <span data-ahead>{words::ahead(job)}</span>
            <span data-elapsed=elapsed.to_string()>{words::duration(elapsed)}</span>
            <span>{format!("usually about {}", words::duration(typical.into()))}</span>
        </p>
        {tries.map(|tries| view! { <p class="fine">{tries}</p> })}
        <p class="fine" data-late=late.to_string() hidden=elapsed <= late>
            "This takes longer than usual. You can close the page and come back; the job goes on."
        </p>
        <p class="alert" role="alert" data-trouble></p>
    }
    .into_any()
}

/// What can be done about a job that is not finished.
fn under_way(job: &Job) -> impl IntoView + use<> {
    // What is being delivered is paid for already.
    (job.status != Status::Delivering).then(|| {
        view! {
            <p class="actions scripted">
                <button type="button" data-do="cancel">"Call it off"</button>
            </p>
        }
    })
}

fn succeeded(seen: &Seen, about: &About, now: Timestamp) -> impl IntoView + use<> {
    let job = &seen.job;
    let single = match &job.images[..] {
        [_] if job.original.is_some() => Some(photo::save(seen).into_any()),
        [image] => Some(picture::download(job, image, 0).into_any()),
        _ => None,
    };
    let again = (job.kind == Kind::Image).then(|| {
        let label = if job.cache == Cache::Miss {
            "Paint again"
        } else {
            "Paint a new one"
        };
        again(job, label, true)
    });
    view! {
        {cache_note(job, now)}
        {facts(job)}
        <div class="actions">
            {single}
            {again}
            {(job.kind == Kind::Image).then(|| change(job))}
            {photo::enlarge(seen, about)}
            {photo::copy_link(seen)}
            {photo::link(seen)}
            {photo::delete(seen)}
        </div>
        {photo::privacy(seen, about, now)}
    }
}

/// Where the picture came from, if it was not made for this order.
fn cache_note(job: &Job, now: Timestamp) -> Option<AnyView> {
    let painted = || painted(job, now);
    let note = match (job.cache, &job.similar_to) {
        (Cache::Miss, None) => return None,
        (Cache::Joined, _) => {
            view! { "The same was already being made, so both share the result." }.into_any()
        }
        (Cache::Miss | Cache::Semantic, Some(similar)) => {
            let prompt = words::clip(&similar.prompt, 160);
            let alike = format!(", {:.0} % alike.", similar.similarity * 100.0);
            match &similar.image {
                Some(image) => {
                    let address = image.url.clone();
                    view! { <a href=address>"An earlier picture"</a> ", " {painted().to_lowercase()} " for: " <q>{prompt}</q> {alike} }.into_any()
                }
                None => view! { {painted()} " for: " <q>{prompt}</q> {alike} }.into_any(),
            }
        }
        (Cache::Semantic | Cache::Exact, _) => match job.kind {
            Kind::Image => view! { {painted()} " for the same words." }.into_any(),
            Kind::Restoration => view! { "This very photo was restored before." }.into_any(),
        },
    };
    Some(view! { <p class="note">{note}</p> }.into_any())
}

/// `Painted 2 h ago`.
fn painted(job: &Job, now: Timestamp) -> String {
    let ago = job
        .painted_at
        .as_deref()
        .and_then(|at| seconds_between(at, &now.to_string()));
    match ago {
        Some(seconds) => format!("Painted {}", words::ago(seconds)),
        None => "Painted before".into(),
    }
}

/// The parameters and what it took, as on a museum label.
fn facts(job: &Job) -> impl IntoView + use<> {
    let params = &job.params;
    let size = job
        .images
        .first()
        .map(|image| format!("{} × {}", image.width, image.height));
    let quality = params
        .quality
        .as_deref()
        .filter(|quality| *quality != "auto")
        .map(str::to_owned);
    let style = Some(words::style(params.style.as_deref()))
        .filter(|label| !label.is_empty())
        .map(str::to_owned);
    let enlarged = params
        .enlarge
        .filter(|times| *times > 1)
        .map(|times| format!("{times} times"));
    let strength = params
        .strength
        .filter(|percent| *percent < 100)
        .map(|percent| format!("{percent} %"));
    let colours = params
        .monochrome
        .filter(|wanted| *wanted)
        .map(|_| "Black and white".to_owned());
    let mask = params.mask.map(|_| "What you painted over".to_owned());
    let took = match job.cache {
        Cache::Miss | Cache::Joined => {
            let span = job.started_at.as_deref().zip(job.finished_at.as_deref());
            span.and_then(|(from, to)| seconds_between(from, to))
                .map(|seconds| words::duration(seconds.max(1)))
        }
        Cache::Exact | Cache::Semantic => None,
    };
    let cost = job.cost_usd.filter(|usd| *usd > 0.0).map(words::money);
    let rows = [
        ("Style", style),
        ("Size", size),
        ("Enlarged", enlarged),
        ("Repaired", mask),
        ("Strength", strength),
        ("Colours", colours),
        ("Quality", quality),
        ("Took", took),
        ("Cost", cost),
    ];
    let rows = rows.into_iter().filter_map(|(term, value)| {
        value.map(|value| {
            view! {
                <div>
                    <dt>{term}</dt>
                    <dd>{value}</dd>
                </div>
            }
        })
    });
    view! { <dl class="facts">{rows.collect_view()}</dl> }
}

/// Why there is no picture.
fn failure(job: &Job) -> AnyView {
    let message = job
        .error
        .as_ref()
        .map_or("Something went wrong that we have no words for.", |error| {
            &error.message
        });
    let message = message.to_owned();
    view! {
        {stage(job)}
        <p class="alert" role="alert">{message}</p>
    }
    .into_any()
}

fn after_failure(seen: &Seen) -> impl IntoView + use<> {
    let job = &seen.job;
    let retryable = job.error.as_ref().is_none_or(|error| error.retryable);
    match job.kind {
        Kind::Image => {
            let again = retryable.then(|| again(job, "Try again", false));
            view! { <div class="actions">{again} {change(job)}</div> }.into_any()
        }
        Kind::Restoration => photo(
            seen,
            if retryable {
                "Send it again"
            } else {
                "Choose another photo"
            },
        )
        .into_any(),
    }
}

fn after_cancelling(seen: &Seen) -> impl IntoView + use<> {
    let job = &seen.job;
    match job.kind {
        Kind::Image => {
            view! { <div class="actions">{again(job, "Paint it after all", false)} {change(job)}</div> }.into_any()
        }
        Kind::Restoration => photo(seen, "Choose a photo").into_any(),
    }
}

/// Back to the form with these words in it.
fn change(job: &Job) -> impl IntoView + use<> {
    view! { <a class="button" href=format!("/?from={}", job.id)>"Change the words"</a> }
}

/// Back to the form for photos.
fn photo(seen: &Seen, label: &'static str) -> impl IntoView + use<> {
    view! {
        <div class="actions">
            <a class="button" href="/restore">{label}</a>
            {photo::delete(seen)}
        </div>
    }
}

/// The same request once more, as a form that needs no script.
fn again(job: &Job, label: &'static str, fresh: bool) -> impl IntoView + use<> {
    let params = job.params.clone();
    let fields = [
        ("prompt", Some(job.prompt.clone())),
        ("size", params.size),
        ("quality", params.quality),
        ("style", params.style),
        ("background", params.background),
        ("n", params.n.map(|n| n.to_string())),
        ("fresh", fresh.then(|| "true".to_owned())),
    ];
    let fields = fields.into_iter().filter_map(|(name, value)| {
        value.map(|value| view! { <input type="hidden" name=name value=value /> })
    });
    view! {
        <form method="post" action="/api/images" data-send>
            {fields.collect_view()}
            <button type="submit" data-busy="Sending …">{label}</button>
            <p class="alert" role="alert" data-alert></p>
        </form>
    }
}

/// Whole seconds from one RFC 3339 time to another, `None` when they cannot be read.
pub(super) fn seconds_between(from: &str, to: &str) -> Option<u64> {
    let (from, to) = (
        from.parse::<Timestamp>().ok()?,
        to.parse::<Timestamp>().ok()?,
    );
    u64::try_from(to.as_second() - from.as_second()).ok()
}

#[cfg(test)]
mod tests {
    use super::seconds_between;

    #[test]
    fn spans_are_read_or_refused() {
        assert_eq!(
            seconds_between("2026-01-01T00:00:00Z", "2026-01-01T00:01:05.2Z"),
            Some(65)
        );
        assert_eq!(
            seconds_between("2026-01-01T00:00:09Z", "2026-01-01T00:00:00Z"),
            None
        );
        assert_eq!(seconds_between("soon", "2026-01-01T00:00:00Z"), None);
    }
}
