//! A body that is changed in more than a few places: its members, each as it was written.

use std::{borrow::Cow, str};

use bytes::Bytes;
use serde_json::Value;

use super::{Call, Form};
use crate::{
    dialect::StreamUsage,
    json::{Json, Kind},
    upstream::UpstreamConfig,
};

/// The members of a body. Those that nobody changes keep their bytes.
pub(crate) struct Rewrite<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Rewrite<'a> {
    fn of(body: &'a [u8]) -> Option<Self> {
        let value = Json::new(str::from_utf8(body).ok()?);
        let members = value.members().map(|(name, value)| {
            let name = name.as_str().unwrap_or_default();
            (name, Cow::Borrowed(value.text()))
        });
        (value.kind() == Kind::Object).then(|| Self(members.collect()))
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(one, _)| one == name)
    }

    /// The value of a member.
    pub(crate) fn read(&self, name: &str) -> Option<Value> {
        let (_, text) = self.0.iter().find(|(one, _)| one == name)?;
        serde_json::from_str(text).ok()
    }

    /// Takes a member out.
    pub(crate) fn remove(&mut self, name: &str) {
        self.0.retain(|(one, _)| one != name);
    }

    /// Gives a member another name; if there is one of that name already, that one stays.
    pub(crate) fn rename(&mut self, from: &str, to: &'static str) {
        if self.has(to) {
            return self.remove(from);
        }
        for (name, _) in self.0.iter_mut().filter(|(name, _)| name == from) {
            *name = Cow::Borrowed(to);
        }
    }

    /// Gives a member another value, or adds it.
    pub(crate) fn set(&mut self, name: &'static str, value: &Value) {
        let text = Cow::Owned(value.to_string());
        match self.0.iter_mut().find(|(one, _)| one == name) {
            Some((_, old)) => *old = text,
            None => self.0.push((Cow::Borrowed(name), text)),
        }
    }

    fn written(&self) -> Bytes {
        let members = self.0.iter();
        let members = members.map(|(name, value)| format!("{}:{value}", Value::from(&**name)));
        Bytes::from(format!("{{{}}}", members.collect::<Vec<_>>().join(",")))
    }
}

impl Call {
    /// Returns the body for an upstream that knows the model by this name: byte for byte what
    /// came, but for the model, the option that asks for usage, and what its dialect wants to
    /// be different.
    pub fn sent_to(&self, upstream: &UpstreamConfig, model: &str) -> Bytes {
        let row = upstream.kind.row();
        let body = self.worded(
            self.for_upstream(model, row.usage == StreamUsage::Asked),
            row.prompt,
        );
        let Form::Json(_) = self.form else {
            return body;
        };
        let Some(mut fields) = Rewrite::of(&body) else {
            return body;
        };
        let is_asked = row.usage == StreamUsage::Asked;
        let unwanted = (!is_asked).then_some("stream_options");
        let drops = || row.drops.iter().copied().chain(unwanted);
        let renames = || row.renames.iter().map(|(from, _)| *from);
        let changes = drops().chain(renames()).any(|name| fields.has(name));
        if !changes && row.rewrite.is_none() {
            return body;
        }
        drops().for_each(|name| fields.remove(name));
        row.renames
            .iter()
            .for_each(|(from, to)| fields.rename(from, to));
        if let Some(rewrite) = row.rewrite {
            rewrite(&mut fields, self.endpoint, upstream);
        }
        fields.written()
    }
}
