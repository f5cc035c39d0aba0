//! A request as it arrived, and reading fields from its body.

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest as _, Multipart},
    http::{HeaderMap, Method, Request, Uri},
};
use serde_json::{Map, Value, json};

use crate::{MODELS, refusal::Refusal};

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Call {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    /// The body, to the byte.
    pub body: Bytes,
}

impl Call {
    /// The path without the query.
    pub fn path(&self) -> &str {
        self.uri.path()
    }

    /// A header as text, if it was sent.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The same with another body.
    pub(crate) fn with(&self, fields: &Map<String, Value>) -> Call {
        let body = serde_json::to_vec(fields).unwrap_or_default().into();
        Call {
            body,
            ..self.clone()
        }
    }

    /// For programs that ask over HTTP.
    pub(crate) fn to_json(&self) -> Value {
        let headers = self.headers.iter().map(|(name, value)| {
            let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), text.into())
        });
        json!({
            "method": self.method.as_str(), "path": self.path(), "query": self.uri.query(),
            "headers": headers.collect::<Map<String, Value>>(),
            "body": String::from_utf8_lossy(&self.body), "json": self.json(),
        })
    }

    /// The fields of a JSON body.
    pub(crate) fn fields(&self) -> Result<Fields, Refusal> {
        let kind = self.header("content-type").unwrap_or_default();
        if !kind.starts_with("application/json") {
            return Err(Refusal::bad(format!(
                "Unsupported content type: '{kind}'. This API only supports 'application/json'."
            )));
        }
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(fields)) => Ok(Fields(fields)),
            _ => Err(Refusal::bad(
                "We could not parse the JSON body of your request.",
            )),
        }
    }

    /// The fields of a form, and its files.
    pub(crate) async fn form(&self) -> Result<(Fields, Vec<File>), Refusal> {
        let unread = || Refusal::bad("We could not parse the form of your request.");
        let mut request = Request::new(Body::from(self.body.clone()));
        *request.headers_mut() = self.headers.clone();
        let form = Multipart::from_request(request, &());
        let (mut form, mut fields, mut files) =
            (form.await.map_err(|_| unread())?, Map::new(), Vec::new());
        while let Some(part) = form.next_field().await.map_err(|_| unread())? {
            let name = part.name().ok_or_else(unread)?.to_owned();
            if part.file_name().is_some() {
                let bytes = part.bytes().await.map_err(|_| unread())?;
                files.push(File { name, bytes });
            } else {
                let text = part.text().await.map_err(|_| unread())?;
                // What is a number or a truth value in JSON is read as that.
                let value = match serde_json::from_str(&text) {
                    Ok(value @ (Value::Number(_) | Value::Bool(_))) if name != "prompt" => value,
                    _ => text.into(),
                };
                fields.insert(name, value);
            }
        }
        Ok((Fields(fields), files))
    }
}

/// A file of a form.
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) bytes: Bytes,
}

/// The fields of a body, read as the real ones read them.
pub(crate) struct Fields(pub(crate) Map<String, Value>);

impl Fields {
    /// A field that is neither missing nor null.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    pub(crate) fn required(&self, name: &str) -> Result<&Value, Refusal> {
        self.get(name).ok_or_else(|| Refusal::missing(name))
    }

    pub(crate) fn text(&self, name: &str) -> Result<&str, Refusal> {
        let value = self.required(name)?;
        value
            .as_str()
            .ok_or_else(|| Refusal::wrong(name, "a string", value))
    }

    /// A list that is not empty.
    pub(crate) fn list(&self, name: &str) -> Result<&Vec<Value>, Refusal> {
        let value = self.required(name)?;
        match value.as_array() {
            Some(list) if !list.is_empty() => Ok(list),
            _ => Err(Refusal::wrong(name, "a non-empty array", value)),
        }
    }

    pub(crate) fn flag(&self, name: &str) -> Result<bool, Refusal> {
        match self.get(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(Refusal::wrong(name, "a boolean", other)),
        }
    }

    /// A whole number between these, both included.
    pub(crate) fn number(&self, name: &str, least: u64, most: u64) -> Result<Option<u64>, Refusal> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        match value.as_u64() {
            Some(number) if (least..=most).contains(&number) => Ok(Some(number)),
            _ => Err(Refusal::wrong(
                name,
                &format!("an integer from {least} to {most}"),
                value,
            )),
        }
    }

    /// One of the models that there are.
    pub(crate) fn model(&self) -> Result<&str, Refusal> {
        let model = self.text("model")?;
        if MODELS.contains(&model) {
            return Ok(model);
        }
        Err(Refusal::no_model(model))
    }
}
