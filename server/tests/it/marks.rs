//! Favourites and folders, by forms and by the API.

use image::ImageFormat;
use reqwest::Response;
use serde_json::Value;

use super::input::{by_browser, page};
use crate::support::{Atelier, Setup, photo, problem, redis_database, taken, text};

async fn painted(server: &Atelier, prompt: &str) -> Value {
    server.succeeded(&server.paint(prompt).await).await
}

async fn mark(server: &Atelier, query: &str, body: &str) -> Response {
    let request = server
        .post(&format!("/api/jobs/mark{query}"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.to_owned());
    request.send().await.unwrap()
}

fn form(jobs: &[&Value], rest: &str) -> String {
    let ids = jobs.iter().map(|job| format!("id={}&", text(&job["id"])));
    ids.collect::<String>() + rest
}

async fn shown(server: &Atelier, query: &str) -> String {
    let request = by_browser(server.get(&format!("/gallery{query}")));
    page(request.send().await.unwrap()).await.1
}

#[tokio::test]
async fn pictures_and_photos_are_marked_and_found_by_that() {
    let redis = Setup::new().set("ATELIER_REDIS_URL", &redis_database().await);
    for setup in [Setup::new(), redis] {
        let server = setup.start();
        let boat = painted(&server, "a red boat").await;
        let fox = painted(&server, "a fox in the snow").await;
        let photo = taken(server.restore(photo(64, 48, ImageFormat::Jpeg)).await).await;
        let photo = server.succeeded(&photo).await;
        assert!(boat.get("favourite").is_none() && boat.get("folder").is_none());
        assert_eq!(
            mark(
                &server,
                "",
                &form(&[&boat, &photo, &boat], "favourite=true")
            )
            .await
            .status(),
            204
        );
        assert_eq!(
            mark(
                &server,
                "",
                &form(&[&boat, &fox], "folder=+Summer++%C3%A9t%C3%A9+")
            )
            .await
            .status(),
            204
        );
        let job = server.job(text(&boat["id"])).await;
        assert_eq!(
            (&job["favourite"], text(&job["folder"])),
            (&true.into(), "Summer été")
        );
        assert_eq!(
            job["version"], boat["version"],
            "a mark is no change of the job"
        );
        let jobs = server.json("/api/jobs").await;
        let of = |index: usize, field: &str| jobs["jobs"][index].get(field).cloned();
        assert_eq!(
            (of(0, "favourite"), of(0, "folder")),
            (Some(true.into()), None)
        );
        assert_eq!(
            (of(1, "favourite"), of(1, "folder")),
            (None, Some("Summer été".into()))
        );
        for (query, boat, fox, photo) in [
            ("?kind=favourite", true, false, true),
            ("?kind=favourite&q=boat", true, false, false),
            ("?folder=Summer+%C3%A9t%C3%A9", true, true, false),
            (
                "?folder=Summer+%C3%A9t%C3%A9&kind=favourite",
                true,
                false,
                false,
            ),
            ("?folder=summer", false, false, false),
            ("?folder=%22%3Cscript%3E", false, false, false),
        ] {
            let page = shown(&server, query).await;
            let has = ["a red boat", "a fox in the snow", "A restored photo"]
                .map(|words| page.contains(words));
            assert_eq!(has, [boat, fox, photo], "{query}");
            assert!(page.contains(">Summer été</option>") && !page.contains("\"<script"));
        }
        mark(
            &server,
            "?favourite=false",
            &form(&[&boat], "folder=ignored"),
        )
        .await;
        mark(&server, "?folder=", &form(&[&boat, &fox], "favourite=true")).await;
        let job = server.job(text(&boat["id"])).await;
        assert!(
            job.get("favourite").is_none() && job.get("folder").is_none(),
            "{job}"
        );
        assert!(!shown(&server, "").await.contains("</option>"));
    }
}

#[tokio::test]
async fn marks_are_refused_that_say_nothing_or_too_much() {
    let setup = Setup::new();
    let server = setup.start();
    let boat = painted(&server, "a red boat").await;
    let long = "x".repeat(61);
    for (rest, code) in [
        ("", "nothing_to_mark"),
        ("favourite=yes", "favourite"),
        ("favourite=", "favourite"),
        ("folder=a%00b", "folder"),
        ("folder=a%1Bb", "folder"),
        (&format!("folder={long}"), "folder"),
    ] {
        let (status, told) = problem(mark(&server, "", &form(&[&boat], rest)).await).await;
        assert_eq!((status, text(&told["code"])), (422, code), "{rest}");
    }
    let (status, told) = problem(mark(&server, "?favourite=true", "").await).await;
    assert_eq!((status, text(&told["code"])), (422, "nothing_chosen"));
    for number in 0..100 {
        let rest = format!("folder={number}");
        assert_eq!(
            mark(&server, "", &form(&[&boat], &rest)).await.status(),
            204,
            "one is left for the next"
        );
    }
    assert_eq!(text(&server.job(text(&boat["id"])).await["folder"]), "99");
    for form in [
        "id=nobody&favourite=true",
        "id=%00%27&folder=a",
        "id=/api/jobs/x?key=y&favourite=true",
    ] {
        assert_eq!(
            problem(mark(&server, "", form).await).await.0,
            404,
            "{form}"
        );
    }
}

#[tokio::test]
async fn nobody_marks_or_sees_marks_of_what_is_not_theirs() {
    let setup = Setup::new();
    let server = setup.start();
    let boat = painted(&server, "a red boat").await;
    mark(&server, "", &form(&[&boat], "favourite=true&folder=secret")).await;
    let stranger = server.visitor();
    let address = format!("{}/api/jobs/{}", server.url, text(&boat["id"]));
    let seen: Value = stranger
        .get(&address)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert!(
        seen.get("favourite").is_none() && seen.get("folder").is_none(),
        "{seen}"
    );
    let theirs = stranger
        .post(format!("{}/api/jobs/mark", server.url))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form(&[&boat], "folder=theirs"));
    assert_eq!(theirs.send().await.unwrap().status(), 404);
    let elsewhere = server
        .post("/api/jobs/mark")
        .header("sec-fetch-site", "cross-site")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(form(&[&boat], "folder=theirs"));
    assert_eq!(elsewhere.send().await.unwrap().status(), 403);
    let page = stranger
        .get(format!("{}/gallery", server.url))
        .send()
        .await
        .unwrap();
    assert!(!page.text().await.unwrap().contains("secret"));
    assert_eq!(
        text(&server.job(text(&boat["id"])).await["folder"]),
        "secret"
    );
}

#[tokio::test]
async fn forms_lead_back_to_where_they_were() {
    let setup = Setup::new();
    let server = setup.start();
    let boat = painted(&server, "a red boat").await;
    for (back, to) in [
        ("/gallery?kind=image%26q=boat", "/gallery?kind=image&q=boat"),
        ("/jobs/1", "/jobs/1"),
        ("//elsewhere.example", "/gallery"),
        ("https://elsewhere.example/gallery", "/gallery"),
        ("/gallery%0D%0Aset-cookie:a=b", "/gallery"),
        ("", "/gallery"),
    ] {
        let request = by_browser(server.post("/api/jobs/mark?favourite=true"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form(&[&boat], &format!("back={back}")));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 303, "{back}");
        assert_eq!(answer.headers()["location"], to, "{back}");
    }
}
