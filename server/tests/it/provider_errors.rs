//! What becomes of each kind of failure of the OpenAI provider's, and when a call
//! is made again.

use serde_json::{Value, json};

use crate::provider::{IMPATIENT, refusal, studio, studio_with};
use crate::support::{Answer, Atelier, Setup, text};

async fn failed(server: &Atelier, job: &Value) -> Value {
    let job = server.finished(job).await;
    assert_eq!(job["status"], "failed", "{job}");
    assert!(job["images"].as_array().unwrap().is_empty());
    assert!(job["cost_usd"].is_null());
    job
}

fn outage() -> Answer {
    refusal(
        500,
        "server_error",
        "",
        "The server had an error while processing your request.",
    )
}

#[tokio::test]
async fn what_no_repetition_mends_fails_at_once() {
    let cases = [
        (
            refusal(429, "insufficient_quota", "credit_balance_exhausted", "x"),
            "provider_credit_exhausted",
            "credit",
        ),
        (
            refusal(
                400,
                "image_generation_user_error",
                "moderation_blocked",
                "x",
            ),
            "content_refused",
            "unsafe",
        ),
        (
            refusal(
                401,
                "invalid_request_error",
                "invalid_api_key",
                "Incorrect API key: sk-test",
            ),
            "provider_key_refused",
            "key",
        ),
        (
            refusal(
                400,
                "invalid_request_error",
                "invalid_value",
                "No such size.",
            ),
            "provider_refused",
            "No such size.",
        ),
    ];
    for (answer, code, words) in cases {
        let (_setup, openai, server) = studio(vec![answer]).await;
        let job = failed(&server, &server.paint("a lighthouse").await).await;
        let error = &job["error"];
        assert_eq!(
            (&error["code"], &error["retryable"]),
            (&json!(code), &json!(false)),
            "{job}"
        );
        let message = text(&error["message"]);
        assert!(
            message.contains(words) && !message.contains("sk-test"),
            "{message}"
        );
        assert_eq!(
            (openai.calls().len(), &job["attempt"]),
            (1, &json!(1)),
            "{code}"
        );
    }
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    let answers = vec![outage(), outage(), Answer::Garbage("no JSON"), outage()];
    let (_setup, openai, server) = studio_with(IMPATIENT, answers).await;
    let job = server.succeeded(&server.paint("a lighthouse").await).await;
    assert_eq!((openai.calls().len(), &job["attempt"]), (5, &json!(5)));
    assert!(job["error"].is_null(), "{job}");
}

#[tokio::test]
async fn an_error_under_status_200_is_an_error() {
    let told = |kind: &str, message: &str| {
        Answer::Json(json!({ "error": { "type": kind, "message": message, "code": null } }))
    };
    let (_setup, openai, server) =
        studio(vec![told("invalid_request_error", "No such size.")]).await;
    let job = failed(&server, &server.paint("a lighthouse").await).await;
    assert_eq!(job["error"]["code"], "provider_refused");
    assert!(text(&job["error"]["message"]).contains("No such size."));
    assert_eq!(openai.calls().len(), 1);
    let (_setup, openai, server) = studio_with(IMPATIENT, vec![told("server_error", "x")]).await;
    server.succeeded(&server.paint("a lighthouse").await).await;
    assert_eq!(openai.calls().len(), 2);
}

#[tokio::test]
async fn a_job_fails_when_its_attempts_are_used_up() {
    let file = format!("{IMPATIENT}\nattempts = 2");
    let (_setup, openai, server) = studio_with(&file, vec![outage(), outage()]).await;
    let job = failed(&server, &server.paint("a lighthouse").await).await;
    assert_eq!((openai.calls().len(), &job["attempt"]), (2, &json!(2)));
    assert_eq!(
        (&job["error"]["code"], &job["error"]["retryable"]),
        (&json!("provider_failed"), &json!(true))
    );
    // What failed is not remembered: the next visitor gets a call of their own.
    let again = server.succeeded(&server.paint("a lighthouse").await).await;
    assert_eq!((openai.calls().len(), &again["cache"]), (3, &json!("miss")));
}

#[tokio::test]
async fn a_service_that_is_away_is_told_in_words() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let setup = Setup::with_file(&format!("{IMPATIENT}\nattempts = 2"))
        .set("OPENAI_API_KEY", "sk-test")
        .set("OPENAI_BASE_URL", &format!("http://{free}/v1"));
    let server = setup.start();
    let job = failed(&server, &server.paint("a lighthouse").await).await;
    assert_eq!(
        (&job["error"]["code"], &job["attempt"]),
        (&json!("provider_unreachable"), &json!(2))
    );
}
