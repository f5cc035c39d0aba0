//! `/gallery`: everything the visitor made, to be searched, opened, saved and deleted.

use atelier_api::{Job, Kind, MAX_FOLDER_CHARS};
use leptos::prelude::*;

use super::{Content, Document, engine};
use crate::{
    data::{Data, Shelf, Unavailable, Wanted},
    islands::gallery::Gallery,
    parts::{
        empty::{Still, empty},
        examples::examples,
        picture::small,
        wall::{tile, width},
    },
    texts::Texts,
    words,
};

pub(crate) async fn load(data: &dyn Data, wanted: Wanted) -> Result<Content, Unavailable> {
    let about = data.about();
    let t = about.texts();
    let (engine, document) = (engine(&about), Document::of(&about));
    let Shelf {
        jobs,
        next,
        folders,
    } = data.gallery(wanted.clone()).await?;
    let body = move || {
        let all = Wanted {
            before: wanted.before.clone(),
            ..Wanted::default()
        };
        let is_all = wanted == all;
        let nothing_at_all = jobs.is_empty() && is_all && wanted.before.is_none();
        let found = found(&wanted, &jobs, next, &folders, nothing_at_all, t);
        let heading = view! {
            <section class="intro">
                <h1>{t.everything}</h1>
            </section>
        };
        if nothing_at_all {
            return view! { {heading}{found}{examples(&about)} }.into_any();
        }
        view! {
            {heading}
            <Gallery>
                {search(&wanted, &folders, t)}
                {found}
                <p class="alert" role="alert" data-alert></p>
                {over_all(address(&wanted, wanted.before.as_deref()), t)}
            </Gallery>
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

/// The address of a page.
fn address(wanted: &Wanted, before: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if !wanted.words.is_empty() {
        query.append_pair("q", &wanted.words);
    }
    if !shown(wanted).is_empty() {
        query.append_pair("kind", shown(wanted));
    }
    if let Some(folder) = &wanted.folder {
        query.append_pair("folder", folder);
    }
    if let Some(before) = before {
        query.append_pair("before", before);
    }
    match query.finish() {
        query if query.is_empty() => "/gallery".into(),
        query => format!("/gallery?{query}"),
    }
}

/// What is shown of all, as the query has it.
fn shown(wanted: &Wanted) -> &'static str {
    match wanted.kind {
        None if wanted.favourites => "favourite",
        kind => kind.map_or("", Kind::as_str),
    }
}

/// What was found, which a script replaces by what another search finds.
fn found(
    wanted: &Wanted,
    jobs: &[Job],
    next: Option<String>,
    folders: &[String],
    nothing_at_all: bool,
    t: &'static Texts,
) -> impl IntoView + use<> {
    let say = match jobs.len() {
        0 => t.none.into(),
        number => (t.found)(number, next.is_some()),
    };
    let newest = wanted.before.is_some().then(|| {
        let newest = address(wanted, None);
        view! { <p class="newest"><a href=newest>{t.back_to_newest}</a></p> }
    });
    let found = match (jobs, nothing_at_all) {
        ([], true) => nothing(Still::Shore, t.nothing_yet, ("/", t.paint_a_picture)).into_any(),
        ([], false) => nothing(Still::Fog, t.none, ("/gallery", t.clear)).into_any(),
        _ => shelf(wanted, jobs, next, folders, t).into_any(),
    };
    view! { <div data-found data-say=say>{newest}{found}</div> }
}

fn nothing(
    still: Still,
    words: &'static str,
    (href, label): (&str, &'static str),
) -> impl IntoView + use<> {
    empty(still, view! { <p>{words}</p> }, (href.into(), label))
}

fn search(wanted: &Wanted, folders: &[String], t: &'static Texts) -> impl IntoView + use<> {
    let chosen = shown(wanted);
    let kinds = [
        ("", t.all),
        ("image", t.pictures),
        ("restoration", t.photos),
        ("favourite", t.favourites),
    ];
    let kinds = kinds.map(|(value, label)| {
        view! {
            <label>
                <input type="radio" name="kind" value=value checked=value == chosen autocomplete="off" />
                <span>{label}</span>
            </label>
        }
    });
    // One that was deleted meanwhile is still what is asked for.
    let asked = wanted.folder.iter().filter(|name| !folders.contains(name));
    let folders = folders.iter().chain(asked).map(|name| {
        let selected = wanted.folder.as_ref() == Some(name);
        view! { <option value=name.clone() selected=selected>{name.clone()}</option> }
    });
    let folders = folders.collect_view();
    let folders = (!folders.is_empty()).then(|| {
        view! {
            <select name="folder" aria-label=t.folder autocomplete="off">
                <option value="">{t.all_folders}</option>
                {folders}
            </select>
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
            {folders}
            <button type="submit" class="plain">{t.search}</button>
        </form>
    }
}

/// How many pictures even a phone shows at first.
const SEEN_FIRST: usize = 2;

/// The pictures, each with a box to choose it, and what can be done with those chosen.
fn shelf(
    wanted: &Wanted,
    jobs: &[Job],
    next: Option<String>,
    folders: &[String],
    t: &'static Texts,
) -> impl IntoView + use<> {
    let here = address(wanted, wanted.before.as_deref());
    let older = next.map(|next| address(wanted, Some(&next)));
    let items = jobs.iter().enumerate().filter_map(|(place, job)| {
        // Tells which page is in view.
        let begins = (place == 0).then(|| here.clone());
        item(job, place < SEEN_FIRST, begins, t)
    });
    let items = items.collect_view();
    let older = older.map(
        |older| view! { <p class="onward"><a href=older rel="next" data-next>{t.older}</a></p> },
    );
    view! {
        <form class="shelf" method="post" data-shelf>
            <label class="tick scripted">
                <input type="checkbox" autocomplete="off" data-all />
                <span>{t.choose_all}</span>
            </label>
            <ul class="hanging">{items}</ul>
            {older}
            <input type="hidden" name="back" value=here />
            <div class="chosen-actions">
                <span class="scripted" data-count></span>
                {into_folder(wanted, folders, t)}
                {favour(wanted, t)}
                <button type="submit" formaction="/api/jobs/zip" formnovalidate>{t.download_chosen}</button>
                <button type="submit" formaction="/api/jobs/delete" formnovalidate data-delete>
                    {t.delete_chosen}
                </button>
            </div>
        </form>
    }
}

/// Makes those chosen favourites, or no longer.
fn favour(wanted: &Wanted, t: &'static Texts) -> impl IntoView + use<> {
    let (to, label) = match wanted.favourites {
        false => ("/api/jobs/mark?favourite=true", t.favour),
        true => ("/api/jobs/mark?favourite=false", t.unfavour),
    };
    view! { <button type="submit" formaction=to formnovalidate>{label}</button> }
}

/// Moves those chosen into a folder, or out of the one that is shown.
fn into_folder(wanted: &Wanted, folders: &[String], t: &'static Texts) -> impl IntoView + use<> {
    let known = folders
        .iter()
        .map(|name| view! { <option value=name.clone()></option> });
    let known = known.collect_view();
    let out = wanted.folder.is_some().then(|| {
        let to = "/api/jobs/mark?folder=";
        view! { <button type="submit" formaction=to formnovalidate>{t.out_of_folder}</button> }
    });
    view! {
        <details class="into">
            <summary class="button">{t.folder}</summary>
            <p>
                <input
                    type="text"
                    name="folder"
                    list="folders"
                    required
                    maxlength=MAX_FOLDER_CHARS.to_string()
                    aria-label=t.folder_name
                    placeholder=t.folder_name
                    autocomplete="off"
                />
                <datalist id="folders">{known}</datalist>
                <button type="submit" formaction="/api/jobs/mark">{t.move_there}</button>
                {out}
            </p>
        </details>
    }
}

/// What lies over the page, the way to undo; and the form of the stars.
fn over_all(here: String, t: &'static Texts) -> impl IntoView {
    view! {
        <form id="stars" method="post">
            <input type="hidden" name="back" value=here />
        </form>
        <p class="toast" data-toast hidden>
            <span data-told></span>
            <button type="button" data-undo>{t.undo}</button>
        </p>
    }
}

fn item(job: &Job, seen: bool, begins: Option<String>, t: &Texts) -> Option<impl IntoView + use<>> {
    let name = words::clip(words::name(job, t), 80);
    let label = (t.choose)(&name);
    let picture = tile(job, seen, t)?;
    // Seen when the picture before is open.
    let others = (1..job.images.len())
        .map(|index| view! { <span hidden>{small(job, index, false, t)}</span> });
    Some(view! {
        <li class=width(job) data-job=job.id.clone() data-at=begins>
            {picture}
            {others.collect_view()}
            <button
                type="submit"
                form="stars"
                class="star"
                name="id"
                value=job.id.clone()
                formaction=format!("/api/jobs/mark?favourite={}", !job.favourite)
                aria-pressed=job.favourite.to_string()
                aria-label=(t.favourite)(&name)
                data-star
            ></button>
            <label class="pickone">
                <input type="checkbox" name="id" value=job.id.clone() autocomplete="off" />
                <span class="unseen">{label}</span>
            </label>
        </li>
    })
}
