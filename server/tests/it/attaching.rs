//! Pictures attached to a prompt: what is made of them, and whose they are.

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use reqwest::{
    Response,
    multipart::{Form, Part},
};
use serde_json::{Value, json};

use super::{mask::mask, provider::studio};
use crate::support::{Atelier, OpenAi, Setup, blobs, encode, photo, problem, taken, text};

fn small() -> Vec<u8> {
    photo(160, 120, ImageFormat::Jpeg)
}

fn with(prompt: &'static str, pictures: impl IntoIterator<Item = Vec<u8>>) -> Form {
    let form = Form::new().text("prompt", prompt);
    let part = |bytes| Part::bytes(bytes).file_name("a.jpg");
    (pictures.into_iter()).fold(form, |form, bytes| form.part("image", part(bytes)))
}

async fn send(server: &Atelier, form: Form) -> Response {
    let request = server.post("/api/images").multipart(form);
    request.send().await.unwrap()
}

async fn made(server: &Atelier, form: Form) -> Value {
    let job = taken(send(server, form).await).await;
    server.succeeded(&job).await
}

async fn status(server: &Atelier, path: &str) -> u16 {
    server.get(path).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_picture_is_made_from_those_that_are_attached() {
    let (_setup, openai, server) = studio(vec![]).await;
    let two = || {
        with(
            "both in one room",
            [small(), photo(64, 64, ImageFormat::Png)],
        )
    };
    let job = made(&server, two().text("quality", "low").text("n", "2")).await;
    assert_eq!(job["params"]["attached"], 2);
    assert_eq!(job["images"].as_array().unwrap().len(), 2);
    let call = &openai.calls()[0];
    let sides: Vec<_> = (call["images"].as_array().unwrap().iter())
        .map(|image| (image["size"].clone(), image["type"].clone()))
        .collect();
    let jpeg = || json!("image/jpeg");
    assert_eq!(
        sides,
        [(json!([160, 120]), jpeg()), (json!([64, 64]), jpeg())]
    );
    assert_eq!(
        (&call["prompt"], &call["quality"]),
        (&json!("both in one room"), &json!("low"))
    );

    // The content counts, and the order; the same again has been made.
    let same = two().text("quality", "low").text("n", "2");
    assert_eq!(taken(send(&server, same).await).await["cache"], "exact");
    let other = with(
        "both in one room",
        [photo(64, 64, ImageFormat::Png), small()],
    );
    let other = other.text("quality", "low").text("n", "2");
    assert_eq!(taken(send(&server, other).await).await["cache"], "miss");
    let none = with("both in one room", [])
        .text("quality", "low")
        .text("n", "2");
    let none = taken(send(&server, none).await).await;
    assert_eq!(
        (&none["cache"], &none["params"]["attached"]),
        (&json!("miss"), &json!(null))
    );
}

#[tokio::test]
async fn they_are_their_owners_and_go_with_the_picture() {
    let (setup, openai, mut server) = studio(vec![]).await;
    let stranger = server.visitor();
    server.client = server.visitor();
    let job = made(&server, with("at night", [small()])).await;
    let attached = text(&job["attached"][0]["url"]).to_owned();
    assert_eq!(status(&server, &attached).await, 200);
    let page = server.get(&format!("/jobs/{}", text(&job["id"])));
    let page = page.header("accept", "text/html").send().await.unwrap();
    assert!(page.text().await.unwrap().contains(&attached));

    // Again, without sending them.
    let order = json!({ "prompt": "at noon", "attached": job["id"] });
    let again = server
        .post("/api/images")
        .json(&order)
        .send()
        .await
        .unwrap();
    let again = server.succeeded(&taken(again).await).await;
    assert_eq!(again["attached"], job["attached"]);
    assert_eq!(openai.calls()[1]["image"]["size"], json!([160, 120]));

    // Others see the picture, and not what it was made from.
    let mine = std::mem::replace(&mut server.client, stranger);
    let seen = server.get(text(&job["url"])).send().await.unwrap();
    let seen: Value = seen.json().await.unwrap();
    assert_eq!(
        (&seen["params"]["attached"], &seen["attached"]),
        (&json!(1), &json!(null))
    );
    let page = server.get(&format!("/jobs/{}", text(&job["id"])));
    let page = page.header("accept", "text/html").send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(
        !page.contains(&attached) && !page.contains("Paint again"),
        "{page}"
    );
    let refused = problem(
        server
            .post("/api/images")
            .json(&order)
            .send()
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(refused.0, 403);
    let theirs = made(&server, with("at night", [small()])).await;
    assert_eq!(theirs["cache"], "miss", "nobody learns what others have");
    server.delete(text(&theirs["url"])).send().await.unwrap();
    server.client = mine;

    for (job, left) in [(&job, 200), (&again, 404)] {
        let deleted = server.delete(text(&job["url"])).send().await.unwrap();
        assert_eq!(deleted.status(), 204);
        assert_eq!(status(&server, &attached).await, left);
    }
    assert_eq!(blobs(&setup.data()), Vec::<String>::new());
    let gone = problem(
        server
            .post("/api/images")
            .json(&order)
            .send()
            .await
            .unwrap(),
    )
    .await;
    assert_eq!((gone.0, text(&gone.1["code"])), (422, "attached"));
}

#[tokio::test]
async fn only_a_part_of_one_is_changed() {
    let (_setup, openai, server) = studio(vec![]).await;
    let green = RgbImage::from_pixel(160, 120, Rgb([10, 200, 30]));
    let green = encode(&DynamicImage::ImageRgb8(green), ImageFormat::Png);
    let form = || {
        let mask = Part::bytes(mask(160, 120, 0..80)).file_name("mask.png");
        with("a window", [green.clone()]).part("mask", mask)
    };
    let job = made(&server, form().text("size", "1024x1024")).await;
    let image = &job["images"][0];
    assert_eq!(
        (&image["width"], &image["height"]),
        (&json!(160), &json!(120))
    );
    assert_eq!(job["params"]["mask"], true);
    let call = &openai.calls()[0];
    let open = call["mask"]["open"].as_u64().unwrap();
    assert!((47..=51).contains(&open), "{open} % may be drawn");
    assert_eq!(call["prompt"], "a window");
    let made = image::load_from_memory(&server.picture(&job).await).unwrap();
    let made = made.into_rgb8();
    assert!(
        made.get_pixel(150, 60)[1].abs_diff(200) < 12,
        "the right half is as it was"
    );
    assert!(
        made.get_pixel(10, 60)[1].abs_diff(200) >= 12,
        "the left one is the model's"
    );
    let two = form().part("image", Part::bytes(small()).file_name("b.jpg"));
    let (status, refused) = problem(send(&server, two).await).await;
    assert_eq!((status, text(&refused["code"])), (422, "mask"));
}

#[tokio::test]
async fn what_cannot_be_attached_is_refused_and_not_kept() {
    let (setup, openai, server) = studio(vec![]).await;
    let boat = server.succeeded(&server.paint("a boat").await).await;
    let kept = blobs(&setup.data()).len();
    let one = || with("at night", [small()]);
    let five = with("at night", (0..5).map(|_| small()));
    let damaged = with("at night", [small(), b"no picture".to_vec()]);
    let from = one().text("from", text(&boat["id"]).to_owned());
    let lonely = Part::bytes(mask(160, 120, 0..80)).file_name("mask.png");
    for (form, status, code) in [
        (five, 422, "image"),
        (damaged, 415, "photo_type"),
        (with("at night", [Vec::new()]), 422, "photo_empty"),
        (from, 422, "image"),
        (one().text("colour", "red"), 400, "malformed"),
        (with(" ", [small()]), 422, "prompt"),
        (with("at night", []).part("mask", lonely), 422, "mask"),
    ] {
        let (got, refused) = problem(send(&server, form).await).await;
        assert_eq!((got, text(&refused["code"])), (status, code), "{refused}");
    }
    assert_eq!(blobs(&setup.data()).len(), kept);
    assert_eq!(openai.calls().len(), 1);
    // A browser sends a field without a file like this.
    let empty = Part::bytes(Vec::new()).file_name("");
    let job = made(&server, with("a ship", []).part("image", empty)).await;
    assert_eq!(job["params"]["attached"], json!(null));
}

#[tokio::test]
async fn an_engine_that_draws_from_words_alone_takes_none() {
    let setup = Setup::with_file("limits = []");
    let server = setup.start();
    let (status, refused) = problem(send(&server, with("at night", [small()])).await).await;
    assert_eq!((status, text(&refused["code"])), (422, "image"));
    let page = server
        .get("/")
        .header("accept", "text/html")
        .send()
        .await
        .unwrap();
    assert!(!page.text().await.unwrap().contains("name=\"image\""));
}

#[tokio::test]
async fn the_page_says_what_they_cost_and_who_gets_them() {
    let openai = OpenAi::start(vec![]).await;
    let setup = Setup::with_file("limits = []").openai(&openai);
    let server = setup.start();
    let page = server
        .get("/")
        .header("accept", "text/html")
        .send()
        .await
        .unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains("Each adds about $"), "{page}");
    assert!(page.contains("multipart/form-data") && page.contains("sent to OpenAI"));
}
