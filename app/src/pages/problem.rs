//! What went wrong, in words, with a way back.

use leptos::prelude::*;

use super::{Content, engine};
use crate::data::{Data, Problem};

/// A form that was refused.
pub(crate) fn refused(data: &dyn Data, problem: Problem) -> Content {
    let Problem {
        status,
        title,
        detail,
        back,
    } = problem;
    page(data, status, title, detail, back, "Back to where you were")
}

/// No page at this address.
pub(crate) fn not_found(data: &dyn Data) -> Content {
    let detail = "Nothing hangs at this address. It may have been moved, or mistyped.";
    page(
        data,
        404,
        "An empty wall".into(),
        detail.into(),
        "/".into(),
        "To the studio",
    )
}

/// No job of this id.
pub(crate) fn no_job(data: &dyn Data) -> Content {
    let detail = "There is no picture at this address. It may have been deleted, or kept for its time and let go.";
    page(
        data,
        404,
        "This picture is gone".into(),
        detail.into(),
        "/".into(),
        "Paint a new one",
    )
}

/// The store does not answer.
pub(crate) fn unavailable(data: &dyn Data) -> Content {
    let detail = "The studio cannot reach its records at the moment. Nothing is lost; please try again in a minute.";
    page(
        data,
        503,
        "Back in a minute".into(),
        detail.into(),
        "/".into(),
        "Try again",
    )
}

fn page(
    data: &dyn Data,
    status: u16,
    title: String,
    detail: String,
    back: String,
    label: &'static str,
) -> Content {
    let heading = title.clone();
    let body = move || {
        view! {
            <section class="problem">
                <p class="eyebrow">{status}</p>
                <h1>{heading}</h1>
                <p>{detail}</p>
                <p>
                    <a class="button" href=back>{label}</a>
                </p>
            </section>
        }
        .into_any()
    };
    Content {
        status,
        title,
        description: "A page that could not be shown.",
        here: "",
        refresh: false,
        social: None,
        private: false,
        engine: engine(&data.about()),
        body: Box::new(body),
    }
}
