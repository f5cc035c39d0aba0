//! Jobs that are not there, or are somebody else's.

use reqwest::Method;
use serde_json::{Value, json};

use super::{by_browser, page, studio};
use crate::support::{Atelier, OpenAi, Setup, problem, taken, text};

#[tokio::test]
async fn an_unknown_job_is_not_found() {
    let (_setup, _openai, server) = studio().await;
    let long = "0".repeat(5000);
    for id in [
        "x",
        "019ab0000000700080000000000000ff",
        "%00",
        "..%2f..%2fsecret",
        "'%20OR%201=1",
        &long,
    ] {
        let path = format!("/api/jobs/{id}");
        for request in [
            server.get(&path),
            server.delete(&path),
            server.get(&format!("{path}?after=0&wait=30")),
        ] {
            let (status, problem) = problem(request.send().await.unwrap()).await;
            assert_eq!(
                (status, text(&problem["code"])),
                (404, "not_found"),
                "{id:.40}"
            );
        }
        let response = by_browser(server.get(&format!("/jobs/{id}")))
            .send()
            .await
            .unwrap();
        assert_eq!(page(response).await.0, 404, "{id:.40}");
    }
}

#[tokio::test]
async fn an_unknown_address_or_method_is_refused() {
    let (_setup, _openai, server) = studio().await;
    assert_eq!(
        problem(server.get("/api/nothing").send().await.unwrap())
            .await
            .0,
        404
    );
    assert_eq!(
        page(by_browser(server.get("/nothing")).send().await.unwrap())
            .await
            .0,
        404
    );
    let request = server
        .client
        .request(Method::PUT, format!("{}/api/images", server.url));
    assert_eq!(problem(request.send().await.unwrap()).await.0, 405);
    assert_eq!(
        page(by_browser(server.get("/api/images")).send().await.unwrap())
            .await
            .0,
        405
    );
}

#[tokio::test]
async fn a_poll_that_makes_no_sense_is_refused() {
    let (_setup, _openai, server) = studio().await;
    let job = server.paint("a boat").await;
    for query in [
        "after=-1",
        "after=soon",
        "after=",
        "wait=1.5",
        "after=99999999999999999999",
    ] {
        let path = format!("/api/jobs/{}?{query}", text(&job["id"]));
        let (status, problem) = problem(server.get(&path).send().await.unwrap()).await;
        assert_eq!(
            (status, text(&problem["code"])),
            (400, "malformed"),
            "{query}"
        );
    }
}

/// "Only cancel", said in another way, must not delete.
#[tokio::test]
async fn a_wish_to_cancel_is_understood_or_refused() {
    let (_setup, _openai, server) = studio().await;
    let job = server.succeeded(&server.paint("a boat").await).await;
    let path = format!("/api/jobs/{}", text(&job["id"]));
    for query in ["cancel=1", "cancel=yes", "cancel=True", "cancel=", "cancel"] {
        let request = server.delete(&format!("{path}?{query}"));
        let (status, problem) = problem(request.send().await.unwrap()).await;
        assert_eq!(
            (status, text(&problem["code"])),
            (400, "malformed"),
            "{query}"
        );
    }
    let kept = server
        .delete(&format!("{path}?cancel=true"))
        .send()
        .await
        .unwrap();
    assert!(
        kept.status() == 200 || kept.status() == 409,
        "{}",
        kept.status()
    );
    assert_eq!(server.job(text(&job["id"])).await["status"], "succeeded");
    let gone = server
        .delete(&format!("{path}?cancel=false"))
        .send()
        .await
        .unwrap();
    assert_eq!(gone.status(), 204);
}

#[tokio::test]
async fn a_page_of_another_site_cannot_order_or_delete() {
    let (_setup, openai, server) = studio().await;
    let job = server.succeeded(&server.paint("a boat").await).await;
    let path = text(&job["url"]).to_owned();
    let order = || {
        server
            .post("/api/images")
            .json(&json!({ "prompt": "a cuckoo's egg" }))
    };
    for request in [
        order().header("sec-fetch-site", "cross-site"),
        order().header("sec-fetch-site", "same-site"),
        order().header("origin", "https://evil.example"),
        order().header("origin", "null"),
        server.delete(&path).header("sec-fetch-site", "cross-site"),
    ] {
        let (status, problem) = problem(request.send().await.unwrap()).await;
        assert_eq!((status, text(&problem["code"])), (403, "cross_origin"));
    }
    assert_eq!(openai.calls().len(), 1);
    assert_eq!(server.job(text(&job["id"])).await, job);
}

/// A proxy may replace `Host`, and over plain HTTP browsers send no `Sec-Fetch-Site`.
#[tokio::test]
async fn a_form_of_our_own_is_taken_behind_a_proxy() {
    let openai = OpenAi::start(vec![]).await;
    let setup = Setup::new().openai(&openai);
    let setup = setup.set("ATELIER_PUBLIC_URL", "http://atelier.example");
    let server = setup.start_at_its_own_address();
    for (origin, status) in [
        ("http://atelier.example", 303),
        ("http://evil.example", 403),
        ("https://atelier.example", 403),
        (server.url.as_str(), 303),
    ] {
        let form = by_browser(server.post("/api/images")).header("origin", origin);
        let form = form.header("content-type", "application/x-www-form-urlencoded");
        let answer = form.body("prompt=a+boat").send().await.unwrap();
        assert_eq!(answer.status(), status, "{origin}");
    }
}

async fn session(server: &Atelier) -> String {
    let first_visit = server.get("/").header("cookie", "");
    let response = by_browser(first_visit).send().await.unwrap();
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"),
        "{cookie}"
    );
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn only_its_owner_may_delete_a_job() {
    let (_setup, _openai, server) = studio().await;
    let (mine, yours) = (session(&server).await, session(&server).await);
    let order = server
        .post("/api/images")
        .header("cookie", &mine)
        .json(&json!({ "prompt": "a boat" }));
    let job = server
        .succeeded(&taken(order.send().await.unwrap()).await)
        .await;
    let path = text(&job["url"]).to_owned();
    let forged = mine.replace('=', "=A");
    for cookie in [&yours, &forged, ""] {
        let request = server.delete(&path).header("cookie", cookie);
        let (status, problem) = problem(request.send().await.unwrap()).await;
        assert_eq!(
            (status, text(&problem["code"])),
            (403, "not_yours"),
            "{cookie}"
        );
    }
    let listed: Value = server
        .get("/api/jobs")
        .header("cookie", &yours)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(listed["jobs"], json!([]));
    let deleted = server
        .delete(&path)
        .header("cookie", &mine)
        .send()
        .await
        .unwrap();
    assert_eq!(deleted.status(), 204);
    assert_eq!(server.get(&path).send().await.unwrap().status(), 404);
    let picture = server
        .get(text(&job["images"][0]["url"]))
        .send()
        .await
        .unwrap();
    assert_eq!(picture.status(), 404);
}
