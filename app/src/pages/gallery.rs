//! `/gallery`: everything the visitor made, to be searched, opened, saved and deleted.

use atelier_api::{Job, Kind};
use leptos::prelude::*;

use super::{Content, Document, engine};
use crate::{
    data::{Data, Shelf, Unavailable, Wanted},
    islands::gallery::Gallery,
    parts::{examples::examples, picture::small, wall::tile},
    texts::Texts,
    words,
};

pub(crate) async fn load(data: &dyn Data, wanted: Wanted) -> Result<Content, Unavailable> {
    let about = data.about();
    let t = about.texts();
    let (engine, document) = (engine(&about), Document::of(&about));
    let Shelf { jobs, next } = data.gallery(wanted.clone()).await?;
    let next = next.map(|next| address(&wanted, &next));
    let body = move || {
        let first = wanted.before.is_none();
        let all = wanted.words.is_empty() && wanted.kind.is_none();
        let empty = jobs
            .is_empty()
            .then(|| nothing(first && all, next.clone(), t));
        let examples = (jobs.is_empty() && first && all).then(|| examples(&about));
        view! {
            <section class="intro">
                <h1>{t.everything}</h1>
            </section>
            {(!all || !jobs.is_empty() || !first).then(|| search(&wanted, t))}
            {empty}
            {examples}
            {if jobs.is_empty() { None } else { Some(shelf(&jobs, next, t)) }}
            {(!first).then(|| view! { <p class="onward"><a href="/gallery">{t.back_to_newest}</a></p> })}
        }
        .into_any()
    };
    Ok(Content {
        status: 200,
        title: t.gallery.into(),
        description: t.gallery_description,
        here: "/gallery",
        refresh: false,
        social: None,
        private: true,
        engine,
        document,
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

fn nothing(nothing_at_all: bool, next: Option<String>, t: &'static Texts) -> impl IntoView {
    if nothing_at_all {
        let [yet, or, here] = t.nothing_yet;
        view! {
            <p>
                {yet}<a href="/">{t.paint_a_picture}</a>{or}<a href="/restore">{t.restore_a_photo}</a>{here}
            </p>
        }
        .into_any()
    } else if let Some(next) = next {
        view! {
            <p>{t.none_newest}<a href=next rel="next">{t.look_older}</a></p>
        }
        .into_any()
    } else {
        view! { <p>{t.none}</p> }.into_any()
    }
}

fn search(wanted: &Wanted, t: &'static Texts) -> impl IntoView + use<> {
    let chosen = wanted.kind.map_or("", Kind::as_str);
    let kinds = [
        ("", t.all),
        ("image", t.pictures),
        ("restoration", t.photos),
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
            <label class="unseen" for="q">{t.words_of_prompt}</label>
            <input id="q" type="search" name="q" dir="auto" value=wanted.words.clone() placeholder=t.words_of_prompt />
            <fieldset class="choice">
                <legend class="unseen">{t.kind}</legend>
                {kinds.into_iter().collect_view()}
            </fieldset>
            <button type="submit">{t.search}</button>
        </form>
    }
}

/// The pictures, each with a box to choose it, and what can be done with those chosen.
fn shelf(jobs: &[Job], next: Option<String>, t: &'static Texts) -> impl IntoView + use<> {
    let items = jobs.iter().filter_map(|job| item(job, t)).collect_view();
    let older = next.map(
        |next| view! { <p class="onward"><a href=next rel="next" data-next>{t.older}</a></p> },
    );
    view! {
        <Gallery>
            <form class="shelf" method="post" data-shelf>
                <ul class="hanging">{items}</ul>
                <p class="alert" role="alert" data-alert></p>
                {older}
                <p class="chosen-actions">
                    <button type="submit" formaction="/api/jobs/zip">{t.download_chosen}</button>
                    <button type="submit" formaction="/api/jobs/delete" data-delete>{t.delete_chosen}</button>
                </p>
            </form>
            <p class="toast" data-toast hidden>
                <span data-told></span>
                <button type="button" data-undo>{t.undo}</button>
            </p>
        </Gallery>
    }
}

fn item(job: &Job, t: &Texts) -> Option<impl IntoView + use<>> {
    let label = (t.choose)(&words::clip(words::name(job, t), 80));
    let picture = tile(job, t)?;
    // Seen when the picture before is open.
    let others =
        (1..job.images.len()).map(|index| view! { <span hidden>{small(job, index, t)}</span> });
    Some(view! {
        <li data-job=job.id.clone()>
            {picture}
            {others.collect_view()}
            <label class="pickone">
                <input type="checkbox" name="id" value=job.id.clone() autocomplete="off" />
                <span class="unseen">{label}</span>
            </label>
        </li>
    })
}
