//! The form around a photo.

use image::ImageFormat;
use reqwest::multipart::{Form, Part};

use super::{by_browser, page, photos::nothing_left, studio};
use crate::support::{Atelier, form, photo, problem, text};

async fn refused_form(server: &Atelier, form: Form) -> (u16, String) {
    let response = server
        .post("/api/restorations")
        .multipart(form)
        .send()
        .await
        .unwrap();
    let (status, problem) = problem(response).await;
    (status, text(&problem["code"]).to_owned())
}

#[tokio::test]
async fn a_form_that_is_not_right_is_refused() {
    let (setup, openai, server) = studio().await;
    let photo = || photo(64, 48, ImageFormat::Jpeg);
    for (form, status, code) in [
        (form(photo()).text("colour", "red"), 422, "unknown_field"),
        (Form::new(), 400, "malformed"),
        (Form::new().text("enlarge", "2"), 422, "photo"),
        (
            form(photo()).part("photo", Part::bytes(photo()).file_name("two.jpg")),
            422,
            "photo",
        ),
        (form(photo()).text("enlarge", "3"), 422, "enlarge"),
        (
            form(photo()).text("enlarge", "2".repeat(200_000)),
            400,
            "malformed",
        ),
        (form(photo()).text("fresh", "perhaps"), 422, "fresh"),
        (form(photo()).text("strength", "101"), 422, "strength"),
        (form(photo()).text("strength", "-1"), 422, "strength"),
        (form(photo()).text("monochrome", "grey"), 422, "monochrome"),
    ] {
        assert_eq!(refused_form(&server, form).await, (status, code.into()));
    }
    let json = server
        .post("/api/restorations")
        .json(&serde_json::json!({ "photo": "none" }));
    assert_eq!(problem(json.send().await.unwrap()).await.0, 415);
    let cut = server
        .post("/api/restorations")
        .header("content-type", "multipart/form-data; boundary=x");
    let cut = cut.body(
        "--x\r\ncontent-disposition: form-data; name=\"photo\"; filename=\"a.jpg\"\r\n\r\nhalf",
    );
    assert_eq!(problem(cut.send().await.unwrap()).await.0, 400);
    nothing_left(&setup);
    assert_eq!(openai.calls().len(), 0);
}

/// As a browser without JavaScript does when no file was chosen.
#[tokio::test]
async fn a_form_without_a_chosen_file_is_answered_with_a_page() {
    let (setup, _openai, server) = studio().await;
    let nothing = Form::new().part("photo", Part::bytes(vec![]).file_name(""));
    let request = by_browser(server.post("/api/restorations")).multipart(nothing);
    let (status, page) = page(request.send().await.unwrap()).await;
    assert_eq!(status, 422);
    assert!(page.contains("Choose a photo"), "{page}");
    nothing_left(&setup);
}

#[tokio::test]
async fn a_photo_by_form_leads_to_the_page_of_its_job() {
    let (_setup, _openai, server) = studio().await;
    let form = form(photo(64, 48, ImageFormat::WebP))
        .text("enlarge", "1")
        .text("fresh", "");
    let response = by_browser(server.post("/api/restorations"))
        .multipart(form)
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 303);
    let way = response.headers()["location"].to_str().unwrap().to_owned();
    let job = server.job(way.strip_prefix("/jobs/").unwrap()).await;
    server.succeeded(&job).await;
    assert_eq!(
        page(by_browser(server.get(&way)).send().await.unwrap())
            .await
            .0,
        200
    );
}
