//! One file per page. Each loads its data first and is then rendered in one go.

use futures::future::join;
use jiff::Timestamp;
use leptos::prelude::*;

use crate::{
    data::{About, Data, Unavailable},
    parts::facts::seconds_between,
    texts::{Language, Texts},
};
use atelier_api::{Job, Kind, Limit, Status};

pub(crate) mod art;
pub(crate) mod restore;
pub(crate) mod gallery;
pub(crate) mod job;
pub(crate) mod problem;

/// A page before it is rendered: what the document around it needs, and its body.
pub struct Content {
    /// The HTTP status: 200, or that of the problem shown.
    pub status: u16,
    /// Search engines must not index it.
    pub private: bool,
    pub(crate) title: String,
    pub(crate) description: &'static str,
    /// The page's entry in the navigation.
    pub(crate) here: &'static str,
    /// Without JavaScript the page reloads every two seconds.
    pub(crate) refresh: bool,
    /// The preview shown where the page's address is shared; without one, that of the studio.
    pub(crate) social: Option<Social>,
    /// The provider, for the foot of the page.
    pub(crate) engine: String,
    pub(crate) document: Document,
    pub(crate) body: Box<dyn FnOnce() -> AnyView + Send>,
}

/// The language of a page, and where it is.
pub(crate) struct Document {
    pub(crate) language: Language,
    /// [`About::origin`]
    origin: String,
    /// [`About::owner`]
    pub(crate) owner: String,
    /// Path and query.
    pub(crate) address: String,
}

impl Document {
    fn of(about: &About) -> Self {
        Self {
            language: about.language,
            origin: about.origin.clone(),
            owner: about.owner.clone(),
            address: about.address.clone(),
        }
    }
}

/// A preview of a page for the Open Graph protocol (<https://ogp.me>); addresses are absolute.
pub(crate) struct Social {
    /// `article` for what a visitor made, `website` for the rest.
    pub(crate) kind: &'static str,
    pub(crate) address: String,
    pub(crate) image: String,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) alt: String,
}

/// Width and height of `/share.jpg`, which `npm run pictures` makes.
const SHARED: [u32; 2] = [1200, 630];

impl Social {
    /// The preview of a page with no picture of its own. Its query is left out: it may hold a key.
    pub(crate) fn of_studio(document: &Document) -> Self {
        let Document {
            language, origin, ..
        } = document;
        let path = document.address.split('?').next().unwrap_or_default();
        let [width, height] = SHARED;
        Self {
            kind: "website",
            address: format!("{origin}{path}"),
            image: format!("{origin}/share.jpg"),
            width,
            height,
            alt: language.texts().share_alt.into(),
        }
    }
}

/// A sentence about the provider.
fn engine(about: &About) -> String {
    let t = about.texts();
    let [pictures, photos] = [&about.pictures, &about.photos].map(|models| {
        let others = models.others.iter().map(|model| model.name.as_str());
        let mut names = models.usual.name.clone();
        for (place, name) in others.enumerate() {
            let is_last = place + 1 == models.others.len();
            names += if is_last { t.bring.or } else { ", " };
            names += name;
        }
        names
    });
    if about.pictures.is_built_in() {
        t.by_local.to_owned()
    } else if photos == pictures {
        (t.by_one)(&pictures)
    } else {
        (t.by_two)(&pictures, &photos)
    }
}

/// Pictures on the wall below a form.
const WALL: usize = 12;

/// What a page shows of the visitor's own. While the store is unreachable, the form is
/// shown without it.
struct Visitor {
    limits: Vec<Limit>,
    /// Newest first.
    jobs: Vec<Job>,
    away: bool,
}

impl Visitor {
    async fn ask(data: &dyn Data, kind: Kind) -> Self {
        match Self::known(data, kind).await {
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

    async fn known(data: &dyn Data, kind: Kind) -> Result<(Vec<Limit>, Vec<Job>), Unavailable> {
        // Concurrently, so that a busy store answers both in one batch.
        let (limits, jobs) = join(data.limits(kind), data.recent(kind, WALL * 2)).await;
        Ok((limits?, jobs?))
    }
}

/// What is shown as cards, and the finished ones for the wall.
fn sorted(jobs: Vec<Job>, now: Timestamp) -> (Vec<Job>, Vec<Job>) {
    let (shown, others): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| on_the_desk(job, now));
    let done = others
        .into_iter()
        .filter(|job| job.status == Status::Succeeded);
    (shown, done.take(WALL).collect())
}

/// The jobs shown as cards: those that run, and those that failed within a day.
fn on_the_desk(job: &Job, now: Timestamp) -> bool {
    let age = || seconds_between(job.finished_at.as_deref()?, &now.to_string());
    match job.status {
        Status::Failed => age().is_none_or(|age| age < 24 * 60 * 60),
        status => !status.is_terminal(),
    }
}

/// The note that the store is unreachable.
fn away_note(t: &'static Texts) -> impl IntoView {
    view! {
        <p class="note" role="status">
            {t.away_note}
        </p>
    }
}
