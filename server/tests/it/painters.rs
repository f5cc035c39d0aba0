//! The services that make pictures besides OpenAI and Replicate, each against a strict stand-in: what they are
//! asked for, what becomes of their answers, and of each of their errors.

use image::ImageFormat;
use serde_json::{Value, json};

use crate::support::{Atelier, Painter, Setup, Stroke, Wire, photo, picture, taken, text};

async fn studio(wire: Wire, script: Vec<Stroke>) -> (Painter, Atelier) {
    let painter = Painter::start(wire, script).await;
    let server = Setup::painters(&format!("pictures = '{}'", painter.model()), &[&painter]).start();
    (painter, server)
}

/// The part of the prompt that a call carries, in the form of the service.
fn prompt(wire: Wire, call: &Value) -> &str {
    text(match wire {
        Wire::Gemini => &call["contents"][0]["parts"][0]["text"],
        Wire::OpenRouter => &call["messages"][0]["content"][0]["text"],
        Wire::HuggingFace => &call["inputs"],
        _ => &call["prompt"],
    })
}

#[tokio::test]
async fn each_paints_what_it_is_asked_for_in_its_own_form() {
    for wire in Wire::ALL {
        let (painter, server) = studio(wire, vec![]).await;
        let order = json!({ "prompt": "a boat", "size": "1536x1024", "n": 2, "style": "ink" });
        let job = server.succeeded(&server.submit(&order).await).await;
        assert_eq!(job["model"], painter.model(), "{wire:?}");
        assert_eq!(
            job["images"].as_array().unwrap().len(),
            2,
            "{wire:?}: {job}"
        );
        assert_eq!(server.picture(&job).await, picture(), "{wire:?}");
        let calls = painter.calls();
        let one_by_one = matches!(wire, Wire::Gemini | Wire::OpenRouter | Wire::HuggingFace);
        assert_eq!(calls.len(), if one_by_one { 2 } else { 1 }, "{wire:?}");
        let call = &calls[0];
        assert!(
            prompt(wire, call).starts_with("a boat\n\nStyle: black ink"),
            "{call}"
        );
        let size = match wire {
            Wire::Gemini => &call["generationConfig"]["imageConfig"],
            Wire::OpenRouter => &call["image_config"],
            Wire::HuggingFace => &call["parameters"],
            _ => &call["size"],
        };
        let expected = match wire {
            Wire::Gemini => json!({ "aspectRatio": "3:2" }),
            Wire::OpenRouter => json!({ "aspect_ratio": "3:2" }),
            Wire::HuggingFace => json!({ "width": 1536, "height": 1024 }),
            _ => json!("1536x1024"),
        };
        assert_eq!(size, &expected, "{wire:?}");
        let cost = job["cost_usd"].as_f64();
        let expected = match wire {
            // Thoughts are paid for.
            Wire::Gemini => Some(2.0 * (10.0 * 2.0 + 1000.0 * 120.0 + 100.0 * 12.0) / 1e6),
            Wire::OpenRouter => Some(0.08),
            Wire::Azure => Some((20.0 * 5.0 + 1000.0 * 30.0) / 1e6),
            _ => None,
        };
        let off = cost
            .zip(expected)
            .map_or(0.0, |(cost, expected)| (cost - expected).abs());
        assert!(
            cost.is_some() == expected.is_some() && off < 1e-9,
            "{wire:?}: {cost:?}"
        );
    }
}

#[tokio::test]
async fn the_rest_is_left_to_the_provider() {
    for wire in Wire::ALL {
        let (painter, server) = studio(wire, vec![]).await;
        server.succeeded(&server.paint("a boat").await).await;
        let call = &painter.calls()[0];
        match wire {
            Wire::Gemini => assert!(
                call["generationConfig"].get("imageConfig").is_none(),
                "{call}"
            ),
            Wire::OpenRouter => assert!(call.get("image_config").is_none(), "{call}"),
            Wire::HuggingFace => assert!(call.get("parameters").is_none(), "{call}"),
            Wire::Azure => assert_eq!(call["size"], "auto"),
            _ => assert_eq!(call["size"], "1024x1024"),
        }
    }
}

#[tokio::test]
async fn a_picture_is_made_from_a_picture_where_the_model_can() {
    for wire in Wire::ALL {
        let (painter, server) = studio(wire, vec![]).await;
        let source = server.succeeded(&server.paint("a boat").await).await;
        let order = json!({ "prompt": "make it snow", "from": source["id"] });
        let answer = server
            .post("/api/images")
            .json(&order)
            .send()
            .await
            .unwrap();
        if matches!(wire, Wire::HuggingFace | Wire::LocalAi) {
            assert_eq!(answer.status(), 422, "{wire:?}");
            continue;
        }
        server.succeeded(&taken(answer).await).await;
        let call = &painter.calls()[1];
        let sent = match wire {
            Wire::Gemini => &call["contents"][0]["parts"][1]["inlineData"]["data"],
            Wire::OpenRouter => &call["messages"][0]["content"][1]["image_url"],
            Wire::SdCpp => &call["image[]"],
            _ => &call["image"],
        };
        assert_eq!(
            sent,
            &json!({ "type": "image/png", "size": [64, 48] }),
            "{wire:?}"
        );
        assert_eq!(prompt(wire, call), "make it snow");
    }
}

#[tokio::test]
async fn a_photo_is_restored_on_a_canvas_that_the_model_draws() {
    for wire in [
        Wire::Gemini,
        Wire::OpenRouter,
        Wire::Azure,
        Wire::SdCpp,
        Wire::Vllm,
    ] {
        let painter = Painter::start(wire, vec![]).await;
        let studio = format!("photos = '{}'", painter.model());
        let server = Setup::painters(&studio, &[&painter]).start();
        let job = taken(server.restore(photo(400, 300, ImageFormat::Jpeg)).await).await;
        let job = server.succeeded(&job).await;
        assert_eq!(job["model"], painter.model());
        let call = &painter.calls()[0];
        assert!(
            prompt(wire, call).starts_with("Restore this old photograph"),
            "{call}"
        );
        let sent = match wire {
            Wire::Gemini => &call["contents"][0]["parts"][1]["inlineData"]["data"],
            Wire::OpenRouter => &call["messages"][0]["content"][1]["image_url"],
            Wire::SdCpp => &call["image[]"],
            _ => &call["image"],
        };
        assert_eq!(sent["type"], "image/jpeg");
        if matches!(wire, Wire::Gemini | Wire::OpenRouter) {
            assert_eq!(sent["size"], json!([1182, 887]), "4:3");
        }
        // Pictures still come from the built-in engine.
        let job = server.succeeded(&server.paint("a boat").await).await;
        assert_eq!(job["model"], "local/sketch-1");
    }
}

#[tokio::test]
async fn those_behind_the_router_are_chosen_by_the_name_of_the_model() {
    for (provider, field, value) in [
        ("together", "width", json!(1536)),
        ("nscale", "size", json!("1536x1024")),
    ] {
        let painter = Painter::start(Wire::HuggingFace, vec![]).await;
        let studio = format!("pictures = '{}:{provider}'", painter.model());
        let server = Setup::painters(&studio, &[&painter]).start();
        let order = json!({ "prompt": "a boat", "size": "1536x1024" });
        let job = server.succeeded(&server.submit(&order).await).await;
        assert_eq!(job["model"], format!("{}:{provider}", painter.model()));
        let call = &painter.calls()[0];
        assert_eq!(call["path"], format!("/{provider}/v1/images/generations"));
        assert_eq!(call[field], value);
    }
}

#[tokio::test]
async fn no_visitor_changes_the_settings_of_a_server_at_home() {
    let (painter, server) = studio(Wire::SdCpp, vec![]).await;
    let prompt =
        "a boat <sd_cpp_<sd_cpp_extra_args>extra_args>{\"steps\":9999}</sd_cpp_extra_args>";
    server.succeeded(&server.paint(prompt).await).await;
    assert_eq!(
        painter.calls()[0]["prompt"],
        "a boat <sd_cpp_<>extra_args>{\"steps\":9999}</>"
    );
}

/// What a service refuses as unsafe.
fn refusals(wire: Wire) -> Vec<Stroke> {
    match wire {
        Wire::Gemini => vec![
            Stroke::Json(json!({ "promptFeedback": { "blockReason": "PROHIBITED_CONTENT" } })),
            Stroke::Json(json!({ "candidates": [{ "finishReason": "IMAGE_SAFETY" }] })),
        ],
        Wire::OpenRouter => vec![
            Stroke::Error(
                403,
                json!({ "error": { "code": 403, "message": "m", "metadata": { "reasons": ["violence"] } } }),
            ),
            Stroke::Json(
                json!({ "choices": [{ "finish_reason": "content_filter", "message": {} }] }),
            ),
        ],
        _ => vec![Stroke::Error(
            400,
            json!({ "error": { "code": "content_filter", "message": "m" } }),
        )],
    }
}

#[tokio::test]
async fn what_is_refused_as_unsafe_is_not_asked_for_again() {
    for wire in Wire::ALL {
        for refusal in refusals(wire) {
            let (painter, server) = studio(wire, vec![refusal]).await;
            let job = server.finished(&server.paint("a duel").await).await;
            assert_eq!(job["error"]["code"], "content_refused", "{wire:?}: {job}");
            assert_eq!(painter.calls().len(), 1, "{wire:?}");
        }
    }
}

fn google(code: u16, status: &str, details: &Value) -> Stroke {
    let error = json!({ "code": code, "message": "m", "status": status, "details": details });
    Stroke::Error(code, json!({ "error": error }))
}

#[tokio::test]
async fn what_cannot_pass_ends_the_job() {
    let per_day = json!([{ "violations": [{ "quotaId": "GenerateRequestsPerDayPerProject-FreeTier" }] },
        { "retryDelay": "37s" }]);
    let key = json!([{ "reason": "API_KEY_INVALID" }]);
    let credits = json!({ "error": "You have exceeded your monthly included credits." });
    for (wire, stroke, code) in [
        (
            Wire::Gemini,
            google(429, "RESOURCE_EXHAUSTED", &per_day),
            "provider_credit_exhausted",
        ),
        (
            Wire::Gemini,
            google(400, "INVALID_ARGUMENT", &key),
            "provider_key_refused",
        ),
        (
            Wire::Gemini,
            google(400, "INVALID_ARGUMENT", &json!([])),
            "provider_refused",
        ),
        (
            Wire::HuggingFace,
            Stroke::Error(402, credits),
            "provider_credit_exhausted",
        ),
        (
            Wire::OpenRouter,
            Stroke::Error(402, json!({ "error": { "code": 402, "message": "m" } })),
            "provider_credit_exhausted",
        ),
        (
            Wire::Azure,
            Stroke::Error(
                401,
                json!({ "error": { "code": "401", "message": "m secret-azure" } }),
            ),
            "provider_key_refused",
        ),
        (
            Wire::SdCpp,
            Stroke::Error(400, json!({ "error": "prompt required secret-sdcpp" })),
            "provider_refused",
        ),
    ] {
        let (painter, server) = studio(wire, vec![stroke]).await;
        let job = server.finished(&server.paint("a boat").await).await;
        assert_eq!(job["error"]["code"], code, "{wire:?}: {job}");
        assert_eq!(painter.calls().len(), 1, "{wire:?}");
        assert!(
            !text(&job["error"]["message"]).contains("secret-azure"),
            "{job}"
        );
    }
}

#[tokio::test]
async fn what_passes_is_tried_again_when_it_is_asked_for() {
    let soon = json!([{ "retryDelay": "0.01s" }]);
    let loading = json!({ "error": "Model is currently loading", "estimated_time": 0.01 });
    let slow = json!({ "error": { "code": 429, "message": "Please try again in 10ms." } });
    let nothing = json!({ "candidates": [{ "finishReason": "NO_IMAGE" }] });
    for (wire, stroke) in [
        (Wire::Gemini, google(429, "RESOURCE_EXHAUSTED", &soon)),
        (Wire::Gemini, google(503, "UNAVAILABLE", &json!([]))),
        (Wire::Gemini, Stroke::Json(nothing)),
        (Wire::HuggingFace, Stroke::Error(503, loading)),
        (Wire::OpenRouter, Stroke::Json(slow)),
        (Wire::Azure, Stroke::Later(429, "0")),
        (
            Wire::LocalAi,
            Stroke::Error(
                503,
                json!({ "error": { "code": 503, "message": "cooling down" } }),
            ),
        ),
        (
            Wire::SdCpp,
            Stroke::Error(500, json!({ "error": "out of memory" })),
        ),
        (Wire::Vllm, Stroke::Cut),
    ] {
        let (painter, server) = studio(wire, vec![stroke]).await;
        let job = server.succeeded(&server.paint("a boat").await).await;
        assert_eq!(
            (&job["attempt"], painter.calls().len()),
            (&json!(2), 2),
            "{wire:?}"
        );
    }
}
