//! How a job ends.

use atelier_api::Failure;
use atelier_queue::Cost;
use serde::{Deserialize, Serialize};

use super::Picture;

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Succeeded {
        pictures: Vec<Picture>,
        /// What the provider charged, if it reported that.
        cost_usd: Option<f64>,
        /// The tokens of earlier claims under which it was paid for and could not be
        /// recorded: their attempts cost nothing in addition.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        earlier_claims: Vec<u64>,
    },
    Failed(Failure),
}

impl Outcome {
    /// The same outcome, recorded under a later claim than the one with this token.
    pub fn paid_under(mut self, token: u64) -> Self {
        if let Self::Succeeded { earlier_claims, .. } = &mut self {
            earlier_claims.push(token);
        }
        self
    }

    /// The pictures; none if it failed.
    pub fn pictures(&self) -> &[Picture] {
        match self {
            Self::Succeeded { pictures, .. } => pictures,
            Self::Failed(_) => &[],
        }
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
        }
    }

    fn blobs(&self) -> Vec<&str> {
        let keys = self.pictures().iter().map(|picture| &*picture.key);
        keys.collect()
    }

    fn cost(&self) -> Cost {
        match self {
            Self::Succeeded { cost_usd, .. } => cost_usd.map_or(Cost::Estimate, Cost::Usd),
            Self::Failed(_) => Cost::Nothing,
        }
    }

    fn made(&self) -> usize {
        self.pictures().len()
    }

    fn earlier_claims(&self) -> &[u64] {
        match self {
            Self::Succeeded { earlier_claims, .. } => earlier_claims,
            Self::Failed(_) => &[],
        }
    }
}
