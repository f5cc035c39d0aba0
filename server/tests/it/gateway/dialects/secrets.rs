//! No key crosses: the client's does not reach an upstream, nor the upstream's the client.

use atelier_upstream_mock::{Behaviour, KEY, Kind, Trouble, Upstream};
use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use serde_json::json;

use super::{chat, has_key, setup};
use crate::gateway::{Site, started, streamed};

/// What a client sends that it should keep to itself.
const PRIVATE: [&str; 9] = [
    "cookie",
    "x-goog-api-key",
    "api-key",
    "x-forwarded-for",
    "proxy-authorization",
    "x-hf-bill-to",
    "openai-organization",
    "x-amz-security-token",
    "x-of-tomorrow",
];

/// A request of a client.
#[derive(Debug, Clone)]
struct Asked {
    private: Vec<(usize, String)>,
    by_bearer: bool,
    streams: bool,
    trouble: Option<Trouble>,
    words: String,
}

fn asked() -> impl Strategy<Value = Asked> {
    let private = prop::collection::vec((0..PRIVATE.len(), "private-[a-z0-9]{12}"), 1..6);
    let trouble = prop::option::of(prop_oneof![
        prop::sample::select(vec![400_u16, 404, 409, 413, 422, 429, 500, 503, 529])
            .prop_map(|status| Trouble::Echo { status }),
        Just(Trouble::Spent),
        Just(Trouble::Failing),
    ]);
    (
        private,
        any::<bool>(),
        any::<bool>(),
        trouble,
        "[a-z ]{1,12}",
    )
        .prop_map(|(private, by_bearer, streams, trouble, words)| Asked {
            private,
            by_bearer,
            streams,
            trouble,
            words,
        })
}

impl Asked {
    /// Everything that the client is told.
    async fn send(&self, kind: Kind, site: &Site) -> String {
        // A failure is tried again.
        let troubles = self
            .trouble
            .map(|trouble| vec![Behaviour::Trouble(trouble); 2]);
        site.upstream.then(troubles.unwrap_or_default());
        let mut body = chat(kind, &self.words);
        if self.streams {
            body = streamed(body);
        }
        let mut request = site.server.post("/v1/chat/completions").json(&body);
        request = if self.by_bearer {
            request.bearer_auth(&site.key)
        } else {
            request.header("x-api-key", &site.key)
        };
        for (name, value) in &self.private {
            request = request.header(PRIVATE[*name], value);
        }
        let answer = request.send().await.unwrap();
        let headers = format!("{:?}", answer.headers());
        headers + &answer.text().await.unwrap()
    }
}

#[tokio::test]
async fn no_key_and_no_cookie_crosses_in_either_direction() {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    for kind in super::speaking() {
        let upstream = Upstream::start_as(kind).await.unwrap();
        let setup = setup(kind, &upstream).set("RUST_LOG", "debug");
        let site = started(setup, upstream, &[]);
        let (mut told, mut private) = (String::new(), vec![site.key.clone()]);
        let cases = Config::default().cases.min(12);
        for _ in 0..cases {
            let asked = asked().new_tree(&mut runner).unwrap().current();
            told += &asked.send(kind, &site).await;
            private.extend(asked.private.into_iter().map(|(_, value)| value));
        }
        let calls = site.upstream.calls();
        assert!(calls.len() > cases as usize / 3, "{kind:?}");
        for call in &calls {
            let seen = format!("{} {:?}", call.uri, call.headers);
            let body = String::from_utf8_lossy(&call.body);
            for secret in &private {
                assert!(
                    !seen.contains(secret) && !body.contains(secret),
                    "{kind:?}: {seen}"
                );
            }
        }
        let token = site.upstream.token();
        let log = site.server.whole_log();
        let key = has_key(kind).then(|| KEY.to_owned());
        for secret in [key, token].into_iter().flatten() {
            assert!(!told.contains(&secret), "{kind:?} tells {secret}");
            assert!(!log.contains(&secret), "{kind:?} logs {secret}");
        }
        assert!(!log.contains(&site.key), "{kind:?} logs the client's key");
    }
}

/// The same of errors in the midst of a stream.
#[tokio::test]
async fn errors_in_streams_do_not_repeat_the_key() {
    let site = super::before(Kind::OpenRouter).await;
    let event = json!({ "error": { "code": 502, "message": format!("Bad key {KEY}.") } });
    site.upstream.then([Behaviour::Status {
        status: 200,
        headers: [("content-type".to_owned(), "text/event-stream".to_owned())].into(),
        body: json!(format!("data: {event}\n\n")),
    }]);
    let body = streamed(chat(Kind::OpenRouter, "Hi"));
    let answer = site.ask("/chat/completions", &body).await;
    let told = answer.text().await.unwrap();
    assert!(!told.contains(KEY), "{told}");
}
