//! What a client asks for.

mod digest;
mod estimate;
mod fields;
mod question;
mod read;
mod rewrite;
mod splice;
mod talk;

use std::{borrow::Cow, ops::Range, str};

use bytes::Bytes;

pub(crate) use self::rewrite::Rewrite;
pub use self::{
    estimate::{DEFAULT_OUTPUT, Estimate},
    question::Question,
};
use self::{fields::Field, talk::Talk};
use crate::{
    Endpoint,
    json::Json,
    multipart::{Multipart, Part},
};

/// A request whose fields are known as far as the gateway uses them. Everything else is
/// passed on as it came.
#[derive(Debug, Clone)]
pub struct Call {
    endpoint: Endpoint,
    body: Bytes,
    form: Form,
    facts: Facts,
}

/// How the body is written.
#[derive(Debug, Clone)]
enum Form {
    /// The members of the object.
    Json(Vec<Member>),
    Multipart(Multipart),
}

#[derive(Debug, Clone)]
struct Member {
    name: String,
    /// Where its value stands in the body.
    value: Range<usize>,
}

/// What was read of the fields.
#[derive(Debug, Clone, Default, PartialEq)]
struct Facts {
    model: Option<String>,
    stream: bool,
    n: u32,
    max_output: Option<u64>,
    temperature: Option<f64>,
    user: Option<String>,
    wants_usage: bool,
}

impl Call {
    /// What is asked for.
    pub const fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    /// The body as it came.
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// The model that the client names. Endpoints where OpenAI has a default need none:
    /// responses, moderations and images.
    pub fn model(&self) -> Option<&str> {
        self.facts.model.as_deref()
    }

    /// Whether the answer is to come as a stream.
    pub const fn is_stream(&self) -> bool {
        self.facts.stream
    }

    /// How many answers or pictures are asked for, at least 1.
    pub const fn n(&self) -> u32 {
        self.facts.n
    }

    /// The most tokens that each answer may have, if the client says so.
    pub const fn max_output(&self) -> Option<u64> {
        self.facts.max_output
    }

    /// The user of the client, who is told to the provider: `user`, or `metadata.user_id`
    /// with Anthropic.
    pub fn user(&self) -> Option<&str> {
        self.facts.user.as_deref()
    }

    /// Whether a stream is to end with its usage (`stream_options.include_usage`).
    pub const fn wants_usage(&self) -> bool {
        self.facts.wants_usage
    }

    /// Whether the same call gets the same answer, so that one may be kept: embeddings, and
    /// what is generated at temperature 0 without [state](Self::is_stateful).
    pub fn is_deterministic(&self) -> bool {
        let is_cold = self.endpoint.is_generation() && self.facts.temperature == Some(0.0);
        (self.endpoint == Endpoint::Embeddings || is_cold) && !self.is_stateful()
    }

    /// Whether the call depends on what the upstream keeps, or leaves something there that
    /// is asked for later: a previous response, a conversation, work in the background.
    pub fn is_stateful(&self) -> bool {
        self.endpoint == Endpoint::Responses
            && (self.previous_response_id().is_some()
                || self.json("conversation").is_some()
                || self.json("background").and_then(Json::as_bool) == Some(true))
    }

    /// The response that this one continues. Only the upstream that made it knows it.
    pub fn previous_response_id(&self) -> Option<Cow<'_, str>> {
        self.json("previous_response_id")?.as_str()
    }

    /// Whether the model may call tools.
    pub fn has_tools(&self) -> bool {
        let lists = ["tools", "functions", "mcp_servers"].into_iter();
        let mut lists = lists.filter_map(|name| self.json(name));
        lists.any(|list| list.elements().next().is_some())
            || self.json("web_search_options").is_some()
    }

    /// Whether there is something besides text: pictures, audio, files.
    pub fn has_attachments(&self) -> bool {
        match &self.form {
            Form::Json(_) if self.endpoint == Endpoint::ImageEdits => true,
            Form::Json(_) => self.talk().attachments > 0,
            Form::Multipart(form) => form.parts.iter().any(|part| part.file_name.is_some()),
        }
    }

    /// Whether a conversation has no turn before the user's one.
    pub fn is_single_turn(&self) -> bool {
        self.talk().is_single_turn() && !self.is_stateful()
    }

    /// The text of a field of the body, of JSON or of a form.
    pub fn text_of(&self, name: &str) -> Option<Cow<'_, str>> {
        self.field(name)?.as_str()
    }

    /// The contents of the files of a form that are sent under this name, or under it with
    /// brackets, as the official clients name several.
    pub fn files(&self, name: &str) -> Vec<Bytes> {
        let Form::Multipart(form) = &self.form else {
            return Vec::new();
        };
        let named = |part: &&Part| part.name.strip_suffix("[]").unwrap_or(&part.name) == name;
        let files = form.parts.iter().filter(|part| part.file_name.is_some());
        let files = files.filter(named);
        files
            .map(|part| self.body.slice(part.content.clone()))
            .collect()
    }

    fn talk(&self) -> Talk<'_> {
        Talk::of(self)
    }

    fn text(&self) -> &str {
        str::from_utf8(&self.body).unwrap_or_default()
    }

    /// The value of a field of a JSON body, if it is there and not null.
    fn json(&self, name: &str) -> Option<Json<'_>> {
        let Form::Json(members) = &self.form else {
            return None;
        };
        let member = members.iter().find(|member| member.name == name)?;
        let value = Json::new(str::from_utf8(self.body.get(member.value.clone())?).ok()?);
        (!value.is_null()).then_some(value)
    }

    /// A field of either form.
    fn field(&self, name: &str) -> Option<Field<'_>> {
        match &self.form {
            Form::Json(_) => self.json(name).map(Field::Json),
            Form::Multipart(form) => {
                let part = form.parts.iter().find(|part| part.name == name)?;
                Some(Field::Part(self.body.get(part.content.clone())?))
            }
        }
    }
}

#[cfg(test)]
mod tests;
