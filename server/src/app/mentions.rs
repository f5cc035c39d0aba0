//! What a job tells of an earlier one: a picture to compare with, or its owner's words. The earlier job may be
//! deleted or withheld at any time and in any process, so whether it may still be seen is looked up whenever the
//! later one leaves the studio.

use super::{Caller, Error, Studio};
use crate::{job::Found, queue::Job};

impl Studio {
    /// Drops what the job tells of another that is gone, or withheld from the caller.
    pub(super) async fn drop_withdrawn(&self, caller: &Caller, job: &mut Job) -> Result<(), Error> {
        if let Some(found) = &job.request.found
            && found.tells_of_its_job()
            && !self.still_serves(caller, &found.job).await?
        {
            job.request.found = job.request.found.take().and_then(Found::without_its_job);
        }
        Ok(())
    }
}

impl Found {
    const fn tells_of_its_job(&self) -> bool {
        self.picture.is_some() || self.own_words.is_some()
    }

    /// A suggestion is nothing without the job; an answer stays one, without the words it was first asked for in.
    fn without_its_job(self) -> Option<Self> {
        let is_answer = self.picture.is_none();
        is_answer.then_some(Self {
            own_words: None,
            ..self
        })
    }
}
