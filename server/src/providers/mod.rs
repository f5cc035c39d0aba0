//! Who makes the pictures. One trait, three kinds of answer: pictures, a
//! failure that may pass, a failure that will not.

pub mod local;
pub mod openai;
pub mod replicate;
mod encoded;
mod http;

use std::time::Duration;

use async_trait::async_trait;
use atelier_api::{Failure, Kind};
use axum::body::Bytes;
use tokio::sync::watch;

use crate::{
    config::Secret,
    job::{Cost, Request, Task},
};

/// The code of what a provider refuses to make because it seems unsafe.
pub const CONTENT_REFUSED: &str = "content_refused";

/// What a successful call brought.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Encoded pictures, at least one.
    pub pictures: Vec<Bytes>,
    /// What the call cost by the provider's own usage figures.
    pub cost_usd: Option<f64>,
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
    /// What the provider is believed to have charged all the same.
    pub cost: Cost,
}

/// What helps against a failure. A pause is what the provider asked for;
/// without one it is of our own choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing: the same call would fail again.
    Nothing,
    /// The same call after a pause.
    Retry(Option<Duration>),
    /// The provider has too much to do: nobody calls it during the pause, and
    /// fewer at a time for a while.
    Wait(Option<Duration>),
}

impl Error {
    /// A failure that no repetition can mend.
    pub fn last(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            remedy: Remedy::Nothing,
            request_id: None,
            cost: Cost::Nothing,
        }
    }

    /// The same after a call was made whose answer is lost.
    #[must_use]
    pub fn lost(self) -> Self {
        Self {
            cost: Cost::Estimate,
            ..self
        }
    }

    /// The same, with what the provider says that the call cost, if it says so.
    #[must_use]
    pub fn charged(self, usd: Option<f64>) -> Self {
        Self {
            cost: usd.map_or(self.cost, Cost::Usd),
            ..self
        }
    }

    /// A failure that may pass.
    pub fn passing(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            remedy: Remedy::Retry(None),
            ..Self::last(code, message)
        }
    }

    /// The request is none for a provider.
    pub fn no_picture() -> Self {
        Self::last("misconfigured", "This is no request for a picture.")
    }

    /// The picture that the work was to begin with is gone.
    pub fn photo_lost() -> Self {
        Self::last(
            "photo_lost",
            "The picture to begin with is not there any more.",
        )
    }

    /// Without a key of ours, which a careless service may repeat in its message.
    #[must_use]
    pub fn hiding(mut self, key: Option<&Secret>) -> Self {
        if let Some(Secret(key)) = key
            && !key.is_empty()
        {
            self.message = self.message.replace(key, "…");
        }
        self
    }

    /// As the visitor is told.
    pub fn failure(&self) -> Failure {
        Failure {
            code: self.code.into(),
            message: self.message.clone(),
            retryable: self.remedy != Remedy::Nothing,
        }
    }
}

/// How far a call is.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// 0 to 1.
    pub progress: Option<f32>,
    /// The picture as far as it is: PNG, JPEG or WebP.
    pub preview: Option<Bytes>,
}

/// How a call reports how far it is, and learns that nobody waits any more.
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

/// What not every provider can do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Offers {
    /// Repairing a part of a photo only.
    pub masks: bool,
    /// Pictures with a background as asked for.
    pub backgrounds: bool,
    /// Pictures made from a picture and an instruction.
    pub edits: bool,
}

/// What a call is to make, as far as its price depends on it.
#[derive(Debug, Clone, Copy)]
pub enum Work<'a> {
    Images {
        /// `auto` or `WIDTHxHEIGHT`.
        size: &'a str,
        quality: &'a str,
        n: u32,
        /// They are made from another picture.
        source: bool,
    },
    Restoration,
    Nothing,
}

impl<'a> From<&'a Task> for Work<'a> {
    fn from(task: &'a Task) -> Self {
        match task {
            Task::Image(task) => Self::Images {
                size: &task.size,
                quality: &task.quality,
                n: task.n,
                source: task.source.is_some(),
            },
            Task::Restoration(_) => Self::Restoration,
            Task::Notice(_) => Self::Nothing,
        }
    }
}

/// Makes pictures.
#[async_trait]
pub trait Provider: Send + Sync + 'static {
    /// The name used in the configuration.
    fn name(&self) -> &'static str;
    /// The model that carries out requests of this kind.
    fn model(&self, kind: Kind) -> &str;
    /// What it can do that not every provider can.
    fn offers(&self) -> Offers;
    /// How long a call usually takes.
    fn typical(&self, kind: Kind) -> Duration;
    /// What a call is expected to cost in US dollars, rather too much than too little.
    fn estimate(&self, work: Work<'_>) -> f64;
    /// Carries the request out; `original` is the photo of a restoration, a
    /// JPEG, or the picture that another is made from. Dropping the future drops the call.
    async fn make(
        &self,
        request: &Request,
        original: Option<Bytes>,
        progress: Progress,
    ) -> Result<Answer, Error>;
}
