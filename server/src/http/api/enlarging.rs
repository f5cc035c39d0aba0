//! Enlarging a picture that was made from words, and extending it beyond its frame: it stays one, with its words.

use atelier_api::{Background, Extend, Quality, Size};

use crate::http::{
    Error, Result, State,
    api::images::none_of,
    api::jobs::own_named,
    api::sizes::{LONGEST, MOST_PIXELS},
};
use crate::{
    app::{Caller, Order},
    job::{ImageTask, JobId, Outcome, Source, Task},
    photo,
    providers::Offers,
    queue::Job,
};

/// Why no picture can be made from that of a job.
pub(crate) const NO_PICTURE: &str = "That job has no picture made from words, or none yet.";

/// A picture of the caller's own, with the order that it was made by.
pub(crate) struct Made {
    task: ImageTask,
    pub(crate) source: Source,
}

impl Made {
    /// Finds the picture of this number, counted from 1, of the job with that name. `None` if the job makes none from
    /// words.
    pub(crate) async fn find(
        state: &State,
        caller: &Caller,
        name: &str,
        number: usize,
    ) -> Result<Option<Self>> {
        let (id, job) = own_named(state, caller, name).await?;
        Self::of(id, job, number)
    }

    /// The same for a job that has been read.
    pub(crate) fn of(id: JobId, job: Job, number: usize) -> Result<Option<Self>> {
        let Task::Image(task) = job.request.task else {
            return Ok(None);
        };
        let Some(Outcome::Succeeded {
            pictures, left_out, ..
        }) = job.outcome
        else {
            return Err(Error::invalid("from", NO_PICTURE));
        };
        let index = number.checked_sub(1);
        let picture = index.and_then(|index| pictures.into_iter().nth(index));
        let picture = picture
            .ok_or_else(|| Error::invalid("from", "That job has no picture of this number."))?;
        let source = Source {
            job: id,
            number,
            picture,
            left_out,
        };
        Ok(Some(Self { task, source }))
    }

    /// The order for the same picture so many times as wide and high.
    pub(crate) fn enlarged(self, offers: Offers, times: u32) -> Result<Order> {
        if !offers.enlarges {
            return Err(Error::invalid(
                "enlarge",
                "The model in use enlarges no pictures.",
            ));
        }
        if !matches!(times, 2 | 4) {
            return Err(Error::invalid("enlarge", "enlarge is 2 or 4."));
        }
        let (width, height) = (self.source.picture.width, self.source.picture.height);
        photo::sides_fit((width, height), times)?;
        Ok(Order::Image(ImageTask {
            enlarge: Some(times),
            ..self.again(width * times, height * times)
        }))
    }

    /// The order for the picture continued beyond its frame.
    pub(crate) fn extended(self, offers: Offers, extend: Extend) -> Result<ImageTask> {
        if let Extend::Other(_) = extend {
            return Err(none_of("extend", Extend::ALL.iter().map(Extend::as_str)));
        }
        if !offers.masks {
            let detail = "The model in use extends no pictures.";
            return Err(Error::invalid("extend", detail));
        }
        let (width, height) = extend.sides((self.source.picture.width, self.source.picture.height));
        if width.max(height) > LONGEST || width.saturating_mul(height) > MOST_PIXELS {
            let detail = format!(
                "The picture would have {width} x {height} pixels; at most {LONGEST} a side and {MOST_PIXELS} in all \
                 are made."
            );
            return Err(Error::invalid("extend", detail));
        }
        Ok(ImageTask {
            quality: Quality::Auto,
            background: Background::Auto,
            extend: Some(extend),
            ..self.again(width, height)
        })
    }

    /// A picture with its words, made from it in other sides.
    fn again(self, width: u32, height: u32) -> ImageTask {
        ImageTask {
            size: Size::pixels(width, height),
            n: 1,
            source: Some(self.source),
            attached: Vec::new(),
            mask: None,
            enlarge: None,
            extend: None,
            ..self.task
        }
    }

    /// Whether these are its words, or none.
    pub(crate) fn has_words(&self, prompt: Option<&str>) -> bool {
        let asked = prompt.map(str::trim).unwrap_or_default();
        asked.is_empty() || asked == self.task.prompt
    }
}
