//! Responses: like chat, but stored, and streamed as named and numbered events.

use serde_json::{Value, json};

use super::{CREATED, arguments, cut, reply_to, texts, tokens, words};
use crate::{
    call::{Call, Fields},
    refusal::Refusal,
    reply::{Event, Reply},
    route::Answer,
    schema,
    upstream::{Shared, Stored, lock},
};

pub(crate) fn create(shared: &Shared, call: &Call) -> Answer {
    let fields = call.fields()?;
    let model = fields.model()?;
    let input = input(&fields)?;
    if let Some(earlier) = fields.get("previous_response_id") {
        let id = earlier.as_str().unwrap_or_default();
        stored(shared, id)
            .map_err(|_| Refusal::bad(format!("Previous response with id '{id}' not found.")))?;
    }
    let number = shared.number();
    let (item, is_cut) = item(&fields, &input, number)?;
    let in_background = fields.flag("background")?;
    let mut response = json!({
        "id": format!("resp_{number:08}"), "object": "response", "created_at": CREATED,
        "model": model, "status": "in_progress", "output": [], "error": null,
        "incomplete_details": null, "instructions": fields.get("instructions"),
        "metadata": fields.get("metadata").cloned().unwrap_or_else(|| json!({})),
        "parallel_tool_calls": true, "temperature": 1.0, "top_p": 1.0, "tool_choice": "auto",
        "tools": fields.get("tools").cloned().unwrap_or_else(|| json!([])),
        "previous_response_id": fields.get("previous_response_id"),
        "store": fields.get("store") != Some(&json!(false)), "background": in_background,
        "text": fields.get("text").cloned().unwrap_or_else(|| json!({"format": {"type": "text"}})),
        "truncation": "disabled", "usage": null,
    });
    let begun = response.clone();
    if !in_background {
        finish(&mut response, &item, &input, is_cut);
    }
    if response["store"] == true {
        let id = response["id"].as_str().unwrap_or_default().to_owned();
        let stored = Stored {
            response: response.clone(),
            input,
        };
        lock(&shared.responses).insert(id, stored);
    }
    if fields.flag("stream")? {
        return Ok(Reply::Events(events(&begun, &item, &response)));
    }
    Ok(Reply::Json(response))
}

/// What was put in, as items.
fn input(fields: &Fields) -> Result<Vec<Value>, Refusal> {
    match fields.required("input")? {
        Value::String(text) => {
            let content = json!([{"type": "input_text", "text": text}]);
            Ok(vec![
                json!({"id": "msg_in", "type": "message", "role": "user", "content": content}),
            ])
        }
        Value::Array(items) if !items.is_empty() => Ok(items.clone()),
        other => Err(Refusal::wrong("input", "text or items", other)),
    }
}

/// The one item that comes out, and whether it was cut short.
fn item(fields: &Fields, input: &[Value], number: u64) -> Result<(Value, bool), Refusal> {
    let last = input.last().unwrap_or(&Value::Null);
    let answered = last["type"] == "function_call_output";
    let tools = fields.get("tools").and_then(Value::as_array);
    let function = tools
        .into_iter()
        .flatten()
        .find(|tool| tool["type"] == "function");
    if let (false, Some(function)) = (answered, function) {
        if !function["name"].is_string() {
            return Err(Refusal::missing("tools[0].name"));
        }
        let item = json!({
            "id": format!("fc_{number}"), "type": "function_call", "status": "completed",
            "call_id": format!("call_{number}"), "name": function["name"],
            "arguments": arguments(&function["parameters"]),
        });
        return Ok((item, false));
    }
    let format = fields.get("text").map(|text| &text["format"]);
    let text = match format {
        Some(format) if format["type"] == "json_schema" => {
            schema::instance(&format["schema"]).to_string()
        }
        _ if answered => reply_to(last["output"].as_str().unwrap_or_default()),
        _ => reply_to(&texts(&last["content"])),
    };
    let (text, is_cut) = cut(&text, fields.number("max_output_tokens", 16, 1 << 20)?);
    let content = json!([{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]);
    let item = json!({
        "id": format!("msg_{number}"), "type": "message", "role": "assistant",
        "status": if is_cut { "incomplete" } else { "completed" }, "content": content,
    });
    Ok((item, is_cut))
}

fn finish(response: &mut Value, item: &Value, input: &[Value], is_cut: bool) {
    let input: usize = input
        .iter()
        .map(|one| tokens(&texts(&one["content"])) + 3)
        .sum();
    let said = item["arguments"]
        .as_str()
        .or(item["content"][0]["text"].as_str());
    let output = tokens(said.unwrap_or_default()).max(1);
    response["output"] = json!([item]);
    response["status"] = "completed".into();
    if is_cut {
        response["status"] = "incomplete".into();
        response["incomplete_details"] = json!({"reason": "max_output_tokens"});
    }
    response["usage"] = json!({
        "input_tokens": input, "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": output, "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": input + output,
    });
}

fn events(begun: &Value, item: &Value, done: &Value) -> Vec<Event> {
    let mut events = vec![
        json!({"type": "response.created", "response": begun}),
        json!({"type": "response.in_progress", "response": begun}),
    ];
    if done["status"] != "in_progress" {
        events.extend(item_events(item));
        let kind = format!("response.{}", done["status"].as_str().unwrap_or_default());
        events.push(json!({"type": kind, "response": done}));
    }
    for (number, event) in events.iter_mut().enumerate() {
        event["sequence_number"] = number.into();
    }
    events.into_iter().map(Event::named).collect()
}

/// How one item comes out, piece by piece.
fn item_events(item: &Value) -> Vec<Value> {
    let mut begun = item.clone();
    begun["status"] = "in_progress".into();
    let mut events = Vec::new();
    let mut add = |kind: &str, mut more: Value| {
        more["type"] = format!("response.{kind}").into();
        more["output_index"] = 0.into();
        if !matches!(kind, "output_item.added" | "output_item.done") {
            more["item_id"] = item["id"].clone();
        }
        events.push(more);
    };
    if let Some(arguments) = item["arguments"].as_str() {
        begun["arguments"] = "".into();
        add("output_item.added", json!({"item": begun}));
        for piece in arguments.split_inclusive(':') {
            add("function_call_arguments.delta", json!({"delta": piece}));
        }
        let all = json!({"arguments": arguments, "name": item["name"]});
        add("function_call_arguments.done", all);
    } else {
        let part = &item["content"][0];
        let text = part["text"].as_str().unwrap_or_default();
        begun["content"] = json!([]);
        add("output_item.added", json!({"item": begun}));
        let empty = json!({"type": "output_text", "text": "", "annotations": [], "logprobs": []});
        add(
            "content_part.added",
            json!({"content_index": 0, "part": empty}),
        );
        for word in words(text) {
            let delta = json!({"content_index": 0, "delta": word, "logprobs": []});
            add("output_text.delta", delta);
        }
        add(
            "output_text.done",
            json!({"content_index": 0, "text": text, "logprobs": []}),
        );
        add(
            "content_part.done",
            json!({"content_index": 0, "part": part}),
        );
    }
    add("output_item.done", json!({"item": item}));
    events
}

fn stored(shared: &Shared, id: &str) -> Result<Stored, Refusal> {
    let stored = lock(&shared.responses).get(id).cloned();
    stored.ok_or_else(|| Refusal::not_found(format!("Response with id '{id}' not found.")))
}

pub(crate) fn retrieve(shared: &Shared, id: &str) -> Answer {
    Ok(Reply::Json(stored(shared, id)?.response))
}

pub(crate) fn delete(shared: &Shared, id: &str) -> Answer {
    stored(shared, id)?;
    lock(&shared.responses).remove(id);
    Ok(Reply::Json(
        json!({"id": id, "object": "response", "deleted": true}),
    ))
}

pub(crate) fn cancel(shared: &Shared, id: &str) -> Answer {
    let mut stored = stored(shared, id)?;
    if stored.response["background"] != true {
        return Err(Refusal::bad("Only background responses can be cancelled."));
    }
    stored.response["status"] = "cancelled".into();
    let response = stored.response.clone();
    lock(&shared.responses).insert(id.to_owned(), stored);
    Ok(Reply::Json(response))
}

pub(crate) fn input_items(shared: &Shared, id: &str) -> Answer {
    let items = stored(shared, id)?.input;
    let of = |item: Option<&Value>| item.map(|item| item["id"].clone());
    Ok(Reply::Json(json!({
        "object": "list", "first_id": of(items.first()), "last_id": of(items.last()),
        "has_more": false, "data": items,
    })))
}
