//! Payloads and outcomes.

use std::fmt::Debug;

use atelier_api::Failure;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::Entry;

/// The payload of a queue: complete enough for any worker to carry it out. Stored as JSON.
///
/// ```
/// use atelier_queue::{Ending, Payload};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
/// struct Letter {
///     to: String,
/// }
///
/// impl Payload for Letter {
///     type Outcome = Ending<()>;
///
///     fn lane(&self) -> &str {
///         "letters"
///     }
/// }
/// ```
pub trait Payload:
    Debug + Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// How its job ends.
    type Outcome: Outcome;

    /// The lane that its job waits in, for example the name of the provider called.
    fn lane(&self) -> &str;

    /// The number of turns that its job takes in the fair order.
    fn turns(&self) -> u32 {
        1
    }

    /// The blobs that are kept for it.
    fn blobs(&self) -> Vec<&str> {
        Vec::new()
    }

    /// Whether its owner's jobs are [listed by state](crate::Queue::list_in), for which the
    /// store maintains an index.
    fn is_tracked(&self) -> bool {
        false
    }

    /// What its owner [finds](crate::Collection) its job by; `None` if it is not to be found.
    fn entry(&self) -> Option<Entry> {
        None
    }
}

/// How a job ends. Stored as JSON; [`Ending`] is enough for most.
pub trait Outcome:
    Debug + Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// The outcome of a job that failed.
    fn failed(failure: Failure) -> Self;

    /// Why it failed; `None` if it succeeded.
    fn failure(&self) -> Option<&Failure>;

    /// The blobs that it refers to.
    fn blobs(&self) -> Vec<&str> {
        Vec::new()
    }

    /// The cost of the successful call.
    fn cost(&self) -> Cost {
        Cost::Nothing
    }

    /// The number of things made.
    fn made(&self) -> usize {
        1
    }

    /// The tokens of earlier claims under which the same answer was paid for and could
    /// not be recorded: their attempts cost nothing in addition.
    fn earlier_claims(&self) -> &[u64] {
        &[]
    }
}

/// What a call cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cost {
    /// The provider was not reached, or did no work.
    #[default]
    Nothing,
    /// US dollars, by the provider's usage figures.
    Usd(f64),
    /// Unknown: the call's estimate counts.
    Estimate,
}

impl Cost {
    /// Whether nothing was charged.
    pub fn is_nothing(&self) -> bool {
        *self == Self::Nothing
    }
}

/// An outcome: an answer of any type, or a failure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending<T> {
    /// There is an answer.
    Succeeded {
        /// The answer.
        answer: T,
        /// What the call cost.
        #[serde(default, skip_serializing_if = "Cost::is_nothing")]
        cost: Cost,
    },
    /// Why there is none.
    Failed(Failure),
}

impl<T> Ending<T> {
    /// The answer, if there is one.
    pub const fn answer(&self) -> Option<&T> {
        match self {
            Self::Succeeded { answer, .. } => Some(answer),
            Self::Failed(_) => None,
        }
    }
}

impl<T> Outcome for Ending<T>
where
    T: Debug + Clone + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static,
{
    fn failed(failure: Failure) -> Self {
        Self::Failed(failure)
    }

    fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Succeeded { .. } => None,
            Self::Failed(failure) => Some(failure),
        }
    }

    fn cost(&self) -> Cost {
        match self {
            Self::Succeeded { cost, .. } => *cost,
            Self::Failed(_) => Cost::Nothing,
        }
    }
}
