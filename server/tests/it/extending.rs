//! Pictures continued beyond their frame: what is there stays, the rest is the model's.

use serde_json::{Value, json};

use super::{enlarging::shown, provider::studio};
use crate::support::{Atelier, Setup, problem, taken, text};

async fn order(server: &Atelier, body: Value) -> reqwest::Response {
    server.post("/api/images").json(&body).send().await.unwrap()
}

async fn made(server: &Atelier, body: Value) -> Value {
    server.succeeded(&server.submit(&body).await).await
}

async fn pixels(server: &Atelier, job: &Value) -> image::RgbImage {
    let picture = server.picture(job).await;
    image::load_from_memory(&picture).unwrap().into_rgb8()
}

#[tokio::test]
async fn a_picture_keeps_its_pixels_and_its_words() {
    let (_setup, openai, server) = studio(vec![]).await;
    let boat = made(&server, json!({ "prompt": "a red boat", "style": "ink" })).await;
    let source = pixels(&server, &boat).await;
    let (width, height) = source.dimensions();
    // Per cent; a little less than the share that is new, as the mask has soft edges.
    for (at, (way, sides, open)) in [
        ("wide", (width * 3 / 2, height), 27..=34),
        ("tall", (width, height * 3 / 2), 27..=34),
        ("around", (width * 3 / 2, height * 3 / 2), 48..=57),
    ]
    .into_iter()
    .enumerate()
    {
        let job = made(&server, json!({ "from": boat["id"], "extend": way })).await;
        assert_eq!(
            (&job["prompt"], &job["kind"]),
            (&json!("a red boat"), &json!("image"))
        );
        let params = &job["params"];
        assert_eq!(
            (&params["extend"], &params["style"], &params["from"]),
            (&json!(way), &json!("ink"), &boat["id"])
        );
        let call = &openai.calls()[at + 1];
        let drawn = call["mask"]["open"].as_u64().unwrap();
        assert!(open.contains(&drawn), "{way}: {drawn} % may be drawn");
        assert_eq!(call["mask"]["size"], call["image"]["size"]);
        let told = text(&call["prompt"]);
        assert!(told.contains("beyond its frame") && told.contains("a red boat"));
        assert!(told.contains("black ink drawing"), "{told}");

        let extended = pixels(&server, &job).await;
        assert_eq!(extended.dimensions(), sides, "{way}");
        let middle = extended.get_pixel(sides.0 / 2, sides.1 / 2);
        let was = source.get_pixel(width / 2, height / 2);
        let mut near = middle.0.iter().zip(was.0);
        assert!(
            near.all(|(now, was)| now.abs_diff(was) < 16),
            "{way}: {middle:?} was {was:?}"
        );
    }
    let again = json!({ "from": boat["id"], "extend": "wide" });
    assert_eq!(server.submit(&again).await["cache"], "exact");
    let page = shown(&server, &format!("/jobs/{}", text(&boat["id"]))).await;
    assert!(page.contains("Extend: wider"), "{page}");
}

#[tokio::test]
async fn what_has_been_extended_can_be_made_again_and_extended_until_it_is_too_large() {
    let (_setup, _openai, server) = studio(vec![]).await;
    let boat = made(&server, json!({ "prompt": "a red boat" })).await;
    let mut job = made(&server, json!({ "from": boat["id"], "extend": "wide" })).await;
    let page = shown(&server, &format!("/jobs/{}", text(&job["id"]))).await;
    let again = r#"name="extend" value="wide""#;
    // Once to make it again, once to extend it further.
    assert!(page.matches(again).count() == 2, "{page}");
    let fresh = json!({
        "prompt": "a red boat", "from": boat["id"], "picture": 1, "extend": "wide", "fresh": true,
    });
    assert_eq!(server.submit(&fresh).await["cache"], "miss");
    for _ in 0..12 {
        let next = order(&server, json!({ "from": job["id"], "extend": "wide" })).await;
        if next.status() == 422 {
            assert_eq!(problem(next).await.1["code"], "extend");
            return;
        }
        job = server.succeeded(&taken(next).await).await;
    }
    panic!("there is no end to it: {job}");
}

#[tokio::test]
async fn nothing_else_is_asked_of_it() {
    let (_setup, openai, mut server) = studio(vec![]).await;
    let stranger = server.visitor();
    server.client = server.visitor();
    let boat = made(&server, json!({ "prompt": "a red boat" })).await;
    for (body, status, code) in [
        (
            json!({ "from": boat["id"], "extend": "deep" }),
            422,
            "extend",
        ),
        (
            json!({ "from": boat["id"], "extend": "wide", "size": "1024x1024" }),
            422,
            "extend",
        ),
        (
            json!({ "from": boat["id"], "extend": "wide", "prompt": "a fox" }),
            422,
            "extend",
        ),
        (
            json!({ "prompt": "a red boat", "extend": "wide" }),
            422,
            "from",
        ),
        (
            json!({ "from": boat["id"], "extend": "wide", "picture": 2 }),
            422,
            "from",
        ),
    ] {
        let (got, refused) = problem(order(&server, body).await).await;
        assert_eq!((got, text(&refused["code"])), (status, code), "{refused}");
    }
    server.client = stranger;
    let theirs = json!({ "from": boat["id"], "extend": "wide" });
    assert_eq!(order(&server, theirs).await.status(), 403);
    assert_eq!(openai.calls().len(), 1);
}

#[tokio::test]
async fn an_engine_that_cannot_is_not_asked() {
    let setup = Setup::with_file("limits = []");
    let server = setup.start();
    let boat = made(&server, json!({ "prompt": "a red boat" })).await;
    let refused = order(&server, json!({ "from": boat["id"], "extend": "wide" })).await;
    assert_eq!(refused.status(), 422);
    let page = shown(&server, &format!("/jobs/{}", text(&boat["id"]))).await;
    assert!(!page.contains("name=\"extend\""));
}
