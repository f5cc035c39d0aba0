//! What the rooms hand each other: a [`Request`] on its way in, an
//! [`Outcome`] on its way out.

use std::fmt::Write as _;

use atelier_app::wire;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;
use url::Url;

use crate::photo::Mask;

/// One accepted request, complete enough for any worker to carry it out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The provider asked, for example `openai`.
    pub provider: String,
    pub model: String,
    /// 0, or a random number when the client asked for a fresh picture.
    pub variation: u64,
    pub task: Task,
    /// What was made before that serves this request, or resembles what would.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<Found>,
}

/// An earlier answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// The job that was answered by the provider.
    pub job: String,
    pub painted_at: Timestamp,
    /// Set where its words are not the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub similar: Option<Likeness>,
    /// Its words where they are not the same, and of the same owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_words: Option<String>,
    /// Its first picture, where it is shown beside the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<Picture>,
    /// Why they mean the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How alike an earlier request was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Likeness {
    /// Cosine similarity, 0 to 1.
    pub similarity: f32,
}

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
        let style = wire::STYLES
            .iter()
            .find(|style| Some(style.id) == self.style.as_deref());
        style.map_or_else(
            || self.prompt.clone(),
            |style| format!("{}\n\nStyle: {}.", self.prompt, style.words),
        )
    }

    /// Everything that decides what the picture looks like, but the prompt.
    fn parameters(&self) -> serde_json::Value {
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
    /// One of [`wire::BACKGROUNDS`].
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

/// A picture kept in the blob store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// Name in the blob store, for example `0190….png`.
    pub key: String,
    pub width: u32,
    pub height: u32,
    pub media_type: String,
    pub bytes: u64,
    pub thumbhash: String,
}

impl Picture {
    /// The ending of its file's name: `png`, `jpg` or `webp`.
    pub fn extension(&self) -> &str {
        self.key
            .rsplit_once('.')
            .map_or("png", |(_, extension)| extension)
    }
}

/// What a failed call is believed to have cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cost {
    /// The provider was not reached, or did no work.
    #[default]
    Nothing,
    /// US dollars, by the provider's own usage figures.
    Usd(f64),
    /// Its answer was lost: what the call had been estimated at.
    Estimate,
}

impl Cost {
    /// Whether nothing was charged.
    pub fn is_nothing(&self) -> bool {
        *self == Self::Nothing
    }
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Succeeded {
        pictures: Vec<Picture>,
        /// What the provider charged, where it told.
        cost_usd: Option<f64>,
    },
    Failed(wire::Failure),
}

impl Request {
    /// The SHA-256 of everything that decides what the picture looks like, and
    /// of the owner where the answer is for nobody else: two requests with the
    /// same digest may share one answer. The prompt counts in Unicode NFC,
    /// trimmed, with runs of white space as one.
    pub fn digest(&self, owner: &str) -> String {
        let task = match &self.task {
            Task::Image(task) => {
                serde_json::json!([canonical_prompt(&task.prompt), task.parameters()])
            }
            Task::Restoration(task) => {
                serde_json::json!([
                    task.digest,
                    task.enlarge,
                    task.strength,
                    task.monochrome,
                    task.mask
                ])
            }
            Task::Notice(task) => serde_json::json!([task.job, task.url, task.body]),
        };
        let canonical = serde_json::json!([
            self.task.kind(),
            self.provider,
            self.model,
            task,
            self.alone(owner)
        ]);
        hex(&Sha256::digest(canonical.to_string()))
    }

    /// The owner, where what they sent or made is part of the request: that
    /// somebody else has the very same photo is told to nobody.
    fn alone<'a>(&self, owner: &'a str) -> Option<&'a str> {
        let from_words = matches!(&self.task, Task::Image(task) if task.source.is_none());
        (!from_words).then_some(owner)
    }

    /// Everything that decides what the picture looks like, but the prompt; and
    /// the owner where the answer is for nobody else.
    pub fn parameters(&self, owner: &str) -> String {
        let task = match &self.task {
            Task::Image(task) => task.parameters(),
            Task::Restoration(_) | Task::Notice(_) => serde_json::Value::Null,
        };
        let alone = self.alone(owner);
        serde_json::json!([self.task.kind(), self.provider, self.model, task, alone]).to_string()
    }

    /// How many pictures the request asks for; a notice counts as one.
    pub fn images(&self) -> u32 {
        match &self.task {
            Task::Image(task) => task.n,
            Task::Restoration(_) | Task::Notice(_) => 1,
        }
    }

    /// Every blob the request refers to.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        let original = match &self.task {
            Task::Image(_) | Task::Notice(_) => None,
            Task::Restoration(task) => Some(&task.original),
        };
        let shown = self.found.as_ref().and_then(|found| found.picture.as_ref());
        let pictures = original.into_iter().chain(shown);
        pictures.map(|picture| picture.key.as_str())
    }
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
    pub const fn kind(&self) -> Option<wire::Kind> {
        match self {
            Self::Image(_) => Some(wire::Kind::Image),
            Self::Restoration(_) => Some(wire::Kind::Restoration),
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

impl Outcome {
    /// Every blob the outcome refers to.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::Succeeded { pictures, .. } => pictures.as_slice(),
            Self::Failed(_) => &[],
        }
        .iter()
        .map(|picture| picture.key.as_str())
    }

    /// The status a job with this outcome ends in.
    pub const fn status(&self) -> wire::Status {
        match self {
            Self::Succeeded { .. } => wire::Status::Succeeded,
            Self::Failed(_) => wire::Status::Failed,
        }
    }
}

/// Unicode NFC, trimmed, every run of white space one blank.
fn canonical_prompt(prompt: &str) -> String {
    let words: Vec<String> = prompt
        .split_whitespace()
        .map(|word| word.nfc().collect())
        .collect();
    words.join(" ")
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(prompt: &str) -> Request {
        Request {
            provider: "local".into(),
            model: "sketch".into(),
            variation: 0,
            found: None,
            task: Task::Image(ImageTask {
                prompt: prompt.into(),
                size: "auto".into(),
                quality: "auto".into(),
                n: 1,
                style: None,
                background: "auto".into(),
                source: None,
            }),
        }
    }

    #[test]
    fn white_space_and_normal_form_do_not_matter() {
        assert_eq!(
            image("a  cafe\u{301}\n ").digest("ada"),
            image(" a café").digest("ben")
        );
    }

    #[test]
    fn every_parameter_matters() {
        let plain = image("a boat");
        let mut styled = plain.clone();
        if let Task::Image(task) = &mut styled.task {
            task.style = Some("ink".into());
        }
        let mut other_model = plain.clone();
        other_model.model = "other".into();
        let digest = |request: &Request| request.digest("ada");
        assert_ne!(digest(&plain), digest(&styled));
        assert_ne!(digest(&plain), digest(&other_model));
        assert_ne!(digest(&plain), digest(&image("A boat")));
    }

    #[test]
    fn what_is_made_from_a_picture_is_shared_with_nobody() {
        let picture = Picture {
            key: "a.png".into(),
            width: 1,
            height: 1,
            media_type: "image/png".into(),
            bytes: 1,
            thumbhash: String::new(),
        };
        let words = image("a boat");
        let mut change = words.clone();
        if let Task::Image(task) = &mut change.task {
            task.source = Some(Source {
                job: "1".into(),
                number: 1,
                picture: picture.clone(),
            });
        }
        let photo = Request {
            task: Task::Restoration(RestorationTask {
                original: picture,
                digest: "d".into(),
                enlarge: 1,
                strength: 100,
                monochrome: false,
                mask: None,
                name: None,
                exif: None,
            }),
            ..words.clone()
        };
        for (request, shared) in [(words, true), (change, false), (photo, false)] {
            assert_eq!(request.digest("ada"), request.digest("ada"));
            assert_eq!(request.digest("ada") == request.digest("ben"), shared);
            assert_eq!(
                request.parameters("ada") == request.parameters("ben"),
                shared
            );
        }
    }
}
