//! How each upstream says that it refuses, is busy, has nothing left to spend, or fails.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Form, google};
use crate::{KEY, Kind, Trouble, call::Call, refusal::Refusal, tokens};

/// A refusal as it is sent: status, headers and body.
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
}

/// A refusal in the upstream's own form.
pub(crate) fn refusal(kind: Kind, call: &Call, refused: &Refusal) -> Told {
    let told = refused_as(kind, refused);
    match tokens::refusal(kind, call, &refused.message) {
        Some(body) => Told { body, ..told },
        None => bare(kind, call, told),
    }
}

/// Google's own API has no lists around its errors.
fn bare(kind: Kind, call: &Call, mut told: Told) -> Told {
    if google::operation(kind, call.path()).is_some()
        && let Some(error) = told.body.get_mut(0)
    {
        told.body = error.take();
    }
    told
}

fn refused_as(kind: Kind, refused: &Refusal) -> Told {
    let (mut status, message) = (refused.status, refused.message.as_str());
    let form = kind.manner().form;
    let is_key = status == 401;
    if form == Form::Google && is_key && kind == Kind::Gemini {
        status = 400;
    }
    if form == Form::FastApi && refused.field().is_some() {
        status = 422;
    }
    let code = match (form, status) {
        (Form::Ibm, 401) => "authentication_token_not_valid",
        (Form::Ibm, 404) => "model_not_supported",
        (Form::Ibm, _) => "invalid_input_argument",
        (Form::Google, _) if is_key => "API_KEY_INVALID",
        _ => "INVALID_ARGUMENT",
    };
    let body = match form {
        Form::OpenAi => refused.openai(),
        Form::Anthropic => refused.anthropic("req_1"),
        Form::FastApi => match refused.field() {
            Some(field) => json!({"detail": [{
                "type": "extra_forbidden", "loc": ["body", field], "msg": message,
            }]}),
            None => json!({"message": message, "type": "invalid_request", "code": "3000"}),
        },
        form => written(form, status, code, message),
    };
    Told {
        status,
        headers: BTreeMap::new(),
        body,
    }
}

fn written(form: Form, status: u16, code: &str, message: &str) -> Value {
    match form {
        Form::Google => {
            let info = "type.googleapis.com/google.rpc.ErrorInfo";
            json!([{"error": {
                "code": status, "message": message, "status": google_status(status),
                "details": [{"@type": info, "reason": code, "domain": "googleapis.com"}],
            }}])
        }
        Form::Ibm => json!({
            "errors": [{"code": code, "message": message, "more_info": ""}],
            "trace": "trace-1", "status_code": status,
        }),
        Form::Number => json!({"error": {"code": status, "message": message, "type": ""}}),
        Form::Text => json!({"error": message}),
        Form::FastApi => json!({"message": message, "type": code, "code": "1300"}),
        Form::Anthropic => json!({
            "type": "error", "error": {"type": code, "message": message}, "request_id": "req_1",
        }),
        Form::OpenAi => {
            json!({"error": {"message": message, "type": code, "param": null, "code": code}})
        }
    }
}

fn google_status(status: u16) -> &'static str {
    match status {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        503 => "UNAVAILABLE",
        500.. => "INTERNAL",
        _ => "INVALID_ARGUMENT",
    }
}

/// What goes wrong, in the upstream's own form and with its own hints.
pub(crate) fn trouble(kind: Kind, call: &Call, trouble: Trouble, token: &str) -> Told {
    let told = match trouble {
        Trouble::Busy { milliseconds } => busy(kind, milliseconds),
        Trouble::Spent => spent(kind),
        Trouble::Failing => plain(kind, 500, "INTERNAL", "Something went wrong."),
        Trouble::Echo { status } => {
            let message = format!("The request with {KEY} and {token} is of no use.");
            plain(kind, status, "INVALID_ARGUMENT", &message)
        }
        Trouble::Unsafe => refused_content(kind),
    };
    bare(kind, call, told)
}

/// Google refuses a picture with status 200.
fn refused_content(kind: Kind) -> Told {
    match kind {
        Kind::Gemini | Kind::Vertex => Told {
            status: 200,
            headers: BTreeMap::new(),
            body: json!({
                "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
                "usageMetadata": {"promptTokenCount": 4, "totalTokenCount": 4},
                "modelVersion": "gemini-3-pro-image", "responseId": "response-0",
            }),
        },
        Kind::OpenRouter => {
            let mut told = plain(kind, 403, "", "The input was flagged.");
            told.body["error"]["metadata"] = json!({"reasons": ["violence"]});
            told
        }
        _ => {
            let mut told = plain(kind, 400, "", "The request was refused as unsafe.");
            told.body = json!({"error": {
                "message": "The request was refused as unsafe.", "type": "invalid_request_error",
                "param": null, "code": "moderation_blocked",
            }});
            told
        }
    }
}

fn plain(kind: Kind, status: u16, code: &str, message: &str) -> Told {
    Told {
        status,
        headers: BTreeMap::new(),
        body: written(kind.manner().form, status, code, message),
    }
}

fn busy(kind: Kind, milliseconds: u64) -> Told {
    let seconds = milliseconds as f64 / 1000.0;
    let asked = format!("Rate limit reached. Please try again in {seconds}s.");
    let (status, header, message) = match kind {
        Kind::OpenAi | Kind::Azure => (
            429,
            Some(("retry-after-ms", milliseconds.to_string())),
            "Busy.",
        ),
        Kind::Anthropic | Kind::HuggingFace | Kind::DeepSeek => {
            (429, Some(("retry-after", seconds.to_string())), "Busy.")
        }
        Kind::Ollama | Kind::LlamaCpp | Kind::LocalAi | Kind::LmStudio | Kind::SdCpp => {
            (503, None, asked.as_str())
        }
        _ => (429, None, asked.as_str()),
    };
    let mut told = plain(kind, status, "rate_limit_error", message);
    if kind.manner().form == Form::Google {
        told.body[0]["error"]["message"] = "Quota.".into();
        told.body[0]["error"]["details"] = json!([{
            "@type": "type.googleapis.com/google.rpc.RetryInfo",
            "retryDelay": format!("{seconds}s"),
        }]);
    }
    told.headers
        .extend(header.map(|(name, value)| (name.to_owned(), value)));
    told
}

/// Local servers have nothing to spend: they say what OpenAI says.
fn spent(kind: Kind) -> Told {
    match kind {
        Kind::Gemini | Kind::Vertex => {
            let mut told = busy(kind, 100);
            let quota = json!({
                "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}],
            });
            if let Some(details) = told.body[0]["error"]["details"].as_array_mut() {
                details.push(quota);
            }
            told
        }
        Kind::Watsonx | Kind::WatsonxGateway => plain(
            kind,
            403,
            "token_quota_reached",
            "The token quota is reached.",
        ),
        Kind::HuggingFace | Kind::OpenRouter | Kind::DeepSeek | Kind::Mistral => plain(
            kind,
            402,
            "insufficient_credits",
            "There is no credit left.",
        ),
        Kind::Anthropic => {
            let mut told = plain(kind, 429, "rate_limit_error", "The spend limit is reached.");
            told.body["error"]["details"] = json!({"code": "enforced_spend_limit_reached"});
            told
        }
        _ => {
            let mut told = plain(kind, 429, "insufficient_quota", "The quota is reached.");
            if told.body["error"].is_object() {
                told.body["error"]["type"] = "insufficient_quota".into();
            } else {
                told.body = json!({"error": {"type": "insufficient_quota", "message": "No."}});
            }
            told
        }
    }
}
