//! A restored photo is restored again without being sent again, by its owner and while it is there.

use image::{DynamicImage, GenericImageView as _, ImageFormat, Rgb, RgbImage};
use reqwest::{
    Response,
    multipart::{Form, Part},
};
use serde_json::{Value, json};

use super::mask::mask;
use crate::support::{Atelier, OpenAi, Setup, blobs, encode, problem, taken, text};

/// Reddish, with a white line down its middle.
fn scratched() -> Vec<u8> {
    let shade = |x: u32| match x {
        79..81 => [255; 3],
        _ => [160, 100, 90],
    };
    let photo = RgbImage::from_fn(160, 120, |x, _| Rgb(shade(x)));
    encode(&DynamicImage::ImageRgb8(photo), ImageFormat::Png)
}

async fn restored(server: &Atelier) -> Value {
    let job = taken(server.restore(scratched()).await).await;
    server.succeeded(&job).await
}

async fn again(server: &Atelier, of: &Value, fields: &[(&'static str, &'static str)]) -> Response {
    let form = Form::new().text("original", text(&of["id"]).to_owned());
    let form = (fields.iter()).fold(form, |form, (name, value)| form.text(*name, *value));
    let request = server.post("/api/restorations").multipart(form);
    request.send().await.unwrap()
}

async fn further(server: &Atelier, of: &Value, mask: Vec<u8>) -> Response {
    let form = Form::new()
        .text("original", text(&of["id"]).to_owned())
        .part("mask", Part::bytes(mask).file_name("mask.png"));
    let request = server.post("/api/restorations").multipart(form);
    request.send().await.unwrap()
}

async fn picture(server: &Atelier, job: &Value) -> DynamicImage {
    image::load_from_memory(&server.picture(job).await).unwrap()
}

fn is_grey(picture: &DynamicImage) -> bool {
    let grey = |pixel: &Rgb<u8>| pixel[0].abs_diff(pixel[2]) <= 3;
    picture.to_rgb8().pixels().all(grey)
}

#[tokio::test]
async fn the_photo_is_taken_again_and_goes_with_the_last_job_that_has_it() {
    let setup = Setup::with_file("limits = []");
    let mut server = setup.start();
    server.client = server.visitor();
    let first = restored(&server).await;
    let wishes = [("enlarge", "2"), ("monochrome", "true")];
    let job = taken(again(&server, &first, &wishes).await).await;
    let job = server.succeeded(&job).await;
    assert_eq!(job["original"], first["original"]);
    assert_eq!(job["params"]["enlarge"], 2);
    let made = picture(&server, &job).await;
    assert_eq!(made.dimensions(), (320, 240));
    assert!(is_grey(&made) && !is_grey(&picture(&server, &first).await));
    // The same has been made.
    let same = taken(again(&server, &first, &wishes).await).await;
    assert_eq!(same["cache"], "exact");
    for job in [&first, &same] {
        let deleted = server.delete(text(&job["url"])).send().await.unwrap();
        assert_eq!(deleted.status(), 204);
    }
    let original = text(&job["original"]["url"]);
    assert_eq!(server.get(original).send().await.unwrap().status(), 200);
    server.delete(text(&job["url"])).send().await.unwrap();
    assert_eq!(server.get(original).send().await.unwrap().status(), 404);
    assert_eq!(blobs(&setup.data()), Vec::<String>::new());
}

#[tokio::test]
async fn what_is_painted_over_is_repaired_in_the_result() {
    let setup = Setup::with_file("limits = []");
    let mut server = setup.start();
    server.client = server.visitor();
    let first = taken(server.restore(scratched()).await).await;
    let first = server.succeeded(&first).await;
    let grey = taken(again(&server, &first, &[("monochrome", "true")]).await).await;
    let grey = server.succeeded(&grey).await;
    let job = taken(further(&server, &grey, mask(160, 120, 70..90)).await).await;
    let job = server.succeeded(&job).await;
    let params = &job["params"];
    assert_eq!(
        (&params["mask"], &params["monochrome"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(
        job["original"], first["original"],
        "it is compared with the photo"
    );
    let made = picture(&server, &job).await;
    assert!(is_grey(&made), "the rest stays as it was in the result");
    // Larger from there on: what was repaired stays so.
    let wishes = [("enlarge", "2"), ("monochrome", "true")];
    let larger = taken(again(&server, &job, &wishes).await).await;
    let larger = server.succeeded(&larger).await;
    let large = picture(&server, &larger).await.to_rgb8();
    assert_eq!(large.dimensions(), (320, 240));
    let line = |x: u32| large.get_pixel(x, 120)[0];
    assert!(
        line(160).abs_diff(line(40)) < 12,
        "{} {}",
        line(160),
        line(40)
    );
    // What the result of another job was begun with is not kept for it.
    server.delete(text(&grey["url"])).send().await.unwrap();
    let (status, refused) = problem(again(&server, &job, &[]).await).await;
    assert_eq!((status, text(&refused["code"])), (422, "original"));
}

#[tokio::test]
async fn a_model_repairs_further_only_there() {
    let openai = OpenAi::start(vec![]).await;
    let setup = Setup::with_file("limits = []").openai(&openai);
    let server = setup.start();
    let first = restored(&server).await;
    let (width, height) = (&first["images"][0]["width"], &first["images"][0]["height"]);
    let job = taken(further(&server, &first, mask(160, 120, 0..80)).await).await;
    let job = server.succeeded(&job).await;
    let calls = openai.calls();
    let open = calls[1]["mask"]["open"].as_u64().unwrap();
    assert!((48..=51).contains(&open), "{open} % may be drawn");
    let image = &job["images"][0];
    assert_eq!((&image["width"], &image["height"]), (width, height));
    let (before, after) = (picture(&server, &first).await, picture(&server, &job).await);
    let right = |picture: &DynamicImage| picture.to_rgb8().get_pixel(picture.width() - 4, 9)[1];
    assert!(right(&before).abs_diff(right(&after)) < 12);
}

#[tokio::test]
async fn it_is_refused_in_words() {
    let setup = Setup::with_file("limits = []");
    let mut server = setup.start();
    let stranger = server.visitor();
    server.client = server.visitor();
    let first = restored(&server).await;
    let boat = server.succeeded(&server.paint("a boat").await).await;
    for (of, fields, code, words) in [
        (&boat, &[][..], "original", "no photo"),
        (&first, &[("mask", "")], "mask", "First paint over"),
        (&first, &[("mask", "x")], "mask", "not a PNG"),
        (&first, &[("sample", "coffee")], "photo", "one photo"),
    ] {
        let (status, refused) = problem(again(&server, of, fields).await).await;
        assert_eq!((status, text(&refused["code"])), (422, code), "{refused}");
        assert!(text(&refused["detail"]).contains(words), "{refused}");
    }
    // To others it is as if it were not there, and then it is not.
    let mine = std::mem::replace(&mut server.client, stranger);
    let others = problem(again(&server, &first, &[]).await).await;
    server.client = mine;
    server.delete(text(&first["url"])).send().await.unwrap();
    let deleted = problem(again(&server, &first, &[]).await).await;
    for (status, refused) in [others, deleted] {
        assert_eq!((status, text(&refused["code"])), (422, "original"));
        let detail = text(&refused["detail"]);
        assert!(detail.contains("deleted or has expired"), "{detail}");
    }
}

#[tokio::test]
async fn a_part_of_the_repair_is_downloaded() {
    let setup = Setup::with_file("limits = []");
    let mut server = setup.start();
    let stranger = server.visitor();
    server.client = server.visitor();
    let first = restored(&server).await;
    let job = taken(again(&server, &first, &[("monochrome", "true")]).await).await;
    let job = server.succeeded(&job).await;
    let address = format!("/jobs/{}/download?format=png&strength=", text(&job["id"]));
    let mut red = Vec::new();
    for percent in ["0", "50", "100"] {
        let file = server
            .get(&format!("{address}{percent}"))
            .send()
            .await
            .unwrap();
        assert_eq!(file.status(), 200);
        let file = image::load_from_memory(&file.bytes().await.unwrap()).unwrap();
        let Rgb([r, _, b]) = *file.to_rgb8().get_pixel(20, 20);
        red.push(i32::from(r) - i32::from(b));
    }
    assert!(red[0] > 40 && red[2].abs() < 6, "{red:?}");
    assert!((red[1] - red[0] / 2).abs() < 8, "{red:?}");
    let (status, _) = problem(server.get(&format!("{address}101")).send().await.unwrap()).await;
    assert_eq!(status, 400);
    server.client = stranger;
    let hidden = server.get(&format!("{address}50")).send().await.unwrap();
    assert_eq!(hidden.status(), 404);
}
