//! A notice is a job like any other, whose call goes to an API user's address.

use super::Worker;
use crate::{
    job::NoticeTask,
    provider::{Answer, Error, Remedy},
};

impl Worker {
    /// Sends the notice once. Its id, which is the job's, stays the same when
    /// it is sent again.
    pub(super) async fn notify(&self, id: &str, notice: &NoticeTask) -> Result<Answer, Error> {
        let body = notice.body.clone().into_bytes();
        let sent = self.outgoing.post(&notice.url, id, body, self.clock.now());
        match sent.await {
            Ok(()) => Ok(Answer {
                pictures: Vec::new(),
                cost_usd: None,
            }),
            Err(error) => Err(Error {
                remedy: if error.is_final() {
                    Remedy::Nothing
                } else {
                    Remedy::Retry(error.retry_after())
                },
                ..Error::last("callback_failed", error.to_string())
            }),
        }
    }
}
