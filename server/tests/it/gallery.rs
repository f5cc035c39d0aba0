//! What one has made: listed, searched, saved and deleted several at a time, in smaller copies.

use std::io::{Cursor, Read as _};

use image::{GenericImageView as _, ImageFormat};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::input::{by_browser, page};
use crate::support::{Atelier, OpenAi, Setup, blobs, photo, problem, taken, text};

async fn painted(server: &Atelier, prompt: &str) -> Value {
    server.succeeded(&server.paint(prompt).await).await
}

async fn shown(server: &Atelier, path: &str) -> String {
    let (status, page) = page(by_browser(server.get(path)).send().await.unwrap()).await;
    assert_eq!(status, 200);
    page
}

async fn chosen(server: &Atelier, path: &str, jobs: &[&Value]) -> reqwest::Response {
    let ids = jobs.iter().map(|job| format!("id={}&", text(&job["id"])));
    let request = server
        .post(path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(ids.collect::<String>());
    request.send().await.unwrap()
}

#[tokio::test]
async fn it_is_searched_by_words_and_kind() {
    let setup = Setup::with_file("limits = []");
    let server = setup.start();
    assert!(shown(&server, "/gallery").await.contains("Nothing yet"));
    painted(&server, "a red boat on a calm sea").await;
    painted(&server, "a fox in the SNOW").await;
    let photo = taken(server.restore(photo(64, 48, ImageFormat::Jpeg)).await).await;
    server.succeeded(&photo).await;
    for (query, boat, fox, photo) in [
        ("", true, true, true),
        ("?q=snow+fox", false, true, false),
        ("?q=sea&kind=image", true, false, false),
        ("?kind=restoration", false, false, true),
        ("?q=%22%3Cscript%3E", false, false, false),
        ("?before=0", false, false, false),
    ] {
        let page = shown(&server, &format!("/gallery{query}")).await;
        let has =
            ["red boat", "fox in the SNOW", "A restored photo"].map(|words| page.contains(words));
        assert_eq!(has, [boat, fox, photo], "{query}");
        assert!(!page.contains("\"<script"));
    }
}

#[tokio::test]
async fn its_pages_follow_each_other() {
    let openai = OpenAi::start(vec![]).await;
    let setup = Setup::with_file("limits = []\n[semantic]\nmode = 'off'").openai(&openai);
    let server = setup.start();
    for number in 0..26 {
        painted(&server, &format!("boat number {number}")).await;
    }
    let first = shown(&server, "/gallery").await;
    assert!(first.contains("boat number 25") && first.contains("boat number 2<"));
    assert!(!first.contains("boat number 1<"));
    let next = first.split("href=\"/gallery?before=").nth(1).unwrap();
    let next = next.split('"').next().unwrap();
    let second = shown(&server, &format!("/gallery?before={next}")).await;
    assert!(second.contains("boat number 1<") && second.contains("boat number 0<"));
    assert!(!second.contains("boat number 2<") && !second.contains("rel=\"next\""));
}

#[tokio::test]
async fn several_are_saved_as_one_file() {
    let setup = Setup::with_file("limits = []");
    let server = setup.start();
    let boat = painted(&server, "a red boat").await;
    let fox = painted(&server, "a fox").await;
    let answer = chosen(&server, "/api/jobs/zip", &[&boat, &fox, &boat]).await;
    assert_eq!(answer.headers()["content-type"], "application/zip");
    let bytes = answer.bytes().await.unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    assert_eq!(archive.len(), 2);
    let mut first = archive.by_index(0).unwrap();
    assert!(first.name().starts_with("a-red-boat-") && first.name().ends_with("-1.png"));
    let mut picture = Vec::new();
    first.read_to_end(&mut picture).unwrap();
    let address = format!("/jobs/{}/download", text(&boat["id"]));
    let saved = server.get(&address).send().await.unwrap();
    assert_eq!(picture, saved.bytes().await.unwrap(), "as if saved alone");
    drop(first);

    chosen(&server, "/api/jobs/delete", &[&fox]).await;
    let answer = chosen(&server, "/api/jobs/zip", &[&boat, &fox]).await;
    let bytes = answer.bytes().await.unwrap();
    assert_eq!(zip::ZipArchive::new(Cursor::new(bytes)).unwrap().len(), 1);
    let (status, _) = problem(chosen(&server, "/api/jobs/zip", &[&fox]).await).await;
    assert_eq!(status, 404);

    let (status, told) = problem(chosen(&server, "/api/jobs/zip", &[]).await).await;
    assert_eq!((status, text(&told["code"])), (422, "nothing_chosen"));
    let many = vec![boat; 300];
    let many: Vec<Value> = many
        .into_iter()
        .enumerate()
        .map(|(i, _)| json!({ "id": i.to_string() }))
        .collect();
    let many: Vec<&Value> = many.iter().collect();
    let (status, told) = problem(chosen(&server, "/api/jobs/zip", &many).await).await;
    assert_eq!((status, text(&told["code"])), (422, "too_many"));
}

/// The names of the files in an archive.
async fn names(answer: reqwest::Response) -> Vec<String> {
    let bytes = answer.bytes().await.unwrap();
    let archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    archive.file_names().map(str::to_owned).collect()
}

#[tokio::test]
async fn pictures_of_the_same_words_are_saved_side_by_side() {
    let openai = OpenAi::start(vec![]).await;
    let setup = Setup::with_file("limits = []").openai(&openai);
    let server = setup.start();
    let order = json!({ "prompt": "a red boat", "n": 2, "fresh": true });
    let mut jobs = Vec::new();
    for _again in 0..2 {
        jobs.push(server.succeeded(&server.submit(&order).await).await);
    }
    let chosen = chosen(&server, "/api/jobs/zip", &[&jobs[0], &jobs[1]]).await;
    let mut names = names(chosen).await;
    assert!(
        names.iter().all(|name| name.starts_with("a-red-boat-")),
        "{names:?}"
    );
    let numbered = |number: &str| names.iter().filter(|name| name.ends_with(number)).count();
    assert_eq!(
        (numbered("-1.png"), numbered("-2.png")),
        (2, 2),
        "{names:?}"
    );
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 4);
}

#[tokio::test]
async fn what_has_no_letters_is_saved_under_a_name() {
    let setup = Setup::with_file("limits = []");
    let server = setup.start();
    let cat = painted(&server, "\u{1f408}\u{200d}\u{2b1b}").await;
    let form = Part::bytes(photo(64, 48, ImageFormat::Jpeg)).file_name("---.jpg");
    let request = server
        .post("/api/restorations")
        .multipart(Form::new().part("photo", form));
    let photo = server
        .succeeded(&taken(request.send().await.unwrap()).await)
        .await;
    let names = names(chosen(&server, "/api/jobs/zip", &[&cat, &photo]).await).await;
    assert!(
        names[0].starts_with("picture-") && names[0].ends_with("-1.png"),
        "{names:?}"
    );
    assert!(names[1].starts_with("photo-restored-"), "{names:?}");
}

#[tokio::test]
async fn a_photo_of_any_shape_has_smaller_copies() {
    let setup = Setup::with_file("limits = []");
    let server = setup.start();
    let tower = photo(20, 30_000, ImageFormat::Png);
    let form = Form::new()
        .part("photo", Part::bytes(tower))
        .text("strength", "0");
    let request = server.post("/api/restorations").multipart(form);
    let job = server
        .succeeded(&taken(request.send().await.unwrap()).await)
        .await;
    for image in [&job["images"][0], &job["original"]] {
        let copy = server.get(&format!("{}?width=320", text(&image["url"])));
        let copy = copy.send().await.unwrap();
        assert_eq!(copy.status(), 200);
        let copy = image::load_from_memory(&copy.bytes().await.unwrap()).unwrap();
        assert_eq!(copy.dimensions(), (11, 16_383));
    }
}

#[tokio::test]
async fn several_are_deleted_with_their_copies() {
    let setup = Setup::with_file("limits = []");
    let server = setup.start();
    let boat = painted(&server, "a red boat").await;
    let fox = painted(&server, "a fox").await;
    let small = format!("{}?width=320", text(&boat["images"][0]["url"]));
    assert_eq!(server.get(&small).send().await.unwrap().status(), 200);
    for _twice in 0..2 {
        let deleted = chosen(&server, "/api/jobs/delete", &[&boat, &fox]).await;
        assert_eq!(deleted.status(), 204);
    }
    assert_eq!(blobs(&setup.data()), Vec::<String>::new());
    assert_eq!(server.get(&small).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn pictures_have_smaller_copies() {
    let setup = Setup::with_file("limits = []");
    let server = setup.start();
    let boat = painted(&server, "a red boat").await;
    let url = text(&boat["images"][0]["url"]);
    for (asked, got) in [(320, 320), (1280, 1024)] {
        let copy = server.get(&format!("{url}?width={asked}"));
        let copy = copy.send().await.unwrap();
        assert_eq!(copy.headers()["content-type"], "image/webp");
        assert!(
            copy.headers()["cache-control"]
                .to_str()
                .unwrap()
                .contains("immutable")
        );
        let copy = image::load_from_memory(&copy.bytes().await.unwrap()).unwrap();
        assert_eq!(copy.dimensions(), (got, got));
    }
    let preview = server.get(&format!("{url}?preview=jpeg"));
    let preview = preview.send().await.unwrap();
    assert_eq!(preview.headers()["content-type"], "image/jpeg");
    let preview = preview.bytes().await.unwrap();
    assert!(preview.len() <= 300_000);
    assert_eq!(
        image::load_from_memory(&preview).unwrap().dimensions(),
        (1024, 1024)
    );
    let page = server.get(&format!("/jobs/{}", text(&boat["id"])));
    let page = page.send().await.unwrap().text().await.unwrap();
    let shared = format!("{url}?preview=jpeg\" property=\"og:image\"");
    assert!(page.contains(&shared), "{page}");
    for wrong in ["0", "321", "99999", "x"] {
        let answer = server
            .get(&format!("{url}?width={wrong}"))
            .send()
            .await
            .unwrap();
        assert_eq!(problem(answer).await.0, 400, "{wrong}");
    }
}
