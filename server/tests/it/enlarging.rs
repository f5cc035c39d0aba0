//! A picture that is enlarged stays one: with its words, among the pictures, counted as one.

use image::ImageFormat;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::input::{by_browser, page};
use crate::support::{Atelier, OpenAi, Setup, photo, problem, taken, text};

async fn painted(server: &Atelier, prompt: &str) -> Value {
    server.succeeded(&server.paint(prompt).await).await
}

async fn ordered(server: &Atelier, body: Value) -> reqwest::Response {
    server.post("/api/images").json(&body).send().await.unwrap()
}

async fn enlarged(server: &Atelier, from: &Value) -> Value {
    let order = json!({ "from": from["id"], "enlarge": 2 });
    server
        .succeeded(&taken(ordered(server, order).await).await)
        .await
}

pub(super) async fn shown(server: &Atelier, path: &str) -> String {
    page(by_browser(server.get(path)).send().await.unwrap())
        .await
        .1
}

fn by_form(id: &str, strength: Option<&str>) -> Form {
    let form = Form::new().text("from", id.to_owned()).text("enlarge", "2");
    match strength {
        Some(strength) => form.text("strength", strength.to_owned()),
        None => form,
    }
}

async fn posted(server: &Atelier, form: Form) -> reqwest::Response {
    let request = server.post("/api/restorations").multipart(form);
    request.send().await.unwrap()
}

#[tokio::test]
async fn it_has_its_words_and_twice_the_sides() {
    let setup = Setup::with_file("limits = []");
    let server = setup.start();
    let order = json!({ "prompt": "a red boat", "style": "ink" });
    let boat = server
        .succeeded(&taken(ordered(&server, order).await).await)
        .await;
    let job = enlarged(&server, &boat).await;
    assert_eq!(
        (&job["kind"], &job["prompt"], &job["images"][0]["width"]),
        (&json!("image"), &json!("a red boat"), &json!(2048))
    );
    assert!(job.get("original").is_none());
    let params = &job["params"];
    assert_eq!(
        (&params["enlarge"], &params["from"], &params["style"]),
        (&json!(2), &boat["id"], &json!("ink"))
    );
    let own = shown(&server, &format!("/jobs/{}", text(&job["id"]))).await;
    assert!(
        own.contains("a red boat") && own.contains("Enlarged"),
        "{own}"
    );
    let pictures = shown(&server, "/gallery?kind=image&q=boat").await;
    assert!(
        pictures.contains("class=\"enlarged\">Enlarged 2x<"),
        "{pictures}"
    );
    let photos = shown(&server, "/gallery?kind=restoration").await;
    assert!(!photos.contains(text(&job["id"])));
    // The same once more has been made.
    let again = taken(ordered(&server, json!({ "from": boat["id"], "enlarge": 2 })).await).await;
    assert_eq!(again["cache"], "exact");
}

#[tokio::test]
async fn a_form_for_photos_enlarges_pictures_as_pictures() {
    let setup = Setup::with_file("limits = []");
    let server = setup.start();
    let boat = painted(&server, "a red boat").await;
    for strength in [Some("0"), None] {
        let answer = posted(&server, by_form(text(&boat["id"]), strength)).await;
        let job = server.succeeded(&taken(answer).await).await;
        assert_eq!(
            (&job["kind"], &job["prompt"]),
            (&json!("image"), &json!("a red boat"))
        );
    }
    // Who wants it repaired as well has a restoration.
    let repaired = posted(&server, by_form(text(&boat["id"]), Some("60"))).await;
    assert_eq!(taken(repaired).await["kind"], "restoration");
    assert_eq!(
        problem(posted(&server, by_form("nobody", None)).await)
            .await
            .0,
        404
    );
    let two =
        by_form(text(&boat["id"]), None).part("photo", Part::bytes(photo(8, 8, ImageFormat::Png)));
    assert_eq!(problem(posted(&server, two).await).await.0, 422);
}

#[tokio::test]
async fn it_counts_as_one_picture_and_no_photo() {
    let limit = |kind: &str| {
        format!(
            "[[limits]]\nname = '{kind}s'\nscope = 'ip'\nunit = 'images'\nalgorithm = 'fixed_window'\n\
             quota = 9\nwindow = '1d'\nactions = ['{kind}']\n"
        )
    };
    let setup = Setup::with_file(&(limit("image") + &limit("restoration")));
    let server = setup.start();
    let boat = painted(&server, "a red boat").await;
    enlarged(&server, &boat).await;
    let limits = server.get("/api/limits").send().await.unwrap();
    let limits: Value = limits.json().await.unwrap();
    let left = |name: &str| {
        let all = limits["limits"].as_array().unwrap();
        let found = all.iter().find(|limit| limit["name"] == name);
        found.unwrap()["remaining"].as_f64().unwrap()
    };
    assert!((left("images") - 7.0).abs() < 1e-9, "{limits}");
    assert!((left("restorations") - 9.0).abs() < 1e-9, "{limits}");
}

#[tokio::test]
async fn it_is_kept_when_photos_are_deleted_and_when_its_source_is() {
    let setup = Setup::with_file("limits = []\n[photos]\nkeep = '1s'");
    let server = setup.start();
    let boat = painted(&server, "a red boat").await;
    let job = enlarged(&server, &boat).await;
    let source = server.delete(&format!("/api/jobs/{}", text(&boat["id"])));
    assert_eq!(source.send().await.unwrap().status(), 204);
    let photo = taken(server.restore(photo(64, 48, ImageFormat::Jpeg)).await).await;
    let photo = server.succeeded(&photo).await;
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
    let address = format!("/api/jobs/{}", text(&photo["id"]));
    while server.get(&address).send().await.unwrap().status() != 404 {
        assert!(tokio::time::Instant::now() < until, "the photo is kept");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let file = server.get(text(&job["images"][0]["url"]));
    assert_eq!(file.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn what_cannot_be_enlarged_is_refused() {
    let setup = Setup::with_file("limits = []");
    let server = setup.start();
    let boat = painted(&server, "a red boat").await;
    for (order, status, code) in [
        (json!({ "from": boat["id"], "enlarge": 3 }), 422, "enlarge"),
        (
            json!({ "from": boat["id"], "enlarge": 2, "style": "ink" }),
            422,
            "enlarge",
        ),
        (
            json!({ "from": boat["id"], "enlarge": 2, "prompt": "a blue boat" }),
            422,
            "enlarge",
        ),
        (
            json!({ "from": boat["id"], "enlarge": 2, "picture": 2 }),
            422,
            "from",
        ),
        (json!({ "from": "nobody", "enlarge": 2 }), 404, "not_found"),
        (json!({ "enlarge": 2 }), 404, "not_found"),
        (json!({ "n": 1 }), 400, "malformed"),
    ] {
        let (told, detail) = problem(ordered(&server, order.clone()).await).await;
        assert_eq!((told, text(&detail["code"])), (status, code), "{order}");
    }
    let strange = reqwest::Client::new().post(format!("{}/api/images", server.url));
    let strange = strange.json(&json!({ "from": boat["id"], "enlarge": 2 }));
    assert_eq!(strange.send().await.unwrap().status(), 403);
}

#[tokio::test]
async fn a_model_that_enlarges_nothing_is_not_asked_to() {
    let openai = OpenAi::start(vec![]).await;
    let setup = Setup::with_file("limits = []").openai(&openai);
    let server = setup.start();
    let boat = painted(&server, "a red boat").await;
    let order = json!({ "from": boat["id"], "enlarge": 2 });
    let (status, told) = problem(ordered(&server, order).await).await;
    assert_eq!((status, text(&told["code"])), (422, "enlarge"));
    assert_eq!(openai.calls().len(), 1);
}
