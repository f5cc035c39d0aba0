//! `/gallery`: everything the visitor made, to be searched, opened, saved and deleted.

use leptos::prelude::*;

use super::{Content, engine};
use crate::{
    data::{Data, Shelf, Unavailable, Wanted},
    islands::gallery::Gallery,
    parts::wall::hung,
    wire::{Job, Kind},
    words,
};

pub(crate) async fn load(data: &dyn Data, wanted: Wanted) -> Result<Content, Unavailable> {
    let engine = engine(&data.about());
    let Shelf { jobs, next } = data.gallery(wanted.clone()).await?;
    let next = next.map(|next| address(&wanted, &next));
    let body = move || {
        let first = wanted.before.is_none();
        let all = wanted.words.is_empty() && wanted.kind.is_none();
        let empty = jobs.is_empty().then(|| nothing(first && all, next.clone()));
        view! {
            <section class="intro">
                <h1>"Everything you made"</h1>
            </section>
            {(!all || !jobs.is_empty() || !first).then(|| search(&wanted))}
            {empty}
            {if jobs.is_empty() { None } else { Some(shelf(&jobs, next)) }}
            {(!first).then(|| view! { <p class="onward"><a href="/gallery">"Back to the newest"</a></p> })}
        }
        .into_any()
    };
    Ok(Content {
        status: 200,
        title: "Gallery".into(),
        description: "Everything you made in this studio.",
        here: "/gallery",
        refresh: false,
        social: None,
        private: true,
        engine,
        body: Box::new(body),
    })
}

/// The address of the page that follows.
fn address(wanted: &Wanted, next: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if !wanted.words.is_empty() {
        query.append_pair("q", &wanted.words);
    }
    if let Some(kind) = wanted.kind {
        query.append_pair("kind", kind.as_str());
    }
    format!("/gallery?{}", query.append_pair("before", next).finish())
}

fn nothing(nothing_at_all: bool, next: Option<String>) -> impl IntoView {
    if nothing_at_all {
        view! {
            <p>
                "Nothing yet. "<a href="/">"Paint a picture"</a>" or "<a href="/restore">"restore a photo"</a>
                ", and it will hang here."
            </p>
        }
        .into_any()
    } else if let Some(next) = next {
        view! {
            <p>"Nothing like that among the newest. "<a href=next rel="next">"Look among the older ones"</a></p>
        }
        .into_any()
    } else {
        view! { <p>"Nothing like that."</p> }.into_any()
    }
}

fn search(wanted: &Wanted) -> impl IntoView + use<> {
    let chosen = wanted.kind.map_or("", Kind::as_str);
    let kinds = [
        ("", "All"),
        ("image", "Pictures"),
        ("restoration", "Photos"),
    ];
    let kinds = kinds.map(|(value, label)| {
        view! {
            <label>
                <input type="radio" name="kind" value=value checked=value == chosen />
                <span>{label}</span>
            </label>
        }
    });
    view! {
        <form class="search" method="get" action="/gallery" role="search">
            <label class="unseen" for="q">"Words of the prompt"</label>
            <input id="q" type="search" name="q" value=wanted.words.clone() placeholder="Words of the prompt" />
            <fieldset class="choice">
                <legend class="unseen">"Kind"</legend>
                {kinds.into_iter().collect_view()}
            </fieldset>
            <button type="submit">"Search"</button>
        </form>
    }
}

/// The pictures, each with a box to choose it, and what can be done with those chosen.
fn shelf(jobs: &[Job], next: Option<String>) -> impl IntoView + use<> {
    let items = jobs.iter().filter_map(item).collect_view();
    let older = next.map(
        |next| view! { <p class="onward"><a href=next rel="next" data-next>"Older ones"</a></p> },
    );
    view! {
        <Gallery>
            <form class="shelf" method="post" data-shelf>
                <ul class="hanging">{items}</ul>
                {older}
                <p class="chosen-actions">
                    <button type="submit" formaction="/api/jobs/zip">"Download chosen"</button>
                    <button type="submit" formaction="/api/jobs/delete" data-delete>"Delete chosen"</button>
                </p>
            </form>
            <p class="toast" role="status" data-toast hidden>
                <span data-told></span>
                <button type="button" data-undo>"Undo"</button>
            </p>
            <dialog class="lightbox" data-lightbox aria-label="Picture">
                <img data-large alt="" />
                <p class="actions">
                    <button type="button" data-step="-1" aria-label="Newer picture">"←"</button>
                    <button type="button" data-step="1" aria-label="Older picture">"→"</button>
                    <a data-page href="/gallery">"All about it"</a>
                    <button type="button" data-remove>"Delete"</button>
                    <button type="button" data-close>"Close"</button>
                </p>
            </dialog>
        </Gallery>
    }
}

fn item(job: &Job) -> Option<impl IntoView + use<>> {
    let label = format!("Choose “{}”", words::clip(words::name(job), 80));
    let picture = hung(job)?;
    Some(view! {
        <li data-job=job.id.clone()>
            {picture}
            <label class="pickone">
                <input type="checkbox" name="id" value=job.id.clone() autocomplete="off" />
                <span class="unseen">{label}</span>
            </label>
        </li>
    })
}
