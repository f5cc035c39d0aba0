//! The key of the exact cache and of single flight.

use std::borrow::Cow;

use sha2::{Digest as _, Sha256};

use super::{Call, Form};
use crate::{
    Endpoint, Wire,
    canonical::{Members, Place, hex},
    json::Json,
    multipart::Part,
};

/// What does not change an answer: whether it comes as a stream, and for whom it is.
const IGNORED: [&str; 5] = ["model", "stream", "stream_options", "user", "metadata"];

impl Call {
    /// Returns the SHA-256, in hexadecimal, of everything that the answer depends on: the
    /// endpoint, a scope that keeps clients apart, the model that answers, and the whole body
    /// but for `stream`, `stream_options`, `user` and `metadata`. The order of members, the
    /// spelling of numbers and the escaping of strings do not count, nor does the boundary of
    /// a form, nor `encoding_format` of embeddings (see [`embeddings`](crate::embeddings)),
    /// nor Anthropic's `cache_control`. Header fields that change answers, such as
    /// `anthropic-version`, belong into the scope.
    pub fn digest(&self, scope: &str, model: &str) -> String {
        let mut all = Members::default();
        all.add_text("scope", scope);
        all.add_text("model", model);
        all.add_text("endpoint", self.endpoint.path());
        all.add_digest("body", self.members(&[]).finish());
        hex(all.finish())
    }

    /// The members that count, without some more.
    pub(super) fn members(&self, without: &[&str]) -> Members<'_> {
        let mut members = Members::default();
        let counts = |name: &str| !IGNORED.contains(&name) && !without.contains(&name);
        let is_encoding =
            |name: &str| self.endpoint == Endpoint::Embeddings && name == "encoding_format";
        match &self.form {
            Form::Json(all) => {
                let place = match self.endpoint.wire() {
                    Wire::Anthropic => Place::Request,
                    Wire::OpenAi => Place::Elsewhere,
                };
                let text = self.text();
                let counted = all
                    .iter()
                    .filter(|one| counts(&one.name) && !is_encoding(&one.name));
                for member in counted {
                    let value = text.get(member.value.clone()).unwrap_or_default();
                    members.add(Cow::Borrowed(&member.name), Json::new(value), place);
                }
            }
            Form::Multipart(form) => {
                for part in form.parts.iter().filter(|part| counts(&part.name)) {
                    members.add_digest(part.name.as_str(), self.part_digest(part));
                }
            }
        }
        members
    }

    fn part_digest(&self, part: &Part) -> [u8; 32] {
        let content = self.body.get(part.content.clone()).unwrap_or_default();
        let mut all = Members::default();
        let labels = [("file", &part.file_name), ("type", &part.content_type)];
        for (name, label) in labels {
            if let Some(label) = label {
                all.add_text(name, label);
            }
        }
        all.add_digest("content", Sha256::digest(content).into());
        all.finish()
    }
}
