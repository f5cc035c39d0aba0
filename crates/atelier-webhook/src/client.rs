//! Delivery to URLs that strangers chose.

use std::{
    iter,
    time::{Duration, SystemTime},
};

use http::{HeaderMap, StatusCode, header::CONTENT_TYPE};
use reqwest::{Client, redirect::Policy};
use url::Url;

use crate::{
    signer::{InvalidId, Signer},
    ssrf::{self, PublicOnly, RefusedUrl},
};

/// Sends signed messages.
///
/// It follows no redirect, uses no proxy, keeps no connection, and reads nothing of an answer but its head. What it
/// refuses to call, and where, is told in [`ssrf`].
pub struct CallbackClient {
    http: Client,
    signer: Signer,
    allow_private: bool,
}

/// Makes a [`CallbackClient`].
#[must_use]
pub struct CallbackClientBuilder {
    allow_private: bool,
    timeout: Duration,
    user_agent: String,
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

impl From<reqwest::Error> for SendError {
    fn from(error: reqwest::Error) -> Self {
        let refusal = causes(&error).find_map(|cause| cause.downcast_ref().copied());
        match refusal {
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
    causes(error)
        .last()
        .map_or_else(|| error.to_string(), ToString::to_string)
}

/// The errors below `error`, the outermost first.
fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn std::error::Error + 'static)> {
    iter::successors(std::error::Error::source(error), |cause| cause.source())
}

impl CallbackClient {
    /// Starts with settings that are safe with URLs of strangers: no private addresses, and a time-out of 15 seconds.
    pub fn builder() -> CallbackClientBuilder {
        CallbackClientBuilder {
            allow_private: false,
            timeout: Duration::from_secs(15),
            user_agent: concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")).into(),
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
        ssrf::check_parsed(url, self.allow_private)?;
        let request = self
            .http
            .post(url.clone())
            .header(CONTENT_TYPE, "application/json")
            .headers(self.signer.sign(id, now, &body)?)
            .body(body);
        let response = request.send().await?;
        if response.status().is_success() {
            return Ok(());
        }
        Err(SendError::Answered {
            status: response.status(),
            headers: response.headers().clone(),
        })
    }
}

impl CallbackClientBuilder {
    /// Whether addresses outside the public internet may be called. Only where whoever chooses URLs is trusted.
    pub fn allow_private(mut self, allow: bool) -> Self {
        self.allow_private = allow;
        self
    }

    /// The maximum time from looking up the name to the head of the answer.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The `User-Agent` of requests; by default, the name and version of this crate.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = user_agent.into();
        self
    }

    /// A client whose messages `signer` signs.
    ///
    /// # Errors
    ///
    /// An error of reqwest if the user agent cannot be sent in a header, or TLS cannot be set up.
    ///
    /// # Panics
    ///
    /// Panics if the application has not installed a provider of cryptography for rustls, for example with
    /// `rustls::crypto::ring::default_provider().install_default()`.
    pub fn build(self, signer: Signer) -> Result<CallbackClient, reqwest::Error> {
        let http = Client::builder()
            .user_agent(self.user_agent)
            .redirect(Policy::none())
            .no_proxy()
            // Strangers could otherwise keep sockets open.
            .pool_max_idle_per_host(0)
            .timeout(self.timeout);
        let http = if self.allow_private {
            http
        } else {
            http.dns_resolver(PublicOnly)
        };
        Ok(CallbackClient {
            http: http.build()?,
            signer,
            allow_private: self.allow_private,
        })
    }
}

#[cfg(test)]
mod tests;
