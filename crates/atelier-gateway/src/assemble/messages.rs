//! Events of Anthropic's messages.

use serde_json::{Map, Value};

use super::{MAX_ITEMS, length};

/// What the events so far amount to.
#[derive(Debug, Default)]
pub(super) struct Parts {
    message: Option<Map<String, Value>>,
    blocks: Vec<Block>,
    /// Whether something came that is not understood, so that an answer would lack it.
    is_strange: bool,
}

#[derive(Debug)]
struct Block {
    index: u64,
    content: Map<String, Value>,
    /// The input of a tool, as far as it is written.
    input: String,
}

impl Parts {
    pub(super) fn push(&mut self, mut event: Value) {
        let kind = event["type"].as_str().unwrap_or_default().to_owned();
        match kind.as_str() {
            "message_start" => self.message = object(event["message"].take()),
            "content_block_start" => self.start(&mut event),
            "content_block_delta" => self.is_strange |= self.delta(&mut event).is_none(),
            "message_delta" => self.end(event),
            "content_block_stop" | "message_stop" | "ping" | "error" => {}
            _ => self.is_strange = true,
        }
    }

    fn start(&mut self, event: &mut Value) {
        let index = event["index"].as_u64();
        match (index, object(event["content_block"].take())) {
            (Some(index), Some(content)) if self.blocks.len() < MAX_ITEMS => {
                self.blocks.push(Block {
                    index,
                    content,
                    input: String::new(),
                });
            }
            _ => self.is_strange = true,
        }
    }

    fn delta(&mut self, event: &mut Value) -> Option<()> {
        let index = event["index"].as_u64()?;
        let block = self.blocks.iter_mut().rfind(|block| block.index == index)?;
        let delta = event.get_mut("delta")?;
        let kind = delta["type"].as_str()?.to_owned();
        match kind.as_str() {
            "text_delta" => append(block, "text", &delta["text"]),
            "thinking_delta" => append(block, "thinking", &delta["thinking"]),
            "signature_delta" => append(block, "signature", &delta["signature"]),
            "input_json_delta" => {
                block.input.push_str(delta["partial_json"].as_str()?);
                Some(())
            }
            "citations_delta" => {
                let citation = delta["citation"].take();
                let citations = block.content.entry("citations").or_insert(Value::Null);
                if !citations.is_array() {
                    *citations = Value::Array(Vec::new());
                }
                citations.as_array_mut()?.push(citation);
                Some(())
            }
            _ => None,
        }
    }

    fn end(&mut self, event: Value) {
        let (Some(message), Some(mut event)) = (&mut self.message, object(event)) else {
            return;
        };
        for name in ["type", "usage"] {
            event.remove(name);
        }
        if let Some(delta) = event.remove("delta").and_then(object) {
            message.extend(delta);
        }
        message.extend(event);
    }

    /// Returns the message with the usage that was told.
    pub(super) fn into_answer(mut self, usage: Map<String, Value>) -> Option<Value> {
        if self.is_strange {
            return None;
        }
        let mut message = self.message?;
        self.blocks.sort_by_key(|block| block.index);
        let content = self.blocks.into_iter().map(Block::into_content);
        let content = content.collect::<Option<Vec<_>>>()?;
        message.insert("content".to_owned(), Value::Array(content));
        message.insert("usage".to_owned(), Value::Object(usage));
        Some(Value::Object(message))
    }
}

impl Block {
    fn into_content(mut self) -> Option<Value> {
        if !self.input.is_empty() {
            let input = serde_json::from_str(&self.input).ok()?;
            self.content.insert("input".to_owned(), input);
        }
        Some(Value::Object(self.content))
    }
}

fn object(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

fn append(block: &mut Block, name: &str, more: &Value) -> Option<()> {
    let more = more.as_str()?;
    match block.content.get_mut(name) {
        Some(Value::String(text)) => text.push_str(more),
        _ => {
            block.content.insert(name.to_owned(), more.into());
        }
    }
    Some(())
}

/// Bytes that an event adds to what the model has written.
pub(super) fn written(event: &Value) -> u64 {
    let delta = &event["delta"];
    let texts = ["text", "thinking", "partial_json"];
    texts.iter().map(|name| length(&delta[name])).sum()
}
