//! What the semantic cache compares.

use super::{Call, talk::Talk};
use crate::{
    Endpoint, Wire,
    canonical::{Members, Place, hex},
};

/// The longest text that is taken for a question, in bytes.
const MAX_TEXT: usize = 16 * 1024;

/// A call of which only a text differs from call to call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// A digest of everything besides the text: model, instructions, format, parameters.
    pub parameters: String,
    /// What the user says, or the prompt of a picture.
    pub text: String,
}

impl Call {
    /// Returns the question if nothing but its words can make a difference: a conversation of
    /// one turn without attachments and tools, or the prompt of a picture that is not made
    /// from others. `model` is the one that answers.
    pub fn question(&self, model: &str) -> Option<Question> {
        let (parameters, text) = match self.endpoint {
            Endpoint::ImageGenerations => {
                let prompt = self.string("prompt").ok()??;
                (self.members(&["prompt"]), prompt)
            }
            Endpoint::ChatCompletions | Endpoint::Messages => self.talk_question("messages")?,
            Endpoint::Responses => self.talk_question("input")?,
            _ => return None,
        };
        let is_fit = !text.trim().is_empty() && text.len() <= MAX_TEXT;
        is_fit.then(|| {
            let mut all = Members::default();
            all.add_text("model", model);
            all.add_text("endpoint", self.endpoint.path());
            all.add_digest("parameters", parameters.finish());
            Question {
                parameters: hex(all.finish()),
                text: text.into_owned(),
            }
        })
    }

    fn talk_question(
        &self,
        field: &'static str,
    ) -> Option<(Members<'_>, std::borrow::Cow<'_, str>)> {
        let talk = self.talk();
        let is_single = talk.is_single_turn() && !self.is_stateful();
        let is_plain = is_single && !talk.is_unusual && talk.attachments == 0;
        let is_more = ["modalities", "prompt", "container"]
            .iter()
            .any(|name| self.json(name).is_some());
        if !is_plain || is_more || self.has_tools() {
            return None;
        }
        let mut parameters = self.members(&[field]);
        parameters.add_digest(field, self.instructions(&talk));
        let text = talk.question?;
        Some((parameters, text))
    }

    fn instructions(&self, talk: &Talk<'_>) -> [u8; 32] {
        let place = match self.endpoint.wire() {
            Wire::Anthropic => Place::Messages,
            Wire::OpenAi => Place::Elsewhere,
        };
        let mut all = Members::default();
        for item in &talk.instructions {
            all.add("instruction".into(), *item, place);
        }
        all.finish()
    }
}
