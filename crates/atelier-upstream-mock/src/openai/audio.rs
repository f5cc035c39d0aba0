//! Speech and transcription.

use serde_json::json;

use crate::{call::Call, refusal::Refusal, reply::Reply, route::Answer};

/// The beginning of an MP3 without sound.
const SOUND: &[u8] = b"ID3\x04\x00\x00\x00\x00\x00\x00\xff\xfb\x90\x64silence";

pub(crate) fn speak(call: &Call) -> Answer {
    let fields = call.fields()?;
    fields.model()?;
    fields.text("input")?;
    fields.required("voice")?;
    Ok(Reply::Bytes("audio/mpeg", SOUND.repeat(64)))
}

pub(crate) async fn transcribe(call: &Call) -> Answer {
    let (fields, files) = call.form().await?;
    fields.model()?;
    let file = files.iter().find(|file| file.name == "file");
    let file = file.ok_or_else(|| Refusal::missing("file"))?;
    let text = format!("{} bytes of silence", file.bytes.len());
    if fields
        .get("response_format")
        .is_some_and(|format| format == "text")
    {
        return Ok(Reply::Bytes("text/plain; charset=utf-8", text.into_bytes()));
    }
    let usage = json!({"type": "duration", "seconds": 3});
    Ok(Reply::Json(json!({"text": text, "usage": usage})))
}
