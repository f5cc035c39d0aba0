#![doc = include_str!("../README.md")]
//!
//! Times are RFC 3339 strings, sizes are pixels, money is US dollars.

#![warn(missing_docs)]

mod choices;
mod styles;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

pub use self::{
    choices::{Background, Extend, Quality, Size},
    styles::{STYLES, Style},
};

/// What a job makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Kind {
    /// A prompt becomes pictures.
    Image,
    /// A photo becomes a restored one.
    Restoration,
}

impl Kind {
    /// The name used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Restoration => "restoration",
        }
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Image, Self::Restoration]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }
}

/// Where a job stands. The transitions are drawn in `atelier-queue`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Status {
    /// It waits for its turn.
    Queued,
    /// The provider is being called.
    Running,
    /// The outcome is known and on its way to the site.
    Delivering,
    /// Its pictures are there.
    Succeeded,
    /// It brought nothing; [`Job::error`] says why.
    Failed,
    /// Its owner called it off.
    Cancelled,
}

impl Status {
    /// Nothing more will happen to the job by itself.
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// The name used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Delivering => "delivering",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Where the answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Cache {
    /// The provider was called for this job.
    Miss,
    /// The same request was answered before.
    Exact,
    /// A request of the same meaning was answered before.
    Semantic,
    /// The same request was in flight already; both share one call.
    Joined,
}

impl Cache {
    /// The name used in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Miss => "miss",
            Self::Exact => "exact",
            Self::Semantic => "semantic",
            Self::Joined => "joined",
        }
    }
}

/// The parameters as they were accepted, defaults filled in.
#[derive(Debug, Clone, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Params {
    /// The size of each picture.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub size: Option<Size>,
    /// The quality of each picture.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub quality: Option<Quality>,
    /// How many pictures, 1 to 10.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub n: Option<u32>,
    /// The id of one of [`STYLES`].
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub style: Option<String>,
    /// Where it was asked for.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub background: Option<Background>,
    /// The job whose picture this one was made from.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub from: Option<String>,
    /// Which of that job's pictures, counted from 1.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub picture: Option<usize>,
    /// How many times as wide and high as its source it was to be: 2 or 4, of a restoration also 1.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub enlarge: Option<u32>,
    /// Where its source was continued beyond the frame.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub extend: Option<Extend>,
    /// How much of the repair was wanted, per cent.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub strength: Option<u8>,
    /// Whether the result was to be black and white.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub monochrome: Option<bool>,
    /// How many pictures were attached to the prompt.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub attached: Option<usize>,
    /// Present where only what the visitor painted over was to be repaired or changed.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub mask: Option<bool>,
}

/// A picture that can be fetched.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Image {
    /// Path on this site, for example `/images/0190….png`.
    pub url: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// For example `image/png`.
    pub media_type: String,
    /// The size of the file.
    pub bytes: u64,
    /// Base64 of the picture's ThumbHash (<https://evanw.github.io/thumbhash/>).
    pub thumbhash: String,
}

/// Why a job failed, in words for the visitor.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Failure {
    /// Stable and machine-readable, for example `content_refused`.
    pub code: String,
    /// In the language that was asked for.
    pub message: String,
    /// Whether the same request may succeed later.
    pub retryable: bool,
}

/// The earlier request that a semantic hit was answered from.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Similar {
    /// Cosine similarity, 0 to 1.
    pub similarity: f32,
    /// Its words, where they are those of whoever looks at the job.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub prompt: Option<String>,
    /// Its picture, where that is not the answer but shown beside it.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub image: Option<Image>,
}

/// A job as its client sees it.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Job {
    /// Sorts by the time of creation.
    pub id: String,
    /// Its own address; for a caller with neither session nor API key with the key to it: `/api/jobs/{id}?key=…`.
    pub url: String,
    /// What it makes.
    pub kind: Kind,
    /// Where it stands.
    pub status: Status,
    /// Grows by at least one with every change.
    pub version: u64,
    /// Empty for restorations.
    pub prompt: String,
    /// What was asked for beside the prompt.
    pub params: Params,
    /// When it was accepted.
    pub created_at: String,
    /// When the provider was first called.
    pub started_at: Option<String>,
    /// When it succeeded, failed or was cancelled.
    pub finished_at: Option<String>,
    /// How many times the provider has been tried, the present try included.
    pub attempt: u32,
    /// Jobs ahead in the queue; only while queued.
    pub position: Option<u64>,
    /// 0 to 1; only while running, and only where the provider tells.
    pub progress: Option<f32>,
    /// Path of a small or unfinished picture; only while running.
    pub preview: Option<String>,
    /// What was made; empty until it has succeeded.
    pub images: Vec<Image>,
    /// Words of the prompt for what the pictures do not show; only the built-in engine knows.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Vec::is_empty")
    )]
    pub left_out: Vec<String>,
    /// The pictures that were attached to the prompt, for their owner alone.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Vec::is_empty")
    )]
    pub attached: Vec<Image>,
    /// The photo as uploaded; restorations only.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub original: Option<Image>,
    /// Where the answer came from.
    pub cache: Cache,
    /// The earlier request that it was answered from, if that only meant the same.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub similar_to: Option<Similar>,
    /// When the picture was made that an earlier request was answered with.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub painted_at: Option<String>,
    /// What the provider was paid, where it tells; US dollars.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub cost_usd: Option<f64>,
    /// The model that makes it, or has made it, behind the name of whoever has it: `openai/gpt-image-2`.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub model: Option<String>,
    /// Why it failed.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub error: Option<Failure>,
    /// Its owner, whom alone it is told, made it a favourite.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "std::ops::Not::not")
    )]
    pub favourite: bool,
    /// The folder that its owner, whom alone it is told, put it into.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub folder: Option<String>,
}

/// Maximum length of a folder's name, in characters.
pub const MAX_FOLDER_CHARS: usize = 60;

/// What a policy leaves its caller.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Limit {
    /// The policy's name in the configuration.
    pub name: String,
    /// `ip`, `user`, `global` or `provider`.
    pub scope: String,
    /// `requests`, `images`, `tokens` or `usd`.
    pub unit: String,
    /// So much per window.
    pub quota: f64,
    /// The window's length.
    pub window_seconds: u64,
    /// A token bucket's size.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Option::is_none")
    )]
    pub burst: Option<f64>,
    /// What may be used now.
    pub remaining: f64,
    /// Seconds until all of it is there again; while nothing is left, until
    /// something is.
    pub reset_seconds: u64,
    /// What the policy counts: `image`, `restoration`, `chat` and other calls.
    #[cfg_attr(
        feature = "serde",
        serde(default, skip_serializing_if = "Vec::is_empty")
    )]
    pub actions: Vec<String>,
}

/// The widths, pixels, in which pictures are shown on pages: `?width=` behind a picture's path.
pub const WIDTHS: [u32; 4] = [320, 640, 960, 1280];

/// The longest side, pixels, of the JPEG that other sites show of a picture: `?preview=jpeg` behind its path.
pub const PREVIEW_SIDE: u32 = 1200;

/// Longest prompt accepted, in characters (OpenAI's own limit).
pub const MAX_PROMPT_CHARS: usize = 32_000;

/// Most pictures that can be attached to a prompt.
pub const MOST_ATTACHED: usize = 4;
