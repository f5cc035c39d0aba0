//! Pictures at `/v1/images` of upstreams that make them in ways of their own.

use atelier_upstream_mock::{Behaviour, Call, KEY, Kind, Trouble, Upstream};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use reqwest::{
    Response,
    multipart::{Form, Part},
};
use serde_json::{Value, json};

use super::{calls, settings};
use crate::{
    gateway::{Site, error, header, started},
    support::{Setup, picture},
};

/// Those that have such a way.
const OWN: [Kind; 4] = [
    Kind::Gemini,
    Kind::Vertex,
    Kind::HuggingFace,
    Kind::OpenRouter,
];

/// The model that draws there.
fn model(kind: Kind) -> &'static str {
    match kind {
        Kind::HuggingFace => "maker/fast",
        Kind::OpenRouter => "google/gemini-3-pro-image",
        _ => "gemini-3-pro-image",
    }
}

fn order(kind: Kind, prompt: &str) -> Value {
    json!({ "model": format!("it/{}", model(kind)), "prompt": prompt })
}

async fn paint(site: &Site, body: &Value) -> Response {
    site.ask("/images/generations", body).await
}

/// A gateway before such an upstream; its only key may spend so much.
async fn before(kind: Kind, usd: &str) -> Site {
    let upstream = Upstream::start_as(kind).await.unwrap();
    let setup = Setup::new();
    let settings = settings(kind, &upstream, setup.folder.path());
    // The others' are among those that come with Atelier.
    let prices = match kind {
        Kind::HuggingFace => "[[studio.prices]]\nmodel = 'it/*'\npicture = 0.18\n",
        _ => "",
    };
    let file = format!("limits = []\n{prices}[[upstreams]]\n{settings}");
    let setup = setup.file(&file).set("A_KEY", KEY);
    started(setup, upstream, &["--limit", &format!("{usd} usd / 1mo")])
}

/// The bytes of the pictures, each of which must be one.
async fn drawn(answer: Response) -> (Value, Vec<Vec<u8>>) {
    assert_eq!(answer.status(), 200);
    let body: Value = answer.json().await.unwrap();
    let data = body["data"].as_array().unwrap().iter();
    let pictures: Vec<_> = data
        .map(|one| BASE64.decode(one["b64_json"].as_str().unwrap()).unwrap())
        .collect();
    assert!(pictures.iter().all(|one| one.starts_with(b"\x89PNG")));
    (body, pictures)
}

fn cost(answer: &Response) -> f64 {
    header(answer, "x-atelier-cost-usd").parse().unwrap()
}

/// What two pictures cost: what the service says, what the operator does, or by tokens with
/// those that were thought.
fn two_cost(kind: Kind) -> f64 {
    match kind {
        Kind::OpenRouter => 2.0 * 0.25,
        Kind::HuggingFace => 2.0 * 0.18 * 1.5,
        _ => 2.0 * (5.0 * 2.0 + 1_120.0 * 120.0 + 5.0 * 12.0) / 1e6,
    }
}

#[tokio::test]
async fn they_are_made_in_their_own_form_and_told_in_openais() {
    for kind in OWN {
        let site = before(kind, "9").await;
        let mut body = order(kind, "a boat");
        body["n"] = json!(2);
        body["size"] = json!("1536x1024");
        let answer = paint(&site, &body).await;
        assert_eq!(header(&answer, "x-atelier-upstream"), "it", "{kind:?}");
        let usd = cost(&answer);
        let (told, pictures) = drawn(answer).await;
        assert_eq!(pictures.len(), 2, "{kind:?}");
        assert_eq!(told["output_format"], "png", "{kind:?}");
        assert!(
            told["created"].as_i64().unwrap() > 1_700_000_000,
            "{kind:?}"
        );
        let made = site.upstream.calls();
        let bodies = made.iter().map(Call::json).filter(Value::is_object);
        let bodies: Vec<_> = bodies.collect();
        assert_eq!(bodies.len(), 2, "{kind:?}: one by one");
        let first = &bodies[0];
        let (size, expected) = match kind {
            Kind::HuggingFace => (
                &first["parameters"],
                json!({ "width": 1536, "height": 1024 }),
            ),
            Kind::OpenRouter => (&first["image_config"], json!({ "aspect_ratio": "3:2" })),
            _ => (
                &first["generationConfig"]["imageConfig"],
                json!({ "aspectRatio": "3:2" }),
            ),
        };
        assert_eq!(size, &expected, "{kind:?}");
        assert!((usd - two_cost(kind)).abs() < 1e-5, "{kind:?}: {usd}");
        if kind == Kind::HuggingFace {
            continue;
        }
        let used = &told["usage"];
        assert!(used["output_tokens"].as_u64().unwrap() > 2_000, "{kind:?}");
        let sum = used["input_tokens"].as_u64().unwrap() + used["output_tokens"].as_u64().unwrap();
        assert_eq!(used["total_tokens"], sum, "{kind:?}");
    }
}

#[tokio::test]
async fn what_the_operator_says_they_cost_is_charged_where_nobody_tells() {
    let site = before(Kind::HuggingFace, "0.50").await;
    let mut body = order(Kind::HuggingFace, "a boat");
    body["size"] = json!("1024x1024");
    body["n"] = json!(2);
    let answer = paint(&site, &body).await;
    assert!((cost(&answer) - 0.36).abs() < 1e-9);
    drawn(answer).await;
    let (status, _) = error(paint(&site, &body).await).await;
    assert_eq!(status, 429, "0.36 of 0.50 are spent");
    assert_eq!(calls(&site), 2);
}

#[tokio::test]
async fn pictures_are_made_from_pictures_where_the_model_can() {
    for kind in OWN {
        let site = before(kind, "9").await;
        let part = || Part::bytes(picture()).file_name("a.png");
        let form = Form::new()
            .text("model", format!("it/{}", model(kind)))
            .text("prompt", "make it snow")
            .part("image[]", part())
            .part("image[]", part());
        let request = site.server.post("/v1/images/edits").bearer_auth(&site.key);
        let answer = request.multipart(form).send().await.unwrap();
        if kind == Kind::HuggingFace {
            let (status, told) = error(answer).await;
            assert_eq!((status, &told["param"]), (400, &json!("image")));
            assert_eq!(calls(&site), 0);
            continue;
        }
        drawn(answer).await;
        let sent = site.upstream.calls().pop().unwrap().json();
        let parts = match kind {
            Kind::OpenRouter => &sent["messages"][0]["content"],
            _ => &sent["contents"][0]["parts"],
        };
        assert_eq!(parts.as_array().unwrap().len(), 3, "{kind:?}");
        assert_eq!(parts[0]["text"], "make it snow", "{kind:?}");
    }
}

#[tokio::test]
async fn what_is_refused_as_unsafe_is_told_so_and_costs_nothing() {
    for kind in OWN {
        // Enough for what is reserved for one.
        let site = before(kind, "0.30").await;
        for _ in 0..3 {
            site.upstream.then([Behaviour::Trouble(Trouble::Unsafe)]);
            let (status, told) = error(paint(&site, &order(kind, "a duel")).await).await;
            assert_eq!(status, 400, "{kind:?}: {told}");
            assert_eq!(told["code"], "content_policy_violation", "{kind:?}");
            assert_eq!(told["type"], "image_generation_user_error", "{kind:?}");
        }
        assert_eq!(calls(&site), 3, "{kind:?}: each is asked for once");
        drawn(paint(&site, &order(kind, "a boat")).await).await;
    }
}

#[tokio::test]
async fn what_passes_is_tried_again_and_what_is_spent_is_not() {
    for kind in OWN {
        let site = before(kind, "9").await;
        for trouble in [Trouble::Failing, Trouble::Busy { milliseconds: 30 }] {
            let before = calls(&site);
            site.upstream.then([Behaviour::Trouble(trouble)]);
            drawn(paint(&site, &order(kind, "a boat")).await).await;
            assert_eq!(calls(&site) - before, 2, "{kind:?} {trouble:?}");
        }
        let before = calls(&site);
        site.upstream.then([Behaviour::Trouble(Trouble::Spent)]);
        let answer = paint(&site, &order(kind, "a house")).await;
        assert_eq!(header(&answer, "x-should-retry"), "false", "{kind:?}");
        let (status, told) = error(answer).await;
        assert_eq!(
            (status, &told["code"]),
            (429, &json!("insufficient_quota")),
            "{kind:?}"
        );
        assert_eq!(calls(&site) - before, 1, "{kind:?}");
    }
}

#[tokio::test]
async fn a_picture_whose_answer_is_lost_is_not_asked_for_again_and_stays_charged() {
    for kind in OWN {
        let site = before(kind, "0.30").await;
        site.upstream.then([Behaviour::CloseMidway]);
        let body = order(kind, "a boat");
        let answer = paint(&site, &body).await;
        assert_eq!(header(&answer, "x-should-retry"), "false", "{kind:?}");
        let (status, _) = error(answer).await;
        assert_eq!((status, calls(&site)), (502, 1), "{kind:?}");
        let (status, _) = error(paint(&site, &body).await).await;
        assert_eq!(
            (status, calls(&site)),
            (429, 1),
            "{kind:?}: it may have been made"
        );
    }
}

#[tokio::test]
async fn a_stream_has_the_event_of_each_picture() {
    for kind in OWN {
        let site = before(kind, "9").await;
        let mut body = order(kind, "a boat");
        body["stream"] = json!(true);
        body["n"] = json!(2);
        let answer = paint(&site, &body).await;
        assert!(header(&answer, "content-type").starts_with("text/event-stream"));
        let text = answer.text().await.unwrap();
        let events = text.matches("event: image_generation.completed\n");
        assert_eq!(events.count(), 2, "{kind:?}: {text}");
        assert!(text.contains("\"b64_json\":\"iVBOR"), "{kind:?}");
    }
}

#[tokio::test]
async fn what_nobody_can_draw_is_refused_before_it_is_asked_for() {
    for kind in OWN {
        let site = before(kind, "9").await;
        for (name, value) in [
            ("prompt", json!("  ")),
            ("n", json!(11)),
            ("size", json!("huge")),
            ("background", json!("transparent")),
        ] {
            let mut body = order(kind, "a boat");
            body[name] = value;
            let (status, told) = error(paint(&site, &body).await).await;
            assert_eq!((status, &told["param"]), (400, &json!(name)), "{kind:?}");
        }
        assert_eq!(calls(&site), 0, "{kind:?}");
    }
}

#[tokio::test]
async fn the_next_target_draws_if_the_first_has_nothing_left() {
    let (first, second) = (
        Upstream::start_as(Kind::Gemini).await.unwrap(),
        Upstream::start().await.unwrap(),
    );
    let setup = Setup::new();
    let settings = settings(Kind::Gemini, &first, setup.folder.path());
    let setup = setup
        .file(&format!(
            "limits = []\n[[upstreams]]\n{settings}\
             [[upstreams]]\nname = 'other'\nbase_url = '{}'\napi_key_env = 'A_KEY'\n\
             [[models]]\nname = 'draw'\ntargets = ['it/gemini-3-pro-image', 'other/gpt-image-2']\n",
            second.url()
        ))
        .set("A_KEY", KEY);
    first.then([Behaviour::Trouble(Trouble::Spent)]);
    let site = started(setup, first, &[]);
    let body = json!({ "model": "draw", "prompt": "a boat" });
    let answer = paint(&site, &body).await;
    assert_eq!(header(&answer, "x-atelier-upstream"), "other");
    drawn(answer).await;
    let answer = paint(&site, &body).await;
    assert_eq!(header(&answer, "x-atelier-upstream"), "it");
    drawn(answer).await;
    assert_eq!(second.calls_to("/v1/images/generations"), 1);
}
