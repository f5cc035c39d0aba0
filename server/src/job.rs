//! What the modules hand each other: a [`Request`] on its way in, an [`Outcome`] on its
//! way out.

mod call;
mod found;
pub mod gates;
mod id;
mod message;
mod outcome;
mod owner;
mod paid_answer;
mod task;
mod variant;

use std::fmt::Write as _;

use atelier_queue::{Entry, Payload};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

pub use atelier_blob::Visibility;
pub use atelier_queue::Cost;

pub use self::{
    call::{Answered, CALLS, CallTask, Content, shown},
    found::{Found, Likeness},
    id::JobId,
    message::{MESSAGES, MessageTask, OWN_MESSAGES, owner_of_messages},
    outcome::{MadeBy, Outcome},
    owner::Owner,
    paid_answer::{Journal, PaidAnswer, unreferenced},
    task::{
        Attached, ImageTask, NoticeTask, RestorationTask, Source, Task, notice_lane, notice_lanes,
    },
    variant::{encoded, preview, scaled, variants},
};
use crate::{blob::BlobKey, photo::Description};

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

/// A picture kept in the blob store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// Name in the blob store, for example `0190….png`.
    pub key: BlobKey,
    pub width: u32,
    pub height: u32,
    pub media_type: String,
    pub bytes: u64,
    pub thumbhash: String,
}

impl Picture {
    /// The record of a picture stored under `key` with `bytes` bytes.
    pub fn kept(description: Description, key: BlobKey, bytes: u64) -> Self {
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
        self.key.extension().unwrap_or("png")
    }
}

impl Request {
    /// Returns the SHA-256 of everything that decides what the picture looks like, and of the
    /// owner if the answer is for nobody else: requests with the same digest may share one
    /// answer. The prompt is normalised to Unicode NFC, trimmed, with runs of white space
    /// collapsed.
    pub fn digest(&self, owner: Option<&Owner>) -> String {
        let task = match &self.task {
            Task::Image(task) => {
                serde_json::json!([canonical_prompt(&task.prompt), task.parameters()])
            }
            Task::Restoration(task) => {
                let mut all = vec![
                    serde_json::json!(task.digest),
                    task.enlarge.into(),
                    task.strength.into(),
                    task.monochrome.into(),
                    serde_json::json!(task.mask),
                ];
                // Without it the digest is that of earlier versions.
                all.extend(task.base.as_ref().map(|base| base.key.to_string().into()));
                all.into()
            }
            Task::Notice(task) => serde_json::json!([task.job, task.url, task.body]),
            Task::Call(task) => serde_json::json!([task.path, task.digest, task.request]),
            Task::Message(task) => serde_json::json!([task.message.url, task.message.created_at]),
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
    fn alone(&self, owner: Option<&Owner>) -> Option<String> {
        let from_words = matches!(&self.task, Task::Image(task) if task.beginnings().is_empty());
        (!from_words).then(|| owner.map(ToString::to_string).unwrap_or_default())
    }

    /// Everything but the prompt that decides what the picture looks like, and the owner if
    /// the answer is for nobody else.
    pub fn parameters(&self, owner: Option<&Owner>) -> String {
        let task = match &self.task {
            Task::Image(task) => task.parameters(),
            Task::Restoration(_) | Task::Notice(_) | Task::Call(_) | Task::Message(_) => {
                serde_json::Value::Null
            }
        };
        let alone = self.alone(owner);
        serde_json::json!([self.task.kind(), self.provider, self.model, task, alone]).to_string()
    }

    /// The number of pictures requested; all else counts as one.
    pub fn images(&self) -> u32 {
        match &self.task {
            Task::Image(task) => task.n,
            Task::Restoration(_) | Task::Notice(_) | Task::Call(_) | Task::Message(_) => 1,
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
            Task::Image(task) => {
                let attached = task.attached.iter();
                attached.map(|attached| &*attached.picture.key).collect()
            }
            Task::Notice(_) => Vec::new(),
            Task::Restoration(task) => vec![&task.original.key],
            Task::Call(task) => task.body.blob().map(|key| &**key).into_iter().collect(),
            Task::Message(task) => task.body.blob().map(|key| &**key).into_iter().collect(),
        }
    }

    /// Messages are listed while they are unfinished, and when they are dead letters.
    fn is_tracked(&self) -> bool {
        matches!(self.task, Task::Message(_))
    }

    /// Pictures are found by their prompts and styles, photos by the names of their files.
    fn entry(&self) -> Option<Entry> {
        let text = match &self.task {
            Task::Image(task) => task.styled(),
            Task::Restoration(task) => task.name.clone().unwrap_or_default(),
            Task::Notice(_) | Task::Call(_) | Task::Message(_) => return None,
        };
        let kind = self.task.kind()?.as_str().into();
        Some(Entry { kind, text })
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
    use atelier_api::Size;

    use super::*;

    #[test]
    fn an_enlarged_picture_is_not_its_source_nor_another_size() {
        let plain = image("a boat");
        let digests = [None, Some(2), Some(4)].map(|times| {
            let mut enlarged = plain.clone();
            if let Task::Image(task) = &mut enlarged.task {
                task.enlarge = times;
            }
            enlarged.digest(None)
        });
        assert_eq!(digests[0], plain.digest(None));
        assert!(digests[0] != digests[1] && digests[1] != digests[2]);
    }

    fn owned(request: &Request, session: &str) -> [String; 2] {
        let owner = Owner::Session(session.into());
        [
            request.digest(Some(&owner)),
            request.parameters(Some(&owner)),
        ]
    }

    fn image(prompt: &str) -> Request {
        Request {
            provider: "local".into(),
            model: "sketch".into(),
            variation: 0,
            found: None,
            task: Task::Image(ImageTask::of(prompt.into(), Size::Auto, 1)),
        }
    }

    #[test]
    fn white_space_and_normal_form_do_not_matter() {
        assert_eq!(
            image("a  cafe\u{301}\n ").digest(None),
            image(" a café").digest(None)
        );
    }

    #[test]
    fn every_parameter_matters() {
        let plain = image("a boat");
        let mut styled = plain.clone();
        if let Task::Image(task) = &mut styled.task {
            task.style = Some("ink".into());
        }
        let mut worded = styled.clone();
        if let Task::Image(task) = &mut worded.task {
            task.style_words = Some("linocut".into());
            assert_eq!(task.styled(), "a boat\n\nStyle: linocut.");
        }
        let mut other_model = plain.clone();
        other_model.model = "other".into();
        let digest = |request: &Request| request.digest(None);
        assert_ne!(digest(&plain), digest(&styled));
        assert_ne!(digest(&styled), digest(&worded));
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
                left_out: Vec::new(),
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
                base: None,
                name: None,
                exif: None,
            }),
            ..words.clone()
        };
        for (request, shared) in [(words, true), (change, false), (photo, false)] {
            let [ada, ben] = ["ada", "ben"].map(|name| owned(&request, name));
            assert_eq!(owned(&request, "ada"), ada);
            for (one, other) in ada.into_iter().zip(ben) {
                assert_eq!(one == other, shared);
            }
        }
    }

    /// Requests as earlier versions stored them.
    const STORED: [&str; 2] = [
        r#"{"provider":"local","model":"sketch","variation":0,"task":{"kind":"image","prompt":"a boat","size":"1024x1024","quality":"low","n":1,"style":null,"background":"auto"}}"#,
        r#"{"provider":"local","model":"sketch","variation":0,"task":{"kind":"image","prompt":"a boat","size":"auto","quality":"ultra","n":2,"style":"ink","background":"transparent","source":{"job":"1","number":1,"picture":{"key":"a.png","width":1,"height":1,"media_type":"image/png","bytes":1,"thumbhash":""}}}}"#,
    ];

    #[test]
    fn records_are_written_as_they_were_read() {
        for text in STORED {
            let request: Request = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&request).unwrap(), text);
        }
    }

    #[test]
    fn caches_and_flights_go_on_with_the_same_digests() {
        let [words, change] = STORED.map(|text| serde_json::from_str::<Request>(text).unwrap());
        let ada = Owner::from("session:ada");
        for (request, owner, digest) in [
            (
                &words,
                Some(&ada),
                "99f44b1b857cb0b12307cd683c5535dd0c8aafa451a60e97019f80b83fd6f1c9",
            ),
            (
                &change,
                Some(&ada),
                "47aedf2acb6a999deb64f2b0a861a7594c30ef4231efb867783c870d186c39c3",
            ),
            (
                &change,
                None,
                "fcc2629500223885418030ae4265954690cfc27c00fc388f759b6923d80de3cd",
            ),
        ] {
            assert_eq!(request.digest(owner), digest);
        }
    }
}
