//! Why something is not done for a publisher.

use atelier_messages::StoreError;

use crate::{app, limit::Standing, queue};

/// Why something is not done. Its text is told to the client.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request cannot be understood, or asks for what is not allowed.
    #[error("{0}")]
    Invalid(String),
    /// There is no such thing of this owner's.
    #[error("{0}")]
    NotFound(String),
    /// There would be too many.
    #[error("{0}")]
    TooMany(String),
    /// The body has more bytes than that.
    #[error("The body is too large: at most {0} bytes are taken.")]
    TooLarge(u64),
    /// There is nothing like it here.
    #[error("{0}")]
    Unsupported(&'static str),
    /// The store became unreachable while this message was added: it has it or not.
    #[error(
        "The server lost its store while it queued {0}, which may be delivered nevertheless: look \
         it up before you publish it again. With an Upstash-Deduplication-Id, publishing it again \
         is safe."
    )]
    Uncertain(String),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The queue or another store failed, or a limit was reached.
    #[error(transparent)]
    Studio(#[from] app::Error),
}

impl Error {
    pub(crate) fn invalid(reason: impl std::fmt::Display) -> Self {
        Self::Invalid(reason.to_string())
    }

    pub(crate) fn unknown(what: &str, name: &str) -> Self {
        Self::NotFound(format!("There is no {what} {name:?}."))
    }

    /// Why a message with this id was not queued, or perhaps was.
    pub(super) fn of_queuing(error: app::Error, id: &str) -> Self {
        match error {
            app::Error::Queue(queue::Error::Store(error)) if error.is_away() => {
                Self::Uncertain(id.to_owned())
            }
            error => error.into(),
        }
    }

    /// The limits that were reached, if that is why.
    pub fn limits(&self) -> Option<&[Standing]> {
        match self {
            Self::Studio(app::Error::Limited(standings)) => Some(standings),
            _ => None,
        }
    }

    /// Whether it is because of what was asked for, and will be so again.
    pub const fn is_of_caller(&self) -> bool {
        match self {
            Self::Invalid(_)
            | Self::NotFound(_)
            | Self::TooMany(_)
            | Self::TooLarge(_)
            | Self::Unsupported(_)
            | Self::Studio(app::Error::Limited(_)) => true,
            Self::Uncertain(_) | Self::Store(_) | Self::Studio(_) => false,
        }
    }

    /// Whether a store is unreachable, which a retry may help.
    pub const fn is_away(&self) -> bool {
        match self {
            Self::Uncertain(_) => true,
            Self::Store(error) => error.is_away(),
            Self::Studio(app::Error::Queue(queue::Error::Store(error))) => error.is_away(),
            Self::Studio(app::Error::Limit(error)) => error.is_away(),
            _ => false,
        }
    }
}

impl From<queue::Error> for Error {
    fn from(error: queue::Error) -> Self {
        Self::Studio(error.into())
    }
}
