//! Problem documents (RFC 9457).

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use atelier_app::{Language, words::duration};

/// A problem document.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Problem {
    #[serde(rename = "type")]
    pub(crate) kind: &'static str,
    pub(crate) title: &'static str,
    pub(crate) status: u16,
    pub(crate) detail: String,
    code: &'static str,
    #[serde(rename = "violated-policies", skip_serializing_if = "Vec::is_empty")]
    pub(crate) violated: Vec<String>,
}

impl Problem {
    pub(crate) fn new(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            kind: "about:blank",
            title,
            status: status.as_u16(),
            detail: detail.into(),
            code,
            violated: vec![],
        }
    }

    /// Translates the problem, as far as the language has a text for it.
    pub(crate) fn spoken(self, language: Language, retry_after: Option<u64>) -> Self {
        let wait = retry_after.map(duration);
        match language.problem(self.code, wait.as_deref()) {
            Some((title, detail)) => Self {
                title,
                detail,
                ..self
            },
            None => self,
        }
    }

    /// The problem as a response; also an extension of it, for layers that present it in another way.
    pub(crate) fn respond(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let problem = self.clone();
        let mut response = (status, Json(self)).into_response();
        let media_type = header::HeaderValue::from_static("application/problem+json");
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, media_type);
        response.extensions_mut().insert(problem);
        response
    }
}
