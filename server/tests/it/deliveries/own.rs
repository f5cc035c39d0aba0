//! Calls of this server's own gateway: what they cost, what is given again, and what is bought
//! once whatever happens.

use std::time::Duration;

use atelier_upstream_mock::{Behaviour, KEY, Upstream};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use reqwest::RequestBuilder;
use serde_json::{Value, json};

use super::{FILE, Kept, Receiver, Site, sent};
use crate::support::{Setup, redis_database, text};

const CHAT: &str = "/v1/chat/completions";
const PICTURE: &str = "/v1/images/generations";

/// No repetition that its answer does not ask for comes in the time of a test.
const NEVER: (&str, &str) = ("upstash-retry-delay", "3600000");

/// What the machine's clock is made with; it is set later.
const SKEW: i64 = 2;

/// A site with its gateway, and who is told of its calls.
struct Ai {
    site: Site,
    upstream: Upstream,
    told: Receiver,
    failed: Receiver,
}

impl Ai {
    async fn start(file: &str) -> Self {
        Self::of(Setup::with_file(file)).await
    }

    async fn on(kept: Kept) -> Self {
        let setup = Setup::with_file(FILE);
        Self::of(match kept {
            Kept::Embedded => setup,
            Kept::Redis => setup.set("ATELIER_REDIS_URL", &redis_database().await),
        })
        .await
    }

    async fn of(setup: Setup) -> Self {
        let upstream = Upstream::start().await.unwrap();
        let setup = setup
            .set("OPENAI_API_KEY", KEY)
            .set("OPENAI_BASE_URL", &upstream.url());
        let scopes = ["--scope", "messages", "--scope", "gateway"];
        let created = setup.run(&[&["keys", "create", "both"][..], &scopes].concat());
        let key = String::from_utf8(created.stdout).unwrap().trim().to_owned();
        let server = setup.start();
        Self {
            site: Site { setup, server, key },
            upstream,
            told: Receiver::start(vec![]).await,
            failed: Receiver::start(vec![]).await,
        }
    }

    fn publish(&self, url: &str, body: &Value) -> RequestBuilder {
        let key = format!("Bearer {}", self.site.key);
        let request = self.site.publish(url).json(body).header(NEVER.0, NEVER.1);
        request
            .header("upstash-forward-authorization", key)
            .header("upstash-callback", &self.told.url)
            .header("upstash-failure-callback", &self.failed.url)
    }

    /// Publishes a call of this path; the message's id.
    async fn ask(&self, path: &str, body: &Value) -> String {
        let url = format!("{}{path}", self.site.server.url);
        sent(self.publish(&url, body)).await
    }

    /// The same without a message.
    async fn ask_at_once(&self, body: &Value) -> u16 {
        let request = self.site.server.post(CHAT).bearer_auth(&self.site.key);
        let answer = request.json(body).send().await.unwrap();
        answer.status().as_u16()
    }

    /// What a callback tells: of which message, the status, and the answer as JSON.
    async fn heard(receiver: &Receiver) -> (Value, Value) {
        let said = receiver.next().await.json();
        let body = BASE64.decode(text(&said["body"])).unwrap();
        (said, serde_json::from_slice(&body).unwrap_or_default())
    }

    async fn nothing_more(&self) {
        let briefly = Duration::from_millis(300);
        self.told.nothing_more(briefly).await;
        self.failed.nothing_more(briefly).await;
    }

    fn killed(self) -> Self {
        Self {
            site: self.site.killed(),
            ..self
        }
    }
}

fn chat(words: &str) -> Value {
    let message = json!({ "role": "user", "content": words });
    json!({ "model": "gpt-4o-mini", "messages": [message], "temperature": 0, "max_tokens": 20 })
}

fn picture() -> Value {
    json!({ "model": "gpt-image-2", "prompt": "a boat", "n": 1 })
}

fn field<'a>(said: &'a Value, name: &str) -> &'a str {
    text(&said["header"][name][0])
}

const BUDGET: &str = "[[limits]]\nname = 'budget'\nscope = 'user'\nunit = 'usd'\n\
                      algorithm = 'fixed_window'\nquota = 1.0\nwindow = '366d'\n\
                      [[gateway.prices]]\nmodel = '*'\ninput = 10_000.0\noutput = 10_000.0\n";

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_from_before_costs_nothing_though_the_budget_is_spent() {
    let file = format!("{}\n{BUDGET}", FILE.replace("limits = []", ""));
    let ai = Ai::start(&file).await;
    let question = chat("Hi");
    let id = ai.ask(CHAT, &question).await;
    let (said, answer) = Ai::heard(&ai.told).await;
    assert_eq!(
        (&said["sourceMessageId"], &said["status"]),
        (&json!(id), &json!(200))
    );
    assert_eq!(answer["choices"][0]["message"]["content"], "You said: Hi");
    assert!(field(&said, "X-Atelier-Cost-Usd").parse::<f64>().unwrap() > 0.0);

    // It is spent, and what it was spent on is kept by then.
    let mut number = 0;
    while ai.ask_at_once(&chat(&format!("Hi {number}"))).await == 200 {
        number += 1;
    }
    let calls = ai.upstream.calls_to(CHAT);
    // With the publisher's own key, or that which is sent along.
    let bare = ai.site.publish("api/llm").json(&question);
    let bare = bare.header("upstash-callback", &ai.told.url);
    for request in [bare, ai.publish("api/llm", &question)] {
        sent(request).await;
        let (said, again) = Ai::heard(&ai.told).await;
        assert_eq!((said["status"].as_u64(), &again), (Some(200), &answer));
        assert_eq!(field(&said, "X-Atelier-Cache"), "hit");
        assert_eq!(field(&said, "X-Atelier-Cost-Usd"), "0.000000");
    }

    // Something else cannot be paid for, now or in a minute: nobody waits for that.
    let id = ai.ask(CHAT, &chat("Ho")).await;
    let (said, error) = Ai::heard(&ai.failed).await;
    assert_eq!(
        (&said["sourceMessageId"], &said["status"], &said["retried"]),
        (&json!(id), &json!(429), &json!(0))
    );
    assert_eq!(error["error"]["code"], "insufficient_quota");
    let letter = ai.site.dead(1).await.remove(0);
    assert_eq!(
        (&letter["messageId"], &letter["dlqId"]),
        (&json!(id), &said["dlqId"])
    );
    // Every attempt is told of, this one as well.
    assert_eq!(Ai::heard(&ai.told).await.0["status"], 429);
    assert_eq!(ai.upstream.calls_to(CHAT), calls);
    ai.nothing_more().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_has_room_again_soon_is_waited_for() {
    let limit = "[[limits]]\nname = 'calls'\nscope = 'user'\nunit = 'requests'\n\
                 algorithm = 'fixed_window'\nquota = 1\nwindow = '3s'\nactions = ['chat']\n";
    let file = format!("{}\n{limit}", FILE.replace("limits = []", ""));
    let ai = Ai::start(&file).await;
    let ids = [
        ai.ask(CHAT, &chat("one")).await,
        ai.ask(CHAT, &chat("two")).await,
    ];
    for id in ids {
        ai.site.states(&id, "DELIVERED").await;
    }
    assert!(ai.site.dead(0).await.is_empty());
    assert_eq!(ai.upstream.calls_to(CHAT), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_says_when_it_is_asked_again() {
    for kept in [Kept::Embedded, Kept::Redis] {
        let ai = Ai::on(kept).await;
        // Longer than the gateway itself waits, and shorter than anything else.
        let headers = [("retry-after".to_owned(), "6".to_owned())];
        ai.upstream.then([Behaviour::Status {
            status: 429,
            headers: headers.into(),
            body: json!({ "error": { "message": "Slowly.", "type": "rate_limit_error", "param": null, "code": null } }),
        }]);
        let id = ai.ask(CHAT, &chat("Hi")).await;
        for (retried, status) in [(0, 429), (1, 200)] {
            let (said, _) = Ai::heard(&ai.told).await;
            assert_eq!(
                (&said["sourceMessageId"], &said["status"]),
                (&json!(id), &json!(status))
            );
            assert_eq!(said["retried"], retried);
        }
        let states = ai.site.states(&id, "DELIVERED").await;
        let expected = ["CREATED", "ACTIVE", "ERROR", "RETRY", "ACTIVE", "DELIVERED"];
        assert_eq!(states, expected);
        assert_eq!(ai.upstream.calls_to(CHAT), 2);
        ai.nothing_more().await;
    }
}

/// What is wrong with the call itself is so at every repetition.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_refused_is_not_repeated() {
    let ai = Ai::start(FILE).await;
    let unknown = json!({ "model": "none", "messages": [{ "role": "user", "content": "Hi" }] });
    ai.ask(CHAT, &unknown).await;
    let (said, error) = Ai::heard(&ai.failed).await;
    assert_eq!(
        (&said["status"], &said["retried"]),
        (&json!(404), &json!(0))
    );
    assert!(error["error"]["message"].is_string(), "{error}");
    let url = format!("{}{CHAT}", ai.site.server.url);
    let stranger = ai.site.publish(&url).json(&chat("Hi"));
    let stranger = stranger
        .header("upstash-forward-authorization", "Bearer key_none")
        .header("upstash-failure-callback", &ai.failed.url);
    sent(stranger).await;
    let (said, _) = Ai::heard(&ai.failed).await;
    assert_eq!(
        (&said["status"], &said["retried"]),
        (&json!(401), &json!(0))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_goes_to_its_callback() {
    for kept in [Kept::Embedded, Kept::Redis] {
        let ai = Ai::on(kept).await;
        let id = ai.ask(PICTURE, &picture()).await;
        let (said, answer) = Ai::heard(&ai.told).await;
        assert_eq!(
            (&said["sourceMessageId"], &said["status"]),
            (&json!(id), &json!(200))
        );
        let picture = BASE64.decode(text(&answer["data"][0]["b64_json"]));
        assert!(image::load_from_memory(&picture.unwrap()).is_ok());
        assert_eq!(ai.upstream.calls_to(PICTURE), 1);
        ai.nothing_more().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_whose_fate_is_unknown_is_not_bought_again() {
    for kept in [Kept::Embedded, Kept::Redis] {
        let ai = Ai::on(kept).await;
        ai.upstream.then([Behaviour::Hang]);
        let id = ai.ask(PICTURE, &picture()).await;
        ai.upstream.called(PICTURE, 1).await;
        let ai = ai.killed();
        is_interrupted(&ai, &id).await;
        // The connection breaks: it may have been made and paid for as well.
        ai.upstream.then([Behaviour::Close]);
        let id = ai.ask(PICTURE, &picture()).await;
        let (said, _) = Ai::heard(&ai.failed).await;
        assert_eq!(
            (&said["sourceMessageId"], &said["retried"]),
            (&json!(id), &json!(0))
        );
        assert_eq!(ai.upstream.calls_to(PICTURE), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_after_a_long_stop() {
    let ai = Ai::of(Setup::with_file(FILE).skewed(SKEW)).await;
    ai.upstream.then([Behaviour::Hang]);
    let id = ai.ask(PICTURE, &picture()).await;
    ai.upstream.called(PICTURE, 1).await;
    let Site { setup, server, key } = ai.site;
    server.kill();
    setup.set_clock(SKEW, 20 * 60 * 60);
    let server = setup.start();
    let site = Site { setup, server, key };
    is_interrupted(&Ai { site, ..ai }, &id).await;
}

async fn is_interrupted(ai: &Ai, id: &str) {
    let (said, error) = Ai::heard(&ai.failed).await;
    assert_eq!(
        (&said["sourceMessageId"], &said["status"]),
        (&json!(id), &json!(502))
    );
    assert_eq!(
        (&said["retried"], &error["error"]["code"]),
        (&json!(0), &json!("interrupted"))
    );
    assert_eq!(Ai::heard(&ai.told).await.0["status"], 502);
    assert_eq!(ai.site.dead(1).await[0]["messageId"], id);
    assert_eq!(ai.upstream.calls_to(PICTURE), 1);
    ai.nothing_more().await;
}

/// A picture is never bought twice; an answer in words may be, if its process died with it.
#[tokio::test(flavor = "multi_thread")]
async fn a_chat_that_died_with_its_process_is_answered_and_told_of_once() {
    for kept in [Kept::Embedded, Kept::Redis] {
        let ai = Ai::on(kept).await;
        ai.upstream.then([Behaviour::Hang]);
        let id = ai.ask(CHAT, &chat("Hi")).await;
        ai.upstream.called(CHAT, 1).await;
        let ai = ai.killed();
        let (said, answer) = Ai::heard(&ai.told).await;
        assert_eq!(
            (&said["sourceMessageId"], &said["status"]),
            (&json!(id), &json!(200))
        );
        assert_eq!(
            (
                &said["retried"],
                &answer["choices"][0]["message"]["content"]
            ),
            (&json!(0), &json!("You said: Hi"))
        );
        assert_eq!(ai.upstream.calls_to(CHAT), 2);
        ai.nothing_more().await;
    }
}

/// The message gives up; its call does not, and its result is there for the next attempt.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_takes_longer_than_its_message_waits_is_bought_once() {
    for (path, body) in [(CHAT, chat("Hi")), (PICTURE, picture())] {
        let ai = Ai::start(FILE).await;
        ai.upstream.then([Behaviour::SlowFirstByte {
            milliseconds: 2_500,
        }]);
        let url = format!("{}{path}", ai.site.server.url);
        let request = ai.site.publish(&url).json(&body);
        let request = request
            .header(
                "upstash-forward-authorization",
                format!("Bearer {}", ai.site.key),
            )
            .header("upstash-callback", &ai.told.url)
            .header("upstash-timeout", "1s")
            .header("upstash-retry-delay", "50")
            .header("upstash-retries", "9");
        sent(request).await;
        while Ai::heard(&ai.told).await.0["status"] != 200 {}
        assert_eq!(ai.upstream.calls_to(path), 1);
    }
}
