//! Prompts and their parameters, by JSON and by form.

use serde_json::{Value, json};

use super::{fill_in, page, studio};
use crate::support::{Answer, Atelier, OpenAi, Setup, problem, text};

async fn refused(server: &Atelier, body: &Value) -> (u16, String) {
    let response = server.post("/api/images").json(body).send().await.unwrap();
    let (status, problem) = problem(response).await;
    (status, text(&problem["code"]).to_owned())
}

async fn refused_raw(
    server: &Atelier,
    media_type: &str,
    body: impl Into<reqwest::Body>,
) -> (u16, String) {
    let request = server
        .post("/api/images")
        .header("content-type", media_type);
    let (status, problem) = problem(request.body(body).send().await.unwrap()).await;
    (status, text(&problem["code"]).to_owned())
}

/// Nothing of what was refused may have reached a queue or a provider.
async fn untouched(server: &Atelier, openai: &OpenAi) {
    let jobs: Value = server.json("/api/jobs").await;
    assert_eq!(jobs["jobs"], json!([]));
    assert_eq!(openai.calls().len(), 0);
}

fn bad_prompts() -> [String; 8] {
    let nothing = [String::new(), " \n\t\u{2003}".into()];
    let unseen = [
        "\u{200b}\u{feff} \u{2060}".into(),
        "\u{ad}\u{200d}\u{fe0f}".into(),
    ];
    let too_long = ["x".repeat(33_000), "ä🖼".repeat(16_500)];
    let control = ["a\u{0}b".into(), "a \u{1b}[31mred boat".into()];
    [nothing, unseen, too_long, control]
        .concat()
        .try_into()
        .unwrap()
}

#[tokio::test]
async fn bad_prompts_are_refused_as_json() {
    let (_setup, openai, server) = studio().await;
    for prompt in bad_prompts() {
        let refusal = refused(&server, &json!({ "prompt": prompt })).await;
        assert_eq!(refusal, (422, "prompt".into()), "{prompt:.20}");
    }
    untouched(&server, &openai).await;
}

#[tokio::test]
async fn bad_prompts_are_refused_as_a_page() {
    let (_setup, openai, server) = studio().await;
    for prompt in bad_prompts() {
        let (status, page) = page(fill_in(&server, &[("prompt", &prompt)]).await).await;
        assert_eq!(status, 422, "{prompt:.20}");
        assert!(page.contains("The prompt"), "{page}");
    }
    untouched(&server, &openai).await;
}

#[tokio::test]
async fn the_longest_prompt_is_taken_whole() {
    let (_setup, openai, server) = studio().await;
    let prompt = "🖼".repeat(32_000);
    server.succeeded(&server.paint(&prompt).await).await;
    assert_eq!(openai.calls()[0]["prompt"], prompt);
    // Nine characters of a form for each byte of the prompt, and still taken.
    let response = fill_in(&server, &[("prompt", &prompt)]).await;
    assert_eq!(response.status(), 303);
}

#[tokio::test]
async fn bad_parameters_are_refused() {
    let (_setup, openai, server) = studio().await;
    for (field, value) in [
        ("size", json!("big")),
        ("size", json!("1000x1000")),
        ("size", json!("1024x1024x2")),
        ("quality", json!("best")),
        ("style", json!("cubist")),
        ("n", json!(0)),
        ("n", json!(11)),
    ] {
        let refusal = refused(&server, &json!({ "prompt": "a boat", field: value })).await;
        assert_eq!(refusal, (422, field.into()), "{field}: {value}");
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), ToOwned::to_owned);
        let (status, _) =
            page(fill_in(&server, &[("prompt", "a boat"), (field, &value)]).await).await;
        assert_eq!(status, 422, "{field}: {value}");
    }
    untouched(&server, &openai).await;
}

#[tokio::test]
async fn what_is_not_understood_is_refused() {
    let (_setup, openai, server) = studio().await;
    for body in [
        "",
        "{",
        "[]",
        "null",
        "\"a boat\"",
        "{\"prompt\": 7}",
        "{}",
        "{\"prompt\": \"a boat\"} trailing",
        "{\"prompt\": \"a boat\", \"n\": -1}",
        "{\"prompt\": \"a boat\", \"n\": 99999999999}",
        "{\"prompt\": \"a boat\", \"colour\": \"red\"}",
        "{\"prompt\": \"a \\ud800 boat\"}",
        "{\"prompt\": \"a\", \"prompt\": \"b\"}",
    ] {
        let refusal = refused_raw(&server, "application/json", body).await;
        assert_eq!(refusal, (400, "malformed".into()), "{body}");
    }
    let not_utf8 = refused_raw(
        &server,
        "application/json",
        b"{\"prompt\": \"\xff\"}".to_vec(),
    )
    .await;
    assert_eq!(not_utf8, (400, "malformed".into()));
    let deep = "[".repeat(100_000);
    assert_eq!(
        refused_raw(&server, "application/json", deep).await,
        (400, "malformed".into())
    );
    for fields in [
        &[("colour", "red"), ("prompt", "a boat")][..],
        &[("size", "auto")],
        &[],
    ] {
        let (status, _) = page(fill_in(&server, fields).await).await;
        assert_eq!(status, 400, "{fields:?}");
    }
    untouched(&server, &openai).await;
}

#[tokio::test]
async fn other_kinds_of_body_are_refused() {
    let (_setup, openai, server) = studio().await;
    for media_type in ["text/plain", "application/xml", "nonsense"] {
        let refusal = refused_raw(&server, media_type, "{\"prompt\": \"a boat\"}").await;
        assert_eq!(
            refusal,
            (415, "unsupported_media_type".into()),
            "{media_type}"
        );
    }
    let form = "multipart/form-data; boundary=x";
    let refusal = refused_raw(&server, form, "{\"prompt\": \"a boat\"}").await;
    assert_eq!(refusal, (400, "malformed".into()));
    let bare = server
        .post("/api/images")
        .body("{\"prompt\": \"a boat\"}")
        .send()
        .await
        .unwrap();
    assert_eq!(problem(bare).await.0, 415);
    untouched(&server, &openai).await;
}

#[tokio::test]
async fn an_oversize_body_is_refused() {
    let (_setup, openai, server) = studio().await;
    let body = json!({ "prompt": "x".repeat(600_000) }).to_string();
    let refusal = refused_raw(&server, "application/json; charset=utf-8", body).await;
    assert_eq!(refusal, (413, "too_large".into()));
    let (status, _) = page(fill_in(&server, &[("prompt", &"x".repeat(600_000))]).await).await;
    assert_eq!(status, 413);
    untouched(&server, &openai).await;
}

/// A connection closed with unread bytes in it would swallow the answer.
#[tokio::test]
async fn an_answer_arrives_even_when_the_body_is_not_wanted() {
    let (_setup, openai, server) = studio().await;
    let body = || vec![b'x'; 10_000_000];
    for _ in 0..5 {
        let refusal = refused_raw(&server, "application/json", body()).await;
        assert_eq!(refusal, (413, "too_large".into()));
        let refusal = refused_raw(&server, "text/plain", body()).await;
        assert_eq!(refusal, (415, "unsupported_media_type".into()));
        let request = server.post("/api/restorations").body(body());
        let request = request.header("sec-fetch-site", "cross-site");
        assert_eq!(problem(request.send().await.unwrap()).await.0, 403);
        let request = server.post("/api/nothing").body(body());
        assert_eq!(problem(request.send().await.unwrap()).await.0, 405);
    }
    untouched(&server, &openai).await;
}

#[tokio::test]
async fn a_form_leads_to_the_page_of_its_job() {
    let (_setup, openai, server) = studio().await;
    let fields = [
        ("prompt", "a <script>alert(1)</script>\r\nboat"),
        ("size", ""),
        ("quality", "low"),
        ("n", "2"),
    ];
    let response = fill_in(&server, &fields).await;
    assert_eq!(response.status(), 303);
    let way = response.headers()["location"].to_str().unwrap().to_owned();
    let id = way.strip_prefix("/jobs/").unwrap();
    let job = server.succeeded(&server.job(id).await).await;
    assert_eq!(job["images"].as_array().unwrap().len(), 2);
    assert_eq!(
        openai.calls()[0]["prompt"],
        "a <script>alert(1)</script>\nboat"
    );
    let (status, page) = page(super::by_browser(server.get(&way)).send().await.unwrap()).await;
    assert_eq!(status, 200);
    assert!(page.contains(text(&job["images"][1]["url"])), "{page}");
    assert!(
        !page.contains("<script>alert"),
        "a prompt is text, not markup"
    );
}

#[tokio::test]
async fn two_identical_orders_at_the_same_instant_share_one_call() {
    let openai = OpenAi::start(vec![Answer::Hang]).await;
    let setup = Setup::new().openai(&openai);
    let server = setup.start();
    let (one, two) = tokio::join!(server.paint("a boat"), server.paint("a boat"));
    openai.called(1).await;
    openai.release();
    let (one, two) = tokio::join!(server.succeeded(&one), server.succeeded(&two));
    let mut caches = [text(&one["cache"]), text(&two["cache"])];
    caches.sort_unstable();
    assert_eq!(caches, ["joined", "miss"]);
    assert_eq!(server.picture(&one).await, server.picture(&two).await);
    assert_eq!(openai.calls().len(), 1);
}
