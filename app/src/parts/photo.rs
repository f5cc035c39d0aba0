//! What those who see a restored photo can do with it: save it, pass it on, have it deleted.

use jiff::Timestamp;
use leptos::prelude::*;

use super::card::seconds_between;
use crate::{
    data::{About, Seen},
    texts::Texts,
    wire::Kind,
    words,
};

/// Ways to save a restored photo: the usual one, and the others behind a fold.
pub(crate) fn save(seen: &Seen, t: &'static Texts) -> impl IntoView + use<> {
    let key = seen.key.as_ref().map(|key| format!("&key={key}"));
    let address = format!("/jobs/{}/download?format=", seen.job.id);
    let link = |format: &str, label: &'static str| {
        let address = format!("{address}{format}{}", key.as_deref().unwrap_or_default());
        view! { <a class="button" href=address download>{label}</a> }
    };
    view! {
        {link("jpeg", t.download)}
        <details class="more">
            <summary>{t.other_files}</summary>
            <p class="actions">
                {link("png", "PNG")}
                {link("jpeg&metadata=strip", t.without_place)}
            </p>
        </details>
    }
}

/// Orders a picture twice as large from those who made it.
pub(crate) fn enlarge(seen: &Seen, about: &About) -> Option<impl IntoView + use<>> {
    let single = seen.job.images.len() == 1 && seen.job.kind == Kind::Image;
    let t = about.texts();
    (single && seen.mine && about.provider != "openai").then(|| {
        view! {
            <form method="post" action="/api/restorations" enctype="multipart/form-data" data-send>
                <input type="hidden" name="from" value=seen.job.id.clone() />
                <input type="hidden" name="enlarge" value="2" />
                <input type="hidden" name="strength" value="0" />
                <button type="submit" data-busy=t.sending>{t.enlarge}</button>
                <p class="alert" role="alert" data-alert></p>
            </form>
        }
    })
}

/// Copies the address by which others see the job.
pub(crate) fn copy_link(seen: &Seen, t: &Texts) -> Option<impl IntoView + use<>> {
    let private = seen.job.kind == Kind::Restoration;
    let query = match &seen.key {
        Some(key) => format!("?key={key}"),
        None if private || seen.withheld => return None,
        None => String::new(),
    };
    let link = format!("/jobs/{}{query}", seen.job.id);
    Some(view! {
        <button type="button" class="scripted" data-do="copy" data-link=link data-done=t.link_copied>{t.copy_link}</button>
    })
}

/// Leads the owner of a photo to the address that others may have.
pub(crate) fn link(seen: &Seen, t: &Texts) -> Option<impl IntoView + use<>> {
    let private = seen.job.kind == Kind::Restoration;
    (private && seen.mine && seen.key.is_none()).then(|| {
        let action = format!("/api/jobs/{}/link", seen.job.id);
        view! {
            <form method="post" action=action>
                <button type="submit">{t.make_link}</button>
            </form>
        }
    })
}

/// Closes the page to others, or opens it again: a picture's, and that of a photo with a link.
pub(crate) fn share(seen: &Seen, t: &Texts) -> Option<impl IntoView + use<>> {
    let private = seen.job.kind == Kind::Restoration;
    let (what, label) = if seen.withheld {
        ("share", t.share)
    } else {
        ("unshare", t.unshare)
    };
    (seen.mine && (!private || seen.key.is_some())).then(|| {
        let action = format!("/api/jobs/{}/{what}", seen.job.id);
        view! {
            <form method="post" action=action>
                <button type="submit">{label}</button>
            </form>
        }
    })
}

/// Forgets a job and its pictures; photos before their time.
pub(crate) fn delete(seen: &Seen, t: &Texts) -> Option<impl IntoView + use<>> {
    seen.mine.then(|| {
        let action = format!("/api/jobs/{}/delete", seen.job.id);
        // What is to go now goes without a way back.
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

/// Who sees a photo, and for how long.
pub(crate) fn privacy(seen: &Seen, about: &About, now: Timestamp) -> Option<impl IntoView + use<>> {
    let t = about.texts();
    (seen.job.kind == Kind::Restoration).then(|| {
        let who = match (&seen.key, seen.mine) {
            (Some(_), true) if !seen.withheld => t.seen_by_address,
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
        view! { <p class="fine">{who}{when}</p> }
    })
}
