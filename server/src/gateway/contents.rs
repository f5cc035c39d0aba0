//! What is said in a call, if the operator has it kept: bodies alone, without headers, and
//! without keys that stand in them.

use std::sync::{Arc, Mutex, PoisonError};

use atelier_gateway::{
    Assembler, Endpoint,
    sse::Splitter,
    upstream::{ApiKey, Upstream},
};
use axum::http::{HeaderMap, header};

use crate::{
    access,
    calls::{Body, MOST_BODY},
};

/// Maximum number of bytes of a stream that is assembled. The answer of a longer one is not
/// kept.
pub(super) const ASSEMBLED: usize = 1024 * 1024;

/// How much more of a body is looked at, so that a key at its end is found as a whole.
const FURTHER: usize = 1024;

/// What stands in the place of a key.
const HIDDEN: &str = "[key]";

/// The keys that are hidden.
pub(super) struct Secrets(Vec<ApiKey>);

/// The bodies of one call.
pub(super) struct Said {
    secrets: Arc<Secrets>,
    bodies: Mutex<Bodies>,
}

/// The request, and the answer.
#[derive(Default)]
pub(super) struct Bodies {
    pub(super) request: Option<Body>,
    pub(super) answer: Option<Body>,
}

impl Secrets {
    /// The keys of these upstreams.
    pub(super) fn of(upstreams: &[Arc<Upstream>]) -> Self {
        let keys = upstreams
            .iter()
            .filter_map(|upstream| upstream.key().cloned());
        Self(keys.collect())
    }

    /// The beginning of a body without keys.
    fn body(&self, bytes: &[u8]) -> Body {
        let seen = bytes.get(..MOST_BODY + FURTHER).unwrap_or(bytes);
        let text = String::from_utf8_lossy(seen);
        let hidden = self
            .0
            .iter()
            .fold(text.into_owned(), |text, key| key.hidden_in(&text, HIDDEN));
        let body = Body::new(without_callers_keys(&hidden).as_bytes());
        Body {
            truncated: body.truncated || bytes.len() > MOST_BODY,
            ..body
        }
    }
}

/// Hides the API keys of this server.
fn without_callers_keys(text: &str) -> String {
    let mut parts = text.split(access::KEY);
    let mut hidden = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        hidden.push_str(HIDDEN);
        hidden.push_str(part.trim_start_matches(is_key));
    }
    hidden
}

impl Said {
    pub(super) fn new(secrets: &Arc<Secrets>) -> Self {
        Self {
            secrets: Arc::clone(secrets),
            bodies: Mutex::default(),
        }
    }

    pub(super) fn ask(&self, body: &[u8]) {
        let body = self.secrets.body(body);
        self.change(|bodies| bodies.request = Some(body));
    }

    pub(super) fn answer(&self, body: &[u8]) {
        let body = self.secrets.body(body);
        self.change(|bodies| bodies.answer = Some(body));
    }

    pub(super) fn take(&self) -> Bodies {
        let mut bodies = self.bodies.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *bodies)
    }

    fn change(&self, change: impl FnOnce(&mut Bodies)) {
        change(&mut self.bodies.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Listens to a stream as it is passed on.
pub(super) enum Listener {
    /// Events that make an answer.
    Events(Box<(Splitter, Assembler)>),
    /// Its beginning.
    Bytes(Vec<u8>),
    /// It cannot be followed any more.
    Lost,
}

impl Listener {
    /// Listens to the answer of an endpoint with these headers.
    pub(super) fn new(endpoint: Option<Endpoint>, headers: &HeaderMap) -> Self {
        let kind = headers.get(header::CONTENT_TYPE);
        let events = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        match endpoint.filter(|_| events) {
            Some(endpoint) => Self::Events(Box::new((
                Splitter::new(ASSEMBLED),
                Assembler::new(endpoint, ASSEMBLED),
            ))),
            None => Self::Bytes(Vec::new()),
        }
    }

    pub(super) fn hear(&mut self, bytes: &[u8]) {
        match self {
            Self::Events(events) => {
                let (splitter, assembler) = &mut **events;
                splitter.push(bytes);
                loop {
                    match splitter.next_event() {
                        Ok(Some(event)) => assembler.push(&event),
                        Ok(None) => break,
                        Err(_) => {
                            *self = Self::Lost;
                            break;
                        }
                    }
                }
            }
            Self::Bytes(heard) => {
                let room = (MOST_BODY + FURTHER).saturating_sub(heard.len());
                heard.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
            }
            Self::Lost => {}
        }
    }

    /// What was heard, at the end of the stream.
    pub(super) fn heard(self) -> Option<Vec<u8>> {
        match self {
            Self::Events(events) => Some(events.1.into_answer()?.to_string().into_bytes()),
            Self::Bytes(heard) => Some(heard),
            Self::Lost => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_hidden_also_at_the_end() {
        let secrets = Secrets(vec![ApiKey::new("secret-of-ours".into())]);
        let body = secrets.body(b"a secret-of-ours, atl_abc-123_DEF\" and atl_x");
        assert_eq!(body.text, "a [key], [key]\" and [key]");
        assert!(!body.truncated);
        let mut long = "x".repeat(MOST_BODY - 8);
        long.push_str("secret-of-ours");
        let body = secrets.body(long.as_bytes());
        assert!(
            body.text.ends_with("x[key]") && body.truncated,
            "{}",
            body.text.len()
        );
    }
}
