//! Enlarging a picture that was made from words: it stays one, with its words.

use atelier_api::Size;

use crate::http::{Error, Result, State, api::jobs::own, job_keys};
use crate::{
    app::{Caller, Order},
    job::{ImageTask, JobId, Outcome, Source, Task},
    photo,
};

/// A picture of the caller's own, with the order that it was made by.
pub(crate) struct Made {
    task: ImageTask,
    source: Source,
}

impl Made {
    /// Finds the job's picture of this number, counted from 1. `None` if the job makes none from words.
    pub(crate) async fn find(
        state: &State,
        caller: &Caller,
        name: &str,
        number: usize,
    ) -> Result<Option<Self>> {
        let (caller, id) = job_keys::named(state, caller, name);
        let job = own(state, &caller, &id).await?;
        let Task::Image(task) = job.request.task else {
            return Ok(None);
        };
        let source = job
            .outcome
            .and_then(|outcome| numbered(id, outcome, number));
        match source {
            Some(source) => Ok(Some(Self { task, source })),
            None => Err(refused("from", "That job has no picture of this number.")),
        }
    }

    /// The order for the same picture so many times as wide and high.
    pub(crate) fn enlarged(self, state: &State, times: u32) -> Result<Order> {
        if !state.studio.provider.offers().enlarges {
            return Err(refused("enlarge", "The model in use enlarges no pictures."));
        }
        if !matches!(times, 2 | 4) {
            return Err(refused("enlarge", "enlarge is 2 or 4."));
        }
        let (width, height) = (self.source.picture.width, self.source.picture.height);
        photo::sides_fit((width, height), times)?;
        Ok(Order::Image(ImageTask {
            size: Size::pixels(width * times, height * times),
            n: 1,
            source: Some(self.source),
            enlarge: Some(times),
            ..self.task
        }))
    }

    /// Whether these are its words, or none.
    pub(crate) fn has_words(&self, prompt: Option<&str>) -> bool {
        let asked = prompt.map(str::trim).unwrap_or_default();
        asked.is_empty() || asked == self.task.prompt
    }
}

fn numbered(job: JobId, outcome: Outcome, number: usize) -> Option<Source> {
    let Outcome::Succeeded { pictures, .. } = outcome else {
        return None;
    };
    let picture = pictures.into_iter().nth(number.checked_sub(1)?)?;
    Some(Source {
        job,
        number,
        picture,
    })
}

pub(crate) fn refused(code: &'static str, detail: &str) -> Error {
    Error::Invalid {
        code,
        detail: detail.into(),
    }
}
