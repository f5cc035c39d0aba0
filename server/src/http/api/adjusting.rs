//! Restoring a photo again without sending it again: otherwise, or further where its owner paints over it.

use crate::http::{
    Error, Result, State, api::jobs::own_named, api::restorations::Wishes,
    api::submission::Submission, api::uploads, pools::Origin,
};
use crate::{
    app::{self, Caller, Order},
    job::{Outcome, Picture, RestorationTask, Task},
    photo,
};

/// An earlier restoration of the caller's own.
pub(crate) struct Earlier {
    task: RestorationTask,
    result: Option<Picture>,
}

impl Earlier {
    /// Finds the restoration that a text names.
    pub(crate) async fn find(state: &State, caller: &Caller, name: &str) -> Result<Self> {
        let found = own_named(state, caller, name).await;
        let (_, job) = found.map_err(|error| match error {
            Error::NotFound(_) => gone(),
            error => error,
        })?;
        let Task::Restoration(task) = job.request.task else {
            return Err(Error::invalid("original", "That job restored no photo."));
        };
        let blobs = &state.studio.stores.blobs;
        for key in [Some(&task.original), task.base.as_ref()]
            .into_iter()
            .flatten()
        {
            let size = blobs.size(&key.key).await.map_err(app::Error::from)?;
            size.ok_or_else(gone)?;
        }
        let result = match job.outcome {
            Some(Outcome::Succeeded { pictures, .. }) => pictures.into_iter().next(),
            _ => None,
        };
        Ok(Self { task, result })
    }

    /// Whether a part of the photo alone is to be repaired again.
    pub(crate) const fn has_mask(&self) -> bool {
        self.task.mask.is_some() && self.task.base.is_none()
    }

    /// The order for it once more: with a mask its result is repaired further, and nothing else changes.
    pub(crate) async fn order(
        self,
        submission: &Submission,
        origin: &Origin,
        wishes: Wishes,
        mask: Option<Option<Vec<u8>>>,
    ) -> Result<Order> {
        let task = match mask {
            Some(mask) => self.further(submission, origin, mask).await?,
            None => self.otherwise(wishes)?,
        };
        Ok(Order::Restoration(task))
    }

    async fn further(
        self,
        submission: &Submission,
        origin: &Origin,
        mask: Option<Vec<u8>>,
    ) -> Result<RestorationTask> {
        let mask = mask.ok_or_else(|| {
            Error::invalid("mask", "First paint over what is to be repaired further.")
        })?;
        let base = self.result.ok_or_else(no_result)?;
        let sides = (base.width, base.height);
        let max_pixels = submission.state.photos.max_pixels;
        let turn = uploads::turn(submission, origin).await?;
        let mask = turn.work(move || uploads::as_text(&mask, sides, max_pixels));
        Ok(RestorationTask {
            mask: Some(mask.await??),
            base: Some(base),
            ..self.task
        })
    }

    /// From the photo, or from the result where that was repaired further.
    fn otherwise(self, wishes: Wishes) -> Result<RestorationTask> {
        let Wishes {
            enlarge,
            strength,
            monochrome,
        } = wishes;
        let (original, before) = (&self.task.original, self.task.enlarge);
        photo::sides_fit((original.width, original.height), enlarge)?;
        let mut task = RestorationTask {
            enlarge,
            strength,
            monochrome,
            ..self.task
        };
        if task.base.is_some() {
            task.base = Some(self.result.ok_or_else(no_result)?);
            task.mask = None;
            // It cannot be made smaller again.
            task.enlarge = enlarge.max(before);
        }
        Ok(task)
    }
}

fn gone() -> Error {
    let detail = "That photo is no longer here: it was deleted or has expired. Send it again.";
    Error::invalid("original", detail)
}

fn no_result() -> Error {
    Error::invalid("original", "That photo has no result yet.")
}
