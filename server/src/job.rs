//! What the modules hand each other: a [`Request`] on its way in, an [`Outcome`] on its
//! way out.

mod outcome;
mod task;

use std::fmt::Write as _;

use atelier_queue::Payload;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

pub use atelier_queue::Cost;

pub use self::{
    outcome::Outcome,
    task::{
        ImageTask, NoticeTask, RestorationTask, Source, Task, Visibility, notice_lane, notice_lanes,
    },
};
use crate::photo::Description;

/// One accepted request, complete enough for any worker to carry it out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// The provider, for example `openai`.
    pub provider: String,
    pub model: String,
    /// 0, or a random number if the client requested a fresh picture.
    pub variation: u64,
    pub task: Task,
    /// An earlier answer that is reused for this request, or suggested beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<Found>,
}

/// An earlier answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// The job that was answered by the provider.
    pub job: String,
    pub painted_at: Timestamp,
    /// Set if its prompt is not the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub similar: Option<Likeness>,
    /// Its prompt, if that is not the same and from the same owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_words: Option<String>,
    /// Its first picture, if it is shown beside the answer for as long as the job may be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<Picture>,
    /// Why they mean the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The similarity of an earlier request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Likeness {
    /// Cosine similarity, 0 to 1.
    pub similarity: f32,
}

/// A picture kept in the blob store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// Name in the blob store, for example `0190….png`.
    pub key: String,
    pub width: u32,
    pub height: u32,
    pub media_type: String,
    pub bytes: u64,
    pub thumbhash: String,
}

impl Picture {
    /// The record of a picture stored under `key` with `bytes` bytes.
    pub fn kept(description: Description, key: String, bytes: u64) -> Self {
        Self {
            key,
            width: description.width,
            height: description.height,
            media_type: description.media_type.into(),
            bytes,
            thumbhash: description.thumbhash,
        }
    }

    /// The extension of its file name: `png`, `jpg` or `webp`.
    pub fn extension(&self) -> &str {
        self.key
            .rsplit_once('.')
            .map_or("png", |(_, extension)| extension)
    }
}

impl Request {
    /// Returns the SHA-256 of everything that decides what the picture looks like, and of the
    /// owner if the answer is for nobody else: requests with the same digest may share one
    /// answer. The prompt is normalised to Unicode NFC, trimmed, with runs of white space
    /// collapsed.
    pub fn digest(&self, owner: &str) -> String {
        let task = match &self.task {
            Task::Image(task) => {
                serde_json::json!([canonical_prompt(&task.prompt), task.parameters()])
            }
            Task::Restoration(task) => {
                serde_json::json!([
                    task.digest,
                    task.enlarge,
                    task.strength,
                    task.monochrome,
                    task.mask
                ])
            }
            Task::Notice(task) => serde_json::json!([task.job, task.url, task.body]),
        };
        let canonical = serde_json::json!([
            self.task.kind(),
            self.provider,
            self.model,
            task,
            self.alone(owner)
        ]);
        hex(&Sha256::digest(canonical.to_string()))
    }

    /// The owner, if the request contains something of theirs: nobody must learn that
    /// somebody else has the very same photo.
    fn alone<'a>(&self, owner: &'a str) -> Option<&'a str> {
        let from_words = matches!(&self.task, Task::Image(task) if task.source.is_none());
        (!from_words).then_some(owner)
    }

    /// Everything but the prompt that decides what the picture looks like, and the owner if
    /// the answer is for nobody else.
    pub fn parameters(&self, owner: &str) -> String {
        let task = match &self.task {
            Task::Image(task) => task.parameters(),
            Task::Restoration(_) | Task::Notice(_) => serde_json::Value::Null,
        };
        let alone = self.alone(owner);
        serde_json::json!([self.task.kind(), self.provider, self.model, task, alone]).to_string()
    }

    /// The number of pictures requested; a notice counts as one.
    pub fn images(&self) -> u32 {
        match &self.task {
            Task::Image(task) => task.n,
            Task::Restoration(_) | Task::Notice(_) => 1,
        }
    }
}

impl Payload for Request {
    type Outcome = Outcome;

    fn lane(&self) -> &str {
        &self.provider
    }

    fn turns(&self) -> u32 {
        self.images()
    }

    /// A suggested picture is not kept for this job: it is deleted with its own.
    fn blobs(&self) -> Vec<&str> {
        match &self.task {
            Task::Image(_) | Task::Notice(_) => Vec::new(),
            Task::Restoration(task) => vec![&task.original.key],
        }
    }
}

/// Normalises to Unicode NFC, trims, and collapses white space to single blanks.
fn canonical_prompt(prompt: &str) -> String {
    let words: Vec<String> = prompt
        .split_whitespace()
        .map(|word| word.nfc().collect())
        .collect();
    words.join(" ")
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(prompt: &str) -> Request {
        Request {
            provider: "local".into(),
            model: "sketch".into(),
            variation: 0,
            found: None,
            task: Task::Image(ImageTask {
                prompt: prompt.into(),
                size: "auto".into(),
                quality: "auto".into(),
                n: 1,
                style: None,
                background: "auto".into(),
                source: None,
            }),
        }
    }

    #[test]
    fn white_space_and_normal_form_do_not_matter() {
        assert_eq!(
            image("a  cafe\u{301}\n ").digest("ada"),
            image(" a café").digest("ben")
        );
    }

    #[test]
    fn every_parameter_matters() {
        let plain = image("a boat");
        let mut styled = plain.clone();
        if let Task::Image(task) = &mut styled.task {
            task.style = Some("ink".into());
        }
        let mut other_model = plain.clone();
        other_model.model = "other".into();
        let digest = |request: &Request| request.digest("ada");
        assert_ne!(digest(&plain), digest(&styled));
        assert_ne!(digest(&plain), digest(&other_model));
        assert_ne!(digest(&plain), digest(&image("A boat")));
    }

    #[test]
    fn what_is_made_from_a_picture_is_shared_with_nobody() {
        let picture = Picture {
            key: "a.png".into(),
            width: 1,
            height: 1,
            media_type: "image/png".into(),
            bytes: 1,
            thumbhash: String::new(),
        };
        let words = image("a boat");
        let mut change = words.clone();
        if let Task::Image(task) = &mut change.task {
            task.source = Some(Source {
                job: "1".into(),
                number: 1,
                picture: picture.clone(),
            });
        }
        let photo = Request {
            task: Task::Restoration(RestorationTask {
                original: picture,
                digest: "d".into(),
                enlarge: 1,
                strength: 100,
                monochrome: false,
                mask: None,
                name: None,
                exif: None,
            }),
            ..words.clone()
        };
        for (request, shared) in [(words, true), (change, false), (photo, false)] {
            assert_eq!(request.digest("ada"), request.digest("ada"));
            assert_eq!(request.digest("ada") == request.digest("ben"), shared);
            assert_eq!(
                request.parameters("ada") == request.parameters("ben"),
                shared
            );
        }
    }
}
