//! Where a provider is called: its address, and its key in the header that it expects.

use std::time::Duration;

use atelier_gateway::{
    Dialect,
    upstream::{NoToken, Unfit, Upstream, UpstreamConfig},
};
use bytes::Bytes;
use reqwest::{
    Client, Request, RequestBuilder, Response, StatusCode,
    header::{AUTHORIZATION, HeaderName, HeaderValue},
    redirect,
};

use super::{Error, http, refused};

/// The header in which Google's own API takes a key.
const X_GOOG_API_KEY: HeaderName = HeaderName::from_static("x-goog-api-key");

/// Why a provider cannot be called.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    #[error(transparent)]
    Settings(#[from] Unfit),
    #[error("cannot make an HTTP client")]
    Client(#[from] reqwest::Error),
}

/// A server that makes pictures.
pub(super) struct Endpoint {
    upstream: Upstream,
    /// Follows no redirects: a key would follow them.
    client: Client,
    /// Fetches pictures, without the key.
    pub(super) fetcher: Client,
}

impl Endpoint {
    /// Makes no call.
    pub(super) fn new(config: UpstreamConfig) -> Result<Self, Unusable> {
        let client = || http::client().timeout(config.timeout);
        Ok(Self {
            client: client().redirect(redirect::Policy::none()).build()?,
            fetcher: client().build()?,
            upstream: Upstream::new(config)?,
        })
    }

    pub(super) fn name(&self) -> &str {
        self.upstream.name()
    }

    pub(super) const fn dialect(&self) -> Dialect {
        self.upstream.dialect()
    }

    /// Begins a call to a path below the base URL.
    pub(super) fn post(&self, path: &str) -> RequestBuilder {
        self.client
            .post(self.upstream.url(&format!("/{path}"), None))
    }

    /// Begins a call to a path that replaces `end`, with which the path of the base URL ends.
    pub(super) fn post_beside<'a>(
        &self,
        end: &str,
        path: impl IntoIterator<Item = &'a str>,
    ) -> Result<RequestBuilder, Error> {
        let mut url = self.upstream.url("", None);
        let base = url.path().trim_end_matches('/');
        let base = base.strip_suffix(end).unwrap_or(base).to_owned();
        url.set_path(&base);
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        } else {
            return Err(Error::last(
                "misconfigured",
                "The image service's address is wrong.",
            ));
        }
        Ok(self.client.post(url))
    }

    /// Makes the call. A token that is refused is replaced once.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Response, Error> {
        let mut request = request.build().map_err(http::broken)?;
        let token = self.authorize(&mut request).await?;
        let again = token.and_then(|token| Some((token, request.try_clone()?)));
        let response = self.execute(request).await?;
        let Some((token, mut request)) = again else {
            return Ok(response);
        };
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        let headers = request.headers_mut();
        let renewed = self.upstream.authorize_anew(&self.client, token, headers);
        renewed.await.map_err(|error| no_token(&error))?;
        self.execute(request).await
    }

    async fn execute(&self, request: Request) -> Result<Response, Error> {
        self.client.execute(request).await.map_err(http::broken)
    }

    async fn authorize(&self, request: &mut Request) -> Result<Option<u64>, Error> {
        let path = request.url().path().to_owned();
        let added = self
            .upstream
            .authorize(&self.client, &path, request.headers_mut());
        let token = added.await.map_err(|error| no_token(&error))?;
        if self.dialect() == Dialect::Gemini
            && let Some(bearer) = request.headers_mut().remove(AUTHORIZATION)
            && let Some(key) = bearer.as_bytes().strip_prefix(b"Bearer ")
            && let Ok(mut key) = HeaderValue::from_bytes(key)
        {
            key.set_sensitive(true);
            request.headers_mut().insert(X_GOOG_API_KEY, key);
        }
        Ok(token)
    }

    /// The text without the key, which a careless service may repeat.
    pub(super) fn hidden(&self, text: Vec<u8>) -> Bytes {
        self.upstream.hidden(text.into())
    }

    /// Removes the key from the error's message.
    pub(super) fn hiding(&self, error: Error) -> Error {
        let message = self.hidden(error.message.into_bytes());
        Error {
            message: String::from_utf8_lossy(&message).into_owned(),
            ..error
        }
    }
}

/// How long an upstream's call usually takes.
pub(super) const fn typical() -> Duration {
    Duration::from_secs(20)
}

fn no_token(error: &NoToken) -> Error {
    tracing::warn!(%error, "there is no token for the image service");
    match error {
        NoToken::Unreachable => Error::passing(
            "provider_unreachable",
            "The image service could not be reached.",
        ),
        NoToken::Refused { .. } => refused::key(),
    }
}
