//! Delivery to URLs that strangers chose.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header::CONTENT_TYPE};
use url::Url;

use crate::{
    http_client::{BuildError, Call, CallError, HttpClient, HttpClientBuilder, reason},
    signer::{InvalidId, Signer},
    ssrf::RefusedUrl,
};

/// Sends signed messages.
///
/// It follows no redirect, uses no proxy, keeps no connection, and reads nothing of an answer but its head. What it
/// refuses to call, and where, is told in [`ssrf`](crate::ssrf).
pub struct CallbackClient {
    http: HttpClient,
    signer: Signer,
    timeout: Duration,
}

/// Makes a [`CallbackClient`].
#[must_use]
pub struct CallbackClientBuilder {
    http: HttpClientBuilder,
    timeout: Duration,
}

/// Why a message did not arrive, as a sentence that may be shown to whoever gave the URL. It does not contain the
/// URL, which may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The URL is not called.
    #[error(transparent)]
    Refused(#[from] RefusedUrl),
    /// The answer's status is not a 2xx.
    #[error("The callback answered {status}.")]
    Answered {
        /// The status. Redirects are not followed, so it may be a 3xx.
        status: StatusCode,
        /// The headers, among them perhaps `Retry-After`.
        headers: HeaderMap,
    },
    /// No answer came, or not in time.
    #[error("The callback could not be reached: {}.", reason(.0))]
    Unreachable(#[source] reqwest::Error),
    /// The message cannot be signed.
    #[error("The message could not be signed: {0}.")]
    Unsignable(#[from] InvalidId),
    /// No request can be made to this URL.
    #[error("The message could not be written: {0}.")]
    Unwritable(#[source] reqwest::Error),
}

impl SendError {
    /// Whether sending the same message again cannot help: there is something wrong with it or its URL, or the answer
    /// was `410 Gone`.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Refused(_) | Self::Unsignable(_) | Self::Unwritable(_) => true,
            Self::Answered { status, .. } => *status == StatusCode::GONE,
            Self::Unreachable(_) => false,
        }
    }
}

impl From<CallError> for SendError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused(refusal) => Self::Refused(refusal),
            CallError::Unreachable(error) => Self::Unreachable(error),
            CallError::Unwritable(error) => Self::Unwritable(error),
        }
    }
}

impl CallbackClient {
    /// Starts with settings that are safe with URLs of strangers: no private addresses, and a time-out of 15 seconds.
    pub fn builder() -> CallbackClientBuilder {
        let ours = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));
        CallbackClientBuilder {
            http: HttpClient::builder().user_agent(ours),
            timeout: Duration::from_secs(15),
        }
    }

    /// Sends the JSON in `body` once, signed at `now`. `id` stays the same when the message is sent again, so that
    /// the receiver can tell.
    ///
    /// # Errors
    ///
    /// A [`SendError`] if the URL is not called, no answer comes in time, or its status is not a 2xx.
    pub async fn send(
        &self,
        url: &Url,
        id: &str,
        body: Vec<u8>,
        now: SystemTime,
    ) -> Result<(), SendError> {
        let mut headers = self.signer.sign(id, now, &body)?;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let call = Call {
            method: Method::POST,
            url: url.clone(),
            headers,
            body: Bytes::from(body),
            timeout: self.timeout,
            most: 0,
        };
        let answer = self.http.call(call).await?;
        if answer.status.is_success() {
            return Ok(());
        }
        Err(SendError::Answered {
            status: answer.status,
            headers: answer.headers,
        })
    }
}

impl CallbackClientBuilder {
    /// Whether addresses outside the public internet may be called. Only where whoever chooses URLs is trusted.
    pub fn allow_private(mut self, allow: bool) -> Self {
        self.http = self.http.allow_private(allow);
        self
    }

    /// The maximum time from looking up the name to the head of the answer.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The `User-Agent` of requests; by default, the name and version of this crate.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.http = self.http.user_agent(user_agent);
        self
    }

    /// A client whose messages `signer` signs.
    ///
    /// # Errors
    ///
    /// A [`BuildError`] if the user agent cannot be sent in a header, or TLS cannot be set up.
    ///
    /// # Panics
    ///
    /// Panics if the application has not installed a provider of cryptography for rustls, for example with
    /// `rustls::crypto::ring::default_provider().install_default()`.
    pub fn build(self, signer: Signer) -> Result<CallbackClient, BuildError> {
        Ok(CallbackClient {
            http: self.http.build()?,
            signer,
            timeout: self.timeout,
        })
    }
}

#[cfg(test)]
mod tests;
