//! Every refusal says why, in the same shape, whoever in the server refuses.

use reqwest::Method;

use super::studio;
use crate::support::problem;

#[tokio::test]
async fn a_method_that_is_not_taken_is_a_problem_everywhere() {
    let (_setup, _openai, server) = studio().await;
    for path in [
        "/",
        "/restore",
        "/nowhere",
        "/api/images",
        "/api/restorations",
        "/api/limits",
        "/api/jobs",
        "/api/jobs/1",
        "/api/jobs/zip",
        "/api/jobs/1/link",
        "/api/callback",
        "/api/callback/replicate",
        "/images/a.png",
        "/jobs/1/download",
        "/assets/a.js",
        "/healthz",
        "/readyz",
        "/metrics",
    ] {
        let url = format!("{}{path}", server.url);
        let answer = server
            .client
            .request(Method::PUT, url)
            .send()
            .await
            .unwrap();
        assert!(answer.headers().contains_key("allow"), "{path}");
        assert_eq!(problem(answer).await.0, 405, "{path}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_a_problem_everywhere() {
    let (_setup, _openai, server) = studio().await;
    for (path, kind) in [
        ("/api/images", "application/json"),
        ("/api/images", "application/x-www-form-urlencoded"),
        ("/api/jobs/zip", "application/x-www-form-urlencoded"),
        ("/api/jobs/delete", "application/x-www-form-urlencoded"),
        ("/api/callback", "application/json"),
        ("/api/callback/replicate", "application/json"),
    ] {
        let request = server.post(path).header("content-type", kind);
        let answer = request.body("x".repeat(600_000)).send().await.unwrap();
        assert_eq!(problem(answer).await.0, 413, "{path}");
    }
}

#[tokio::test]
async fn a_body_of_another_kind_is_a_problem() {
    let (_setup, _openai, server) = studio().await;
    for path in ["/api/images", "/api/restorations"] {
        for kind in ["text/plain", "multipart/form-data", "image/png", ""] {
            let request = server.post(path).header("content-type", kind);
            let answer = request.body("x").send().await.unwrap();
            assert_eq!(problem(answer).await.0, 415, "{path}: {kind}");
        }
    }
}
