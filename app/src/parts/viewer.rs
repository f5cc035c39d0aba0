//! The lightbox, which shows any picture of a page in the whole window.

use leptos::prelude::*;

use crate::texts::Texts;
use atelier_api::{Job, Kind};

/// What the lightbox offers for a picture: addresses.
pub(crate) struct View {
    page: String,
    file: String,
    /// The form with the same words in it.
    again: Option<String>,
}

impl View {
    /// Of a picture of a job, counted from 0.
    pub(crate) fn of(job: &Job, index: usize) -> Self {
        Self {
            page: job.url.replacen("/api", "", 1),
            file: saved(job, &format!("picture={}", index + 1)),
            again: (job.kind == Kind::Image).then(|| format!("/?from={}", job.id)),
        }
    }

    /// As attributes of the picture, if it can be opened.
    pub(super) fn parts(view: Option<Self>) -> (Option<String>, Option<String>, Option<String>) {
        view.map_or((None, None, None), |Self { page, file, again }| {
            (Some(page), Some(file), again)
        })
    }
}

/// The download URL of a picture, with the key if the visitor has one.
pub(super) fn saved(job: &Job, fields: &str) -> String {
    let key = job.url.split_once('?');
    let key = key.map(|(_, key)| format!("&{key}")).unwrap_or_default();
    format!("/jobs/{}/download?{fields}{key}", job.id)
}

/// One for the whole page: what it shows comes from the picture that is opened.
pub(crate) fn viewer(t: &'static Texts) -> impl IntoView {
    view! {
        <dialog class="lightbox" data-lightbox aria-label=t.picture>
            <div class="bar">
                <p class="fine" data-place></p>
                <p class="words" dir="auto" role="status" data-words></p>
                <button type="button" data-actual aria-pressed="false" aria-label=t.actual_size>"1:1"</button>
                <button type="button" data-close aria-label=t.close>"×"</button>
            </div>
            <div class="glass">
                <div class="sheet" data-picture>
                    <div data-under></div>
                    <img data-large alt="" sizes="100vw" draggable="false" />
                </div>
            </div>
            <button type="button" class="step" data-step="-1" aria-label=t.newer_picture>"‹"</button>
            <button type="button" class="step" data-step="1" aria-label=t.older_picture>"›"</button>
            <p class="actions">
                <a class="button" data-way="data-file" download>{t.download}</a>
                <a class="button" data-way="data-again">{t.use_again}</a>
                <a class="button" data-way="data-page">{t.all_about_it}</a>
                <button type="button" data-remove>{t.delete}</button>
            </p>
        </dialog>
    }
}
