//! Completions, as they were before chat.

use serde_json::{Value, json};

use super::{CREATED, chat::merged, cut, reply_to, tokens, words};
use crate::{
    call::Call,
    refusal::Refusal,
    reply::{Event, Reply},
    route::Answer,
    upstream::Shared,
};

pub(crate) fn create(shared: &Shared, call: &Call) -> Answer {
    let fields = call.fields()?;
    let model = fields.model()?;
    let prompt = match fields.required("prompt")? {
        Value::String(text) => text.clone(),
        other => match other[0].as_str() {
            Some(first) => first.to_owned(),
            None => return Err(Refusal::wrong("prompt", "a string or strings", other)),
        },
    };
    let most = fields.number("max_tokens", 1, 1 << 20)?;
    let (text, is_cut) = cut(&reply_to(&prompt), most);
    let (input, output) = (tokens(&prompt), tokens(&text));
    let usage = json!({
        "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output,
    });
    let reason = if is_cut { "length" } else { "stop" };
    let head = json!({
        "id": format!("cmpl-{}", shared.number()), "object": "text_completion",
        "created": CREATED, "model": model,
    });
    let choice = |text: &str, reason: Value| json!([{"index": 0, "text": text, "logprobs": null, "finish_reason": reason}]);
    if !fields.flag("stream")? {
        let body = json!({"choices": choice(&text, reason.into()), "usage": usage});
        return Ok(Reply::Json(merged(&head, body)));
    }
    let chunk = |choices: Value| Event::data(merged(&head, json!({"choices": choices})));
    let pieces = words(&text).into_iter();
    let mut events: Vec<Event> = pieces
        .map(|word| chunk(choice(word, Value::Null)))
        .collect();
    events.push(chunk(choice("", reason.into())));
    let options = fields.get("stream_options");
    if options.is_some_and(|options| options["include_usage"] == true) {
        events.push(Event::data(merged(
            &head,
            json!({"choices": [], "usage": usage}),
        )));
    }
    events.push(Event::done());
    Ok(Reply::Events(events))
}
