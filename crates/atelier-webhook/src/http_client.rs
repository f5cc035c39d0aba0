//! Calls of URLs that strangers chose.

use std::{collections::HashMap, iter, net::SocketAddr, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, Method, StatusCode, header};
use reqwest::{Certificate, Client, Response, redirect::Policy};
use url::Url;

use crate::{
    resolver::Resolver,
    ssrf::{self, RefusedUrl},
};

/// Maximum number of idle connections that are kept for one host.
const MOST_IDLE: usize = 256;

/// Fields that the client sets by itself, or that concern the connection: whoever chooses the others must not decide
/// where a request ends or which site it is for.
const NOT_SENT: [HeaderName; 9] = [
    header::HOST,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::TE,
    header::TRAILER,
    header::UPGRADE,
    header::EXPECT,
    HeaderName::from_static("keep-alive"),
];

/// Makes any call.
///
/// It follows no redirect and uses no proxy. What it refuses to call, and where, is told in [`ssrf`]. A connection that
/// is kept has been checked when it was made, so a name that stands for another address later changes nothing.
#[derive(Debug, Clone)]
pub struct HttpClient {
    http: Client,
    allow_private: bool,
}

/// Makes an [`HttpClient`].
#[derive(Debug, Clone)]
#[must_use]
pub struct HttpClientBuilder {
    allow_private: bool,
    user_agent: Option<String>,
    idle: Duration,
    fixed: HashMap<String, SocketAddr>,
    roots: Vec<Certificate>,
}

/// A client cannot be built.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct BuildError(#[from] reqwest::Error);

/// A call.
#[derive(Debug, Clone)]
pub struct Call {
    /// The method.
    pub method: Method,
    /// The URL.
    pub url: Url,
    /// The header fields. Those that frame the request or name its host are not sent: the client sets them.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The maximum time from looking up the name to the end of what is read of the answer.
    pub timeout: Duration,
    /// How much of the answer's body is read, in bytes.
    pub most: usize,
}

/// The answer to a call, whatever its status.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status. Redirects are not followed, so it may be a 3xx.
    pub status: StatusCode,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body, or its beginning.
    pub body: Bytes,
    /// Whether there was more of the body than was to be read.
    pub is_cut: bool,
}

/// Why a call has no answer, as a sentence that may be shown to whoever gave the URL. It does not contain the URL,
/// which may be a secret.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// The URL is not called.
    #[error(transparent)]
    Refused(#[from] RefusedUrl),
    /// No answer came, or not in time.
    #[error("The URL could not be reached: {}.", reason(.0))]
    Unreachable(#[source] reqwest::Error),
    /// No request can be made to this URL.
    #[error("The request could not be written: {0}.")]
    Unwritable(#[source] reqwest::Error),
}

impl CallError {
    /// Whether the same call cannot succeed later either: there is something wrong with it or its URL.
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Unwritable(_))
    }

    /// Whether the answer did not come in time.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Unreachable(error) if error.is_timeout())
    }
}

impl From<reqwest::Error> for CallError {
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
pub(crate) fn reason(error: &reqwest::Error) -> String {
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

impl HttpClient {
    /// Starts with settings that are safe with URLs of strangers: no private addresses, and no connections that are
    /// kept.
    pub fn builder() -> HttpClientBuilder {
        HttpClientBuilder {
            allow_private: false,
            user_agent: None,
            idle: Duration::ZERO,
            fixed: HashMap::new(),
            roots: Vec::new(),
        }
    }

    /// Makes the call once.
    ///
    /// # Errors
    ///
    /// A [`CallError`] if the URL is not called, or no whole answer comes in time.
    pub async fn call(&self, call: Call) -> Result<Answer, CallError> {
        ssrf::check_parsed(&call.url, self.allow_private)?;
        let mut headers = call.headers;
        for name in &NOT_SENT {
            headers.remove(name);
        }
        let mut request = self
            .http
            .request(call.method, call.url)
            .headers(headers)
            .timeout(call.timeout);
        if !call.body.is_empty() {
            request = request.body(call.body);
        }
        let mut response = request.send().await?;
        let (body, is_cut) = beginning(&mut response, call.most).await?;
        Ok(Answer {
            status: response.status(),
            headers: std::mem::take(response.headers_mut()),
            body,
            is_cut,
        })
    }
}

/// At most so much of the body, and whether there was more. Nothing is read if nothing is wanted.
async fn beginning(response: &mut Response, most: usize) -> Result<(Bytes, bool), CallError> {
    let mut read = BytesMut::new();
    while read.len() < most {
        let Some(part) = response.chunk().await? else {
            return Ok((read.freeze(), false));
        };
        let room = most - read.len();
        if part.len() > room {
            read.extend_from_slice(&part[..room]);
            return Ok((read.freeze(), true));
        }
        if read.is_empty() && part.len() == room {
            return Ok((part, more(response).await?));
        }
        read.extend_from_slice(&part);
    }
    let is_cut = most > 0 && more(response).await?;
    Ok((read.freeze(), is_cut))
}

async fn more(response: &mut Response) -> Result<bool, CallError> {
    Ok(response.chunk().await?.is_some_and(|part| !part.is_empty()))
}

impl HttpClientBuilder {
    /// Whether addresses outside the public internet may be called. Only where whoever chooses URLs is trusted.
    pub fn allow_private(mut self, allow: bool) -> Self {
        self.allow_private = allow;
        self
    }

    /// The `User-Agent` of requests that do not name another.
    pub fn user_agent(mut self, user_agent: impl Into<String>) -> Self {
        self.user_agent = Some(user_agent.into());
        self
    }

    /// How long connections are kept that are idle: not at all by default, as strangers could keep sockets open.
    /// A short time suffices for many calls of one host, and many servers close them after five seconds.
    pub fn keep_idle(mut self, time: Duration) -> Self {
        self.idle = time;
        self
    }

    /// Names that stand for these addresses, which may be private ones, and are not looked up. Port 0 is the port of
    /// the URL. For tests that stand in for other hosts.
    pub fn resolve(mut self, names: impl IntoIterator<Item = (String, SocketAddr)>) -> Self {
        let names = names.into_iter();
        self.fixed
            .extend(names.map(|(name, address)| (name.to_ascii_lowercase(), address)));
        self
    }

    /// Trusts these authorities besides the system's: certificates in PEM. For tests.
    ///
    /// # Errors
    ///
    /// A [`BuildError`] if they are not certificates.
    pub fn trust(mut self, certificates: &[u8]) -> Result<Self, BuildError> {
        self.roots
            .extend(Certificate::from_pem_bundle(certificates)?);
        Ok(self)
    }

    /// A client with these settings.
    ///
    /// # Errors
    ///
    /// A [`BuildError`] if the user agent cannot be sent in a header, or TLS cannot be set up.
    ///
    /// # Panics
    ///
    /// Panics if the application has not installed a provider of cryptography for rustls, for example with
    /// `rustls::crypto::ring::default_provider().install_default()`.
    pub fn build(self) -> Result<HttpClient, BuildError> {
        let kept = if self.idle.is_zero() { 0 } else { MOST_IDLE };
        let mut http = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .pool_max_idle_per_host(kept)
            .pool_idle_timeout(self.idle)
            .dns_resolver(Resolver {
                public_only: !self.allow_private,
                fixed: Arc::new(self.fixed),
            });
        if let Some(user_agent) = self.user_agent {
            http = http.user_agent(user_agent);
        }
        if !self.roots.is_empty() {
            http = http.tls_certs_merge(self.roots);
        }
        Ok(HttpClient {
            http: http.build()?,
            allow_private: self.allow_private,
        })
    }
}

#[cfg(test)]
mod tests;
