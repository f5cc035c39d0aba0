//! Tasks: a picture, a restoration, a notice, a call or a message.

use atelier_api::{Background, Extend, Quality, Size};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

use super::{CallTask, Content, JobId, MessageTask, Picture, Visibility};
use crate::photo::Mask;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Task {
    Image(ImageTask),
    Restoration(RestorationTask),
    Notice(NoticeTask),
    Call(CallTask),
    Message(Box<MessageTask>),
}

impl ImageTask {
    /// Pictures from words alone, with whatever else the provider chooses.
    pub const fn of(prompt: String, size: Size, n: u32) -> Self {
        Self {
            prompt,
            size,
            quality: Quality::Auto,
            n,
            style: None,
            style_words: None,
            background: Background::Auto,
            source: None,
            attached: Vec::new(),
            mask: None,
            enlarge: None,
            extend: None,
        }
    }

    /// What a model is told: the prompt with its style in words, as no provider has a parameter for styles, and
    /// that the picture is to be extended, if it is.
    pub fn styled(&self) -> String {
        let built_in = || {
            let style = atelier_api::STYLES
                .iter()
                .find(|style| Some(style.id) == self.style.as_deref())?;
            Some(style.words)
        };
        let words = match &self.extend {
            Some(_) => format!("{EXTENSION}{}", self.prompt),
            None => self.prompt.clone(),
        };
        match self.style_words.as_deref().or_else(built_in) {
            Some(style) => format!("{words}\n\nStyle: {style}."),
            None => words,
        }
    }

    /// The pictures that it begins with.
    pub fn beginnings(&self) -> Vec<&Picture> {
        let source = self.source.iter().map(|source| &source.picture);
        let attached = self.attached.iter().map(|attached| &attached.picture);
        source.chain(attached).collect()
    }

    /// The only part of what is attached to be changed; `None` for all of it.
    pub fn mask(&self) -> Option<Mask> {
        self.mask.as_deref().and_then(Mask::from_text)
    }

    /// Everything but the prompt that decides what the picture looks like.
    pub(super) fn parameters(&self) -> serde_json::Value {
        let source = self.source.as_ref().map(|source| &source.picture.key);
        let mut parameters = serde_json::json!([
            self.size,
            self.quality,
            self.n,
            self.style,
            self.background,
            source
        ]);
        // Without them the digests are those of earlier versions.
        if let Some(list) = parameters.as_array_mut() {
            list.extend(self.enlarge.map(Into::into));
            list.extend(self.style_words.as_deref().map(Into::into));
            if let Some(extend) = &self.extend {
                list.push(serde_json::json!({ "extend": extend }));
            }
            if !self.attached.is_empty() {
                let digests = self.attached.iter().map(|attached| &attached.digest);
                let digests: Vec<_> = digests.chain(&self.mask).collect();
                list.push(serde_json::json!(digests));
            }
        }
        parameters
    }
}

/// Pictures from a prompt, or from a picture and a prompt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageTask {
    pub prompt: String,
    pub size: Size,
    pub quality: Quality,
    /// How many pictures.
    pub n: u32,
    pub style: Option<String>,
    /// The style in words, if it is the operator's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub style_words: Option<String>,
    #[serde(default)]
    pub background: Background,
    /// The source picture, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The pictures that were sent with the prompt. They are kept for it alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attached: Vec<Attached>,
    /// The only part of a single attached picture to be changed: a [`crate::photo::Mask`] as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<String>,
    /// How many times as wide and high as its source it is, if that is all that changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enlarge: Option<u32>,
    /// Where its source is continued beyond the frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extend: Option<Extend>,
}

/// What a model is told besides the words of the picture.
const EXTENSION: &str = "Continue this picture beyond its frame, into the part that the mask leaves open, so that it \
    looks like one picture that was always larger. Change nothing of what is there. It was made from these words: ";

/// A picture that was sent with a prompt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attached {
    pub picture: Picture,
    /// SHA-256 of the upload as re-encoded.
    pub digest: String,
}

/// A picture that another is made from. This does not keep it: it is deleted with its own job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// The job that made it.
    pub job: JobId,
    /// Which of that job's pictures, counted from 1.
    #[serde(default = "one")]
    pub number: usize,
    pub picture: Picture,
    /// As in [`Outcome::Succeeded`](super::Outcome::Succeeded).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
}

const fn one() -> usize {
    1
}

/// The restoration of an old photo.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RestorationTask {
    /// The upload, decoded and encoded again.
    pub original: Picture,
    /// SHA-256 of the upload as re-encoded.
    pub digest: String,
    /// Enlargement factor: 1, 2 or 4.
    pub enlarge: u32,
    /// The strength of the repair, in per cent.
    #[serde(default = "whole")]
    pub strength: u8,
    /// Whether the result is monochrome.
    #[serde(default)]
    pub monochrome: bool,
    /// The only part of the photo to be repaired: a [`crate::photo::Mask`] as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mask: Option<String>,
    /// The result of an earlier restoration of the photo that this one begins with instead. As with a [`Source`], this
    /// does not keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<Picture>,
    /// The name of the uploaded file, without its extension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The upload's EXIF block without the orientation, base64: only for its owner's download.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exif: Option<String>,
}

impl RestorationTask {
    /// The only part of the photo to be repaired; `None` for all of it.
    pub fn mask(&self) -> Option<Mask> {
        self.mask.as_deref().and_then(Mask::from_text)
    }

    /// The picture that it begins with.
    pub fn beginning(&self) -> &Picture {
        self.base.as_ref().unwrap_or(&self.original)
    }

    /// How many times as wide and high that is to become.
    pub fn times(&self) -> u32 {
        let already = self.beginning().width / self.original.width.max(1);
        (self.enlarge / already.max(1)).max(1)
    }
}

const fn whole() -> u8 {
    100
}

/// The prefix of the names of notice lanes.
const NOTICES: &str = "callback";

/// The number of notice lanes that hosts share. Every claim looks into each.
const NOTICE_LANES: u8 = 8;

/// The lanes of notices; the first is from versions that had only one.
pub fn notice_lanes() -> impl Iterator<Item = String> {
    let lanes = (0..NOTICE_LANES).map(|number| format!("{NOTICES}-{number}"));
    std::iter::once(NOTICES.to_owned()).chain(lanes)
}

/// The lane of notices to this URL: the same for all URLs of a host, so that a slow host,
/// or one under attack, delays only the few that share its lane, and receives at most what
/// the lane admits.
pub fn notice_lane(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    format!("{NOTICES}-{}", Sha256::digest(host)[0] % NOTICE_LANES)
}

/// A notice to an API user's URL of how a job ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NoticeTask {
    /// The job it is about.
    pub job: JobId,
    pub url: Url,
    /// The JSON to be sent, signed again for every attempt.
    pub body: String,
    /// The body of the job's answer, to be put into the JSON when that is sent, if it is too
    /// large for a record. The notice does not keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Content>,
}

impl Task {
    /// The pictures that it begins with.
    pub fn beginnings(&self) -> Vec<&Picture> {
        match self {
            Self::Image(task) => task.beginnings(),
            Self::Restoration(task) => vec![task.beginning()],
            Self::Notice(_) | Self::Call(_) | Self::Message(_) => Vec::new(),
        }
    }

    /// The kind of picture that it makes; `None` for all else.
    pub const fn kind(&self) -> Option<atelier_api::Kind> {
        match self {
            Self::Image(_) => Some(atelier_api::Kind::Image),
            Self::Restoration(_) => Some(atelier_api::Kind::Restoration),
            Self::Notice(_) | Self::Call(_) | Self::Message(_) => None,
        }
    }

    /// The kind of the model that carries it out: one for photos enlarges pictures too.
    pub const fn made_by(&self) -> Option<atelier_api::Kind> {
        match self {
            Self::Image(task) if task.enlarge.is_some() => Some(atelier_api::Kind::Restoration),
            task => task.kind(),
        }
    }

    /// Who may see the job and its pictures.
    pub const fn visibility(&self) -> Visibility {
        match self {
            Self::Image(_) => Visibility::Everybody,
            Self::Restoration(_) | Self::Notice(_) | Self::Call(_) | Self::Message(_) => {
                Visibility::Owner
            }
        }
    }
}
