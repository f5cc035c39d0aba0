//! Which API a path belongs to, and who may call it.

use crate::{
    KEY, anthropic,
    call::Call,
    openai::{audio, chat, completions, embeddings, images, models, moderations, responses},
    refusal::Refusal,
    reply::Reply,
    upstream::Shared,
};

pub(crate) type Answer = Result<Reply, Refusal>;

/// Answers a call or refuses it.
pub(crate) async fn answer(shared: &Shared, call: &Call) -> Answer {
    let path = call.path().trim_start_matches('/');
    let parts: Vec<&str> = path.split('/').collect();
    let Some((&"v1", parts)) = parts.split_first() else {
        return Err(unknown(call));
    };
    if speaks_anthropic(call) {
        anthropic::authorize(call)?;
        return match (call.method.as_str(), parts) {
            ("POST", ["messages"]) => anthropic::create(shared, call),
            ("POST", ["messages", "count_tokens"]) => anthropic::count_tokens(call),
            _ => Err(unknown(call)),
        };
    }
    authorize(call)?;
    match (call.method.as_str(), parts) {
        ("GET", ["models"]) => Ok(models::list()),
        ("GET", ["models", model]) => models::retrieve(model),
        ("POST", ["chat", "completions"]) => chat::create(shared, call),
        ("POST", ["completions"]) => completions::create(shared, call),
        ("POST", ["responses"]) => responses::create(shared, call),
        ("GET", ["responses", id]) => responses::retrieve(shared, id),
        ("DELETE", ["responses", id]) => responses::delete(shared, id),
        ("POST", ["responses", id, "cancel"]) => responses::cancel(shared, id),
        ("GET", ["responses", id, "input_items"]) => responses::input_items(shared, id),
        ("POST", ["embeddings"]) => embeddings::create(call),
        ("POST", ["moderations"]) => moderations::create(shared, call),
        ("POST", ["images", "generations"]) => images::generate(call),
        ("POST", ["images", "edits"]) => images::edit(call).await,
        ("POST", ["audio", "speech"]) => audio::speak(call),
        ("POST", ["audio", "transcriptions" | "translations"]) => audio::transcribe(call).await,
        _ => Err(unknown(call)),
    }
}

/// Whether a path is one of Anthropic's.
pub(crate) fn speaks_anthropic(call: &Call) -> bool {
    call.path().starts_with("/v1/messages")
}

fn authorize(call: &Call) -> Result<(), Refusal> {
    let given = call.header("authorization");
    if given.and_then(|value| value.strip_prefix("Bearer ")) == Some(KEY) {
        return Ok(());
    }
    Err(Refusal::key())
}

fn unknown(call: &Call) -> Refusal {
    Refusal::not_found(format!(
        "Invalid URL ({} {})",
        call.method.as_str(),
        call.path()
    ))
}
