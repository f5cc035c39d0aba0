//! A job as a picture in its frame with a label beside it, in every state.

use jiff::Timestamp;
use leptos::prelude::*;

use super::{photo, picture};
use crate::{
    data::{About, Seen},
    islands::watch::Watch,
    texts::Texts,
    wire::{Cache, Job, Kind, MAX_PROMPT_CHARS, Status},
    words,
};

/// Longer prompts are folded.
const LONG_PROMPT: usize = 280;

/// One job. The attributes are what the island needs to know: where the job stands,
/// how long it has been under way, and what to say when this card takes another's place.
pub(crate) fn card(seen: &Seen, about: &About, now: Timestamp) -> impl IntoView + use<> {
    let (job, t) = (&seen.job, about.texts());
    let say = match job.status {
        // The alert in the card speaks for itself.
        Status::Failed => "",
        _ => (t.stage)(job),
    };
    let vacant = |note| picture::vacant(job, note, t).into_any();
    let (frame, rest) = match job.status {
        Status::Queued | Status::Running | Status::Delivering => (
            vacant(progress(job, about, now)),
            under_way(job, t).into_any(),
        ),
        Status::Succeeded => (
            picture::hang(job, t),
            succeeded(seen, about, now).into_any(),
        ),
        Status::Failed => (vacant(failure(job, t)), after_failure(seen, t).into_any()),
        Status::Cancelled => (
            vacant(stage(job, t).into_any()),
            after_cancelling(seen, t).into_any(),
        ),
    };
    let title = title(job, t);
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

fn title(job: &Job, t: &Texts) -> impl IntoView + use<> {
    let address = format!("/jobs/{}", job.id);
    let name = words::name(job, t);
    let short = words::clip(name, LONG_PROMPT);
    let whole = (short != name).then(|| {
        let name = name.to_owned();
        view! {
            <details>
                <summary>{t.all_words}</summary>
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

fn stage(job: &Job, t: &Texts) -> impl IntoView + use<> {
    view! { <p class="stage">{(t.stage)(job)}</p> }
}

/// How a job comes along: the stage, the progress where it is known, and the time.
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
            <span data-elapsed=elapsed.to_string()>{words::duration(elapsed)}</span>
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

/// What can be done about a job that is not finished.
fn under_way(job: &Job, t: &Texts) -> impl IntoView + use<> {
    // What is being delivered is paid for already.
    (job.status != Status::Delivering).then(|| {
        view! {
            <p class="actions scripted">
                <button type="button" data-do="cancel">{t.call_off}</button>
            </p>
        }
    })
}

fn succeeded(seen: &Seen, about: &About, now: Timestamp) -> impl IntoView + use<> {
    let (job, t) = (&seen.job, about.texts());
    let actions = match job.kind {
        Kind::Image => picture_actions(seen, about).into_any(),
        Kind::Restoration => photo_actions(seen, t).into_any(),
    };
    view! {
        {cache_note(job, now, t)}
        {facts(job, t)}
        {actions}
        {seen.withheld.then(|| view! { <p class="fine">{t.seen_by_you}</p> })}
        {photo::privacy(seen, about, now)}
    }
}

fn picture_actions(seen: &Seen, about: &About) -> impl IntoView + use<> {
    let (job, t) = (&seen.job, about.texts());
    let label = match job.cache {
        Cache::Miss => t.paint_again,
        _ => t.paint_new,
    };
    let single = job.images.len() == 1;
    view! {
        <div class="actions">
            {single.then(|| picture::download(job, 0, t))}
            {again(job, label, true, t)}
            {change(job, t)}
            {photo::copy_link(seen, t)}
            {photo::delete(seen, t)}
            {edit(seen, about)}
            <details class="more">
                <summary>{t.more}</summary>
                <div class="actions">
                    {photo::enlarge(seen, about)}
                    {photo::share(seen, t)}
                    <button
                        type="button"
                        class="scripted"
                        data-do="copy"
                        data-text=job.prompt.clone()
                        data-done=t.words_copied
                    >
                        {t.copy_words}
                    </button>
                    {single.then(|| picture::other_downloads(job, t))}
                </div>
            </details>
        </div>
    }
}

fn photo_actions(seen: &Seen, t: &'static Texts) -> impl IntoView + use<> {
    view! {
        <div class="actions">
            {photo::save(seen, t)}
            {photo::copy_link(seen, t)}
            {photo::link(seen, t)}
            {photo::share(seen, t)}
            {photo::delete(seen, t)}
        </div>
    }
}

/// Orders another picture made from this one, where the provider can.
fn edit(seen: &Seen, about: &About) -> Option<impl IntoView + use<>> {
    let (job, t) = (&seen.job, about.texts());
    (about.edits && seen.mine).then(|| {
        let field = format!("edit-{}", job.id);
        let label = field.clone();
        view! {
            <details class="more">
                <summary>{t.edit}</summary>
                <form class="edit" method="post" action="/api/images" data-send>
                    <input type="hidden" name="from" value=job.id.clone() />
                    <label for=label>{t.edit_how}</label>
                    <input
                        id=field
                        type="text"
                        name="prompt"
                        required
                        maxlength=MAX_PROMPT_CHARS.to_string()
                        placeholder=t.edit_example
                        autocomplete="off"
                    />
                    <button type="submit" data-busy=t.sending>{t.edit_it}</button>
                    <p class="alert" role="alert" data-alert></p>
                </form>
            </details>
        }
    })
}

/// Where the picture came from, if it was not made for this order.
fn cache_note(job: &Job, now: Timestamp, t: &Texts) -> Option<AnyView> {
    let ago = painted_ago(job, now, t);
    let ago = ago.as_deref();
    let note = match (job.cache, &job.similar_to) {
        (Cache::Miss, None) => return None,
        (Cache::Joined, _) => t.shared.into_any(),
        (Cache::Miss | Cache::Semantic, Some(similar)) => {
            let prompt = words::clip(&similar.prompt, 160);
            let alike = (t.alike)(&format!("{:.0}", similar.similarity * 100.0));
            let before = match &similar.image {
                Some(image) => {
                    let address = image.url.clone();
                    let link = view! { <a href=address>{t.earlier_picture}</a> };
                    (link, (t.painted_for)(ago)).into_any()
                }
                None => (t.painted_before_for)(ago).into_any(),
            };
            view! { {before} <q>{prompt}</q> {alike} }.into_any()
        }
        (Cache::Semantic | Cache::Exact, _) => match job.kind {
            Kind::Image => (t.same_words)(ago).into_any(),
            Kind::Restoration => t.same_photo.into_any(),
        },
    };
    Some(view! { <p class="note">{note}</p> }.into_any())
}

/// When the picture was made that was found: `2 h ago`.
fn painted_ago(job: &Job, now: Timestamp, t: &Texts) -> Option<String> {
    let seconds = seconds_between(job.painted_at.as_deref()?, &now.to_string())?;
    Some(words::ago(seconds, t))
}

/// The parameters and what it took, as on a museum label.
fn facts(job: &Job, t: &Texts) -> impl IntoView + use<> {
    let params = &job.params;
    let size = job
        .images
        .first()
        .map(|image| format!("{} × {}", image.width, image.height));
    let quality = params
        .quality
        .as_deref()
        .filter(|quality| *quality != "auto")
        .map(|quality| (t.quality_label)(quality).to_owned());
    let style = (params.style.as_deref())
        .map(|style| (t.style_label)(style).to_owned())
        .filter(|label| !label.is_empty());
    let enlarged = params.enlarge.filter(|times| *times > 1).map(t.times);
    let strength = params
        .strength
        .filter(|percent| *percent < 100)
        .map(|percent| format!("{percent} %"));
    let colours = params
        .monochrome
        .filter(|wanted| *wanted)
        .map(|_| t.black_and_white.to_owned());
    let mask = params.mask.map(|_| t.painted_over.to_owned());
    let took = match job.cache {
        Cache::Miss | Cache::Joined => {
            let span = job.started_at.as_deref().zip(job.finished_at.as_deref());
            span.and_then(|(from, to)| seconds_between(from, to))
                .map(|seconds| words::duration(seconds.max(1)))
        }
        Cache::Exact | Cache::Semantic => None,
    };
    let cost = job
        .cost_usd
        .filter(|usd| *usd > 0.0)
        .map(|usd| words::money(usd, t));
    let rows = [
        (t.style, style),
        (t.size, size),
        (t.enlarged, enlarged),
        (t.repaired, mask),
        (t.strength, strength),
        (t.colours, colours),
        (t.quality, quality),
        (t.took, took),
        (t.cost, cost),
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
    let source = params.from.as_ref().map(|from| {
        let address = format!("/jobs/{from}");
        view! {
            <div>
                <dt>{t.edited}</dt>
                <dd>
                    <a href=address>{t.another}</a>
                </dd>
            </div>
        }
    });
    view! { <dl class="facts">{source} {rows.collect_view()}</dl> }
}

/// Why there is no picture.
fn failure(job: &Job, t: &Texts) -> AnyView {
    let message = job.error.as_ref().map_or(t.no_reason, |error| {
        (t.failure)(&error.code).unwrap_or(&error.message)
    });
    let message = message.to_owned();
    view! {
        {stage(job, t)}
        <p class="alert" role="alert">{message}</p>
    }
    .into_any()
}

fn after_failure(seen: &Seen, t: &'static Texts) -> impl IntoView + use<> {
    let job = &seen.job;
    let retryable = job.error.as_ref().is_none_or(|error| error.retryable);
    match job.kind {
        Kind::Image => {
            let again = retryable.then(|| again(job, t.try_again, false, t));
            view! { <div class="actions">{again} {change(job, t)}</div> }.into_any()
        }
        Kind::Restoration => {
            let label = if retryable {
                t.send_again
            } else {
                t.another_photo
            };
            photo(seen, label, t).into_any()
        }
    }
}

fn after_cancelling(seen: &Seen, t: &'static Texts) -> impl IntoView + use<> {
    let job = &seen.job;
    match job.kind {
        Kind::Image => {
            view! { <div class="actions">{again(job, t.after_all, false, t)} {change(job, t)}</div> }.into_any()
        }
        Kind::Restoration => photo(seen, t.a_photo, t).into_any(),
    }
}

/// Back to the form with these words in it.
fn change(job: &Job, t: &Texts) -> impl IntoView + use<> {
    view! { <a class="button" href=format!("/?from={}", job.id)>{t.change_words}</a> }
}

/// Back to the form for photos.
fn photo(seen: &Seen, label: &'static str, t: &Texts) -> impl IntoView + use<> {
    view! {
        <div class="actions">
            <a class="button" href="/restore">{label}</a>
            {photo::delete(seen, t)}
        </div>
    }
}

/// The same request once more, as a form that needs no script.
fn again(job: &Job, label: &'static str, fresh: bool, t: &Texts) -> impl IntoView + use<> {
    let params = job.params.clone();
    let fields = [
        ("prompt", Some(job.prompt.clone())),
        ("size", params.size),
        ("quality", params.quality),
        ("style", params.style),
        ("background", params.background),
        ("from", params.from),
        ("n", params.n.map(|n| n.to_string())),
        ("fresh", fresh.then(|| "true".to_owned())),
    ];
    let fields = fields.into_iter().filter_map(|(name, value)| {
        value.map(|value| view! { <input type="hidden" name=name value=value /> })
    });
    view! {
        <form method="post" action="/api/images" data-send>
            {fields.collect_view()}
            <button type="submit" data-busy=t.sending>{label}</button>
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
