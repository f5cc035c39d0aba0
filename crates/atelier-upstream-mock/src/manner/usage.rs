//! Where an upstream tells the usage of a stream.

use serde_json::{Value, json};

use crate::reply::{Event, Reply};

/// Dollars that OpenRouter charges for everything.
const COST: f64 = 0.25;

/// Tokens that Google's models think with, which are in the total alone.
pub(super) const THOUGHT: u64 = 5;

/// Where the usage of a stream stands.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum UsageAt {
    /// In a chunk of its own, if `stream_options` asks for it.
    Asked,
    /// In every chunk, the total so far, if it is asked for.
    EveryChunk,
    /// In the last chunk that has a choice.
    LastChunk,
    /// In a chunk of its own, unasked.
    OwnChunk,
    /// So as well, and what it costs.
    WithCost,
    /// Where Groq has it.
    XGroq,
}

impl UsageAt {
    /// Puts the usage, which stands in a chunk of its own, where it belongs.
    pub(crate) fn told(self, reply: Reply, wants_usage: bool) -> Reply {
        let mut events = match reply {
            Reply::Events(events) => events,
            whole => return whole.changed(|body| self.whole(body)),
        };
        let usage = events.iter().find_map(|event| event.data_of("usage"));
        let mut usage = usage.unwrap_or_default();
        self.adjust(&mut usage);
        let own_chunk = match self {
            UsageAt::Asked => wants_usage,
            UsageAt::OwnChunk | UsageAt::WithCost => true,
            UsageAt::EveryChunk | UsageAt::LastChunk | UsageAt::XGroq => false,
        };
        events.retain(|event| own_chunk || event.data_of("usage").is_none());
        let chunks = events.iter().filter(|event| event.is_chunk()).count();
        let is_every = self == UsageAt::EveryChunk && wants_usage;
        let shown = events.iter_mut().filter(|event| event.is_chunk());
        for (number, event) in (1..).zip(shown) {
            event.change(|chunk| {
                let is_last = number == chunks;
                if chunk["usage"].is_object() {
                    chunk["usage"] = usage.clone();
                } else if is_every {
                    chunk["usage"] = so_far(&usage, number, chunks);
                } else if self == UsageAt::LastChunk && is_last {
                    chunk["usage"] = usage.clone();
                } else if self == UsageAt::XGroq && is_last {
                    chunk["x_groq"] = json!({"id": "req_1", "usage": usage});
                }
            });
        }
        Reply::Events(events)
    }

    fn whole(self, body: &mut Value) {
        if let Some(usage) = body.get_mut("usage") {
            self.adjust(usage);
        }
    }

    fn adjust(self, usage: &mut Value) {
        match self {
            UsageAt::WithCost => usage["cost"] = COST.into(),
            UsageAt::EveryChunk => {
                let total = usage["total_tokens"].as_u64().unwrap_or_default();
                usage["total_tokens"] = (total + THOUGHT).into();
            }
            _ => {}
        }
    }
}

/// The usage after so many of the chunks.
fn so_far(usage: &Value, number: usize, chunks: usize) -> Value {
    let mut usage = usage.clone();
    if number < chunks {
        let prompt = usage["prompt_tokens"].as_u64().unwrap_or_default();
        usage["completion_tokens"] = number.into();
        usage["total_tokens"] = (prompt + number as u64 + THOUGHT).into();
    }
    usage
}

impl Event {
    /// An object among its data that is neither missing nor null.
    fn data_of(&self, name: &str) -> Option<Value> {
        self.content()
            .get(name)
            .filter(|value| value.is_object())
            .cloned()
    }

    fn is_chunk(&self) -> bool {
        self.content().is_object()
    }
}
