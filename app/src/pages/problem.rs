//! What went wrong, in words, with a way back.

use leptos::prelude::*;

use super::{Content, Document, engine};
use crate::{
    data::{About, Data, Problem},
    parts::empty::{Still, empty},
};

/// A form that was refused.
pub(crate) fn refused(data: &dyn Data, problem: Problem) -> Content {
    let about = data.about();
    let Problem {
        status,
        title,
        detail,
        back,
    } = problem;
    page(
        &about,
        status,
        title,
        detail,
        back,
        about.texts().back_where,
    )
}

/// No page at this address.
pub(crate) fn not_found(data: &dyn Data) -> Content {
    let about = data.about();
    known(&about, 404, about.texts().nothing_here)
}

/// No job of this id.
pub(crate) fn no_job(data: &dyn Data) -> Content {
    let about = data.about();
    known(&about, 404, about.texts().job_gone)
}

/// The store does not answer.
pub(crate) fn unavailable(data: &dyn Data) -> Content {
    let about = data.about();
    known(&about, 503, about.texts().store_away)
}

fn known(about: &About, status: u16, [title, detail, label]: [&'static str; 3]) -> Content {
    page(
        about,
        status,
        title.into(),
        detail.into(),
        "/".into(),
        label,
    )
}

fn page(
    about: &About,
    status: u16,
    title: String,
    detail: String,
    back: String,
    label: &'static str,
) -> Content {
    let heading = title.clone();
    let body = move || {
        let words = view! {
            <p class="eyebrow">{status}</p>
            <h1>{heading}</h1>
            <p>{detail}</p>
        };
        empty(Still::Winter, words, (back, label)).into_any()
    };
    Content {
        status,
        title,
        description: about.texts().problem_description,
        here: "",
        refresh: false,
        social: None,
        private: false,
        engine: engine(about),
        document: Document::of(about),
        body: Box::new(body),
    }
}
