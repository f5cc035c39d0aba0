//! How the key of an upstream is sent.

use std::{str, time::Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use memchr::memmem;
use reqwest::Client;

use super::{
    ApiKey, NoToken, Unfit, UpstreamConfig,
    tokens::{self, Account, Means, Tokens},
};
use crate::Auth;

const API_KEY: HeaderName = HeaderName::from_static("api-key");
const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// What stands in the place of a key.
const HIDDEN: &str = "[key]";

/// What is shown to an upstream.
pub(super) struct Authorization {
    auth: Auth,
    key: Option<Key>,
    tokens: Option<Tokens>,
    /// Not to be repeated to anybody.
    secret: Option<ApiKey>,
    /// Of every request.
    further: Vec<(&'static str, HeaderValue)>,
}

/// A key as it is sent: by itself, or as a bearer's.
struct Key {
    bare: HeaderValue,
    bearer: HeaderValue,
}

impl Key {
    fn new(key: &ApiKey) -> Option<Self> {
        let value = |text: String| {
            let mut value = HeaderValue::try_from(text).ok()?;
            value.set_sensitive(true);
            Some(value)
        };
        Some(Self {
            bare: value(key.as_str().to_owned())?,
            bearer: value(format!("Bearer {}", key.as_str()))?,
        })
    }
}

impl Authorization {
    pub(super) fn of(config: &UpstreamConfig) -> Result<Self, Unfit> {
        let auth = config.kind.auth();
        let is_sent = !matches!(auth, Auth::Ibm | Auth::Google | Auth::Nothing);
        let sent = config.api_key.as_ref().filter(|_| is_sent);
        let key = sent.map(|key| Key::new(key).ok_or_else(|| Unfit::Key(config.name.clone())));
        let header = |value: String| {
            HeaderValue::try_from(value).map_err(|_| Unfit::Header(config.name.clone()))
        };
        let further = (config.kind.row().headers)(config).into_iter();
        let further = further.map(|(name, value)| Ok((name, header(value)?)));
        Ok(Self {
            auth,
            key: key.transpose()?,
            tokens: tokens(config)?,
            secret: config.api_key.clone(),
            further: further.collect::<Result<_, Unfit>>()?,
        })
    }

    pub(super) async fn add(
        &self,
        client: &Client,
        path: &str,
        headers: &mut HeaderMap,
    ) -> Result<Option<u64>, NoToken> {
        for (name, value) in &self.further {
            headers.insert(*name, value.clone());
        }
        if let Some(tokens) = &self.tokens {
            let token = tokens.get(client, Instant::now()).await?;
            headers.insert(header::AUTHORIZATION, token.bearer);
            return Ok(Some(token.number));
        }
        if let Some(key) = &self.key {
            let (name, value) = match self.auth {
                Auth::ApiKey => (API_KEY, &key.bare),
                Auth::XApiKey if !is_chat(path) => (X_API_KEY, &key.bare),
                _ => (header::AUTHORIZATION, &key.bearer),
            };
            headers.insert(name, value.clone());
        }
        Ok(None)
    }

    pub(super) async fn replace(
        &self,
        client: &Client,
        refused: u64,
        headers: &mut HeaderMap,
    ) -> Result<(), NoToken> {
        if let Some(tokens) = &self.tokens {
            let token = tokens.other(client, Instant::now(), refused).await?;
            headers.insert(header::AUTHORIZATION, token.bearer);
        }
        Ok(())
    }

    pub(super) fn hidden(&self, said: Bytes) -> Bytes {
        let token = self.tokens.as_ref().and_then(Tokens::current);
        let token = token.as_ref().and_then(|token| {
            let bearer = token.bearer.as_bytes();
            bearer.strip_prefix(b"Bearer ")
        });
        let key = self.secret.as_ref().map(|key| key.as_str().as_bytes());
        let secrets = [key, token].into_iter().flatten();
        secrets.fold(said, without)
    }
}

fn without(said: Bytes, secret: &[u8]) -> Bytes {
    let Ok(secret) = str::from_utf8(secret) else {
        return said;
    };
    if secret.is_empty() || memmem::find(&said, secret.as_bytes()).is_none() {
        return said;
    }
    Bytes::from(String::from_utf8_lossy(&said).replace(secret, HIDDEN))
}

/// Whether Anthropic's imitation of OpenAI's API is called.
fn is_chat(path: &str) -> bool {
    path.starts_with("/chat/")
}

fn tokens(config: &UpstreamConfig) -> Result<Option<Tokens>, Unfit> {
    let (means, url) = match config.kind.auth() {
        Auth::Ibm => {
            let key = config.api_key.clone();
            let key = key.ok_or_else(|| config.lacks("api_key_env"))?;
            let url = tokens::IBM.parse();
            let url = url.map_err(|_| Unfit::Address(config.name.clone()))?;
            (Means::Ibm(key), url)
        }
        Auth::Google => {
            let file = config.api_key.as_ref();
            let file = file.ok_or_else(|| config.lacks("credentials_file"))?;
            let (account, url) = Account::read(file).map_err(|what| Unfit::Credentials {
                upstream: config.name.clone(),
                what,
            })?;
            (Means::Google(Box::new(account)), url)
        }
        _ => return Ok(None),
    };
    let url = config.token_url.clone().unwrap_or(url);
    Ok(Some(Tokens::new(means, url)))
}
