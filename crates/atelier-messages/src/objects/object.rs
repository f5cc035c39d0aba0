//! Objects that are built member by member.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Map, Value};

use crate::Flow;

/// An object without absent members.
#[derive(Debug, Default)]
pub(super) struct Object(Map<String, Value>);

impl Object {
    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.to_owned(), value.into());
        self
    }

    pub(super) fn with_some(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.0.remove(name);
        self
    }

    /// Text under the one name, anything else in base64 under the other.
    pub(super) fn with_body(self, text: &str, binary: &str, body: &[u8]) -> Self {
        match std::str::from_utf8(body) {
            Ok("") => self,
            Ok(body) => self.with(text, body),
            Err(_) => self.with(binary, BASE64.encode(body)),
        }
    }

    pub(super) fn with_flow(self, flow: Option<&Flow>) -> Self {
        let Some(flow) = flow else { return self };
        self.with("flowControlKey", &*flow.key)
            .with_some("parallelism", flow.parallelism)
            .with_some("rate", flow.rate)
            .with("period", flow.period)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object.0)
    }
}
