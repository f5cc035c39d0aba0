//! Orders that their clients name, to send them again when an answer was lost.

use image::ImageFormat;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{Atelier, OpenAi, Setup, form, photo, problem, taken};

/// A picture that no other order is joined to.
fn picture(server: &Atelier, client: &Client) -> RequestBuilder {
    let order = json!({ "prompt": "a red boat", "fresh": true });
    client
        .post(format!("{}/api/images", server.url))
        .json(&order)
}

async fn send(request: RequestBuilder, name: &str) -> Value {
    taken(
        request
            .header("idempotency-key", name)
            .send()
            .await
            .unwrap(),
    )
    .await
}

#[tokio::test]
async fn an_order_that_is_sent_again_under_its_name_is_taken_once() {
    let openai = OpenAi::start(vec![]).await;
    let server = Setup::new().openai(&openai).start();
    let own = || picture(&server, &server.client);
    let first = server.succeeded(&send(own(), "one").await).await;
    assert_eq!(send(own(), "one").await["id"], first["id"]);
    let second = server.succeeded(&send(own(), "two").await).await;
    assert_ne!(second["id"], first["id"]);
    let stranger = picture(&server, &server.visitor());
    assert_ne!(send(stranger, "one").await["id"], first["id"]);

    let photo = || {
        let form = form(photo(64, 48, ImageFormat::Jpeg)).text("fresh", "true");
        server.post("/api/restorations").multipart(form)
    };
    let first = server.succeeded(&send(photo(), "three").await).await;
    assert_eq!(send(photo(), "three").await["id"], first["id"]);
    let gone = server.delete(&format!("/api/jobs/{}", first["id"].as_str().unwrap()));
    assert_eq!(gone.send().await.unwrap().status(), 204);
    assert_ne!(send(photo(), "three").await["id"], first["id"]);
}

#[tokio::test]
async fn the_last_one_allowed_can_be_sent_again() {
    let openai = OpenAi::start(vec![]).await;
    let one = "[[limits]]\nname = \"one\"\nscope = \"ip\"\nunit = \"images\"\nalgorithm = \"fixed_window\"\n\
               quota = 1\nwindow = \"1d\"\n";
    let server = Setup::with_file(one).openai(&openai).start();
    let photo = |name: &str| {
        let form = form(photo(64, 48, ImageFormat::Jpeg)).text("fresh", "true");
        let request = server.post("/api/restorations").multipart(form);
        request.header("idempotency-key", name.to_owned())
    };
    let first = taken(photo("a").send().await.unwrap()).await;
    assert_eq!(
        taken(photo("a").send().await.unwrap()).await["id"],
        first["id"]
    );
    assert_eq!(problem(photo("b").send().await.unwrap()).await.0, 429);
}

#[tokio::test]
async fn a_name_that_is_none_is_refused() {
    let openai = OpenAi::start(vec![]).await;
    let server = Setup::new().openai(&openai).start();
    for name in ["", &"x".repeat(256)] {
        let request = picture(&server, &server.client).header("idempotency-key", name);
        let (status, problem) = problem(request.send().await.unwrap()).await;
        assert_eq!(
            (status, &problem["code"]),
            (400, &json!("malformed")),
            "{name}"
        );
    }
}
