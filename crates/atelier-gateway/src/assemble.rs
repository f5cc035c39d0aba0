//! Follows a stream, and puts the answer together that it amounts to.

mod chunks;
mod merge;
mod messages;

use serde_json::{Map, Value, json};

use self::{
    chunks::{Chunks, Ends},
    messages::Parts,
};
use crate::{ApiError, Endpoint, Usage, json::Json, sse::Event};

/// How many choices, blocks or tool calls an answer may have. What is counted higher comes from
/// a server that has lost count.
const MAX_ITEMS: usize = 1024;

/// Follows the stream of one call.
#[derive(Debug)]
pub struct Assembler {
    endpoint: Endpoint,
    state: State,
    usage: Option<Usage>,
    /// What the events of a message have told of its usage, the latest of each figure.
    figures: Map<String, Value>,
    is_terminated: bool,
    /// The choices of a stream of chunks.
    ends: Ends,
    error: Option<ApiError>,
    /// Bytes of what the model has written.
    produced: u64,
    /// Bytes of the events that are kept, and how many may be.
    kept: usize,
    limit: usize,
    next_sequence: u64,
}

/// What is known of the answer.
#[derive(Debug)]
enum State {
    /// Chunks of chat and completions.
    Chunks(Chunks),
    /// Blocks of a message.
    Message(Parts),
    /// The answer is told as a whole at the end.
    Told(Option<Value>),
    /// Not to be kept, or too large to be.
    Dropped,
}

impl Assembler {
    /// Creates an assembler that keeps answers up to `limit` bytes of events. With a limit of
    /// 0 it only follows: usage, end and errors.
    pub fn new(endpoint: Endpoint, limit: usize) -> Self {
        let state = match endpoint {
            Endpoint::ChatCompletions | Endpoint::Completions => {
                State::Chunks(Chunks::new(endpoint))
            }
            Endpoint::Messages => State::Message(Parts::default()),
            Endpoint::Speech => State::Dropped,
            _ => State::Told(None),
        };
        Self {
            endpoint,
            state,
            usage: None,
            figures: Map::new(),
            is_terminated: false,
            ends: Ends::default(),
            error: None,
            produced: 0,
            kept: 0,
            limit,
            next_sequence: 0,
        }
    }

    /// Takes the next event of the stream.
    pub fn push(&mut self, event: &Event) {
        let Some(data) = &event.data else {
            return;
        };
        let is_chunk = matches!(
            self.endpoint,
            Endpoint::ChatCompletions | Endpoint::Completions
        );
        if event.is_done() {
            self.is_terminated |= is_chunk;
            return;
        }
        self.keep(data.len());
        if is_chunk && matches!(self.state, State::Dropped) && self.skim(data) {
            return;
        }
        let Ok(value) = serde_json::from_slice::<Value>(data) else {
            return;
        };
        if let Some(number) = value["sequence_number"].as_u64() {
            self.next_sequence = number.saturating_add(1);
        }
        self.look_for_error(event, &value);
        match self.endpoint {
            Endpoint::ChatCompletions | Endpoint::Completions => self.push_chunk(value),
            Endpoint::Messages => self.push_message_event(value),
            Endpoint::Responses => self.push_response_event(value),
            Endpoint::ImageGenerations | Endpoint::ImageEdits => self.push_picture_event(value),
            _ => self.push_audio_event(value),
        }
    }

    /// What the call has used by what the upstream has told so far. Figures of streams are
    /// totals: the last ones count.
    pub const fn usage(&self) -> Option<&Usage> {
        self.usage.as_ref()
    }

    /// How many bytes the model has written so far: what a stream that is cut is charged by.
    pub const fn produced(&self) -> u64 {
        self.produced
    }

    /// Whether the stream may end here: the event came that ends it, or every choice of a
    /// stream of chunks has its end. Some servers send no `[DONE]`.
    pub const fn is_terminated(&self) -> bool {
        self.is_terminated || self.ends.are_all()
    }

    /// Whether the event has come that ends the stream.
    pub const fn is_over(&self) -> bool {
        self.is_terminated
    }

    /// The error that the stream has told.
    pub const fn error(&self) -> Option<&ApiError> {
        self.error.as_ref()
    }

    /// The sequence number that an event of ours would have to bear.
    pub const fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// Returns the answer in the form of a call that does not stream, at the end of the stream.
    /// `None` if it was not told to its end, told an error or was too large. A stream of chunks
    /// may lack its `[DONE]` if every choice was finished. Whether the answer is worth keeping
    /// is for [`completion`](crate::completion) to say.
    pub fn into_answer(self) -> Option<Value> {
        if self.error.is_some() || !self.is_terminated() {
            return None;
        }
        match self.state {
            State::Chunks(chunks) => chunks.into_answer(),
            State::Message(parts) => parts.into_answer(self.figures),
            State::Told(answer) => answer,
            State::Dropped => None,
        }
    }

    /// Counts what a chunk adds if it does nothing else: most do not. Reading them as a whole
    /// takes ten times as long.
    fn skim(&mut self, data: &[u8]) -> bool {
        let Some(chunk) = Json::of_event(data) else {
            return false;
        };
        let is_more = |name: &str| chunk.get(name).is_some();
        if ["usage", "error", "x_groq"].into_iter().any(is_more) {
            return false;
        }
        let choices = chunk.get("choices");
        for choice in choices.into_iter().flat_map(Json::elements) {
            self.produced += chunks::skimmed(choice);
            let index = choice.get("index").and_then(Json::as_f64);
            let is_end = choice.get("finish_reason").is_some();
            self.ends
                .note(index.map_or(0, |index| index as u64), is_end);
        }
        true
    }

    fn keep(&mut self, bytes: usize) {
        self.kept = self.kept.saturating_add(bytes);
        if self.kept > self.limit && !matches!(self.state, State::Dropped) {
            self.state = State::Dropped;
        }
    }

    fn look_for_error(&mut self, event: &Event, value: &Value) {
        let kind = value["type"].as_str();
        let is_named = event.name.as_deref() == Some("error");
        let told = value.get("error").is_some_and(|error| !error.is_null());
        let is_error = match kind {
            Some(kind) => is_named || kind == "error" || (told && kind.ends_with(".failed")),
            None => is_named || told,
        };
        if is_error {
            self.error = Some(ApiError::from_value(500, value));
        }
    }

    /// The figures of chunks are totals.
    fn note_usage(&mut self, value: &Value) {
        if let Some(usage) = Usage::read(self.endpoint, value) {
            self.usage = Some(usage);
        }
    }

    fn push_chunk(&mut self, value: Value) {
        self.note_usage(&value);
        for choice in value["choices"].as_array().into_iter().flatten() {
            self.produced += chunks::written(choice);
            let is_end = !choice["finish_reason"].is_null();
            self.ends
                .note(choice["index"].as_u64().unwrap_or(0), is_end);
        }
        if let State::Chunks(chunks) = &mut self.state {
            chunks.push(value);
        }
    }

    fn push_response_event(&mut self, mut value: Value) {
        let kind = value["type"].as_str().unwrap_or_default();
        if kind.ends_with(".delta") {
            self.produced += length(&value["delta"]);
        }
        let ending = [
            "response.completed",
            "response.incomplete",
            "response.failed",
        ];
        if ending.contains(&kind) {
            self.is_terminated = true;
            self.note_usage(&value);
            let answer = value["response"].take();
            if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
                self.error = Some(ApiError::from_value(500, &json!({ "error": error })));
            }
            self.tell(answer);
        }
    }

    fn push_picture_event(&mut self, mut value: Value) {
        let kind = value["type"].as_str().unwrap_or_default();
        if !kind.ends_with(".completed") {
            return;
        }
        self.is_terminated = true;
        if let Some(usage) = Usage::read(self.endpoint, &value) {
            self.usage = Some(self.usage.unwrap_or_default().plus(usage));
        }
        let told = match &mut self.state {
            State::Told(told) => told.take(),
            _ => return,
        };
        let Some(event) = value.as_object_mut() else {
            return;
        };
        self.state = State::Told(Some(with_picture(told, std::mem::take(event))));
    }

    fn push_audio_event(&mut self, mut value: Value) {
        let kind = value["type"].as_str().unwrap_or_default();
        if kind.ends_with(".delta") {
            self.produced += length(&value["delta"]);
        } else if kind.ends_with(".done") {
            self.is_terminated = true;
            self.note_usage(&value);
            if let Some(answer) = value.as_object_mut() {
                answer.remove("type");
            }
            self.tell(value);
        }
    }

    fn push_message_event(&mut self, value: Value) {
        self.produced += messages::written(&value);
        self.is_terminated |= value["type"] == "message_stop";
        let carriers = [value.get("usage"), value["message"].get("usage")];
        let told = carriers.into_iter().flatten().find_map(Value::as_object);
        if let Some(told) = told {
            merge::overwrite(&mut self.figures, told);
            let total = json!({ "usage": self.figures });
            self.note_usage(&total);
        }
        if let State::Message(parts) = &mut self.state {
            parts.push(value);
        }
    }

    fn tell(&mut self, answer: Value) {
        if let State::Told(told) = &mut self.state {
            *told = Some(answer);
        }
    }
}

/// The length of a text.
fn length(value: &Value) -> u64 {
    value.as_str().map_or(0, |text| text.len() as u64)
}

/// The answer with one more picture.
fn with_picture(answer: Option<Value>, mut event: Map<String, Value>) -> Value {
    let picture = ["b64_json", "url", "revised_prompt"]
        .into_iter()
        .filter_map(|name| {
            let value = event.remove(name)?;
            Some((name.to_owned(), value))
        });
    let picture = Value::Object(picture.collect());
    event.remove("type");
    event.remove("partial_image_index");
    event.remove("sequence_number");
    if let Some(created) = event.remove("created_at") {
        event.insert("created".to_owned(), created);
    }
    let Some(mut answer) = answer else {
        event.insert("data".to_owned(), Value::Array(vec![picture]));
        return Value::Object(event);
    };
    if let (Some(total), Some(usage)) = (answer.get_mut("usage"), event.get("usage")) {
        merge::add_figures(total, usage);
    }
    let pictures = answer.get_mut("data").and_then(Value::as_array_mut);
    if let Some(pictures) = pictures.filter(|pictures| pictures.len() < MAX_ITEMS) {
        pictures.push(picture);
    }
    answer
}

#[cfg(test)]
pub(crate) mod tests;
