//! Pictures made from pictures, and what a file that is saved says of itself.

use std::io::Cursor;

use image::{ImageDecoder as _, ImageFormat, ImageReader};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::provider::{studio, studio_with};
use crate::support::{Answer, Atelier, Setup, photo, problem, taken, text};

async fn edit(server: &Atelier, body: Value) -> reqwest::Response {
    server.post("/api/images").json(&body).send().await.unwrap()
}

#[tokio::test]
async fn a_picture_is_made_from_a_picture_and_an_instruction() {
    let (_setup, openai, server) = studio(vec![Answer::Picture, Answer::Partly]).await;
    let source = server.succeeded(&server.paint("a lighthouse").await).await;
    let order = json!({ "prompt": "make it snow", "from": source["id"] });
    let job = taken(edit(&server, order.clone()).await).await;
    assert_eq!(job["params"]["from"], source["id"]);
    let running = server.until(&job, |job| job["preview"].is_string()).await;
    openai.release();
    let job = server.succeeded(&running).await;
    assert_ne!(job["images"][0]["url"], source["images"][0]["url"]);
    assert!(job.get("original").is_none());
    let call = &openai.calls()[1];
    assert_eq!(call["prompt"], "make it snow");
    assert_eq!(call["image"]["size"], json!([64, 48]));
    assert_eq!(call["image"]["name"], "picture.png");
    assert_eq!((&call["n"], &call["stream"]), (&json!(1), &json!(true)));

    // The same change of the same picture has been made; of another it has not.
    let again = taken(edit(&server, order).await).await;
    assert_eq!(again["cache"], "exact");
    let other = server.succeeded(&server.paint("a windmill").await).await;
    let order = json!({ "prompt": "make it snow", "from": other["id"] });
    let job = taken(edit(&server, order).await).await;
    assert_eq!(job["cache"], "miss");
}

#[tokio::test]
async fn any_of_several_pictures_can_be_changed_and_changed_again() {
    let (_setup, openai, server) = studio(vec![]).await;
    let order = json!({ "prompt": "a lighthouse", "n": 2 });
    let source = server
        .succeeded(&taken(edit(&server, order).await).await)
        .await;
    let order = json!({ "prompt": "make it snow", "from": source["id"], "picture": 2 });
    let job = server
        .succeeded(&taken(edit(&server, order).await).await)
        .await;
    assert_eq!(job["params"]["picture"], 2);
    let page = server.get(&format!("/jobs/{}", text(&job["id"])));
    let page = page.header("accept", "text/html").send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains(r#"name="picture" value="2""#), "{page}");
    assert_eq!(openai.calls().len(), 2);
}

#[tokio::test]
async fn what_is_deleted_meanwhile_cannot_be_begun_with() {
    let hangs = vec![Answer::Picture, Answer::Hang];
    let (_setup, openai, server) = studio_with("limits = []\n[openai]\nparallel = 1", hangs).await;
    let source = server.succeeded(&server.paint("a lighthouse").await).await;
    // One call at a time: the change waits behind the windmill.
    let windmill = server.paint("a windmill").await;
    openai.called(2).await;
    let order = json!({ "prompt": "make it snow", "from": source["id"] });
    let job = taken(edit(&server, order).await).await;
    let path = text(&source["url"]).to_owned();
    assert_eq!(server.delete(&path).send().await.unwrap().status(), 204);
    openai.release();
    server.succeeded(&windmill).await;
    let job = server.finished(&job).await;
    assert_eq!(job["error"]["code"], "photo_lost", "{job}");
    assert_eq!(job["attempt"], 1, "no other try would find it");
    let gone = server.get(text(&source["images"][0]["url"])).send().await;
    assert_eq!(gone.unwrap().status(), 404, "nothing keeps it");
}

#[tokio::test]
async fn only_ones_own_pictures_from_words_can_be_changed() {
    let (_setup, _openai, mut server) = studio(vec![]).await;
    let stranger = server.visitor();
    server.client = server.visitor();
    let picture = server.succeeded(&server.paint("a lighthouse").await).await;
    let restored = taken(server.restore(photo(64, 64, ImageFormat::Png)).await).await;
    let restored = server.succeeded(&restored).await;
    for (from, number, status, code) in [
        (&picture["id"], json!(2), 422, "from"),
        (&picture["id"], json!(0), 422, "from"),
        (&restored["id"], json!(1), 422, "from"),
        (&json!("nothing"), json!(1), 404, "not_found"),
    ] {
        let order = json!({ "prompt": "make it snow", "from": from, "picture": number });
        let (got, refused) = problem(edit(&server, order).await).await;
        assert_eq!(
            (got, text(&refused["code"])),
            (status, code),
            "{from} {number}"
        );
    }
    server.client = stranger;
    let order = json!({ "prompt": "make it snow", "from": picture["id"] });
    assert_eq!(problem(edit(&server, order).await).await.0, 403);
}

#[tokio::test]
async fn an_engine_that_draws_from_words_alone_says_so() {
    let setup = Setup::new();
    let server = setup.start();
    let job = server.succeeded(&server.paint("a lighthouse").await).await;
    let order = json!({ "prompt": "make it snow", "from": job["id"] });
    let (status, refused) = problem(edit(&server, order).await).await;
    assert_eq!((status, text(&refused["code"])), (422, "from"));
}

/// Type, name and description of a file.
async fn saved(server: &Atelier, address: &str) -> (String, String, String) {
    let file = server.get(address).send().await.unwrap();
    assert_eq!(file.status(), StatusCode::OK, "{address}");
    let header = |name: &str| file.headers()[name].to_str().unwrap().to_owned();
    let (kind, name) = (header("content-type"), header("content-disposition"));
    let bytes = file.bytes().await.unwrap();
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let mut decoder = reader.unwrap().into_decoder().unwrap();
    let packet = decoder.xmp_metadata().unwrap().unwrap_or_default();
    (kind, name, String::from_utf8(packet).unwrap())
}

#[tokio::test]
async fn a_saved_picture_carries_its_words_unless_told_otherwise() {
    let setup = Setup::new();
    let server = setup.start();
    let order = json!({ "prompt": "a röd <boat>", "n": 2 });
    let job = server.succeeded(&server.submit(&order).await).await;
    let address = format!("/jobs/{}/download", text(&job["id"]));
    let (kind, name, packet) = saved(&server, &address).await;
    assert_eq!(kind, "image/png");
    assert!(
        name.ends_with("filename*=UTF-8''a-r%C3%B6d-boat-1.png"),
        "{name}"
    );
    assert!(packet.contains(">a röd &lt;boat&gt;<"), "{packet}");
    assert!(
        packet.contains("digitalsourcetype/algorithmicMedia"),
        "{packet}"
    );
    let (_, name, packet) = saved(&server, &format!("{address}?picture=2&metadata=strip")).await;
    assert!(name.ends_with("a-r%C3%B6d-boat-2.png"), "{name}");
    assert_eq!(packet, "");
    let (kind, _, packet) = saved(&server, &format!("{address}?format=jpeg")).await;
    assert_eq!(kind, "image/jpeg");
    assert!(packet.contains("AIPromptInformation"), "{packet}");
    for (query, status) in [("picture=3", 404), ("picture=0", 400), ("metadata=?", 400)] {
        let answer = server.get(&format!("{address}?{query}")).send().await;
        assert_eq!(problem(answer.unwrap()).await.0, status, "{query}");
    }
}
