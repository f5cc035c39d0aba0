//! The body for an upstream: what came, with a few values replaced where they stand.

use std::{borrow::Cow, ops::Range};

use bytes::Bytes;
use serde_json::Value;

use super::{Call, Form};
use crate::{
    Endpoint,
    json::{Json, Kind},
    multipart::Multipart,
};

/// What makes an upstream tell the usage at the end of a stream.
const OPTIONS: &str = r#"{"include_usage":true}"#;
const OPTION: &str = r#""include_usage":true"#;

/// Text that takes the place of some bytes.
type Splice = (Range<usize>, String);

impl Call {
    /// Returns the body for an upstream that knows the model by this name: byte for byte what
    /// came, but for the model, and for the usage option if the call is a stream of the kind
    /// that has one and `ask_usage` is set. A call without a model gets it; without a name as
    /// well, the upstream's own default is meant.
    pub fn for_upstream(&self, model: &str, ask_usage: bool) -> Bytes {
        let mut splices = Vec::new();
        match &self.form {
            Form::Json(_) => {
                splices.extend(self.model_splice(model));
                if ask_usage {
                    splices.extend(self.usage_splice());
                }
            }
            Form::Multipart(form) => splices.extend(self.part_splice(form, model)),
        }
        self.spliced(splices)
    }

    /// The body with another prompt, where `change` changes it.
    pub(super) fn worded(&self, body: Bytes, change: Option<fn(&str) -> Cow<'_, str>>) -> Bytes {
        let prompt = self.text_of("prompt");
        let Some((change, prompt)) = change.zip(prompt) else {
            return body;
        };
        let Cow::Owned(changed) = change(&prompt) else {
            return body;
        };
        let Ok(again) = Self::read(self.endpoint, self.content_type().as_deref(), body.clone())
        else {
            return body;
        };
        let text = match &self.form {
            Form::Json(_) => Value::from(changed).to_string(),
            Form::Multipart(_) => changed,
        };
        let place = again.place_of("prompt");
        again.spliced(place.map(|place| (place, text)).into_iter().collect())
    }

    fn content_type(&self) -> Option<String> {
        match &self.form {
            Form::Json(_) => None,
            Form::Multipart(form) => Some(format!(
                "multipart/form-data; boundary=\"{}\"",
                form.boundary
            )),
        }
    }

    fn model_splice(&self, model: &str) -> Option<Splice> {
        if self.model().unwrap_or_default() == model {
            return None;
        }
        let text = Value::from(model).to_string();
        match self.place_of("model") {
            Some(range) => Some((range, text)),
            None => self.member_splice(0..self.body.len(), &format!("\"model\":{text}")),
        }
    }

    fn usage_splice(&self) -> Option<Splice> {
        let is_chunked = matches!(
            self.endpoint,
            Endpoint::ChatCompletions | Endpoint::Completions
        );
        if !is_chunked || !self.is_stream() || self.wants_usage() {
            return None;
        }
        let Some(range) = self.place_of("stream_options") else {
            let member = format!("\"stream_options\":{OPTIONS}");
            return self.member_splice(0..self.body.len(), &member);
        };
        let options = Json::new(self.text().get(range.clone())?);
        if options.kind() != Kind::Object {
            return Some((range, OPTIONS.to_owned()));
        }
        let mut members = options.members();
        let is_it = |key: &Json<'_>| key.as_str().as_deref() == Some("include_usage");
        match members.find(|(key, _)| is_it(key)) {
            Some((_, value)) => Some((value.range_in(self.text()), "true".to_owned())),
            None => self.member_splice(range, OPTION),
        }
    }

    /// Inserts a member behind the opening brace of the object that stands there.
    fn member_splice(&self, object: Range<usize>, member: &str) -> Option<Splice> {
        let text = self.text().get(object.clone())?;
        let at = object.start + text.find('{')? + 1;
        let comma = if Json::new(text).members().next().is_some() {
            ","
        } else {
            ""
        };
        Some((at..at, format!("{member}{comma}")))
    }

    fn part_splice(&self, form: &Multipart, model: &str) -> Option<Splice> {
        if self.model().unwrap_or_default() == model {
            return None;
        }
        match self.place_of("model") {
            Some(range) => Some((range, model.to_owned())),
            None => {
                let boundary = &form.boundary;
                let head = "Content-Disposition: form-data; name=\"model\"";
                let part = format!("--{boundary}\r\n{head}\r\n\r\n{model}\r\n");
                Some((form.start..form.start, part))
            }
        }
    }

    /// Where the value of a field stands, even if it is null.
    fn place_of(&self, name: &str) -> Option<Range<usize>> {
        match &self.form {
            Form::Json(members) => {
                let member = members.iter().find(|member| member.name == name)?;
                Some(member.value.clone())
            }
            Form::Multipart(form) => {
                let part = form.parts.iter().find(|part| part.name == name)?;
                Some(part.content.clone())
            }
        }
    }

    fn spliced(&self, mut splices: Vec<Splice>) -> Bytes {
        if splices.is_empty() {
            return self.body.clone();
        }
        splices.sort_by_key(|(range, _)| range.start);
        let added: usize = splices.iter().map(|(_, text)| text.len()).sum();
        let mut body = Vec::with_capacity(self.body.len() + added);
        let mut at = 0;
        for (range, text) in splices {
            body.extend_from_slice(self.body.get(at..range.start).unwrap_or_default());
            body.extend_from_slice(text.as_bytes());
            at = range.end;
        }
        body.extend_from_slice(self.body.get(at..).unwrap_or_default());
        Bytes::from(body)
    }
}
