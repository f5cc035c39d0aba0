//! Moderations: whatever speaks of violence is flagged.

use serde_json::{Map, Value, json};

use crate::{call::Call, reply::Reply, route::Answer, upstream::Shared};

const CATEGORIES: [&str; 13] = [
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
];

pub(crate) fn create(shared: &Shared, call: &Call) -> Answer {
    let fields = call.fields()?;
    let inputs = match fields.required("input")? {
        Value::Array(inputs) => inputs.clone(),
        one => vec![one.clone()],
    };
    let results: Vec<Value> = inputs.iter().map(judge).collect();
    let id = format!("modr-{}", shared.number());
    Ok(Reply::Json(json!({
        "id": id, "model": "omni-moderation-latest", "results": results,
    })))
}

fn judge(input: &Value) -> Value {
    let is_violent = input.to_string().contains("violence");
    let of_each = |value: &dyn Fn(bool) -> Value| -> Map<String, Value> {
        let each = CATEGORIES.iter();
        each.map(|name| ((*name).into(), value(is_violent && *name == "violence")))
            .collect()
    };
    json!({
        "flagged": is_violent,
        "categories": of_each(&|flagged| json!(flagged)),
        "category_scores": of_each(&|flagged| json!(if flagged { 0.9 } else { 0.01 })),
        "category_applied_input_types": of_each(&|_| json!(["text"])),
    })
}
