//! Tokens that a provider gives for a key, each for a while.

mod google;
mod ibm;

use std::{
    fmt,
    sync::{PoisonError, RwLock},
    time::{Duration, Instant, SystemTime},
};

use http::{HeaderValue, StatusCode, header};
use reqwest::Client;
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

pub(super) use self::{google::Account, ibm::URL as IBM};
use super::ApiKey;

/// How long before its end a token is renewed, if it lives that long.
const MARGIN: Duration = Duration::from_secs(300);

/// The part of a shorter life that is left when it is renewed.
const LAST_PART: u32 = 10;

/// Maximum time for a token.
const PATIENCE: Duration = Duration::from_secs(15);

/// The longest life that is believed.
const LONGEST: Duration = Duration::from_hours(24);

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoToken {
    /// Whoever gives them cannot be reached, or answers with something else.
    #[error("the server that gives tokens for the key cannot be asked")]
    Unreachable,
    /// The key is refused.
    #[error("the server that gives tokens refuses the key: {status} {code}")]
    Refused {
        /// With this status.
        status: StatusCode,
        /// And this word, such as `invalid_grant`.
        code: String,
    },
}

/// The tokens of one upstream, of which one is valid at a time.
pub(super) struct Tokens {
    means: Means,
    url: Url,
    current: RwLock<Option<Token>>,
    /// Held while one is asked for: whoever else needs it waits for that one.
    turn: Mutex<()>,
}

/// What is shown for a token.
pub(super) enum Means {
    Ibm(ApiKey),
    Google(Box<Account>),
}

/// A token, as it is sent.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) bearer: HeaderValue,
    /// How many there were before.
    pub(super) number: u64,
    renewal: Instant,
    end: Instant,
}

impl Tokens {
    pub(super) const fn new(means: Means, url: Url) -> Self {
        Self {
            means,
            url,
            current: RwLock::new(None),
            turn: Mutex::const_new(()),
        }
    }

    /// A token that is valid at this time. One that soon ends is renewed by the first who
    /// comes, while the others still use it.
    pub(super) async fn get(&self, client: &Client, now: Instant) -> Result<Token, NoToken> {
        match self.current() {
            Some(token) if now < token.renewal => Ok(token),
            Some(token) if now < token.end => match self.turn.try_lock() {
                Ok(_turn) => Ok(self
                    .renewed(client, now, token.number)
                    .await
                    .unwrap_or(token)),
                Err(_) => Ok(token),
            },
            ended => {
                let _turn = self.turn.lock().await;
                let number = ended.map_or(0, |token| token.number);
                self.renewed(client, now, number).await
            }
        }
    }

    /// Another token than the one of this number, which was refused.
    pub(super) async fn other(
        &self,
        client: &Client,
        now: Instant,
        refused: u64,
    ) -> Result<Token, NoToken> {
        let _turn = self.turn.lock().await;
        self.renewed(client, now, refused).await
    }

    /// The token that is there by now, if it is another; else a new one.
    async fn renewed(&self, client: &Client, now: Instant, before: u64) -> Result<Token, NoToken> {
        if let Some(token) = self.current().filter(|token| token.number > before) {
            return Ok(token);
        }
        let (text, life) = self.ask(client).await?;
        let mut bearer =
            HeaderValue::try_from(format!("Bearer {text}")).map_err(|_| NoToken::Unreachable)?;
        bearer.set_sensitive(true);
        let margin = MARGIN.min(life / LAST_PART);
        let token = Token {
            bearer,
            number: before + 1,
            renewal: now + (life - margin),
            end: now + life,
        };
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(token.clone());
        Ok(token)
    }

    pub(super) fn current(&self) -> Option<Token> {
        let current = self.current.read();
        current.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The text of a new token, and how long it lives.
    async fn ask(&self, client: &Client) -> Result<(String, Duration), NoToken> {
        let form = match &self.means {
            Means::Ibm(key) => ibm::form(key),
            Means::Google(account) => account.form(SystemTime::now()),
        };
        let request = client.post(self.url.clone());
        let request = request
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .timeout(PATIENCE)
            .body(form);
        // The error may name the address, which is the operator's own; the form is not in it.
        let response = request.send().await.map_err(|_| NoToken::Unreachable)?;
        let status = response.status();
        let answer = response.bytes().await.map_err(|_| NoToken::Unreachable)?;
        let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
        if status.is_client_error() {
            let code = code(&answer);
            return Err(NoToken::Refused { status, code });
        }
        read(&answer).ok_or(NoToken::Unreachable)
    }
}

fn read(answer: &Value) -> Option<(String, Duration)> {
    let token = answer["access_token"].as_str()?;
    let life = &answer["expires_in"];
    let seconds = life.as_f64().or_else(|| life.as_str()?.parse().ok());
    let life = Duration::try_from_secs_f64(seconds?).ok()?.min(LONGEST);
    Some((token.to_owned(), life))
}

/// The word that says why a key is refused; never a sentence, which might repeat the key.
fn code(answer: &Value) -> String {
    let words = [
        &answer["error"],
        &answer["errorCode"],
        &answer["error"]["code"],
    ];
    let word = words
        .into_iter()
        .find_map(Value::as_str)
        .unwrap_or_default();
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    word.chars().take(32).filter(is_plain).collect()
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(tokens, not shown)")
    }
}

#[cfg(test)]
mod tests;
