//! Pages and problems in the visitor's language.

use reqwest::{RequestBuilder, Response, redirect::Policy};
use serde_json::json;

use crate::support::{Atelier, Setup};

async fn page(request: RequestBuilder) -> String {
    let request = request.header("accept", "text/html");
    request.send().await.unwrap().text().await.unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers()[name].to_str().unwrap()
}

fn german(request: RequestBuilder) -> RequestBuilder {
    request.header("accept-language", "de-DE,de;q=0.9,en;q=0.5")
}

#[tokio::test]
async fn pages_speak_what_the_browser_prefers_or_the_visitor_chose() {
    let setup = Setup::new();
    let mut server = setup.start();
    server.client = reqwest::Client::builder()
        .redirect(Policy::none())
        .build()
        .unwrap();
    let english = page(server.get("/")).await;
    assert!(english.contains("<html lang=\"en\"") && english.contains("What shall we paint?"));
    assert!(english.contains("href=\"/?lang=de\""), "a way to German");
    let in_german = page(german(server.get("/"))).await;
    assert!(in_german.contains("<html lang=\"de\"") && in_german.contains("Was sollen wir malen?"));

    let choice = server.get("/gallery?q=a+b&lang=de").send().await.unwrap();
    assert_eq!(
        (choice.status().as_u16(), header(&choice, "location")),
        (303, "/gallery?q=a+b")
    );
    let cookie = header(&choice, "set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let chosen = page(server.get("/gallery?q=a+b").header("cookie", &cookie)).await;
    assert!(chosen.contains("Keine Treffer.") && chosen.contains("/gallery?q=a+b&amp;lang=en"));
    let chosen = page(
        server
            .get("/")
            .header("cookie", &cookie)
            .header("accept-language", "en"),
    )
    .await;
    assert!(
        chosen.contains("Was sollen wir malen?"),
        "the choice counts more"
    );

    // Nothing leads away from here, and no other language is taken for one.
    let away = server.get("//example.org/?lang=de").send().await.unwrap();
    assert_eq!(away.status(), 404);
    let unknown = server.get("/?lang=xx").send().await.unwrap();
    assert_eq!(unknown.status(), 200);
}

async fn refused(server: &Atelier, accept: &str) -> Response {
    let order = german(server.post("/api/images")).header("accept", accept);
    order.json(&json!({ "prompt": " " })).send().await.unwrap()
}

#[tokio::test]
async fn problems_are_said_in_the_same_language() {
    let setup = Setup::new();
    let server = setup.start();
    let told = refused(&server, "application/json").await;
    assert_eq!(told.status(), 422);
    assert_eq!(header(&told, "content-type"), "application/problem+json");
    let told: serde_json::Value = told.json().await.unwrap();
    assert_eq!(
        (&told["code"], &told["status"]),
        (&json!("prompt"), &json!(422))
    );
    assert!(
        told["detail"]
            .as_str()
            .unwrap()
            .starts_with("Die Beschreibung fehlt"),
        "{told}"
    );
    let page = refused(&server, "text/html").await.text().await.unwrap();
    assert!(
        page.contains("Das geht nicht") && page.contains("Die Beschreibung fehlt"),
        "{page}"
    );
    let plain = server.post("/api/images").json(&json!({ "prompt": " " }));
    let plain: serde_json::Value = plain.send().await.unwrap().json().await.unwrap();
    assert!(
        plain["detail"]
            .as_str()
            .unwrap()
            .starts_with("The prompt is empty"),
        "{plain}"
    );
}
