//! What is to be made, or to be told.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

use super::Picture;
use crate::photo::Mask;

/// What is to be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Task {
    Image(ImageTask),
    Restoration(RestorationTask),
    Notice(NoticeTask),
}

/// Whom a job and its pictures are shown to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// Whoever knows the address.
    Everybody,
    /// Its owner, and those who were given a link.
    Owner,
}

impl ImageTask {
    /// The prompt with the words of its style; no provider has a parameter for it.
    pub fn styled(&self) -> String {
        let style = atelier_api::STYLES
            .iter()
            .find(|style| Some(style.id) == self.style.as_deref());
        style.map_or_else(
            || self.prompt.clone(),
            |style| format!("{}\n\nStyle: {}.", self.prompt, style.words),
        )
    }

    /// Everything that decides what the picture looks like, but the prompt.
    pub(super) fn parameters(&self) -> serde_json::Value {
        let source = self.source.as_ref().map(|source| &source.picture.key);
        serde_json::json!([
            self.size,
            self.quality,
            self.n,
            self.style,
            self.background,
            source
        ])
    }
}

/// Pictures from words, or from a picture and words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageTask {
    pub prompt: String,
    /// `auto` or `WIDTHxHEIGHT`.
    pub size: String,
    pub quality: String,
    /// How many pictures.
    pub n: u32,
    pub style: Option<String>,
    /// One of [`atelier_api::BACKGROUNDS`].
    #[serde(default = "auto")]
    pub background: String,
    /// What they are made from, if not from words alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

/// A picture that another is made from. It is not kept for that: once its own job is deleted it is gone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// The job that made it.
    pub job: String,
    /// Which of that job's pictures, counted from 1.
    #[serde(default = "one")]
    pub number: usize,
    pub picture: Picture,
}

const fn one() -> usize {
    1
}

fn auto() -> String {
    "auto".into()
}

/// A better photo from an old one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RestorationTask {
    /// The upload, decoded and encoded again.
    pub original: Picture,
    /// SHA-256 of the upload as re-encoded.
    pub digest: String,
    /// Enlargement factor: 1, 2 or 4.
    pub enlarge: u32,
    /// Per cent of the repair that is wanted.
    #[serde(default = "whole")]
    pub strength: u8,
    /// The result is to have no colour.
    #[serde(default)]
    pub monochrome: bool,
    /// Where alone the photo is to be repaired: a [`crate::photo::Mask`] as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<String>,
    /// What the upload's file was called, without its ending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The upload's EXIF block but for the orientation, base64: for its owner's download alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exif: Option<String>,
}

impl RestorationTask {
    /// Where alone the photo is to be repaired; `None` for everywhere.
    pub fn mask(&self) -> Option<Mask> {
        self.mask.as_deref().and_then(Mask::from_text)
    }
}

const fn whole() -> u8 {
    100
}

/// Begins the names of the lanes of notices.
const NOTICES: &str = "callback";

/// Hosts share so many lanes of notices. One claim looks into each.
const NOTICE_LANES: u8 = 8;

/// The lanes that notices wait in, the first one of versions that had no other.
pub fn notice_lanes() -> impl Iterator<Item = String> {
    let lanes = (0..NOTICE_LANES).map(|number| format!("{NOTICES}-{number}"));
    std::iter::once(NOTICES.to_owned()).chain(lanes)
}

/// The lane of notices to this address: the same for every address of a host,
/// so that one that answers slowly, or is somebody's target, holds up only the
/// few that share its lane, and is bounded by what the lane is.
pub fn notice_lane(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    format!("{NOTICES}-{}", Sha256::digest(host)[0] % NOTICE_LANES)
}

/// An API user's address to be told how a job ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NoticeTask {
    /// The job it tells of.
    pub job: String,
    pub url: Url,
    /// The JSON to be sent, signed anew for every try.
    pub body: String,
}

impl Task {
    /// The picture that the work begins with.
    pub fn original(&self) -> Option<&Picture> {
        match self {
            Self::Image(task) => task.source.as_ref().map(|source| &source.picture),
            Self::Restoration(task) => Some(&task.original),
            Self::Notice(_) => None,
        }
    }

    /// What is made; `None` for a notice, which makes nothing.
    pub const fn kind(&self) -> Option<atelier_api::Kind> {
        match self {
            Self::Image(_) => Some(atelier_api::Kind::Image),
            Self::Restoration(_) => Some(atelier_api::Kind::Restoration),
            Self::Notice(_) => None,
        }
    }

    /// Whom it is shown to.
    pub const fn visibility(&self) -> Visibility {
        match self {
            Self::Image(_) => Visibility::Everybody,
            Self::Restoration(_) | Self::Notice(_) => Visibility::Owner,
        }
    }
}
