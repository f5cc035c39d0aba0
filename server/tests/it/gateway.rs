//! The gateway from outside: an upstream behind it, clients before it.

mod between;
mod caches;
mod calls;
mod contents;
mod costs;
mod dialects;
mod faults;
mod later;
mod money;
mod operator;
mod parallel;
mod upstreams;

use atelier_upstream_mock::{KEY, Upstream};
use reqwest::Response;
use serde_json::{Value, json};

use crate::support::{Atelier, Setup};

/// Opens what operators see.
const TOKEN: &str = "an operator's token";

/// A gateway before one upstream, and a key for it.
struct Site {
    upstream: Upstream,
    server: Atelier,
    key: String,
    _setup: Setup,
}

/// Whatever a test asks for beside limits.
async fn site(file: &str) -> Site {
    let upstream = Upstream::start().await.unwrap();
    let setup = Setup::with_file(&format!("limits = []\n{file}"))
        .set("OPENAI_API_KEY", KEY)
        .set("OPENAI_BASE_URL", &upstream.url());
    started(setup, upstream, &[])
}

/// A server that its operator can ask, with the mock behind it.
async fn watched(file: &str, redis: Option<&str>) -> Site {
    let upstream = Upstream::start().await.unwrap();
    let mut setup = Setup::with_file(file)
        .set("OPENAI_API_KEY", KEY)
        .set("OPENAI_BASE_URL", &upstream.url())
        .set("ATELIER_ADMIN_TOKEN", TOKEN);
    if let Some(url) = redis {
        setup = setup.set("ATELIER_REDIS_URL", url);
    }
    started(setup, upstream, &[])
}

fn started(setup: Setup, upstream: Upstream, key: &[&str]) -> Site {
    let arguments = [&["keys", "create", "test", "--scope", "gateway"], key].concat();
    let created = setup.run(&arguments);
    let key = String::from_utf8(created.stdout).unwrap().trim().to_owned();
    Site {
        server: setup.start().without_session(),
        upstream,
        key,
        _setup: setup,
    }
}

impl Site {
    fn request(&self, path: &str, body: &Value) -> reqwest::RequestBuilder {
        let request = self.server.post(&format!("/v1{path}"));
        request.bearer_auth(&self.key).json(body)
    }

    async fn ask(&self, path: &str, body: &Value) -> Response {
        self.request(path, body).send().await.unwrap()
    }
}

fn chat(words: &str) -> Value {
    json!({ "model": "gpt-4o-mini", "messages": [{ "role": "user", "content": words }] })
}

/// A call that is sure to repeat.
fn cold(words: &str) -> Value {
    let mut body = chat(words);
    body["temperature"] = json!(0);
    body
}

fn streamed(mut body: Value) -> Value {
    body["stream"] = json!(true);
    body
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    let value = response.headers().get(name);
    value.map_or("", |value| value.to_str().unwrap())
}

async fn error(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    assert!(!header(&response, "x-request-id").is_empty());
    let mut body: Value = response.json().await.unwrap();
    for field in ["message", "type", "param", "code"] {
        assert!(body["error"].get(field).is_some(), "{field} in {body}");
    }
    (status, body["error"].take())
}
