//! The interface through which pages get their data.

use std::{future::Future, pin::Pin, sync::Arc};

use atelier_api::{Quality, Size};

use crate::texts::{Language, Texts};

/// A boxed future, so that [`Data`] can be a trait object.
pub type Answer<T> = Pin<Box<dyn Future<Output = Result<T, Unavailable>> + Send>>;

/// The store is unreachable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unavailable;

/// The data of one request's pages; the implementation knows the caller.
pub trait Data: Send + Sync {
    /// The settings that visitors should know.
    fn about(&self) -> About;
    /// One job, `None` if there is none with that id that the caller may see;
    /// `key` is that of a link.
    fn job(&self, id: &str, key: Option<&str>) -> Answer<Option<Seen>>;
    /// The caller's jobs of a kind, newest first, at most `limit`.
    fn recent(&self, kind: atelier_api::Kind, limit: usize) -> Answer<Vec<atelier_api::Job>>;
    /// A page of the caller's finished jobs.
    fn gallery(&self, wanted: Wanted) -> Answer<Shelf>;
    /// Every policy that applies to the caller's orders of a kind.
    fn limits(&self, kind: atelier_api::Kind) -> Answer<Vec<atelier_api::Limit>>;
}

/// A job as one visitor sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    pub job: atelier_api::Job,
    /// The visitor's own.
    pub mine: bool,
    /// Their own, and shown to nobody else.
    pub withheld: bool,
    /// The key in the link that they followed or made.
    pub key: Option<String>,
}

impl Seen {
    /// Whether the visitor owns the job only by the key in its address.
    pub(crate) fn by_key(&self) -> bool {
        by_key(&self.job)
    }

    /// The query that addresses of the job need to open for the visitor: `?key=…`, or
    /// nothing.
    pub(crate) fn query(&self) -> String {
        match (self.job.url.split_once('?'), &self.key) {
            (Some((_, query)), _) => format!("?{query}"),
            (None, Some(key)) => format!("?key={key}"),
            (None, None) => String::new(),
        }
    }

    /// The address by which others see what otherwise only its owner sees.
    pub(crate) fn link(&self) -> Option<String> {
        let key = self.key.as_ref()?;
        Some(format!("/jobs/{}?key={key}", self.job.id))
    }

    /// How a form names the job: by its id, or by its address where only that opens it.
    pub(crate) fn name(&self) -> String {
        name(&self.job)
    }

    /// A job of the visitor's own.
    pub fn own(job: atelier_api::Job) -> Self {
        Self {
            job,
            mine: true,
            withheld: false,
            key: None,
        }
    }
}

/// How a form names a job.
pub(crate) fn name(job: &atelier_api::Job) -> String {
    if by_key(job) { &job.url } else { &job.id }.clone()
}

fn by_key(job: &atelier_api::Job) -> bool {
    job.url.contains('?')
}

/// A query for finished jobs, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Beginnings of words that the prompt must contain, in any order, case and accent; empty for all.
    pub words: String,
    pub kind: Option<atelier_api::Kind>,
    pub favourites: bool,
    /// Only those in this folder.
    pub folder: Option<String>,
    /// Older than this job.
    pub before: Option<String>,
}

/// A page of finished jobs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shelf {
    pub jobs: Vec<atelier_api::Job>,
    /// The last job of this page, if older ones follow.
    pub next: Option<String>,
    /// The names of all folders.
    pub folders: Vec<String>,
}

/// Facts about this site for one visitor.
#[derive(Debug, Clone, PartialEq)]
pub struct About {
    /// Whom the page is for, in a name that tells nothing else: what a browser notes for one is not shown to another.
    pub owner: String,
    /// The site's address as its visitors see it, without a path.
    pub origin: String,
    /// The page's path and query, for links to it in other languages.
    pub address: String,
    /// The visitor's language.
    pub language: Language,
    /// The models for pictures.
    pub pictures: Offered,
    /// The models for photos.
    pub photos: Offered,
    /// The page was asked for from the machine that serves it.
    pub operator: bool,
    /// Styles of the operator's own.
    pub styles: Arc<[Style]>,
    /// What visitors may begin with.
    pub presets: Arc<[Preset]>,
    /// Largest upload in bytes.
    pub photo_max_bytes: u64,
    /// Largest upload in pixels.
    pub photo_max_pixels: u64,
    /// How long photos are kept, in seconds.
    pub photo_kept_seconds: u64,
    /// How long a picture usually takes, in seconds.
    pub typical_image_seconds: u32,
    /// How long a restoration usually takes, in seconds.
    pub typical_restoration_seconds: u32,
}

/// The models that visitors may have for something.
#[derive(Debug, Clone, PartialEq)]
pub struct Offered {
    /// The one that they have unless they choose another.
    pub usual: Model,
    pub others: Vec<Model>,
}

/// A model, and what it can do.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Who has it: `openai`, `replicate`, `local`, or an upstream.
    pub provider: String,
    /// As they call it.
    pub name: String,
    /// Whether a part of a picture can be changed alone.
    pub masks: bool,
    /// Whether pictures can have a transparent background.
    pub backgrounds: bool,
    /// Whether a picture can be made from another.
    pub edits: bool,
    /// Whether a picture can be made larger.
    pub enlarges: bool,
    /// Whether a photo can be repaired in part.
    pub strengths: bool,
    /// What a picture of each quality and size is expected to cost the studio, in US dollars.
    pub image_usd: [[f64; Size::OFFERED.len()]; Quality::ALL.len()],
    /// What each attached picture adds to that.
    pub attached_usd: f64,
    /// The same for a restoration.
    pub restoration_usd: f64,
}

impl Offered {
    /// All of them, the usual one first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Model> {
        std::iter::once(&self.usual).chain(&self.others)
    }

    /// Whether there is something to choose.
    pub(crate) const fn is_choice(&self) -> bool {
        !self.others.is_empty()
    }

    /// Whether one of them can do something.
    pub(crate) fn any(&self, can: impl Fn(&Model) -> bool) -> bool {
        self.all().any(can)
    }

    /// Whether the built-in engine is all there is.
    pub(crate) fn is_built_in(&self) -> bool {
        !self.is_choice() && self.usual.is_built_in()
    }
}

impl Model {
    /// How the API and jobs name it.
    pub(crate) fn id(&self) -> String {
        format!("{}/{}", self.provider, self.name)
    }

    /// The name of whoever has it, as people know it.
    pub(crate) fn vendor(&self) -> &str {
        match &*self.provider {
            "openai" => "OpenAI",
            "replicate" => "Replicate",
            upstream => upstream,
        }
    }

    /// Whether this model made the job.
    pub(crate) fn made(&self, job: &atelier_api::Job) -> bool {
        job.model.as_ref() == Some(&self.id())
    }

    /// Whether it is none of somebody else's.
    pub(crate) fn is_built_in(&self) -> bool {
        self.provider == "local"
    }
}

/// A style of the operator's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Style {
    /// What it is called, on pages and in the API.
    pub name: String,
    pub words: String,
    /// The address of a picture of it.
    pub thumbnail: Option<String>,
}

/// A prompt to begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preset {
    pub name: String,
    pub words: String,
    /// Empty for none.
    pub style: String,
    /// The address of a picture of it.
    pub thumbnail: Option<String>,
}

impl About {
    pub(crate) const fn texts(&self) -> &'static Texts {
        self.language.texts()
    }
}

/// A request that was refused, shown as a page to a browser without JavaScript.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    pub status: u16,
    pub title: String,
    pub detail: String,
    /// The page to go back to, for example `/restore`.
    pub back: String,
}
