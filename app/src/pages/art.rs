//! `/`: a prompt becomes a picture.

use jiff::Timestamp;
use leptos::prelude::*;

use super::{Content, Visitor, away_note, engine};
use crate::{
    data::{About, Data, Seen, Unavailable},
    ideas,
    islands::desk::Desk,
    parts::{allowance::left, card::card, engine_note, wall::wall},
    wire::{Job, Kind, MAX_PROMPT_CHARS, Params, QUALITIES, SIZES, STYLES, Status},
    words,
};

/// Pictures on the wall below the form.
const WALL: usize = 12;

pub(crate) async fn load(
    data: &dyn Data,
    from: Option<String>,
    idea: Option<usize>,
) -> Result<Content, Unavailable> {
    let about = data.about();
    let engine = engine(&about);
    let Visitor { limits, jobs, away } = Visitor::ask(data, WALL * 2).await;
    let draft = match from.filter(|_| !away) {
        Some(id) => data
            .job(&id, None)
            .await?
            .map(|seen| seen.job)
            .filter(|job| job.kind == Kind::Image),
        None => None,
    };
    let body = move || {
        let now = Timestamp::now();
        let pictures = |job: &Job| job.kind == Kind::Image;
        let working: Vec<_> = jobs
            .iter()
            .filter(|job| pictures(job) && !job.status.is_terminal())
            .cloned()
            .collect();
        let done: Vec<_> = jobs
            .into_iter()
            .filter(|job| pictures(job) && job.status == Status::Succeeded)
            .take(WALL)
            .collect();
        let note = engine_note(&about, Kind::Image);
        view! {
            <Desk>
                <section class="intro">
                    <h1>"What shall we paint?"</h1>
                    {note}
                    {away.then(away_note)}
                </section>
                <Form draft=draft idea=idea.and_then(ideas::idea) about=about.clone() />
                {left(&limits, Kind::Image, &about)}
                <section class="jobs" data-jobs aria-label="Your pictures in the making">
                    {working.into_iter().map(|job| card(&Seen::own(job), &about, now)).collect_view()}
                </section>
            </Desk>
            {wall(&done)}
        }
        .into_any()
    };
    Ok(Content {
        status: 200,
        title: "Paint a picture".into(),
        description: "Describe a picture in words and have it painted.",
        here: "/",
        refresh: false,
        social: None,
        private: false,
        engine,
        body: Box::new(body),
    })
}

/// The form, filled in from an earlier job where there is one.
#[component]
fn Form(draft: Option<Job>, idea: Option<&'static str>, about: About) -> impl IntoView {
    let (prompt, params) = draft
        .map(|job| (job.prompt, job.params))
        .unwrap_or_else(|| (idea.unwrap_or_default().to_owned(), Params::default()));
    let n = params.n.unwrap_or(1);
    let price = (about.image_usd > 0.0)
        .then(|| format!("About {} a picture.", words::money(about.image_usd)));
    let clear = params.background.as_deref() == Some("transparent");
    let size = params
        .size
        .filter(|size| SIZES.iter().any(|(value, _)| value == size));
    let size = size.unwrap_or_else(|| SIZES[0].0.to_owned());
    let quality = params.quality.unwrap_or_else(|| "auto".into());
    let style = params.style.unwrap_or_default();
    let styles = std::iter::once(("", "As written", "")).chain(
        STYLES
            .iter()
            .map(|style| (style.id, style.label, style.words)),
    );
    view! {
        <form class="desk" method="post" action="/api/images" data-send>
            <label class="unseen" for="prompt">"The picture in words"</label>
            <textarea
                id="prompt"
                name="prompt"
                class="prompt"
                rows="3"
                required
                maxlength=MAX_PROMPT_CHARS.to_string()
                placeholder="A lighthouse on a cliff at dusk, gulls in the wind"
                aria-describedby="keys"
            >
                {prompt}
            </textarea>
            {ideas()}
            <div class="dials">
                <fieldset class="choice styles">
                    <legend>"Style"</legend>
                    {styles
                        .map(|(id, label, words)| {
                            view! {
                                <label>
                                    <input type="radio" name="style" value=id checked=id == style />
                                    <span>{label}</span>
                                </label>
                                {(!words.is_empty()).then(|| view! { <small>"… "{words}</small> })}
                            }
                        })
                        .collect_view()}
                </fieldset>
                <fieldset class="choice">
                    <legend>"Shape"</legend>
                    {SIZES
                        .iter()
                        .map(|(value, label)| {
                            let class = format!("shape {}", label.to_lowercase());
                            view! {
                                <label>
                                    <input type="radio" name="size" value=*value checked=*value == size />
                                    <span><i class=class></i>{*label}</span>
                                </label>
                            }
                        })
                        .collect_view()}
                </fieldset>
                <label class="pick">
                    <span>"Quality"</span>
                    <select name="quality">
                        {QUALITIES
                            .iter()
                            .map(|value| view! { <option value=*value selected=*value == quality>{quality_label(value)}</option> })
                            .collect_view()}
                    </select>
                </label>
                <label class="pick">
                    <span>"Number"</span>
                    <select name="n">
                        {(1..=4)
                            .map(|number| view! { <option value=number.to_string() selected=number == n>{number}</option> })
                            .collect_view()}
                    </select>
                </label>
                {about
                    .backgrounds
                    .then(|| {
                        view! {
                            <label class="tick">
                                <input type="checkbox" name="background" value="transparent" checked=clear />
                                <span>"Transparent background"</span>
                            </label>
                        }
                    })}
            </div>
            {price.map(|price| view! { <p class="fine">{price}</p> })}
            <p class="alert" role="alert" data-alert></p>
            <p class="send">
                <button class="main" type="submit" data-busy="Sending …">"Paint it"</button>
                <span id="keys" class="fine keys">"or press "<kbd>"Ctrl"</kbd>" or "<kbd>"⌘"</kbd>" + "<kbd>"Enter"</kbd></span>
            </p>
        </form>
    }
}

/// A few prompts to begin with, others each time.
fn ideas() -> impl IntoView {
    let dice = Timestamp::now().subsec_nanosecond().unsigned_abs() as usize / 1000;
    let shown = [0, 1].map(|step| ideas::index(dice + step));
    let link = |index: usize| {
        let words = ideas::idea(index);
        view! { <a href=format!("/?idea={index}")>{words}</a> }
    };
    view! {
        <p class="fine ideas">
            "Try “"{link(shown[0])}"”, “"{link(shown[1])}"” or "
            <a href=format!("/?idea={}", ideas::index(dice + 2))>"surprise me"</a> "."
        </p>
    }
}

fn quality_label(value: &str) -> &'static str {
    match value {
        "low" => "Low, quick",
        "medium" => "Medium",
        "high" => "High, slow",
        _ => "Automatic",
    }
}
