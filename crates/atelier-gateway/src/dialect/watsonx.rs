//! IBM watsonx.ai, its own API: paths of its own, a version in every address, the project in
//! every body, and refusals of fields that it does not know.

use serde_json::{Map, Value, json};

use super::{Auth, Base, Listing, Row, StreamUsage};
use crate::{Endpoint, call::Rewrite, upstream::UpstreamConfig};

/// The version of the API that this is written for.
const VERSION: &str = "2026-10-01";

/// A quota that is spent comes as a 403.
pub(super) const FINALS: &[&str] = &["token_quota_reached"];

pub(super) const ROW: Row = Row {
    name: "watsonx",
    base: Base::Of(|config| {
        if config.project_id.is_none() && config.space_id.is_none() {
            return Err("project_id");
        }
        Ok(format!("{}/ml/v1", host(config)?))
    }),
    auth: Auth::Ibm,
    query: |config| {
        let version = config.api_version.as_deref().unwrap_or(VERSION);
        Some(format!("version={version}"))
    },
    path: |path, stream| match (path, stream) {
        ("/chat/completions", false) => Some("/text/chat"),
        ("/chat/completions", true) => Some("/text/chat_stream"),
        ("/embeddings", _) => Some("/text/embeddings"),
        _ => None,
    },
    usage: StreamUsage::Told,
    drops: &[
        "encoding_format",
        "metadata",
        "parallel_tool_calls",
        "prompt_cache_key",
        "prompt_cache_retention",
        "safety_identifier",
        "service_tier",
        "store",
        "stream",
        "user",
    ],
    renames: &[
        ("max_completion_tokens", "max_tokens"),
        ("model", "model_id"),
    ],
    rewrite: Some(rewrite),
    answer: Some(answer),
    listing: Listing::Listed {
        path: "/foundation_model_specs",
        list: "resources",
        id: "model_id",
        prefix: "",
        without: &[],
        headers: &[],
    },
    finals: FINALS,
    ..Row::OPENAI
};

pub(super) fn host(config: &UpstreamConfig) -> Result<String, &'static str> {
    let region = config.region.as_ref().ok_or("region")?;
    Ok(format!("https://{region}.ml.cloud.ibm.com"))
}

fn rewrite(body: &mut Rewrite<'_>, endpoint: Endpoint, config: &UpstreamConfig) {
    let place = [
        ("project_id", &config.project_id),
        ("space_id", &config.space_id),
    ];
    let named = place
        .into_iter()
        .find_map(|(name, id)| Some((name, id.as_ref()?)));
    if let Some((name, id)) = named {
        body.set(name, &Value::from(id.as_str()));
    }
    if endpoint == Endpoint::Embeddings {
        return inputs(body);
    }
    if let Some(choice @ Value::String(_)) = body.read("tool_choice") {
        body.remove("tool_choice");
        body.set("tool_choice_option", &choice);
    }
    if let Some(mut tools) = body.read("tools") {
        without_strictness(&mut tools);
        body.set("tools", &tools);
    }
}

/// Texts to be embedded come as a list.
fn inputs(body: &mut Rewrite<'_>) {
    let texts = match body.read("input") {
        Some(text @ Value::String(_)) => json!([text]),
        Some(texts) => texts,
        None => return,
    };
    body.remove("input");
    body.set("inputs", &texts);
}

/// Schemas of tools must not say what else they allow.
fn without_strictness(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(without_strictness),
        Value::Object(members) => {
            members.remove("strict");
            members.remove("additionalProperties");
            members.values_mut().for_each(without_strictness);
        }
        _ => {}
    }
}

fn answer(value: &mut Value, endpoint: Endpoint, is_event: bool) {
    let Some(members) = value.as_object_mut() else {
        return;
    };
    if let Some(model) = members.remove("model_id") {
        members.entry("model").or_insert(model);
    }
    match endpoint {
        Endpoint::Embeddings => embeddings(members),
        Endpoint::ChatCompletions if members.contains_key("choices") => {
            let kind = if is_event {
                "chat.completion.chunk"
            } else {
                "chat.completion"
            };
            members.insert("object".to_owned(), kind.into());
        }
        _ => {}
    }
}

fn embeddings(members: &mut Map<String, Value>) {
    let Some(Value::Array(results)) = members.remove("results") else {
        return;
    };
    let data = results.into_iter().enumerate().map(|(index, mut result)| {
        let embedding = result["embedding"].take();
        json!({ "object": "embedding", "index": index, "embedding": embedding })
    });
    let data: Value = data.collect();
    members.insert("data".to_owned(), data);
    members.insert("object".to_owned(), "list".into());
    if let Some(count) = members.remove("input_token_count") {
        let usage = json!({ "prompt_tokens": count, "total_tokens": count });
        members.insert("usage".to_owned(), usage);
    }
}
