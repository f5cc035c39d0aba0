//! What can be done about a job in each state, by those who made it and by those who only see it.

use leptos::prelude::*;

use super::{
    adjust::adjust,
    larger::{enlarge, extend},
    models::{MOST, same},
    picture::{download, edit_form, other_downloads},
};
use crate::{
    data::{About, Model, Seen, name},
    texts::Texts,
};
use atelier_api::{Cache, Job, Kind, MAX_PROMPT_CHARS, Params, Status};

/// What can be done about a job that is not finished.
pub(crate) fn under_way(job: &Job, t: &Texts) -> impl IntoView + use<> {
    // What is being delivered is paid for already.
    (job.status != Status::Delivering).then(|| {
        view! {
            <p class="actions scripted">
                <button type="button" data-do="cancel">{t.call_off}</button>
                <button type="button" class="quiet" data-do="notify" data-done=t.will_notify>{t.notify}</button>
            </p>
        }
    })
}

/// What can be done with what was made.
pub(crate) fn finished(seen: &Seen, about: &About) -> AnyView {
    match seen.job.kind {
        Kind::Image => picture_actions(seen, about).into_any(),
        Kind::Restoration => photo_actions(seen, about).into_any(),
    }
}

fn picture_actions(seen: &Seen, about: &About) -> impl IntoView + use<> {
    let (job, t) = (&seen.job, about.texts());
    let label = match job.cache {
        Cache::Miss => t.paint_again,
        _ => t.paint_new,
    };
    // Only their own pictures are changed for somebody; a key opens one job, not the one it was made from.
    let own = (seen.mine && !seen.by_key()) || job.params.from.is_none();
    let own = own && may_repeat(seen);
    // Another copy in the same size would be the same.
    let again_allowed = own && job.params.enlarge.is_none();
    let edits = edits(seen, about);
    view! {
        <div class="actions">
            {each(job, |index| download(job, index, t))}
            {again_allowed.then(|| again(job, label, true, about))}
            {edits.then(|| edit(seen, about))}
            {(!edits).then(|| change(job, t))}
            {copy_link(seen, t)}
            <details class="menu">
                <summary class="button">{t.more}</summary>
                <div class="choices">
                    {edits.then(|| change(job, t))}
                    <button
                        type="button"
                        class="scripted"
                        data-do="copy"
                        data-text=job.prompt.clone()
                        data-done=t.words_copied
                    >
                        {t.copy_words}
                    </button>
                    {each(job, |index| variations(seen, index, about))}
                    {each(job, |index| enlarge(seen, index, about))}
                    {each(job, |index| extend(seen, index, about))}
                    {each(job, |index| other_downloads(job, index, t))}
                    {share(seen, t)}
                    {delete(seen, t)}
                </div>
            </details>
        </div>
    }
}

/// Whether the visitor can order the same: what is attached is its owner's.
fn may_repeat(seen: &Seen) -> bool {
    seen.mine || seen.job.params.attached.is_none()
}

/// Whether the visitor may have another picture made from this.
pub(crate) fn edits(seen: &Seen, about: &About) -> bool {
    seen.mine && about.pictures.any(|model| model.edits)
}

/// What is done with one picture: of several, the style sheet shows that of the chosen one.
fn each<V: IntoView + 'static>(job: &Job, one: impl Fn(usize) -> V) -> AnyView {
    if job.images.len() == 1 {
        return one(0).into_any();
    }
    let all = (0..job.images.len()).map(|index| view! { <span>{one(index)}</span> });
    view! { <span class="of">{all.collect_view()}</span> }.into_any()
}

fn photo_actions(seen: &Seen, about: &About) -> impl IntoView + use<> {
    let t = about.texts();
    view! {
        <div class="actions">
            {save(seen, "jpeg", t.download, true)}
            {adjust(seen, about)}
            {copy_link(seen, t)}
            {link(seen, t)}
            <details class="menu">
                <summary class="button">{t.more}</summary>
                <div class="choices">
                    {save(seen, "png", t.bring.save_png, false)}
                    {save(seen, "jpeg&metadata=strip", t.without_place, false)}
                    {share(seen, t)}
                    {delete(seen, t)}
                </div>
            </details>
        </div>
    }
}

/// What can be done when there is no picture.
pub(crate) fn after_failure(seen: &Seen, about: &About) -> impl IntoView + use<> {
    let (job, t) = (&seen.job, about.texts());
    let retryable = job.error.as_ref().is_none_or(|error| error.retryable);
    match job.kind {
        Kind::Image => picture(seen, retryable.then_some(t.try_again), about).into_any(),
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

/// What can be done about a cancelled job.
pub(crate) fn after_cancelling(seen: &Seen, about: &About) -> impl IntoView + use<> {
    let (job, t) = (&seen.job, about.texts());
    match job.kind {
        Kind::Image => picture(seen, Some(t.after_all), about).into_any(),
        Kind::Restoration => photo(seen, t.a_photo, t).into_any(),
    }
}

/// Back to the form with these words in it.
fn change(job: &Job, t: &Texts) -> impl IntoView + use<> {
    view! { <a class="button" href=format!("/?from={}", job.id)>{t.change_words}</a> }
}

/// The same order again, where that may help, or with another prompt.
fn picture(seen: &Seen, label: Option<&'static str>, about: &About) -> impl IntoView + use<> {
    let (job, t) = (&seen.job, about.texts());
    let label = label.filter(|_| may_repeat(seen));
    let again = label.map(|label| again(job, label, false, about));
    view! { <div class="actions">{again} {change(job, t)} {delete(seen, t)}</div> }
}

/// Back to the form for photos.
fn photo(seen: &Seen, label: &'static str, t: &Texts) -> impl IntoView + use<> {
    view! {
        <div class="actions">
            <a class="button" href="/restore">{label}</a>
            {delete(seen, t)}
        </div>
    }
}

/// The same request once more.
fn again(job: &Job, label: &'static str, fresh: bool, about: &About) -> impl IntoView + use<> {
    order(job, job.params.clone(), label, fresh, about)
}

/// Pictures like this one, for its owner: made from it where its model can, else from its words once more.
fn variations(seen: &Seen, index: usize, about: &About) -> Option<impl IntoView + use<>> {
    let (job, mut params) = (&seen.job, seen.job.params.clone());
    if !seen.mine || params.enlarge.is_some() || params.extend.is_some() {
        return None;
    }
    params.n = Some(MOST);
    let own = about.pictures.all().find(|model| model.made(job));
    let edits = own.unwrap_or(&about.pictures.usual).edits;
    // What was made from a picture is made from that again.
    if edits && params.from.is_none() && params.attached.is_none() {
        (params.from, params.picture) = (Some(seen.name()), Some(index + 1));
    }
    Some(order(
        job,
        params,
        about.texts().bring.variations,
        true,
        about,
    ))
}

/// A request with the words of a job, as a form that needs no script.
fn order(
    job: &Job,
    mut params: Params,
    label: &'static str,
    fresh: bool,
    about: &About,
) -> impl IntoView + use<> {
    let t = about.texts();
    // Another enlarges.
    let model = (params.enlarge.is_none())
        .then(|| same(job, &about.pictures, |model| may_make(model, &params)));
    if params.enlarge.is_some() || params.extend.is_some() {
        // All else is that of its source.
        params = Params {
            from: params.from,
            picture: params.picture,
            enlarge: params.enlarge,
            extend: params.extend,
            ..Params::default()
        };
    }
    let fields = [
        ("prompt", Some(job.prompt.clone())),
        ("size", params.size.map(String::from)),
        ("quality", params.quality.map(String::from)),
        ("style", params.style),
        ("background", params.background.map(String::from)),
        ("from", params.from),
        ("attached", (!job.attached.is_empty()).then(|| name(job))),
        ("picture", params.picture.map(|number| number.to_string())),
        ("enlarge", params.enlarge.map(|times| times.to_string())),
        ("extend", params.extend.map(String::from)),
        ("n", params.n.map(|n| n.to_string())),
        ("fresh", fresh.then(|| "true".to_owned())),
    ];
    let fields = fields.into_iter().filter_map(|(name, value)| {
        value.map(|value| view! { <input type="hidden" name=name value=value /> })
    });
    view! {
        <form method="post" action="/api/images" data-send>
            {fields.collect_view()}
            {model}
            <button type="submit" data-busy=t.sending>{label}</button>
            <p class="alert" role="alert" data-alert></p>
        </form>
    }
}

/// Whether it can make what is asked for.
fn may_make(model: &Model, params: &Params) -> bool {
    let from_pictures = params.from.is_some() || params.attached.is_some();
    (model.edits || !from_pictures)
        && (model.masks || params.mask.is_none() && params.extend.is_none())
        && (model.backgrounds || params.background.is_none())
}

/// A link that saves a restored photo.
fn save(seen: &Seen, format: &str, label: &'static str, main: bool) -> impl IntoView + use<> {
    let key = seen.query().replace('?', "&");
    let address = format!("/jobs/{}/download?format={format}{key}", seen.job.id);
    view! { <a class="button" class:main=main href=address download>{label}</a> }
}

/// Orders another picture made from this one, or from the chosen one of several.
fn edit(seen: &Seen, about: &About) -> impl IntoView + use<> {
    let (job, t) = (&seen.job, about.texts());
    let field = format!("edit-{}", job.id);
    let label = field.clone();
    view! {
        <details class="more">
            <summary class="button">{t.edit}</summary>
            <form id=edit_form(job) class="edit" method="post" action="/api/images" data-send>
                <input type="hidden" name="from" value=seen.name() />
                {same(job, &about.pictures, |model| model.edits)}
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
}

/// Copies the address by which others see the job.
fn copy_link(seen: &Seen, t: &Texts) -> Option<impl IntoView + use<>> {
    let private = seen.job.kind == Kind::Restoration;
    let link = match seen.link() {
        Some(link) => link,
        None if private || seen.withheld => return None,
        None => format!("/jobs/{}", seen.job.id),
    };
    Some(view! {
        <button type="button" class="scripted" data-do="copy" data-link=link data-done=t.link_copied>{t.copy_link}</button>
    })
}

/// Leads the owner of a photo to the address that others may have.
fn link(seen: &Seen, t: &Texts) -> Option<impl IntoView + use<>> {
    let private = seen.job.kind == Kind::Restoration;
    (private && seen.mine && seen.key.is_none()).then(|| {
        let action = format!("/api/jobs/{}/link{}", seen.job.id, seen.query());
        view! {
            <form method="post" action=action>
                <button type="submit">{t.make_link}</button>
            </form>
        }
    })
}

/// Withholds the page from others, or shares it again: a picture's, or that of a photo with a link.
fn share(seen: &Seen, t: &Texts) -> Option<impl IntoView + use<>> {
    let private = seen.job.kind == Kind::Restoration;
    let (what, label) = if seen.withheld {
        ("share", t.share)
    } else {
        ("unshare", t.unshare)
    };
    let linked = seen.key.is_some() || seen.by_key();
    (seen.mine && (!private || linked)).then(|| {
        let action = format!("/api/jobs/{}/{what}{}", seen.job.id, seen.query());
        view! {
            <form method="post" action=action>
                <button type="submit">{label}</button>
            </form>
        }
    })
}

/// Deletes a job and its pictures.
fn delete(seen: &Seen, t: &Texts) -> Option<impl IntoView + use<>> {
    seen.mine.then(|| {
        let action = format!("/api/jobs/{}/delete{}", seen.job.id, seen.query());
        // Photos are deleted at once, without undo.
        let (label, regret) = match seen.job.kind {
            Kind::Image => (t.delete, Some("")),
            Kind::Restoration => (t.delete_now, None),
        };
        view! {
            <form method="post" action=action data-regret=regret>
                <button type="submit">{label}</button>
                <p class="alert" role="alert"></p>
            </form>
        }
    })
}
