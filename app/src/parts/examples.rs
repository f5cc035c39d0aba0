//! What hangs on the wall while the visitor has made nothing: `cargo xtask pictures` makes it.

use atelier_api::Image;
use leptos::prelude::*;

use super::compare::pair;
use crate::{
    data::About,
    texts::{Language, Texts},
};

/// Pictures made from words: file, style, and pixels to a side.
const EXAMPLES: [(&str, &str, u32); 3] = [
    ("boat", "watercolour", 720),
    ("lighthouse", "oil", 440),
    ("fox", "", 440),
];

/// The photos that visitors may try: `/samples/{name}.jpg`.
pub const SAMPLES: [&str; 3] = ["astronaut", "camera", "coffee"];

/// Pixels to a side of the photo that is shown before and after.
const SHOWN: u32 = 512;

/// The words and the style of the example of this number.
pub(crate) fn example(number: usize, about: &About) -> Option<(&'static str, &'static str)> {
    let (_, style, _) = EXAMPLES.get(number)?;
    Some((words(about).0[number], style))
}

/// The prompts; the built-in engine reads English only.
fn words(about: &About) -> (&'static [&'static str; 3], Option<&'static str>) {
    match &*about.pictures.usual.provider {
        "local" => (&Language::English.texts().examples, Some("en")),
        _ => (&about.texts().examples, None),
    }
}

/// Pictures that show what words become; each leads to the form with them in it.
pub(crate) fn examples(about: &About) -> impl IntoView + use<> {
    let t = about.texts();
    let (words, language) = words(about);
    let pictures = EXAMPLES.iter().zip(words).enumerate();
    let pictures = pictures.map(|(number, ((name, style, side), words))| {
        let style_label = (t.style_label)(style);
        view! {
            <li>
                <a href=format!("/?example={number}") data-style=*style>
                    <span class="frame square">
                        <img src=format!("/examples/{name}.webp") alt="" width=*side height=*side loading=(number > 0).then_some("lazy") />
                    </span>
                    <span class="words" lang=language dir="auto">{*words}</span>
                    {style_label.map(|label| view! { <small>{label}</small> })}
                </a>
            </li>
        }
    });
    view! {
        <section class="examples" aria-labelledby="examples">
            <h2 id="examples">{t.examples_heading}</h2>
            <ul class="salon">{pictures.collect_view()}</ul>
        </section>
    }
    .into_any()
}

/// A photo before and after, and photos to try.
pub(crate) fn samples(t: &'static Texts) -> impl IntoView {
    let shown = |file: &str| Image {
        url: format!("/samples/{file}.webp"),
        width: SHOWN,
        height: SHOWN,
        media_type: "image/webp".into(),
        bytes: 0,
        thumbhash: String::new(),
    };
    let photos = SAMPLES.iter().zip(t.samples).map(|(name, label)| {
        view! {
            <li>
                <form method="post" action="/api/restorations" enctype="multipart/form-data" data-send>
                    <input type="hidden" name="sample" value=*name />
                    <button type="submit">
                        <img src=format!("/samples/{name}.webp") alt="" width="224" height="224" loading="lazy" />
                        {label}
                    </button>
                    <p class="alert" role="alert" data-alert></p>
                </form>
            </li>
        }
    });
    view! {
        <section class="examples trial" aria-labelledby="samples">
            <div class="frame compare square">
                {pair(&shown("before"), &shown("after"), [t.sample_before, t.sample_after], t)}
            </div>
            <h2 id="samples">{t.samples_heading}</h2>
            <ul class="samples">{photos.collect_view()}</ul>
        </section>
    }
    .into_any()
}
