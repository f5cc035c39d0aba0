//! What the built-in engine does not draw is said, and what the pages suggest is drawn.

use atelier_app::Language;
use atelier_sketch::Sketch;
use serde_json::{Value, json};

use super::{
    input::{by_browser, page},
    semantic::until_known,
};
use crate::support::{Atelier, OpenAi, Setup, taken, text};

const PROMPT: &str = "a bowl of lemons on a blue table, a cat in a hat";

async fn ordered(server: &Atelier, body: Value) -> Value {
    let request = server.post("/api/images").json(&body);
    let job = taken(request.send().await.unwrap()).await;
    server.succeeded(&job).await
}

async fn shown(server: &Atelier, job: &Value, language: &str) -> String {
    let path = format!("/jobs/{}", text(&job["id"]));
    let request = by_browser(server.get(&path)).header("accept-language", language);
    page(request.send().await.unwrap()).await.1
}

#[test]
fn all_that_is_suggested_is_drawn() {
    for language in Language::ALL.map(Language::sketched) {
        for idea in language.ideas() {
            for variation in 0..4 {
                let sketch = Sketch {
                    variation,
                    ..Sketch::new(idea, 64, 64)
                };
                assert_eq!(sketch.left_out(), [""; 0], "{idea}");
            }
        }
    }
}

#[tokio::test]
async fn it_is_said_in_the_answer_and_beside_the_picture() {
    let setup = Setup::with_file("limits = []");
    let server = setup.start();
    let first = ordered(&server, json!({ "prompt": PROMPT })).await;
    assert_eq!(first["left_out"], json!(["bowl", "hat"]));
    let own = shown(&server, &first, "en").await;
    assert!(
        own.contains("Left out") && own.contains("bowl, hat"),
        "{own}"
    );
    let own = shown(&server, &first, "de").await;
    assert!(own.contains("Nicht im Bild"), "{own}");

    let again = ordered(&server, json!({ "prompt": format!("{PROMPT} ") })).await;
    assert_eq!(again["cache"], "exact");
    assert_eq!(again["left_out"], first["left_out"]);

    let larger = ordered(&server, json!({ "from": first["id"], "enlarge": 2 })).await;
    assert_eq!(larger["left_out"], first["left_out"]);

    let whole = ordered(
        &server,
        json!({ "prompt": "ein rotes Boot auf ruhiger See" }),
    )
    .await;
    assert!(whole.get("left_out").is_none(), "{whole}");
    assert!(!shown(&server, &whole, "en").await.contains("Left out"));
}

#[tokio::test]
async fn of_a_model_nothing_is_said() {
    let openai = OpenAi::start(vec![]).await;
    let setup = Setup::with_file("limits = []").openai(&openai);
    let server = setup.start();
    let job = ordered(&server, json!({ "prompt": PROMPT })).await;
    assert!(job.get("left_out").is_none(), "{job}");
}

#[tokio::test]
async fn a_stranger_learns_no_words_of_others() {
    let setup = Setup::with_file("limits = []");
    let server = setup.start();
    let first = ordered(
        &server,
        json!({ "prompt": "two cats sleeping on a red sofa" }),
    )
    .await;
    assert_eq!(first["left_out"], json!(["sofa"]));
    let own = until_known(&server, "Two cats asleep on a red couch, please!").await;
    assert_eq!(own["left_out"], first["left_out"]);

    let order = json!({ "prompt": "two cats asleep on a red couch" });
    let images = format!("{}/api/images", server.url);
    let request = server.visitor().post(images).json(&order);
    let job = taken(request.send().await.unwrap()).await;
    assert_eq!(job["cache"], "semantic");
    assert!(job.get("left_out").is_none(), "{job}");
}
