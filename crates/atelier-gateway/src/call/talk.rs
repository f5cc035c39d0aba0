//! The shape of a conversation: who speaks how often, and of what the last words consist.

use std::borrow::Cow;

use super::Call;
use crate::{
    Endpoint,
    json::{Json, Kind},
};

/// A conversation in any of the formats.
#[derive(Debug, Default)]
pub(super) struct Talk<'a> {
    pub(super) user_turns: usize,
    /// Of the model, of tools, and items that are no messages.
    pub(super) other_turns: usize,
    /// Everything besides text.
    pub(super) attachments: usize,
    /// What the user says, if the conversation ends with it.
    pub(super) question: Option<Cow<'a, str>>,
    /// The instructions before it.
    pub(super) instructions: Vec<Json<'a>>,
    /// Whether the user's message has members that are not understood here.
    pub(super) is_unusual: bool,
}

impl<'a> Talk<'a> {
    pub(super) fn of(call: &'a Call) -> Self {
        let field = match call.endpoint {
            Endpoint::ChatCompletions | Endpoint::Messages | Endpoint::CountTokens => "messages",
            Endpoint::Responses => "input",
            _ => return Self::default(),
        };
        let mut talk = Self::default();
        match call.json(field) {
            Some(input) if input.kind() == Kind::String => {
                talk.user_turns = 1;
                talk.question = input.as_str();
            }
            Some(input) => input.elements().for_each(|item| talk.add(item)),
            None => {}
        }
        talk
    }

    /// Whether nothing was said before what the user says.
    pub(super) const fn is_single_turn(&self) -> bool {
        self.user_turns == 1 && self.other_turns == 0
    }

    fn add(&mut self, item: Json<'a>) {
        let role = item.get_str("role");
        self.question = None;
        match role.as_deref() {
            Some("system" | "developer") => {
                self.read(item);
                self.instructions.push(item);
            }
            Some("user") => {
                self.user_turns += 1;
                self.question = self.read(item);
                let known = ["role", "content", "type"];
                self.is_unusual |= has_others(item, &known);
            }
            _ => {
                self.other_turns += 1;
                self.read(item);
            }
        }
    }

    /// Returns the text of a message, counting what else it has.
    fn read(&mut self, item: Json<'a>) -> Option<Cow<'a, str>> {
        let content = item.get("content")?;
        if content.kind() != Kind::Array {
            return content.as_str();
        }
        let mut texts = Vec::new();
        for part in content.elements() {
            match part.get_str("type").as_deref() {
                Some("text" | "input_text" | "output_text") => {
                    texts.push(part.get_str("text")?);
                    self.is_unusual |= has_others(part, &["type", "text", "cache_control"]);
                }
                // Turns of the model and of tools are counted already.
                Some("tool_use" | "tool_result" | "thinking" | "redacted_thinking" | "refusal") => {
                    self.is_unusual = true;
                }
                _ => self.attachments += 1,
            }
        }
        Some(Cow::Owned(texts.join("\n\n")))
    }
}

/// Whether an object has members besides these, or one of them twice: readers may take the
/// first or the last.
fn has_others(object: Json<'_>, known: &[&str]) -> bool {
    let mut seen = Vec::with_capacity(known.len());
    let is_new = |key: Json<'_>| {
        let place = known
            .iter()
            .position(|name| key.as_str().as_deref() == Some(name));
        let is_new = place.is_some_and(|place| !seen.contains(&place));
        seen.extend(place);
        is_new
    };
    !object.members().map(|(key, _)| key).all(is_new)
}
