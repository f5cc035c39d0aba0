//! Reads and checks what the gateway uses of a body.

use std::{borrow::Cow, collections::HashSet, str};

use bytes::Bytes;

use super::{Call, Facts, Form, Member, fields};
use crate::{
    ApiError, Endpoint, Wire,
    json::{self, Json, Kind},
    multipart,
};

/// The longest name of a model. Those of Hugging Face have some eighty letters at most.
const MAX_MODEL: usize = 256;
/// The most tokens that an answer can be asked to have: more than any model gives.
const MAX_OUTPUT: u64 = 100_000_000;

impl Call {
    /// Reads a request.
    ///
    /// # Errors
    /// If the body is neither JSON nor a form as the endpoint takes them, lacks a field that
    /// the endpoint needs, or has one of another type than the gateway can use.
    pub fn read(
        endpoint: Endpoint,
        content_type: Option<&str>,
        body: Bytes,
    ) -> Result<Self, ApiError> {
        let form = form(endpoint, content_type.unwrap_or_default(), &body)?;
        let facts = Facts::default();
        let mut call = Self {
            endpoint,
            body,
            form,
            facts,
        };
        call.check()?;
        call.facts = call.facts()?;
        Ok(call)
    }

    fn facts(&self) -> Result<Facts, ApiError> {
        Ok(Facts {
            model: self.named_model()?,
            stream: self.flag("stream")?.unwrap_or(false),
            n: self.count()?,
            max_output: self.most_output()?,
            temperature: self.number("temperature")?,
            user: self.asker()?,
            wants_usage: self.includes_usage()?,
        })
    }

    fn named_model(&self) -> Result<Option<String>, ApiError> {
        let model = self.string("model")?.filter(|model| !model.is_empty());
        let Some(model) = model else {
            let needs = self.endpoint.needs_model();
            return if needs {
                Err(fields::missing("model"))
            } else {
                Ok(None)
            };
        };
        if model.len() > MAX_MODEL || model.chars().any(char::is_control) {
            let message =
                "Invalid 'model': expected a name of at most 256 bytes without control characters.";
            return Err(ApiError::invalid(message)
                .param("model")
                .code("invalid_value"));
        }
        Ok(Some(model.into_owned()))
    }

    fn count(&self) -> Result<u32, ApiError> {
        let most = if self.endpoint.is_image() { 10 } else { 128 };
        let n = self.integer("n", 1, most)?.unwrap_or(1);
        // The provider makes, and charges, as many as it chooses the best of.
        let best_of = match self.endpoint {
            Endpoint::Completions => self.integer("best_of", 0, 128)?.unwrap_or(1),
            _ => 1,
        };
        Ok(u32::try_from(n.max(best_of)).unwrap_or(1))
    }

    fn most_output(&self) -> Result<Option<u64>, ApiError> {
        let mut most = None;
        for name in ["max_tokens", "max_completion_tokens", "max_output_tokens"] {
            if self.endpoint.is_generation() {
                most = most.max(self.integer(name, 0, MAX_OUTPUT)?);
            }
        }
        if self.endpoint == Endpoint::Messages && most.is_none() {
            return Err(fields::missing("max_tokens"));
        }
        Ok(most)
    }

    fn asker(&self) -> Result<Option<String>, ApiError> {
        let user = match self.endpoint.wire() {
            Wire::OpenAi => self.string("user")?,
            Wire::Anthropic => self.json("metadata").and_then(|all| all.get_str("user_id")),
        };
        Ok(user.map(Cow::into_owned))
    }

    fn includes_usage(&self) -> Result<bool, ApiError> {
        self.expect("stream_options", &[Kind::Object])?;
        let options = self.json("stream_options");
        let included = options.and_then(|options| options.get("include_usage"));
        Ok(included.and_then(Json::as_bool).unwrap_or(false))
    }

    /// Checks the field that carries what is asked.
    fn check(&self) -> Result<(), ApiError> {
        use Kind::{Array, Object, String};
        self.expect_list("tools", false)?;
        match self.endpoint {
            Endpoint::ChatCompletions | Endpoint::Messages | Endpoint::CountTokens => {
                self.expect_list("messages", true)?;
                self.expect("system", &[String, Array])
            }
            Endpoint::Completions => self.expect("prompt", &[String, Array]),
            Endpoint::Responses => self.expect("input", &[String, Array]),
            Endpoint::Embeddings => self.need("input", &[String, Array]),
            Endpoint::Moderations => self.need("input", &[String, Array, Object]),
            Endpoint::Speech => self.need("input", &[String]),
            Endpoint::ImageGenerations | Endpoint::ImageEdits => self.need("prompt", &[String]),
            Endpoint::Transcriptions | Endpoint::Translations => self.need("file", &[String]),
        }
    }

    fn need(&self, name: &str, kinds: &[Kind]) -> Result<(), ApiError> {
        self.field(name).ok_or_else(|| fields::missing(name))?;
        self.expect(name, kinds)
    }

    /// Checks a list of objects, which may have to be there.
    fn expect_list(&self, name: &str, is_needed: bool) -> Result<(), ApiError> {
        self.expect(name, &[Kind::Array])?;
        let Some(list) = self.json(name) else {
            return if is_needed {
                Err(fields::missing(name))
            } else {
                Ok(())
            };
        };
        let mut is_empty = true;
        for (at, element) in list.elements().enumerate() {
            is_empty = false;
            if element.kind() != Kind::Object {
                let element_name = format!("{name}[{at}]");
                let got = element.kind().name();
                return Err(fields::wrong_type(&element_name, "an object", got));
            }
        }
        if is_needed && is_empty {
            return Err(fields::empty_array(name));
        }
        Ok(())
    }
}

fn form(endpoint: Endpoint, content_type: &str, body: &[u8]) -> Result<Form, ApiError> {
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    let is_form = kind.eq_ignore_ascii_case("multipart/form-data");
    let is_recording = matches!(endpoint, Endpoint::Transcriptions | Endpoint::Translations);
    match (endpoint, is_form) {
        (Endpoint::ImageEdits, true) => multipart(content_type, body),
        (_, true) if is_recording => multipart(content_type, body),
        (_, true) => Err(unsupported("application/json")),
        (_, false) if is_recording => Err(unsupported("multipart/form-data")),
        (_, false) => members(body).map(Form::Json),
    }
}

fn unsupported(expected: &str) -> ApiError {
    let message = format!("Unsupported content type: this endpoint takes {expected}.");
    ApiError::invalid(message).code("unsupported_content_type")
}

fn members(body: &[u8]) -> Result<Vec<Member>, ApiError> {
    let text = json::check(body)
        .map_err(|flaw| ApiError::invalid(flaw.to_string()).code("invalid_json"))?;
    let value = Json::new(text);
    if value.kind() != Kind::Object {
        let message = format!("The body is {}; expected an object.", value.kind().name());
        return Err(ApiError::invalid(message).code("invalid_json"));
    }
    let (mut members, mut names) = (Vec::new(), HashSet::new());
    for (key, value) in value.members() {
        let name = key.as_str().ok_or_else(|| {
            ApiError::invalid("The name of a field is not valid Unicode.").code("invalid_json")
        })?;
        if !names.insert(name.clone()) {
            return Err(duplicate(&name));
        }
        members.push(Member {
            name: name.into_owned(),
            value: value.range_in(text),
        });
    }
    Ok(members)
}

/// Two readers of such a body may take different values.
fn duplicate(name: &str) -> ApiError {
    let short: String = name.chars().take(64).collect();
    let error = ApiError::invalid(format!("The field '{short}' is given more than once."));
    error.param(short).code("duplicate_parameter")
}

fn multipart(content_type: &str, body: &[u8]) -> Result<Form, ApiError> {
    let form = multipart::read(content_type, body)?;
    for name in ["model", "stream", "n", "prompt", "user"] {
        let mut same = form.parts.iter().filter(|part| part.name == name);
        let first = same.next();
        if same.next().is_some() {
            return Err(duplicate(name));
        }
        let is_text = first.is_none_or(|part| {
            body.get(part.content.clone())
                .is_some_and(|bytes| str::from_utf8(bytes).is_ok())
        });
        if !is_text {
            return Err(fields::wrong_type(name, "text", "bytes that are not UTF-8"));
        }
    }
    Ok(Form::Multipart(form))
}
