//! Pictures of Google Vertex AI, whose stand-in takes tokens only and gives them for what a service account has
//! signed: the request, its result, tokens, refusals.

use std::fs;

use atelier_upstream_mock::{Behaviour, Kind, Trouble, Upstream};
use serde_json::{Value, json};

use crate::support::{Atelier, Setup, taken};

const MODEL: &str = "gemini-3-pro-image";
const PATH: &str = "/v1/projects/ours/locations/global/publishers/google/models/gemini-3-pro-image:generateContent";

/// A studio whose pictures come from there, with the file of this account.
async fn studio(account: impl Fn(&Upstream) -> String) -> (Upstream, Atelier, Setup) {
    let upstream = Upstream::start_as(Kind::Vertex).await.unwrap();
    let setup = Setup::new();
    let file = setup.folder.path().join("account.json");
    fs::write(&file, account(&upstream)).unwrap();
    let url = upstream.url();
    let setup = setup.file(&format!(
        "limits = []\n[queue]\nretry_base = '10ms'\n\
         [studio]\npictures = 'vertex/{MODEL}'\n\
         [[upstreams]]\nname = 'vertex'\nkind = 'vertex'\nbase_url = '{url}'\nproject_id = 'ours'\n\
         credentials_file = {file:?}\nmodels = ['google/gemini-3.5-flash']\n"
    ));
    let server = setup.start();
    (upstream, server, setup)
}

async fn ours() -> (Upstream, Atelier, Setup) {
    studio(Upstream::service_account).await
}

/// The bodies of the calls for pictures, which bring the token that is valid.
fn calls(upstream: &Upstream) -> Vec<Value> {
    let calls = upstream.calls().into_iter();
    let calls = calls.filter(|call| call.path() == PATH);
    calls.map(|call| call.json()).collect()
}

#[tokio::test]
async fn a_picture_is_asked_for_in_its_own_form_with_one_token_for_all() {
    let (upstream, server, _setup) = ours().await;
    let order = json!({ "prompt": "a boat", "size": "1536x1024", "n": 2, "style": "ink" });
    let job = server.succeeded(&server.submit(&order).await).await;
    assert_eq!(job["model"], format!("vertex/{MODEL}"));
    assert_eq!(job["images"].as_array().unwrap().len(), 2, "{job}");
    assert!(server.picture(&job).await.starts_with(b"\x89PNG"));
    assert!(job["cost_usd"].as_f64().unwrap() > 2.0 * 0.13, "{job}");
    let calls = calls(&upstream);
    assert_eq!((calls.len(), upstream.tokens()), (2, 1));
    let words = calls[0]["contents"][0]["parts"][0]["text"]
        .as_str()
        .unwrap();
    assert!(words.starts_with("a boat\n\nStyle: black ink"), "{words}");
    let expected =
        json!({ "responseModalities": ["IMAGE"], "imageConfig": { "aspectRatio": "3:2" } });
    assert_eq!(calls[0]["generationConfig"], expected);
}

#[tokio::test]
async fn a_picture_is_made_from_a_picture() {
    let (upstream, server, _setup) = ours().await;
    let source = server.succeeded(&server.paint("a boat").await).await;
    let order = json!({ "prompt": "make it snow", "from": source["id"] });
    let answer = server.post("/api/images").json(&order).send().await;
    server.succeeded(&taken(answer.unwrap()).await).await;
    let sent = &calls(&upstream)[1]["contents"][0]["parts"][1]["inlineData"];
    assert_eq!(sent["mimeType"], "image/png");
    assert!(!sent["data"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced() {
    let (upstream, server, _setup) = ours().await;
    server.succeeded(&server.paint("a boat").await).await;
    upstream.revoke();
    let job = server.succeeded(&server.paint("a house").await).await;
    assert_eq!(job["attempt"], 1, "the same attempt goes on");
    assert_eq!((calls(&upstream).len(), upstream.tokens()), (3, 2));
}

#[tokio::test]
async fn an_account_that_nobody_knows_ends_the_job() {
    let (upstream, server, _setup) = studio(|upstream| {
        let account = upstream.service_account();
        account.replace("atelier@ours", "stranger@ours")
    })
    .await;
    let job = server.finished(&server.paint("a boat").await).await;
    assert_eq!(job["error"]["code"], "provider_key_refused", "{job}");
    assert!(calls(&upstream).is_empty());
}

#[tokio::test]
async fn what_is_refused_as_unsafe_is_not_asked_for_again() {
    let (upstream, server, _setup) = ours().await;
    upstream.then([Behaviour::Trouble(Trouble::Unsafe)]);
    let job = server.finished(&server.paint("a duel").await).await;
    assert_eq!(job["error"]["code"], "content_refused", "{job}");
    assert_eq!(calls(&upstream).len(), 1);
}

#[tokio::test]
async fn what_passes_is_tried_again_and_what_is_spent_is_not() {
    let (upstream, server, _setup) = ours().await;
    upstream.then([
        Behaviour::Trouble(Trouble::Failing),
        Behaviour::Trouble(Trouble::Busy { milliseconds: 10 }),
    ]);
    let job = server.succeeded(&server.paint("a boat").await).await;
    assert_eq!((&job["attempt"], calls(&upstream).len()), (&json!(3), 3));
    upstream.then([Behaviour::Trouble(Trouble::Spent)]);
    let job = server.finished(&server.paint("a house").await).await;
    assert_eq!(job["error"]["code"], "provider_credit_exhausted", "{job}");
}
