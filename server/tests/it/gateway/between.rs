//! What an upstream does wrong, and what passes between it and the client.

use atelier_upstream_mock::{Behaviour, KEY, Upstream};
use serde_json::{Value, json};

use super::{chat, error, header, site, started, streamed};
use crate::support::{PATIENCE, Setup, text};

/// What is wrong with an answer as a whole.
fn broken() -> Vec<Behaviour> {
    vec![
        Behaviour::Html,
        Behaviour::HalfJson,
        Behaviour::ErrorInside,
        Behaviour::Close,
        Behaviour::CloseMidway,
        Behaviour::GarbageChunks,
        Behaviour::Redirect {
            to: "http://10.255.255.1/v1/chat/completions".into(),
        },
    ]
}

#[tokio::test]
async fn what_an_upstream_does_wrong_is_an_error_of_the_api() {
    for behaviour in broken() {
        let site = site("").await;
        // However often it is tried again.
        site.upstream.then(vec![behaviour.clone(); 20]);
        let answer = site.ask("/chat/completions", &chat("hello")).await;
        let (status, error) = error(answer).await;
        assert_eq!(status / 100, 5, "{behaviour:?}");
        let said = error.to_string();
        assert!(!said.contains("<html>"), "{said}");
        assert!(!said.contains(KEY) && !said.contains("10.255"), "{said}");
    }
}

#[tokio::test]
async fn a_stream_that_breaks_ends_with_an_error_and_not_as_if_done() {
    for behaviour in [
        Behaviour::HalfEvent,
        Behaviour::ErrorInside,
        Behaviour::CloseMidway,
        Behaviour::GarbageChunks,
    ] {
        let site = site("").await;
        site.upstream.then([behaviour.clone()]);
        let body = streamed(chat("hello there"));
        let answer = site.ask("/chat/completions", &body).await;
        assert_eq!(answer.status(), 200, "{behaviour:?}");
        let stream = answer.text().await.unwrap();
        assert!(stream.contains("\"error\""), "{behaviour:?}: {stream}");
        assert!(!stream.contains("[DONE]"), "{behaviour:?}: {stream}");
        let last = stream.trim_end().lines().last().unwrap();
        let data = last.strip_prefix("data: ").unwrap();
        let event: Value = serde_json::from_str(data).unwrap();
        assert!(!text(&event["error"]["message"]).is_empty(), "{event}");
    }
}

/// The site may spend a dollar, and a call costs next to nothing.
#[tokio::test]
async fn usage_that_cannot_be_is_not_charged() {
    let upstream = Upstream::start().await.unwrap();
    let budget = "[[limits]]\nname = 'budget'\nscope = 'global'\nunit = 'usd'\n\
                  algorithm = 'fixed_window'\nquota = 1.0\nwindow = '1d'\n";
    let setup = Setup::with_file(budget)
        .set("OPENAI_API_KEY", KEY)
        .set("OPENAI_BASE_URL", &upstream.url());
    let site = started(setup, upstream, &[]);
    let ask = async |words: &str, stream: bool| {
        let mut body = chat(words);
        body["max_tokens"] = json!(100);
        body["stream"] = json!(stream);
        let answer = site.ask("/chat/completions", &body).await;
        assert_eq!(answer.status(), 200, "{words}");
        answer.bytes().await.unwrap();
    };
    for tokens in [Some(-1), Some(1_000_000_000_000_000_000), None] {
        for stream in [false, true] {
            site.upstream.then([Behaviour::Usage { tokens }]);
            ask(&format!("{tokens:?}"), stream).await;
        }
    }
    for number in 0..5 {
        ask(&format!("number {number}"), false).await;
    }
}

#[tokio::test]
async fn a_body_arrives_to_the_byte() {
    let site = site("").await;
    let body = "{ \"messages\":[{\"role\":\"user\",\"content\":\"caf\\u00e9 \u{1f4a1}\"}],\n\t\
                \"a_field_of_tomorrow\":1.00e0, \"model\" : \"gpt-4o-mini\" }";
    let call = site
        .server
        .post("/v1/chat/completions")
        .bearer_auth(&site.key);
    let call = call.header("content-type", "application/json").body(body);
    let call = call.header("cookie", "session=1");
    let answer = call.header("x-forwarded-for", "203.0.113.9").send().await;
    assert_eq!(answer.unwrap().status(), 200);
    let calls = site.upstream.calls();
    let call = calls
        .iter()
        .find(|call| call.path() == "/v1/chat/completions")
        .unwrap();
    assert_eq!(call.body, body);
    assert_eq!(
        call.header("authorization"),
        Some(&*format!("Bearer {KEY}"))
    );
    for name in ["cookie", "x-forwarded-for", "x-api-key"] {
        assert_eq!(call.header(name), None, "{name}");
    }
}

#[tokio::test]
async fn what_the_upstream_tells_of_itself_goes_no_further() {
    let site = site("").await;
    let answer = site.ask("/chat/completions", &chat("hello")).await;
    for name in ["set-cookie", "openai-organization"] {
        assert_eq!(header(&answer, name), "", "{name}");
    }
    assert_eq!(header(&answer, "cache-control"), "private, no-store");
}

#[tokio::test]
async fn a_client_that_hangs_up_before_the_answer_cancels_the_call() {
    let site = site("").await;
    site.upstream.then([Behaviour::Hang]);
    let body = chat("hello");
    tokio::select! {
        answer = site.ask("/chat/completions", &body) => panic!("it hangs: {answer:?}"),
        () = site.upstream.called("/v1/chat/completions", 1) => {}
    }
    let abandoned = tokio::time::timeout(PATIENCE, site.upstream.abandoned(1)).await;
    abandoned.expect("it goes on");
}

/// The list tells what the operator lets be used, and the name of each leads to it.
#[tokio::test]
async fn models_are_those_of_the_list_that_fit_the_patterns() {
    let upstream = Upstream::start().await.unwrap();
    let file = format!(
        "limits = []\n[[upstreams]]\nname = 'a'\nbase_url = '{}'\napi_key_env = 'A'\n\
         models = ['gpt-*']\n",
        upstream.url()
    );
    let site = started(Setup::with_file(&file).set("A", KEY), upstream, &[]);
    tokio::time::timeout(PATIENCE, site.upstream.called("/v1/models", 1))
        .await
        .unwrap();
    let get = |path: &str| site.server.get(path).bearer_auth(&site.key).send();
    let started = std::time::Instant::now();
    loop {
        let list: Value = get("/v1/models").await.unwrap().json().await.unwrap();
        let names: Vec<_> = list["data"].as_array().unwrap().iter().collect();
        let has = |name: &str| names.iter().any(|model| model["id"] == name);
        assert!(!has("whisper-1"), "{list}");
        if has("gpt-4o-mini") {
            break;
        }
        assert!(started.elapsed() < PATIENCE, "{list}");
    }
    // Served by its pattern, though not listed.
    let answer = get("/v1/models/gpt-of-tomorrow").await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(get("/v1/models/whisper-1").await.unwrap().status(), 404);
}

#[tokio::test]
async fn what_has_a_default_model_needs_none() {
    let site = site("").await;
    let answer = site.ask("/moderations", &json!({"input": "peace"})).await;
    assert_eq!(answer.status(), 200);
    // The upstream knows what it lacks.
    let (status, told) = error(site.ask("/responses", &json!({"input": "hi"})).await).await;
    assert_eq!((status, text(&told["param"])), (400, "model"));
    let sent = site.upstream.calls();
    let sent = sent.iter().find(|call| call.path() == "/v1/responses");
    assert_eq!(sent.unwrap().json(), json!({"input": "hi"}));
}

#[tokio::test]
async fn what_the_gateway_does_not_know_is_passed_on_if_the_operator_wants() {
    for (file, method, unknown) in [
        ("", 405, 404),
        ("[gateway]\npassthrough = true\n", 404, 404),
    ] {
        let site = site(file).await;
        let delete = site.server.delete("/v1/models/gpt-4o-mini");
        let answer = delete.bearer_auth(&site.key).send().await.unwrap();
        assert_eq!(error(answer).await.0, method);
        let get = site.server.get("/v1/responses/resp_of_somebody");
        let answer = get.bearer_auth(&site.key).send().await.unwrap();
        assert_eq!(error(answer).await.0, unknown);
        let passed = site.upstream.calls_to("/v1/responses/resp_of_somebody");
        assert_eq!(passed == 1, method == 404);
    }
}
