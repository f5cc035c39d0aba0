//! Comparing prompts word by word, off the async threads.

use std::sync::Arc;

use tokio::task::spawn_blocking;
use tracing::debug;

use super::{EncodeError, Encoder};
use crate::guard::{Kind, Reading, Verdict};

/// The result of comparing two prompts.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Explanation {
    /// Whether one would be answered with the other's answer.
    #[serde(rename = "match")]
    pub matches: bool,
    /// Cosine similarity of the two vectors.
    pub similarity: f32,
    /// The reason, for an operator.
    pub reason: String,
}

/// Reads a text on a blocking thread. `None` if it must be compared exactly only: it is
/// too long, or in a script that the encoder does not know.
pub async fn read(kind: Kind, text: &str) -> Option<Arc<Reading>> {
    let most = kind.most_chars();
    // A character has four bytes at most: a long text is not counted through.
    (text.len() <= 4 * most && text.chars().count() <= most).then_some(())?;
    let text = text.to_owned();
    let reading = spawn_blocking(move || Reading::of(kind, &text))
        .await
        .ok()?;
    let letters = || reading.essence().chars().filter(|c| c.is_alphabetic());
    let latin = letters().filter(char::is_ascii).count();
    (latin > 0 && 10 * latin >= 9 * letters().count()).then(|| Arc::new(reading))
}

/// An earlier prompt to be compared with.
pub struct Earlier {
    /// Its words.
    pub prompt: String,
    /// Whether it is another owner's: then it matches nothing if it tells of a person.
    pub stranger: bool,
}

/// Compares a prompt with earlier ones, in order, up to the first that agrees; on a
/// blocking thread. Returns the verdicts, none if that fails.
pub async fn judge(asked: &Arc<Reading>, earlier: Vec<Earlier>) -> Vec<Verdict> {
    let asked = Arc::clone(asked);
    let compare = move || {
        let mut verdicts = Vec::with_capacity(earlier.len());
        for earlier in earlier {
            let verdict = compare(&asked, &earlier);
            let agree = verdict.agree;
            verdicts.push(verdict);
            if agree {
                break;
            }
        }
        verdicts
    };
    let judged = spawn_blocking(compare).await;
    judged.unwrap_or_else(|error| {
        debug!(%error, "prompts could not be compared");
        Vec::new()
    })
}

fn compare(asked: &Reading, earlier: &Earlier) -> Verdict {
    let known = Reading::of(asked.kind(), &earlier.prompt);
    if earlier.stranger && known.is_personal() {
        return Verdict {
            agree: false,
            reason: "the earlier prompt tells of a person".into(),
        };
    }
    asked.compare(&known)
}

/// Returns whether the second text would be answered with the first one's answer.
///
/// # Errors
/// If the encoder fails.
pub async fn explain(
    encoder: &dyn Encoder,
    threshold: f32,
    kind: Kind,
    one: &str,
    other: &str,
) -> Result<Explanation, EncodeError> {
    let exact_only = |reason: &str| Explanation {
        matches: one.split_whitespace().eq(other.split_whitespace()),
        similarity: 0.0,
        reason: reason.into(),
    };
    let (Some(first), Some(second)) = (read(kind, one).await, read(kind, other).await) else {
        return Ok(exact_only(
            "too long, or in a script that the encoder does not know: compared exactly only",
        ));
    };
    let (a, b) = (
        encoder.encode(first.essence()).await?,
        encoder.encode(second.essence()).await?,
    );
    let similarity = a
        .iter()
        .zip(&b)
        .map(|(x, y)| x * y)
        .sum::<f32>()
        .clamp(0.0, 1.0);
    let verdict = first.compare(&second);
    let near = similarity >= threshold;
    Ok(Explanation {
        matches: near && verdict.agree,
        similarity,
        reason: if near || !verdict.agree {
            verdict.reason
        } else {
            format!("less alike than {threshold}; {}", verdict.reason)
        },
    })
}
