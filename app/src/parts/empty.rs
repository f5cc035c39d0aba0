//! What is shown where there is nothing: a small framed picture, a sentence, and one thing to do.

use leptos::prelude::*;

/// Pixels to a side of the pictures, twice the side at which they are shown: `cargo xtask pictures` makes them.
const SIDE: u32 = 240;

/// The small pictures: `/empty/{name}.webp`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Still {
    /// Nothing was made yet.
    Shore,
    /// Nothing was found.
    Fog,
    /// What was here is gone, or never was.
    Winter,
}

impl Still {
    const fn name(self) -> &'static str {
        match self {
            Self::Shore => "shore",
            Self::Fog => "fog",
            Self::Winter => "winter",
        }
    }
}

/// `words`, below a picture, and a link to somewhere better.
pub(crate) fn empty(
    still: Still,
    words: impl IntoView + 'static,
    (href, label): (String, &'static str),
) -> impl IntoView {
    let picture = format!("/empty/{}.webp", still.name());
    view! {
        <section class="empty">
            <span class="hung">
                <img src=picture alt="" width=SIDE.to_string() height=SIDE.to_string() />
            </span>
            {words}
            <a class="button" href=href>{label}</a>
        </section>
    }
}
