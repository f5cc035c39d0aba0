//! Chat completions: an echo, a call of a tool, or an instance of a schema.

use serde_json::{Value, json};

use super::{CREATED, arguments, cut, reply_to, texts, tokens, words};
use crate::{
    call::{Call, Fields},
    refusal::Refusal,
    reply::{Event, Reply},
    route::Answer,
    schema,
    upstream::Shared,
};

const ROLES: [&str; 6] = [
    "developer",
    "system",
    "user",
    "assistant",
    "tool",
    "function",
];

/// What is said, or which tool is called.
enum Said {
    Text { text: String, is_cut: bool },
    Tool { name: String, arguments: String },
}

impl Said {
    fn finish_reason(&self) -> &'static str {
        match self {
            Said::Text { is_cut: true, .. } => "length",
            Said::Text { .. } => "stop",
            Said::Tool { .. } => "tool_calls",
        }
    }

    fn message(&self) -> Value {
        match self {
            Said::Text { text, .. } => {
                json!({"role": "assistant", "content": text, "refusal": null, "annotations": []})
            }
            Said::Tool { name, arguments } => {
                let function = json!({"name": name, "arguments": arguments});
                let call = json!({"id": "call_1", "type": "function", "function": function});
                json!({"role": "assistant", "content": null, "refusal": null, "tool_calls": [call]})
            }
        }
    }

    /// The differences that make up the message.
    fn deltas(&self) -> Vec<Value> {
        match self {
            Said::Text { text, .. } => {
                let first = json!({"role": "assistant", "content": "", "refusal": null});
                let rest = words(text).into_iter().map(|word| json!({"content": word}));
                [first].into_iter().chain(rest).collect()
            }
            Said::Tool { name, arguments } => {
                let function = json!({"name": name, "arguments": ""});
                let call = json!({
                    "index": 0, "id": "call_1", "type": "function", "function": function,
                });
                let first = json!({"role": "assistant", "content": null, "tool_calls": [call]});
                let pieces = [first]
                    .into_iter()
                    .chain(arguments.split_inclusive(':').map(|piece| {
                        let function = json!({"arguments": piece});
                        json!({"tool_calls": [{"index": 0, "function": function}]})
                    }));
                pieces.collect()
            }
        }
    }

    fn text(&self) -> &str {
        match self {
            Said::Text { text, .. } => text,
            Said::Tool { arguments, .. } => arguments,
        }
    }
}

pub(crate) fn create(shared: &Shared, call: &Call) -> Answer {
    let fields = call.fields()?;
    let model = fields.model()?;
    let messages = fields.list("messages")?;
    check_messages(messages)?;
    check_temperature(&fields)?;
    let choices = fields.number("n", 1, 128)?.unwrap_or(1);
    let said = say(&fields, messages)?;
    let input: usize = messages
        .iter()
        .map(|one| tokens(&texts(&one["content"])) + 3)
        .sum();
    let usage = usage(
        input,
        tokens(said.text()).max(1) * usize::try_from(choices).unwrap_or(1),
    );
    let head = json!({
        "id": format!("chatcmpl-{}", shared.number()), "created": CREATED, "model": model,
        "service_tier": "default", "system_fingerprint": "fp_upstream",
    });
    let is_streamed = fields.flag("stream")?;
    let options = fields.get("stream_options");
    match (is_streamed, options) {
        (false, Some(_)) => Err(Refusal::bad(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
        )),
        (false, None) => {
            let choices: Vec<Value> = (0..choices).map(|index| choice(&said, index)).collect();
            let body = json!({"object": "chat.completion", "choices": choices, "usage": usage});
            Ok(Reply::Json(merged(&head, body)))
        }
        (true, options) => {
            let with_usage = options.is_some_and(|options| options["include_usage"] == true);
            Ok(stream(&head, &said, choices, with_usage.then_some(&usage)))
        }
    }
}

fn check_messages(messages: &[Value]) -> Result<(), Refusal> {
    for (index, message) in messages.iter().enumerate() {
        let name = format!("messages[{index}].role");
        match message["role"].as_str() {
            Some(role) if ROLES.contains(&role) => {}
            _ => return Err(Refusal::wrong(&name, "a known role", &message["role"])),
        }
    }
    Ok(())
}

fn check_temperature(fields: &Fields) -> Result<(), Refusal> {
    match fields.get("temperature") {
        Some(value)
            if !value
                .as_f64()
                .is_some_and(|heat| (0.0..=2.0).contains(&heat)) =>
        {
            Err(Refusal::wrong("temperature", "a number from 0 to 2", value))
        }
        _ => Ok(()),
    }
}

/// Calls the first tool unless a tool has just answered; else an instance of the schema, or an echo.
fn say(fields: &Fields, messages: &[Value]) -> Result<Said, Refusal> {
    let last = messages.last().unwrap_or(&Value::Null);
    let may_call = last["role"] != "tool" && fields.get("tool_choice") != Some(&json!("none"));
    if let (true, Some(_)) = (may_call, fields.get("tools")) {
        let function = &fields.list("tools")?[0]["function"];
        let name = function["name"].as_str();
        let name = name.ok_or_else(|| Refusal::missing("tools[0].function.name"))?;
        return Ok(Said::Tool {
            name: name.into(),
            arguments: arguments(&function["parameters"]),
        });
    }
    let most = fields.number("max_completion_tokens", 1, 1 << 20)?;
    let most = most.or(fields.number("max_tokens", 1, 1 << 20)?);
    let text = match fields.get("response_format") {
        Some(format) if format["type"] == "json_schema" => {
            let named = format["json_schema"]["name"].is_string();
            if !named {
                return Err(Refusal::missing("response_format.json_schema.name"));
            }
            schema::instance(&format["json_schema"]["schema"]).to_string()
        }
        Some(format) if format["type"] == "json_object" => json!({"answer": 7}).to_string(),
        _ => reply_to(&texts(&last["content"])),
    };
    let (text, is_cut) = cut(&text, most);
    Ok(Said::Text { text, is_cut })
}

fn choice(said: &Said, index: u64) -> Value {
    json!({
        "index": index, "message": said.message(), "logprobs": null,
        "finish_reason": said.finish_reason(),
    })
}

fn usage(input: usize, output: usize) -> Value {
    json!({
        "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    })
}

/// Chunks as they come: the usage, if it was asked for, in one of its own before the end.
fn stream(head: &Value, said: &Said, choices: u64, usage: Option<&Value>) -> Reply {
    let chunk = |choices: Value, used: Value| {
        let mut body = json!({"object": "chat.completion.chunk", "choices": choices});
        if usage.is_some() {
            body["usage"] = used;
        }
        Event::data(merged(head, body))
    };
    let mut events = Vec::new();
    for index in 0..choices {
        let of = |delta: Value, reason: Value| json!([{"index": index, "delta": delta, "logprobs": null, "finish_reason": reason}]);
        let deltas = said.deltas().into_iter();
        events.extend(deltas.map(|delta| chunk(of(delta, Value::Null), Value::Null)));
        events.push(chunk(
            of(json!({}), said.finish_reason().into()),
            Value::Null,
        ));
    }
    if let Some(used) = usage {
        events.push(chunk(json!([]), used.clone()));
    }
    events.push(Event::done());
    Reply::Events(events)
}

/// Both objects in one.
pub(super) fn merged(one: &Value, mut other: Value) -> Value {
    if let (Some(one), Some(other)) = (one.as_object(), other.as_object_mut()) {
        other.extend(one.clone());
    }
    other
}
