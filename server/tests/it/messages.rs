//! Messages from outside: the door that the official clients speak to.

mod dead;
mod hostile;
mod arrangements;
mod limits;
mod owners;
mod publish;
mod schedules;
mod walk;

use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;

use crate::support::{Atelier, Setup};

/// Nothing is delivered before the test is over.
const LATER: (&str, &str) = ("upstash-delay", "1d");

const URL: &str = "https://example.com/hook";

/// A server, and a key that opens messages.
struct Site {
    server: Atelier,
    setup: Setup,
    key: String,
}

fn site(file: &str) -> Site {
    site_with(file, &[])
}

fn site_with(file: &str, terms: &[&str]) -> Site {
    let setup = Setup::with_file(&format!("limits = []\n{file}"));
    let key = key(&setup, terms);
    let server = setup.start().without_session();
    Site { server, setup, key }
}

/// A key that opens messages alone.
fn key(setup: &Setup, terms: &[&str]) -> String {
    let arguments = [&["keys", "create", "test", "--scope", "messages"], terms].concat();
    let created = setup.run(&arguments);
    assert!(created.status.success(), "{created:?}");
    String::from_utf8(created.stdout).unwrap().trim().to_owned()
}

impl Site {
    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.server.url);
        self.server
            .client
            .request(method, url)
            .bearer_auth(&self.key)
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.request(Method::POST, path)
    }

    fn delete(&self, path: &str) -> RequestBuilder {
        self.request(Method::DELETE, path)
    }

    /// The same server as the holder of another key sees it.
    async fn json(&self, path: &str) -> Value {
        told(self.get(path), 200).await
    }

    /// A message to be delivered tomorrow.
    fn later(&self, path: &str) -> RequestBuilder {
        self.post(path).header(LATER.0, LATER.1)
    }

    /// Publishes a message that is to be delivered tomorrow; its id.
    async fn published(&self, request: RequestBuilder) -> String {
        let answer = told(request, 201).await;
        answer["messageId"].as_str().unwrap().to_owned()
    }

    /// The id of a message that says nothing but this.
    async fn said(&self, body: &str) -> String {
        let path = format!("/v2/publish/{URL}");
        self.published(self.later(&path).body(body.to_owned()))
            .await
    }
}

/// What is answered, with this status.
async fn told(request: RequestBuilder, status: u16) -> Value {
    let response = request.send().await.unwrap();
    let (answered, text) = (response.status().as_u16(), response.text().await.unwrap());
    assert_eq!(answered, status, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// A refusal: its status and its sentence.
async fn refused(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    let fields: Vec<_> = body.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["error"], "{body}");
    (status, body["error"].as_str().unwrap().to_owned())
}

/// The status of a refusal.
async fn status(request: RequestBuilder) -> u16 {
    refused(request.send().await.unwrap()).await.0
}
