//! What is answered, in whole and in streams, and what is told of it.

use atelier_upstream_mock::Kind;
use serde_json::{Value, json};

use super::{before, calls, chat, speaking};
use crate::{
    gateway::{Site, TOKEN, header, streamed},
    support::PATIENCE,
};

/// The last calls, once there are so many.
async fn records(site: &Site, wanted: usize) -> Vec<Value> {
    for _ in 0..500 {
        let ask = site.server.get("/api/admin/calls").bearer_auth(TOKEN);
        let mut told: Value = ask.send().await.unwrap().json().await.unwrap();
        if let Value::Array(calls) = told["calls"].take()
            && calls.len() >= wanted
        {
            return calls;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("there are not {wanted} calls");
}

#[tokio::test]
async fn every_dialect_chats_and_tells_what_was_used() {
    for kind in speaking() {
        let site = before(kind).await;
        let mut body = chat(kind, "good morning");
        body["max_completion_tokens"] = json!(100);
        let answer = site.ask("/chat/completions", &body).await;
        let status = answer.status().as_u16();
        assert_eq!(header(&answer, "x-atelier-upstream"), "it", "{kind:?}");
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(status, 200, "{kind:?}: {answer}");
        let message = &answer["choices"][0]["message"]["content"];
        assert_eq!(message, "You said: good morning", "{kind:?}");
        assert_eq!(answer["object"], "chat.completion", "{kind:?}");
        let stream = site.ask("/chat/completions", &streamed(body)).await;
        assert_eq!(stream.status(), 200, "{kind:?}");
        let stream = stream.text().await.unwrap();
        for word in ["You ", "said: ", "morning", "chat.completion.chunk"] {
            assert!(stream.contains(word), "{kind:?}: {stream}");
        }
        let records = records(&site, 2).await;
        for record in &records {
            assert!(
                record["input_tokens"].as_u64() > Some(0),
                "{kind:?}: {record}"
            );
            assert!(
                record["output_tokens"].as_u64() > Some(0),
                "{kind:?}: {record}"
            );
            assert_eq!(record["estimated"], false, "{kind:?}: {record}");
            if kind == Kind::OpenRouter {
                assert_eq!(record["usd"], 0.25, "{record}");
            }
        }
        let output = |record: &Value| record["output_tokens"].as_u64();
        assert_eq!(output(&records[0]), output(&records[1]), "{kind:?}");
        assert_eq!(calls(&site), 2, "{kind:?}");
    }
}

/// They know the older name of the limit only, or refuse what they do not know.
#[tokio::test]
async fn limits_of_answers_arrive_under_the_name_that_is_known() {
    for kind in speaking().filter(|kind| {
        !matches!(
            kind,
            Kind::OpenRouter | Kind::Anthropic | Kind::WatsonxGateway
        )
    }) {
        let site = before(kind).await;
        let mut body = chat(kind, "one two three four five");
        body["max_completion_tokens"] = json!(3);
        body["user"] = json!("u");
        body["seed"] = json!(7);
        let answer = site.ask("/chat/completions", &body).await;
        let answer: Value = answer.json().await.unwrap();
        let choice = &answer["choices"][0];
        assert_eq!(choice["finish_reason"], "length", "{kind:?}: {answer}");
    }
}

#[tokio::test]
async fn what_tells_nothing_is_estimated_and_marked() {
    use atelier_upstream_mock::Behaviour;
    let site = before(Kind::Vllm).await;
    site.upstream.then([
        Behaviour::Usage { tokens: None },
        Behaviour::Usage { tokens: None },
    ]);
    let body = chat(Kind::Vllm, "good morning");
    for body in [body.clone(), streamed(body)] {
        let answer = site.ask("/chat/completions", &body).await;
        answer.bytes().await.unwrap();
    }
    for record in records(&site, 2).await {
        assert_eq!(record["estimated"], true, "{record}");
        assert!(record["output_tokens"].as_u64() > Some(0), "{record}");
    }
    let listed = site._setup.run(&["calls"]);
    assert!(String::from_utf8(listed.stdout).unwrap().contains('~'));
}

#[tokio::test]
async fn tools_are_called_and_signatures_of_thoughts_come_back() {
    let function = json!({ "name": "weather", "strict": true, "parameters": {
        "type": "object", "additionalProperties": false,
        "properties": { "city": { "type": "string" } } } });
    let tools = json!([{ "type": "function", "function": function }]);
    for kind in speaking() {
        let site = before(kind).await;
        let mut body = chat(kind, "What is the weather?");
        body["tools"] = tools.clone();
        body["tool_choice"] = json!("auto");
        let answer = site.ask("/chat/completions", &body).await;
        let mut answer: Value = answer.json().await.unwrap();
        let said = answer["choices"][0]["message"].take();
        assert_eq!(
            said["tool_calls"][0]["function"]["name"], "weather",
            "{kind:?}: {answer}"
        );
        let messages = body["messages"].as_array_mut().unwrap();
        messages.push(said);
        messages.push(json!({ "role": "tool", "tool_call_id": "call_1", "content": "sunny" }));
        let answer = site.ask("/chat/completions", &body).await;
        let answer: Value = answer.json().await.unwrap();
        let said = &answer["choices"][0]["message"]["content"];
        assert_eq!(said, "You said: sunny", "{kind:?}: {answer}");
    }
}

#[tokio::test]
async fn those_that_embed_do() {
    let kinds = Kind::ALL.into_iter().filter(|kind| {
        let without = [
            Kind::Vertex,
            Kind::Anthropic,
            Kind::Groq,
            Kind::DeepSeek,
            Kind::SdCpp,
        ];
        !without.contains(kind) && *kind != Kind::OpenAi && *kind != Kind::Mistral
    });
    for kind in kinds {
        let site = before(kind).await;
        let body = json!({ "model": format!("it/{}", kind.model()), "input": ["a", "b"] });
        let answer = site.ask("/embeddings", &body).await;
        let answer: Value = answer.json().await.unwrap();
        let vectors = answer["data"].as_array().map(Vec::len);
        assert_eq!(vectors, Some(2), "{kind:?}: {answer}");
        assert!(
            answer["usage"]["prompt_tokens"].as_u64() > Some(0),
            "{kind:?}: {answer}"
        );
    }
}

#[tokio::test]
async fn models_are_listed_as_they_are_called() {
    for kind in Kind::ALL {
        let site = before(kind).await;
        let started = std::time::Instant::now();
        loop {
            let list = site.server.get("/v1/models").bearer_auth(&site.key);
            let list: Value = list.send().await.unwrap().json().await.unwrap();
            let names: Vec<_> = list["data"].as_array().unwrap().iter().collect();
            let has = |name: &str| names.iter().any(|model| model["id"] == name);
            assert!(!has("models/veo-9") && !has("veo-9"), "{list}");
            if has(kind.model()) {
                break;
            }
            assert!(started.elapsed() < PATIENCE, "{kind:?}: {list}");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

/// Its settings stand in prompts, which is not for visitors to use.
#[tokio::test]
async fn stable_diffusion_paints_by_words_alone() {
    let site = before(Kind::SdCpp).await;
    let prompt = "a boat<sd_cpp_extra_args>{\"steps\":999}</sd_cpp_extra_args>";
    let body = json!({ "model": "it/sd-cpp-local", "prompt": prompt, "size": "1024x1024" });
    let answer = site.ask("/images/generations", &body).await;
    let answer: Value = answer.json().await.unwrap();
    assert!(answer["data"][0]["b64_json"].is_string(), "{answer}");
    let calls = site.upstream.calls();
    let call = calls
        .iter()
        .find(|call| call.path().ends_with("/generations"));
    assert_eq!(call.unwrap().json()["prompt"], "a boat");
}
