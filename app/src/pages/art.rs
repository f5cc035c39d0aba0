//! `/`: a prompt becomes a picture.

use jiff::Timestamp;
use leptos::prelude::*;

use super::{Content, Document, Visitor, away_note, engine, sorted};
use crate::{
    data::{About, Data, Seen, Unavailable},
    islands::form::FormIsland,
    parts::{
        allowance::left,
        attach::{attach, attached_again},
        card::card,
        engine_note,
        examples::{example, examples},
        fixed::Fixed,
        models::{MOST, models},
        picture::expected,
        wall::wall,
    },
    site::Draft,
    texts::Language,
    words,
};
use atelier_api::{Background, Job, Kind, MAX_PROMPT_CHARS, Params, Quality, STYLES, Size};

pub(crate) async fn load(data: &dyn Data, wanted: Draft) -> Result<Content, Unavailable> {
    let about = data.about();
    let t = about.texts();
    let (engine, document) = (engine(&about), Document::of(&about));
    let Visitor { limits, jobs, away } = Visitor::ask(data, Kind::Image).await;
    let from = match wanted.from.as_ref().filter(|_| !away) {
        Some(id) => data
            .job(id, None)
            .await?
            .map(|seen| seen.job)
            .filter(|job| job.kind == Kind::Image),
        None => None,
    };
    let body = move || {
        let now = Timestamp::now();
        let (shown, done) = sorted(jobs, now);
        let note = engine_note(&about, Kind::Image);
        view! {
            <FormIsland>
                <div class="composer">
                    <section class="intro">
                        <h1>{t.art_heading}</h1>
                        {note}
                        {away.then(|| away_note(t))}
                    </section>
                    <Form from wanted about=about.clone() />
                    {left(&limits, Kind::Image, &about)}
                </div>
                <div class="made">
                    <section class="jobs" data-jobs aria-label=t.art_jobs>
                        {shown.into_iter().map(|job| card(&Seen::own(job), &about, now)).collect_view()}
                    </section>
                    {(done.is_empty() && !away).then(|| examples(&about))}
                    {wall(&done, t)}
                </div>
            </FormIsland>
        }
        .into_any()
    };
    Ok(Content {
        status: 200,
        title: t.art_title.into(),
        description: t.art_description,
        here: "/",
        refresh: false,
        social: None,
        private: false,
        engine,
        document,
        body: Box::new(body),
    })
}

/// What the form is filled in with: an earlier job, an example or an idea, where there is one.
fn beginning(from: Option<Job>, wanted: &Draft, about: &About) -> (String, Params) {
    if let Some(job) = from {
        return (job.prompt, job.params);
    }
    let example = wanted.example.and_then(|number| example(number, about));
    let preset = (wanted.preset.and_then(|number| about.presets.get(number)))
        .map(|preset| (preset.words.as_str(), preset.style.as_str()));
    if let Some((words, style)) = example.or(preset) {
        let style = Some(style.to_owned()).filter(|style| !style.is_empty());
        let params = Params {
            style,
            ..Params::default()
        };
        return (words.to_owned(), params);
    }
    let idea = wanted
        .idea
        .and_then(|number| suggesting(about).ideas().get(number));
    (
        idea.map_or_else(String::new, |words| (*words).to_owned()),
        Params::default(),
    )
}

#[component]
fn Form(from: Option<Job>, wanted: Draft, about: About) -> impl IntoView {
    let t = about.texts();
    let again = from.as_ref().and_then(|job| attached_again(job, t));
    let model = from.as_ref().and_then(|job| job.model.clone());
    let (prompt, params) = beginning(from, &wanted, &about);
    let edits = about.pictures.any(|model| model.edits);
    let files = edits.then_some("multipart/form-data");
    // Most visitors have no picture to start from.
    let dials = if params == Params::default() {
        let fresh = || dials(params, None, &about);
        DIALS.show(about.language, fresh).into_any()
    } else {
        dials(params, model.as_deref(), &about).into_any()
    };
    let [press, or, plus] = t.or_press;
    let ctrl = t.key_send[0].split(' ').next();
    view! {
        <form class="desk" method="post" action="/api/images" enctype=files data-send>
            <label class="unseen" for="prompt">{t.prompt}</label>
            <textarea
                id="prompt"
                name="prompt"
                class="prompt"
                dir="auto"
                rows="3"
                required
                maxlength=MAX_PROMPT_CHARS.to_string()
                placeholder=suggesting(&about).texts().prompt_example
                aria-describedby="keys"
            >
                {prompt}
            </textarea>
            {some(&about)}
            {edits.then(|| attach(&about))}
            {again}
            <button type="button" class="own" data-own hidden>{t.own_words}</button>
            {presets(&about)}
            <details class="options" open>
                <summary>{t.options}</summary>
                {dials}
            </details>
            {prices(&about)}
            <p class="alert" role="alert" data-alert></p>
            <p class="send">
                <button class="main" type="submit" data-busy=t.sending>{t.paint_it}</button>
                <button type="button" data-abort hidden>{t.call_off}</button>
                <span id="keys" class="fine keys scripted">{press}<kbd>{ctrl}</kbd>{or}<kbd>"⌘"</kbd>{plus}<kbd>"Enter"</kbd></span>
            </p>
        </form>
    }
    .into_any()
}

/// The initial values of the options.
static DIALS: Fixed = Fixed::new();

fn dials(params: Params, model: Option<&str>, about: &About) -> impl IntoView + use<> {
    let t = about.texts();
    let backgrounds = about.pictures.any(|model| model.backgrounds);
    let n = params.n.unwrap_or(1);
    let clear = params.background == Some(Background::Transparent);
    let [square, ..] = Size::OFFERED;
    let size = params.size.filter(|size| Size::OFFERED.contains(size));
    let size = size.unwrap_or_else(|| square.clone());
    let quality = params.quality.unwrap_or_default();
    let style = params.style.unwrap_or_default();
    let shapes = Size::OFFERED.iter().zip(t.shapes);
    view! {
        <div class="dials">
            {styles(&style, about)}
            <fieldset class="choice">
                <legend>{t.shape}</legend>
                {shapes
                    .map(|(value, label)| {
                        let shape = expected(Some(value));
                        view! {
                            <label>
                                <input type="radio" name="size" value=value.to_string() checked=*value == size />
                                <span><i class=format!("shape {shape}")></i>{label}</span>
                            </label>
                        }
                    })
                    .collect_view()}
            </fieldset>
            <label class="pick">
                <span>{t.quality}</span>
                <select name="quality">
                    {Quality::ALL
                        .iter()
                        .map(|value| view! { <option value=value.to_string() selected=*value == quality>{(t.quality_label)(value)}</option> })
                        .collect_view()}
                </select>
            </label>
            <label class="pick">
                <span>{t.number}</span>
                <select name="n">
                    {(1..=MOST)
                        .map(|number| view! { <option value=number.to_string() selected=number == n>{number}</option> })
                        .collect_view()}
                </select>
            </label>
            {backgrounds
                .then(|| {
                    view! {
                        <label class="tick">
                            <input type="checkbox" name="background" value=Background::Transparent.to_string() checked=clear />
                            <span>{t.transparent}</span>
                        </label>
                    }
                })}
            {models(&about.pictures, Kind::Image, model, t)}
        </div>
    }
}

/// The styles as small pictures, the operator's after the built-in ones.
fn styles(chosen: &str, about: &About) -> impl IntoView + use<> {
    let t = about.texts();
    let tile = |id: &str, label: &str, words: &str, picture: Option<String>| {
        let picture =
            match picture {
                Some(src) => view! { <img src=src alt="" width="72" height="72" loading="lazy" /> }
                    .into_any(),
                None => view! { <i class="tile" aria-hidden="true">{label.chars().next()}</i> }
                    .into_any(),
            };
        let words = words.to_owned();
        view! {
            <label>
                <input type="radio" name="style" value=id.to_owned() checked=id == chosen />
                <span>{picture}{label.to_owned()}</span>
            </label>
            {(!words.is_empty()).then(|| view! { <small lang="en">"… "{words}</small> })}
        }
    };
    let drawn = |id: &str| Some(format!("/styles/{id}.webp"));
    let none = tile("", t.as_written, "", drawn("none"));
    let built_in = STYLES.iter().map(|style| {
        let label = (t.style_label)(style.id).unwrap_or(style.id);
        tile(style.id, label, style.words, drawn(style.id))
    });
    let own = (about.styles.iter()).map(|style| {
        tile(
            &style.name,
            &style.name,
            &style.words,
            style.thumbnail.clone(),
        )
    });
    view! {
        <fieldset class="choice styles">
            <legend>{t.style}</legend>
            {none}
            {built_in.collect_view()}
            {own.collect_view()}
        </fieldset>
    }
}

/// What the operator suggests to begin with; a click fills it in.
fn presets(about: &About) -> Option<impl IntoView + use<>> {
    let tiles = about.presets.iter().enumerate().map(|(number, preset)| {
        let picture = preset.thumbnail.clone().map(
            |src| view! { <img src=src alt="" width="72" height="72" loading="lazy" /> },
        );
        view! {
            <li>
                <a href=format!("/?preset={number}") data-style=preset.style.clone()>{picture}{preset.name.clone()}</a>
            </li>
        }
    });
    (!about.presets.is_empty()).then(|| {
        view! { <ul class="presets" aria-label=about.texts().presets>{tiles.collect_view()}</ul> }
    })
}

/// What pictures are expected to cost; the style sheet shows the price of the chosen quality, shape and number.
fn prices(about: &About) -> Option<impl IntoView + use<>> {
    let t = about.texts();
    // Of several models each has its own beside its name.
    let model = Some(&about.pictures.usual).filter(|_| !about.pictures.is_choice())?;
    let prices = Quality::ALL.iter().zip(model.image_usd);
    let prices = prices.flat_map(|(quality, prices)| {
        Size::OFFERED.iter().zip(prices).map(move |(size, usd)| {
            let shape = expected(Some(size));
            let totals = (2..=MOST).map(|n| {
                let total = (t.price_of)(n, &words::money(usd * f64::from(n), t));
                view! { <span class=format!("of-{n}")>{total}</span> }
            });
            view! {
                <data value=usd.to_string() class=format!("{quality} {shape}")>
                    {(t.price)(&words::money(usd, t))}
                    {totals.collect_view()}
                </data>
            }
        })
    });
    (model.image_usd[0][0] > 0.0)
        .then(|| view! { <p class="fine prices">{prices.collect_view()}</p> })
}

/// The language of suggested prompts.
fn suggesting(about: &About) -> Language {
    if about.pictures.usual.is_built_in() {
        about.language.sketched()
    } else {
        about.language
    }
}

/// A random few prompts to try.
fn some(about: &About) -> impl IntoView + use<> {
    let suggesting = suggesting(about);
    let ideas = suggesting.ideas();
    let dice = Timestamp::now().subsec_nanosecond().unsigned_abs() as usize / 1000;
    let language = (suggesting != about.language).then(|| suggesting.tag());
    let address = |step: usize| {
        let index = (dice + step) % ideas.len();
        (format!("/?idea={index}"), ideas[index])
    };
    let link = |step: usize| {
        let (address, words) = address(step);
        view! { <a href=address lang=language>{words}</a> }
    };
    let t = about.texts();
    let [begin, between, or, end] = t.try_these;
    view! {
        <p class="fine ideas" data-ideas>
            {begin}{link(0)}{between}{link(1)}{or}<a href=address(2).0>{t.surprise}</a>{end}
        </p>
    }
}
