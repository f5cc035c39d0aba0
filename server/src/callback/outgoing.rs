//! Outcomes for API users: the same signed message as our own callback gets,
//! but to an address that a stranger chose. What is refused, and where, is told
//! in [`super::guard`]. Besides: no redirect is followed, no proxy is asked, no
//! connection is kept, and nothing of the answer is read but its head.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use reqwest::{Client, Response, StatusCode, redirect::Policy};
use standardwebhooks::WebhookError;
use url::Url;

use super::{
    Signer,
    guard::{self, PublicOnly, Unwelcome},
};
use crate::retry_after::retry_after;

/// Carries messages to addresses that API users gave.
pub struct Outgoing {
    client: Client,
    signer: Signer,
    allow_private: bool,
}

/// Why a message did not arrive. The texts may be shown to the user; none holds
/// the URL, which may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Refused(#[from] Unwelcome),
    #[error("The callback answered {status}.")]
    Answered {
        status: StatusCode,
        /// What a 429 or 503 asked for, at most a day.
        retry_after: Option<Duration>,
    },
    #[error("The callback could not be reached: {}.", reason(.0))]
    Unreachable(#[source] reqwest::Error),
    #[error("The message could not be signed: {0}.")]
    Unsignable(#[from] WebhookError),
    #[error("The message could not be written: {0}.")]
    Unwritable(#[source] reqwest::Error),
}

impl Error {
    /// Whether no repetition can help.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Refused(_) | Self::Unsignable(_) | Self::Unwritable(_) => true,
            Self::Answered { status, .. } => *status == StatusCode::GONE,
            Self::Unreachable(_) => false,
        }
    }

    /// The pause that the receiver asked for.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Answered { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Self {
        match guard::refusal(&error) {
            Some(refusal) => Self::Refused(refusal),
            None if error.is_builder() => Self::Unwritable(error.without_url()),
            None => Self::Unreachable(error.without_url()),
        }
    }
}

/// The innermost cause: the outer ones only say that sending failed.
fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it took too long".into();
    }
    guard::causes(error)
        .last()
        .map_or_else(|| error.to_string(), ToString::to_string)
}

impl Outgoing {
    /// Signs with `signer`, and reaches private addresses only if
    /// `allow_private`. The time-out covers everything from looking up the name
    /// to the head of the answer.
    pub fn new(
        allow_private: bool,
        signer: Signer,
        timeout: Duration,
    ) -> Result<Self, reqwest::Error> {
        let builder = Client::builder()
            .user_agent("Atelier")
            .redirect(Policy::none())
            .no_proxy()
            // Strangers could otherwise keep our sockets open.
            .pool_max_idle_per_host(0)
            .timeout(timeout);
        let builder = if allow_private {
            builder
        } else {
            builder.dns_resolver(PublicOnly)
        };
        Ok(Self {
            client: builder.build()?,
            signer,
            allow_private,
        })
    }

    /// Sends the JSON in `body` once. `id` is the same for every repetition.
    pub async fn post(
        &self,
        url: &Url,
        id: &str,
        body: Vec<u8>,
        now: Timestamp,
    ) -> Result<(), Error> {
        guard::inspect(url, self.allow_private)?;
        let request = self.signer.post(&self.client, url.clone(), id, body, now)?;
        let response = request.send().await?;
        if response.status().is_success() {
            Ok(())
        } else {
            Err(answered(&response, now.into()))
        }
    }
}

fn answered(response: &Response, now: SystemTime) -> Error {
    let status = response.status();
    let asks = matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    );
    Error::Answered {
        status,
        retry_after: asks.then(|| retry_after(response.headers(), now)).flatten(),
    }
}

#[cfg(test)]
mod tests;
