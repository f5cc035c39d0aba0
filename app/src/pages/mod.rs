//! One file per page. Each loads its data first and is then rendered in one go.

use leptos::prelude::*;

use crate::{
    data::{About, Data, Unavailable},
    wire::{Job, Limit},
};

pub(crate) mod art;
pub(crate) mod restore;
pub(crate) mod gallery;
pub(crate) mod job;
pub(crate) mod problem;

/// A page before it is rendered: what the document around it needs, and its body.
pub struct Content {
    /// The HTTP status: 200, or that of the problem shown.
    pub status: u16,
    /// Nothing for search engines.
    pub private: bool,
    pub(crate) title: String,
    pub(crate) description: &'static str,
    /// The entry of the site's navigation that this page is.
    pub(crate) here: &'static str,
    /// Without JavaScript the page loads itself again every two seconds.
    pub(crate) refresh: bool,
    /// How the page is shown where its address is shared.
    pub(crate) social: Option<Social>,
    /// What paints here, for the foot of the page.
    pub(crate) engine: String,
    pub(crate) body: Box<dyn FnOnce() -> AnyView + Send>,
}

/// A preview of a page for the Open Graph protocol (<https://ogp.me>); addresses are absolute.
pub(crate) struct Social {
    pub(crate) address: String,
    pub(crate) image: String,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) alt: String,
}

/// What paints here, in a sentence.
fn engine(about: &About) -> String {
    match about.provider {
        "local" => {
            "Pictures by the built-in sketch engine, photos by the built-in restorer.".to_owned()
        }
        _ if about.photo_model != about.model => {
            format!(
                "Pictures by {}, photos by {}.",
                about.model, about.photo_model
            )
        }
        _ => format!("Pictures and photos by {}.", about.model),
    }
}

/// What a page tells its visitor about themselves. While the store is away the
/// form is shown all the same, without these.
struct Visitor {
    limits: Vec<Limit>,
    /// Newest first.
    jobs: Vec<Job>,
    away: bool,
}

impl Visitor {
    async fn ask(data: &dyn Data, jobs: usize) -> Self {
        match Self::known(data, jobs).await {
            Ok((limits, jobs)) => Self {
                limits,
                jobs,
                away: false,
            },
            Err(Unavailable) => Self {
                limits: vec![],
                jobs: vec![],
                away: true,
            },
        }
    }

    async fn known(data: &dyn Data, jobs: usize) -> Result<(Vec<Limit>, Vec<Job>), Unavailable> {
        Ok((data.limits().await?, data.recent(jobs).await?))
    }
}

/// Says that the store is away.
fn away_note() -> impl IntoView {
    view! {
        <p class="note" role="status">
            "The studio cannot reach its records at the moment: what you made is not shown, and nothing new is taken. \
            Nothing is lost; please try again in a minute."
        </p>
    }
}
