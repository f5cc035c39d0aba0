//! Providers make the pictures. One trait with three kinds of result: pictures, a
//! temporary failure, and a permanent one.

mod models;
pub mod local;
pub mod openai;
pub mod replicate;
pub mod gemini;
pub mod huggingface;
pub mod openrouter;
mod upstreams;
mod endpoint;
mod refused;
mod several;
mod tariff;
mod bench;
mod frame;
mod instruction;
mod ratio;
mod encoded;
mod http;

use std::time::Duration;

use async_trait::async_trait;
use atelier_api::{Failure, Kind, Quality, Size};
use bytes::Bytes;
use tokio::sync::watch;

pub use self::{
    endpoint::Unusable,
    models::{Choice, Models, Ranked},
    upstreams::{draws_in_its_own_way, of_upstream},
};
use crate::{
    config::Secret,
    job::{Cost, ImageTask, Request, Task},
};

/// The error code for content that a provider refuses.
pub const CONTENT_REFUSED: &str = "content_refused";

/// The result of a successful call.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Encoded pictures, at least one.
    pub pictures: Vec<Bytes>,
    /// The cost of the call by the provider's usage figures, in US dollars.
    pub cost_usd: Option<f64>,
    /// Words of the prompt that name what the pictures do not show, where the provider knows.
    pub left_out: Vec<String>,
    /// What the provider says that it took, for who asks by OpenAI's API.
    pub tokens: Option<Tokens>,
}

impl Answer {
    /// Pictures of which nothing else is known but what they cost.
    pub const fn of(pictures: Vec<Bytes>, cost_usd: Option<f64>) -> Self {
        Self {
            pictures,
            cost_usd,
            left_out: Vec::new(),
            tokens: None,
        }
    }
}

/// Tokens that a provider has counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tokens {
    pub input: u64,
    /// Of these, those of pictures.
    pub image_input: u64,
    /// Those that were thought among them.
    pub output: u64,
}

impl Tokens {
    const fn plus(self, other: Self) -> Self {
        Self {
            input: self.input.saturating_add(other.input),
            image_input: self.image_input.saturating_add(other.image_input),
            output: self.output.saturating_add(other.output),
        }
    }
}

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Error {
    /// Stable and machine-readable.
    pub code: &'static str,
    /// For the visitor.
    pub message: String,
    pub remedy: Remedy,
    /// The provider's id of the call.
    pub request_id: Option<String>,
    /// What the provider presumably charged nevertheless.
    pub cost: Cost,
}

/// How to go on after a failure. A pause is the one that the provider requested; without
/// one, the worker chooses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Do not retry: the same call would fail again.
    Nothing,
    /// Retry after a pause.
    Retry(Option<Duration>),
    /// The provider is overloaded: nobody calls it during the pause, and fewer calls run
    /// concurrently for a while.
    Wait(Option<Duration>),
}

impl Error {
    /// A permanent failure.
    pub fn last(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            remedy: Remedy::Nothing,
            request_id: None,
            cost: Cost::Nothing,
        }
    }

    /// The same, after a call whose answer is lost.
    #[must_use]
    pub fn lost(self) -> Self {
        Self {
            cost: Cost::Estimate,
            ..self
        }
    }

    /// The same, with the cost that the provider reports, if it does.
    #[must_use]
    pub fn charged(self, usd: Option<f64>) -> Self {
        Self {
            cost: usd.map_or(self.cost, Cost::Usd),
            ..self
        }
    }

    /// A temporary failure.
    pub fn passing(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            remedy: Remedy::Retry(None),
            ..Self::last(code, message)
        }
    }

    /// The provider enlarges nothing.
    pub fn not_enlarged() -> Self {
        Self::last("misconfigured", "The model in use enlarges no pictures.")
    }

    /// The task is not one for a provider.
    pub fn no_picture() -> Self {
        Self::last("misconfigured", "This is no request for a picture.")
    }

    /// The source picture is gone.
    pub fn photo_lost() -> Self {
        Self::last(
            "photo_lost",
            "The picture to begin with is not there any more.",
        )
    }

    /// Removes our API key, which a careless service may repeat in its message.
    #[must_use]
    pub fn hiding(mut self, key: Option<&Secret>) -> Self {
        if let Some(Secret(key)) = key
            && !key.is_empty()
        {
            self.message = self.message.replace(key, "…");
        }
        self
    }

    /// The failure as shown to the visitor.
    pub fn failure(&self) -> Failure {
        Failure {
            code: self.code.into(),
            message: self.message.clone(),
            retryable: self.remedy != Remedy::Nothing,
        }
    }
}

/// A call's progress.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// 0 to 1.
    pub progress: Option<f32>,
    /// A preview: PNG, JPEG or WebP.
    pub preview: Option<Bytes>,
}

/// Reports a call's progress, and tells the call when nobody waits any more.
#[derive(Debug, Clone)]
pub struct Progress(watch::Sender<Report>);

impl Progress {
    /// A reporter, and where its reports arrive. Dropping the receiver stops
    /// the call at its next report.
    pub fn channel() -> (Self, watch::Receiver<Report>) {
        let (sender, receiver) = watch::channel(Report::default());
        (Self(sender), receiver)
    }

    /// Reports 0 to 1; `None` tells the call to stop.
    pub fn report(&self, fraction: f32) -> Option<()> {
        self.0
            .send_modify(|report| report.progress = Some(fraction));
        (!self.0.is_closed()).then_some(())
    }

    /// Shows a preview; `None` tells the call to stop.
    pub fn show(&self, preview: Bytes) -> Option<()> {
        self.0.send_modify(|report| report.preview = Some(preview));
        (!self.0.is_closed()).then_some(())
    }
}

/// Optional features of a provider.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Offers {
    /// Repairing a part of a photo only.
    pub masks: bool,
    /// Pictures with the requested background.
    pub backgrounds: bool,
    /// Pictures made from a picture and an instruction.
    pub edits: bool,
    /// Restored photos.
    pub photos: bool,
    /// The same picture, larger.
    pub enlarges: bool,
    /// A repair in the strength that is asked for.
    pub strengths: bool,
}

/// The work of a call, as far as its price depends on it.
#[derive(Debug, Clone, Copy)]
pub enum Work<'a> {
    Images {
        size: &'a Size,
        quality: &'a Quality,
        n: u32,
        /// How many pictures they are made from.
        sources: usize,
    },
    Restoration,
    Nothing,
}

impl<'a> From<&'a Task> for Work<'a> {
    fn from(task: &'a Task) -> Self {
        match task {
            Task::Image(task) if task.enlarge.is_some() => Self::Restoration,
            Task::Image(task) => task.into(),
            Task::Restoration(_) => Self::Restoration,
            Task::Notice(_) | Task::Call(_) | Task::Message(_) => Self::Nothing,
        }
    }
}

impl<'a> From<&'a ImageTask> for Work<'a> {
    fn from(task: &'a ImageTask) -> Self {
        Self::Images {
            size: &task.size,
            quality: &task.quality,
            n: task.n,
            sources: task.beginnings().len(),
        }
    }
}

/// Makes pictures.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// The name used in the configuration.
    fn name(&self) -> &str;
    /// The optional features of a model.
    fn offers(&self, model: &str) -> Offers;
    /// How long a call usually takes.
    fn typical(&self, kind: Kind) -> Duration;
    /// The expected cost of a call to a model in US dollars; an upper estimate.
    fn estimate(&self, model: &str, work: Work<'_>) -> f64;
    /// Carries the request out; `pictures` are the photo of a restoration, a
    /// JPEG, or those that others are made from. Dropping the future drops the call.
    async fn make(
        &self,
        request: &Request,
        pictures: Vec<Bytes>,
        progress: Progress,
    ) -> Result<Answer, Error>;
}
