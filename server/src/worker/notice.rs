//! Sends notices: jobs like any other, whose call goes to an API user's URL.

use std::time::{Duration, SystemTime};

use atelier_gateway::retry_after::retry_after;
use atelier_webhook::SendError;
use axum::http::StatusCode;
use serde_json::Value;

use super::Worker;
use crate::{
    job::{NoticeTask, shown},
    providers::{Answer, Error, Remedy},
};

impl Worker {
    /// Sends the notice once. Its id, which is the job's, is the same for every attempt.
    pub(super) async fn notify(&self, id: &str, notice: &NoticeTask) -> Result<Answer, Error> {
        let body = self.with_answer(notice).await.into_bytes();
        let now = self.clock.now().into();
        match self.callbacks.send(&notice.url, id, body, now).await {
            Ok(()) => Ok(Answer::of(Vec::new(), None)),
            Err(error) => Err(Error {
                remedy: remedy(&error, now),
                ..Error::last("callback_failed", error.to_string())
            }),
        }
    }
}

impl Worker {
    /// The body of the notice with that of a large answer, unless this was deleted meanwhile.
    async fn with_answer(&self, notice: &NoticeTask) -> String {
        let whole = async {
            let bytes = notice.answer.as_ref()?.read(&self.blobs).await.ok()?;
            let mut body: Value = serde_json::from_str(&notice.body).ok()?;
            let media_type = body.pointer("/data/answer/headers/content-type");
            let media_type = media_type.and_then(Value::as_str).map(str::to_owned);
            let answer = body.pointer_mut("/data/answer/body")?;
            *answer = shown(media_type.as_deref(), &bytes);
            Some(body.to_string())
        };
        whole.await.unwrap_or_else(|| notice.body.clone())
    }
}

/// Whether to retry, and after which pause if the receiver asked for one.
fn remedy(error: &SendError, now: SystemTime) -> Remedy {
    if error.is_final() {
        return Remedy::Nothing;
    }
    Remedy::Retry(asked_pause(error, now))
}

fn asked_pause(error: &SendError, now: SystemTime) -> Option<Duration> {
    match error {
        SendError::Answered {
            status: StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE,
            headers,
        } => retry_after(headers, now),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, header::RETRY_AFTER};

    use super::*;

    #[test]
    fn the_answer_decides_what_happens_next() {
        const DAY: u64 = 24 * 60 * 60;
        let past = "Thu, 01 Jan 1970 00:00:30 GMT";
        let retry = |seconds: Option<u64>| Remedy::Retry(seconds.map(Duration::from_secs));
        for (status, asked, expected) in [
            (410, "7", Remedy::Nothing),
            (404, "7", retry(None)),
            (429, "7", retry(Some(7))),
            (503, "99999999999999999999", retry(Some(DAY))),
            (503, past, retry(Some(0))),
            (503, "soon", retry(None)),
            (503, "", retry(None)),
            (429, "-1", retry(None)),
        ] {
            let error = SendError::Answered {
                status: StatusCode::from_u16(status).unwrap(),
                headers: HeaderMap::from_iter([(RETRY_AFTER, asked.parse().unwrap())]),
            };
            assert_eq!(
                remedy(&error, SystemTime::now()),
                expected,
                "{status} {asked}"
            );
        }
    }
}
