//! How a job ends, and at what cost.

use serde::{Deserialize, Serialize};

use super::Picture;

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
        /// The tokens of earlier claims under which it was paid for and could
        /// not be recorded: their attempts cost nothing beside it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        earlier_claims: Vec<u64>,
    },
    Failed(atelier_api::Failure),
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

    /// The same, recorded under a later claim than the one with this token.
    pub fn paid_under(mut self, token: u64) -> Self {
        if let Self::Succeeded { earlier_claims, .. } = &mut self {
            earlier_claims.push(token);
        }
        self
    }

    /// The claims before under which it was paid for.
    pub const fn earlier_claims(&self) -> &[u64] {
        match self {
            Self::Succeeded { earlier_claims, .. } => earlier_claims.as_slice(),
            Self::Failed(_) => &[],
        }
    }

    /// The status a job with this outcome ends in.
    pub const fn status(&self) -> atelier_api::Status {
        match self {
            Self::Succeeded { .. } => atelier_api::Status::Succeeded,
            Self::Failed(_) => atelier_api::Status::Failed,
        }
    }
}
