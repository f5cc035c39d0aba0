//! How a job ends.

use std::borrow::Cow;

use atelier_api::Failure;
use atelier_queue::Cost;
use serde::{Deserialize, Serialize};

use super::{Answered, Picture, Request};
use crate::blob::BlobKey;

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Succeeded {
        pictures: Vec<Picture>,
        /// What the provider charged, if it reported that.
        cost_usd: Option<f64>,
        /// Words of the prompt that name what the pictures do not show, if the provider reported
        /// them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        left_out: Vec<String>,
        /// The tokens of earlier claims under which it was paid for and could not be
        /// recorded: their attempts cost nothing in addition.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        earlier_claims: Vec<u64>,
        /// The model that made it, if it is another than the one that was to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        made_by: Option<MadeBy>,
    },
    Failed(Failure),
    /// A call has an answer, which may be an error.
    Answered(Answered),
}

/// A model that was asked in the place of another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MadeBy {
    pub provider: String,
    pub model: String,
    /// What its call was expected to cost in US dollars.
    pub estimate_usd: f64,
}

impl Request {
    /// The same request of the model that made the outcome: answers are found by the model that made them.
    pub fn as_made(&self, outcome: Option<&Outcome>) -> Cow<'_, Self> {
        match outcome.and_then(Outcome::made_by) {
            None => Cow::Borrowed(self),
            Some(made_by) => Cow::Owned(Self {
                provider: made_by.provider.clone(),
                model: made_by.model.clone(),
                ..self.clone()
            }),
        }
    }
}

impl Outcome {
    /// The model that made it, if it is another than the one that was to.
    pub const fn made_by(&self) -> Option<&MadeBy> {
        match self {
            Self::Succeeded { made_by, .. } => made_by.as_ref(),
            Self::Failed(_) | Self::Answered(_) => None,
        }
    }

    /// The same outcome, recorded under a later claim than the one with this token.
    pub fn paid_under(mut self, token: u64) -> Self {
        match &mut self {
            Self::Succeeded { earlier_claims, .. } => earlier_claims.push(token),
            Self::Answered(answered) => answered.earlier_claims.push(token),
            Self::Failed(_) => {}
        }
        self
    }

    /// The pictures; none if it failed.
    pub fn pictures(&self) -> &[Picture] {
        match self {
            Self::Succeeded { pictures, .. } => pictures,
            Self::Failed(_) | Self::Answered(_) => &[],
        }
    }

    /// Its blobs, with their sizes in bytes.
    pub fn files(&self) -> impl Iterator<Item = (&BlobKey, u64)> {
        let pictures = self.pictures().iter();
        let body = match self {
            Self::Answered(answered) => answered.body.file(),
            Self::Succeeded { .. } | Self::Failed(_) => None,
        };
        pictures
            .map(|picture| (&picture.key, picture.bytes))
            .chain(body)
    }
}

impl atelier_queue::Outcome for Outcome {
    fn failed(failure: Failure) -> Self {
        Self::Failed(failure)
    }

    fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Succeeded { .. } => None,
            Self::Failed(failure) => Some(failure),
            Self::Answered(answered) => answered.failure.as_ref(),
        }
    }

    fn blobs(&self) -> Vec<&str> {
        self.files().map(|(key, _)| &**key).collect()
    }

    fn cost(&self) -> Cost {
        match self {
            Self::Succeeded {
                cost_usd, made_by, ..
            } => {
                // What was reserved is the estimate of the model that was to make it.
                let expected = made_by.as_ref().map(|made_by| made_by.estimate_usd);
                cost_usd.or(expected).map_or(Cost::Estimate, Cost::Usd)
            }
            Self::Failed(_) => Cost::Nothing,
            Self::Answered(answered) => answered.cost,
        }
    }

    fn made(&self) -> usize {
        match self {
            Self::Answered(answered) => answered.images.try_into().unwrap_or(usize::MAX),
            Self::Succeeded { .. } | Self::Failed(_) => self.pictures().len(),
        }
    }

    fn earlier_claims(&self) -> &[u64] {
        match self {
            Self::Succeeded { earlier_claims, .. } => earlier_claims,
            Self::Answered(answered) => &answered.earlier_claims,
            Self::Failed(_) => &[],
        }
    }
}
