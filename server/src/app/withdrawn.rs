//! What a job reveals of an earlier one: a picture to compare with, or its owner's prompt. The earlier job may be
//! deleted or withheld at any time and in any process, so whether it may still be seen is checked whenever the
//! later one is returned.

use super::{Caller, Error, Studio};
use crate::{job::Found, queue::Job};

impl Studio {
    /// Drops what the job reveals of another that is gone, or withheld from the caller.
    pub(super) async fn drop_withdrawn(&self, caller: &Caller, job: &mut Job) -> Result<(), Error> {
        if let Some(found) = &job.request.found
            && found.reveals_its_job()
            && !self.may_still_answer(caller, &found.job).await?
        {
            job.request.found = job.request.found.take().and_then(Found::without_its_job);
        }
        Ok(())
    }
}

impl Found {
    const fn reveals_its_job(&self) -> bool {
        self.picture.is_some() || self.own_words.is_some()
    }

    /// A suggestion is dropped altogether; an answer only loses the earlier prompt.
    fn without_its_job(self) -> Option<Self> {
        let is_answer = self.picture.is_none();
        is_answer.then_some(Self {
            own_words: None,
            ..self
        })
    }
}
