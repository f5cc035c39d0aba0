//! The facts about a finished job, as on a museum label.

use jiff::Timestamp;
use leptos::prelude::*;

use super::{attach::thumbnail, larger::extended, models::built_in};
use crate::{
    data::{About, Seen},
    texts::Texts,
    words,
};
use atelier_api::{Cache, Job, Kind, Quality};

/// The parameters, time and cost.
pub(crate) fn facts(job: &Job, about: &About) -> impl IntoView + use<> {
    let (params, t) = (&job.params, about.texts());
    let size = job
        .images
        .first()
        .map(|image| format!("{} × {}", image.width, image.height));
    let quality = params
        .quality
        .as_ref()
        .filter(|quality| **quality != Quality::Auto)
        .map(|quality| (t.quality_label)(quality).to_owned());
    let style =
        (params.style.as_deref()).map(|style| (t.style_label)(style).unwrap_or(style).to_owned());
    let enlarged = params.enlarge.filter(|times| *times > 1).map(t.times);
    let continued = params
        .extend
        .as_ref()
        .and_then(|way| extended(way, t))
        .map(str::to_owned);
    let strength = params
        .strength
        .filter(|percent| *percent < 100)
        .map(|percent| format!("{percent}\u{a0}%"));
    let colours = params
        .monochrome
        .filter(|wanted| *wanted)
        .map(|_| t.black_and_white.to_owned());
    let left_out = Some(job.left_out.join(", ")).filter(|words| !words.is_empty());
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
    let (painted, models) = match job.kind {
        Kind::Image => (t.bring.changed, &about.pictures),
        Kind::Restoration => (t.repaired, &about.photos),
    };
    // The built-in engine is the only one where it is, unless there is a choice.
    let model = match job.model.clone() {
        Some(model) if model.starts_with("local/") => {
            (models.is_choice()).then(|| built_in(job.kind, t))
        }
        model => model,
    };
    let rows = [
        (t.style, style),
        (t.size, size),
        (t.enlarged, enlarged),
        (t.bring.extended, continued),
        (painted, mask),
        (t.strength, strength),
        (t.colours, colours),
        (t.left_out, left_out),
        (t.quality, quality),
        (t.took, took),
        (t.cost, cost),
        (t.model, model),
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
    view! { <dl class="facts">{source} {attached(job, t)} {rows.collect_view()}</dl> }
}

/// What was attached to the prompt, which is told to its owner alone.
fn attached(job: &Job, t: &'static Texts) -> Option<AnyView> {
    let pictures = job.attached.iter().map(|image| {
        view! { <a href=image.url.clone()>{thumbnail(image, t)}</a> }
    });
    (!job.attached.is_empty()).then(|| {
        view! {
            <div>
                <dt>{t.bring.attached_to}</dt>
                <dd class="thumbs">{pictures.collect_view()}</dd>
            </div>
        }
        .into_any()
    })
}

/// Where the picture came from, if it was not made for this order.
pub(crate) fn cache_note(job: &Job, now: Timestamp, t: &Texts) -> Option<AnyView> {
    let ago = painted_ago(job, now, t);
    let ago = ago.as_deref();
    let note = match (job.cache, &job.similar_to) {
        (Cache::Miss, None) => return None,
        (Cache::Joined, _) => t.shared.into_any(),
        (Cache::Miss | Cache::Semantic, Some(similar)) => {
            let prompt = similar.prompt.as_ref();
            let prompt = prompt.map(|words| words::clip(words, 160).to_owned());
            let alike = (t.alike)(&format!("{:.0}", similar.similarity * 100.0));
            let before = match &similar.image {
                Some(image) => {
                    let address = image.url.clone();
                    let link = view! { <a href=address>{t.earlier_picture}</a> };
                    (link, (t.painted_like)(ago)).into_any()
                }
                None => (t.painted_before_like)(ago).into_any(),
            };
            let words = prompt.map(|prompt| view! { ": "<q dir="auto">{prompt}</q> });
            view! { {before} {words} {alike} }.into_any()
        }
        (Cache::Semantic | Cache::Exact, _) => match job.kind {
            Kind::Image => (t.same_words)(ago).into_any(),
            Kind::Restoration => t.same_photo.into_any(),
        },
    };
    Some(view! { <p class="note">{note}</p> }.into_any())
}

/// When the earlier picture was made: `2 h ago`.
fn painted_ago(job: &Job, now: Timestamp, t: &Texts) -> Option<String> {
    let seconds = seconds_between(job.painted_at.as_deref()?, &now.to_string())?;
    Some(words::ago(seconds, t))
}

/// Who sees a photo, and for how long.
pub(crate) fn privacy(seen: &Seen, about: &About, now: Timestamp) -> Option<impl IntoView + use<>> {
    let t = about.texts();
    (seen.job.kind == Kind::Restoration).then(|| {
        let who = match (&seen.key, seen.mine) {
            // The card says it.
            _ if seen.withheld => "",
            // The link says it.
            (Some(_), _) if seen.by_key() => "",
            _ if seen.by_key() => t.seen_by_key,
            (Some(_), true) => t.seen_by_address,
            (Some(_), false) => t.seen_by_link,
            (_, true) | (None, _) => t.seen_by_you,
        };
        let finished_at = seen.job.finished_at.as_deref();
        let age = finished_at.and_then(|at| seconds_between(at, &now.to_string()));
        let left = about.photo_kept_seconds.saturating_sub(age.unwrap_or(0));
        let when = match left {
            0..60 => t.deleted_soon.to_owned(),
            _ => (t.deleted_in)(&words::round(left, t)),
        };
        view! {
            {given_link(seen, about)}
            <p class="fine">{who}{when}</p>
        }
    })
}

/// The link for others, of an owner who has the job by a key.
fn given_link(seen: &Seen, about: &About) -> Option<impl IntoView + use<>> {
    let link = seen.link().filter(|_| seen.by_key() && !seen.withheld)?;
    let [before, words, after] = about.texts().give_link;
    Some(view! {
        <p class="note">
            {before}<a href=link>{words}</a>{after}
        </p>
    })
}

/// Whole seconds from one RFC 3339 time to another, `None` if they cannot be parsed.
pub(crate) fn seconds_between(from: &str, to: &str) -> Option<u64> {
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
