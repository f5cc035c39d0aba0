//! What can go wrong with an upstream.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What becomes of one call. In JSON: `"html"`, `{"silence": {"milliseconds": 500}}`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Behaviour {
    /// It is answered as the real one would.
    #[default]
    Answer,
    /// It is refused with this status, these headers and this body; a text is sent as it is.
    Status {
        status: u16,
        #[serde(default)]
        headers: BTreeMap<String, String>,
        #[serde(default)]
        body: Value,
    },
    /// The first byte comes so late.
    SlowFirstByte { milliseconds: u64 },
    /// The first half comes at once, the rest so much later.
    Silence { milliseconds: u64 },
    /// Nothing comes until the client gives up or [`Upstream::release`](crate::Upstream::release).
    Hang,
    /// The first half comes, and the rest upon [`Upstream::release`](crate::Upstream::release).
    HangMidway,
    /// The connection is closed before an answer.
    Close,
    /// The first half comes, then the connection is closed.
    CloseMidway,
    /// A page, with status 200.
    Html,
    /// Half of the JSON, as if it were all.
    HalfJson,
    /// The stream ends, properly, within an event. What is no stream ends after its first half.
    HalfEvent,
    /// Status 200, and the body, or the second event, is an error.
    ErrorInside,
    /// The client is sent elsewhere with 307.
    Redirect { to: String },
    /// The usage claims so many tokens of every kind; without a number there is no usage.
    Usage { tokens: Option<i64> },
    /// The second chunk of the body is framed by nonsense.
    GarbageChunks,
    /// It is refused in the upstream's own form.
    Trouble(Trouble),
}

/// Why an upstream refuses, whatever it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Trouble {
    /// It wants to be asked again after this time.
    Busy { milliseconds: u64 },
    /// There is nothing left to spend: asking again is of no use.
    Spent,
    /// It fails.
    Failing,
    /// It refuses the content.
    Unsafe,
    /// It repeats the key in its error, and the token.
    Echo { status: u16 },
}
