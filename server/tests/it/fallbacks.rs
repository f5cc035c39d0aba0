//! Models in the place of others: when another is asked, when none is, and whose answer it is then.

use serde_json::{Value, json};

use crate::support::{
    Answer, Atelier, OPENAI_KEY, OpenAi, Painter, Setup, Stroke, Wire, budget, taken,
};

/// OpenAI's model first, then this painter's.
async fn studio(script: Vec<Answer>, painter: &Painter) -> (Setup, OpenAi, Atelier) {
    let openai = OpenAi::start(script).await;
    let models = format!("pictures = ['openai/gpt-image-2', '{}']", painter.model());
    let setup = Setup::painters(&models, &[painter]).openai(&openai);
    let server = setup.start();
    (setup, openai, server)
}

fn error(status: u16, code: &str) -> Answer {
    let body = json!({ "error": { "message": "m", "code": code } });
    Answer::Error(status, vec![], body)
}

fn later(pause: &'static str) -> Answer {
    Answer::Error(429, vec![("retry-after", pause)], json!({}))
}

#[tokio::test]
async fn another_is_asked_where_one_cannot_answer() {
    for script in [
        error(503, "down"),
        error(429, "insufficient_quota"),
        error(401, "invalid_api_key"),
        later("60"),
    ] {
        let painter = Painter::start(Wire::Gemini, vec![]).await;
        let (_setup, openai, server) = studio(vec![script], &painter).await;
        let job = server.succeeded(&server.paint("a boat").await).await;
        assert_eq!(
            (&job["model"], &job["attempt"]),
            (&json!(painter.model()), &json!(1))
        );
        let cost = job["cost_usd"].as_f64().unwrap();
        assert!((cost - 0.12122).abs() < 1e-9, "what Google charged: {cost}");
        // It is left alone for a while.
        let job = server.succeeded(&server.paint("a mill").await).await;
        assert_eq!(job["model"], painter.model());
        assert_eq!((openai.calls().len(), painter.calls().len()), (1, 2));
    }
}

#[tokio::test]
async fn another_is_asked_where_nobody_listens() {
    let painter = Painter::start(Wire::SdCpp, vec![]).await;
    let models = format!("pictures = ['openai/gpt-image-2', '{}']", painter.model());
    let setup = Setup::painters(&models, &[&painter]).set("OPENAI_API_KEY", OPENAI_KEY);
    let server = setup
        .set("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
        .start();
    let job = server.succeeded(&server.paint("a boat").await).await;
    assert_eq!(job["model"], painter.model());
}

#[tokio::test]
async fn no_other_is_asked_after_a_refusal_nor_after_what_may_be_paid_for() {
    for (answer, code) in [
        (error(400, "moderation_blocked"), Some("content_refused")),
        (error(400, "invalid_value"), Some("provider_refused")),
        (Answer::Cut, None),
        (Answer::Garbage("<html>"), None),
        (error(504, "gateway"), None),
        (later("0"), None),
    ] {
        let painter = Painter::start(Wire::Gemini, vec![]).await;
        let (_setup, openai, server) = studio(vec![answer], &painter).await;
        let job = server.finished(&server.paint("a boat").await).await;
        assert_eq!(job["error"]["code"].as_str(), code, "{job}");
        assert_eq!(job["model"], "openai/gpt-image-2");
        let calls = if code.is_some() { 1 } else { 2 };
        assert_eq!(
            (openai.calls().len(), painter.calls().len()),
            (calls, 0),
            "{job}"
        );
    }
}

#[tokio::test]
async fn a_refusal_of_the_other_is_one() {
    let refusal = json!({ "promptFeedback": { "blockReason": "SAFETY" } });
    let painter = Painter::start(Wire::Gemini, vec![Stroke::Json(refusal)]).await;
    let (_setup, openai, server) = studio(vec![error(503, "down")], &painter).await;
    let job = server.finished(&server.paint("a boat").await).await;
    assert_eq!(job["error"]["code"], "content_refused");
    assert_eq!((openai.calls().len(), painter.calls().len()), (1, 1));
}

#[tokio::test]
async fn whoever_comes_back_first_is_waited_for() {
    let spent = Stroke::Error(402, json!({ "error": "no credit" }));
    let painter = Painter::start(Wire::HuggingFace, vec![spent]).await;
    let (_setup, openai, server) = studio(vec![error(503, "down")], &painter).await;
    let job = server.succeeded(&server.paint("a boat").await).await;
    assert_eq!(
        (&job["model"], &job["attempt"]),
        (&json!("openai/gpt-image-2"), &json!(2))
    );
    assert_eq!((openai.calls().len(), painter.calls().len()), (2, 1));
}

#[tokio::test]
async fn one_that_cannot_do_what_is_asked_for_is_passed_over() {
    let painter = Painter::start(Wire::HuggingFace, vec![]).await;
    let script = vec![Answer::Picture, error(503, "down")];
    let (_setup, openai, server) = studio(script, &painter).await;
    let source = server.succeeded(&server.paint("a boat").await).await;
    let order = json!({ "prompt": "make it snow", "from": source["id"] });
    let job = taken(
        server
            .post("/api/images")
            .json(&order)
            .send()
            .await
            .unwrap(),
    )
    .await;
    let job = server.succeeded(&job).await;
    assert_eq!(job["model"], "openai/gpt-image-2");
    assert_eq!((openai.calls().len(), painter.calls().len()), (3, 0));
}

#[tokio::test]
async fn an_answer_is_found_again_by_the_model_that_made_it() {
    let painter = Painter::start(Wire::SdCpp, vec![]).await;
    let (setup, openai, server) = studio(vec![error(503, "down")], &painter).await;
    let made = server.succeeded(&server.paint("a boat").await).await;
    assert_eq!(made["model"], painter.model());
    server.kill();
    // OpenAI is back, and has painted no such picture. The queue itself joins what is the same for ten seconds.
    let setup = setup.skewed(60);
    let server = setup.start();
    let job = server.succeeded(&server.paint("a boat").await).await;
    assert_eq!(
        (&job["cache"], &job["model"]),
        (&json!("miss"), &json!("openai/gpt-image-2"))
    );
    assert_eq!(openai.calls().len(), 2);
    server.kill();
    let models = format!(
        "limits = []\n[studio]\npictures = '{}'\n{}",
        painter.model(),
        painter.upstream()
    );
    let server = setup.file(&models).start();
    let job = server.succeeded(&server.paint("a boat").await).await;
    assert_eq!(
        (&job["cache"], &job["model"]),
        (&json!("exact"), &made["model"])
    );
    assert_eq!(job["images"][0]["url"], made["images"][0]["url"]);
    assert_eq!(painter.calls().len(), 1);
}

#[tokio::test]
async fn what_the_other_costs_is_charged() {
    let painter = Painter::start(Wire::HuggingFace, vec![]).await;
    let openai = OpenAi::start(vec![error(503, "down")]).await;
    let (model, upstream) = (painter.model(), painter.upstream());
    let file = format!(
        "{}[studio]\npictures = ['openai/gpt-image-2', '{model}']\n\
         prices = [{{ model = '{model}', picture = 0.02 }}]\n{upstream}",
        budget(1)
    );
    let setup = Setup::with_file(&file)
        .with_keys(&[&painter])
        .openai(&openai);
    let server = setup.start();
    let order = json!({ "prompt": "a boat", "size": "1024x1024" });
    let job: Value = server.succeeded(&server.submit(&order).await).await;
    assert_eq!(job["model"], model);
    assert!(job["cost_usd"].is_null(), "nobody has told: {job}");
    server.settled(1.0 - 0.02).await;
}
