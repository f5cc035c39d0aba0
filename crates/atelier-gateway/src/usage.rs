//! What a call has used, by the figures of whoever answered it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Endpoint;

/// No call uses more of anything. Larger figures are mistakes, and are not charged.
const MOST: u64 = 100_000_000;
/// No call costs more US dollars.
const MOST_USD: f64 = 10_000.0;

/// What a call has used. Figures that the upstream does not tell are 0.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// Tokens of the request, with all that are counted apart below.
    pub input: u64,
    /// Of these, those read from the upstream's own cache.
    pub cached_input: u64,
    /// Of the input, those written to that cache.
    pub cache_writes: u64,
    /// Of the writes, those kept for an hour rather than minutes.
    pub long_cache_writes: u64,
    /// Of the input, those of pictures, where they have a price of their own.
    pub image_input: u64,
    /// Of the input, those of audio.
    pub audio_input: u64,
    /// Tokens of the answer, reasoning included.
    pub output: u64,
    /// Of the output, those of audio.
    pub audio_output: u64,
    /// Of the output, those that the model thought with.
    pub reasoning: u64,
    /// Pictures that were made.
    pub images: u64,
    /// Seconds of audio that were heard.
    pub seconds: u64,
    /// The price in US dollars, where the upstream tells it.
    pub usd: Option<f64>,
}

impl Usage {
    /// Reads the usage of an answer, or of an event of a stream. `None` if there is none, or
    /// if it has figures that cannot be: less than nothing, or more than any call uses.
    pub fn read(endpoint: Endpoint, answer: &Value) -> Option<Self> {
        if endpoint == Endpoint::CountTokens {
            // Counting is free.
            return Some(Self::default());
        }
        let images = if endpoint.is_image() {
            pictures(answer)
        } else {
            0
        };
        let Some(usage) = place(answer) else {
            return (images > 0).then(|| Self {
                images,
                ..Self::default()
            });
        };
        let usage = match endpoint {
            Endpoint::Messages => anthropic(usage)?,
            _ => openai(usage)?,
        };
        Some(Self { images, ..usage })
    }

    /// Reads the usage of an answer in JSON.
    pub fn read_bytes(endpoint: Endpoint, answer: &[u8]) -> Option<Self> {
        Self::read(endpoint, &serde_json::from_slice(answer).ok()?)
    }

    /// Tokens of both directions.
    pub const fn tokens(&self) -> u64 {
        self.input.saturating_add(self.output)
    }

    /// Adds what another part of the same call has used.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        let usd = match (self.usd, other.usd) {
            (Some(a), Some(b)) => Some(a + b),
            (a, b) => a.or(b),
        };
        Self {
            input: self.input.saturating_add(other.input),
            cached_input: self.cached_input.saturating_add(other.cached_input),
            cache_writes: self.cache_writes.saturating_add(other.cache_writes),
            long_cache_writes: self
                .long_cache_writes
                .saturating_add(other.long_cache_writes),
            image_input: self.image_input.saturating_add(other.image_input),
            audio_input: self.audio_input.saturating_add(other.audio_input),
            output: self.output.saturating_add(other.output),
            audio_output: self.audio_output.saturating_add(other.audio_output),
            reasoning: self.reasoning.saturating_add(other.reasoning),
            images: self.images.saturating_add(other.images),
            seconds: self.seconds.saturating_add(other.seconds),
            usd,
        }
    }
}

/// Where the usage stands: in an answer, in the event that carries one, or where Groq puts it.
fn place(answer: &Value) -> Option<&Map<String, Value>> {
    let carriers = [
        Some(answer),
        answer.get("response"),
        answer.get("message"),
        answer.get("x_groq"),
    ];
    let mut places = carriers.into_iter().flatten();
    places.find_map(|carrier| carrier.get("usage")?.as_object())
}

/// The pictures of an answer, or of the event that ends one.
fn pictures(answer: &Value) -> u64 {
    if let Some(data) = answer.get("data").and_then(Value::as_array) {
        return data.len() as u64;
    }
    let kind = answer.get("type").and_then(Value::as_str);
    kind.is_some_and(|kind| kind.ends_with(".completed")).into()
}

fn openai(usage: &Map<String, Value>) -> Option<Usage> {
    let total = figure(usage, &["total_tokens"])?;
    let output = figure(usage, &["completion_tokens", "output_tokens"])?;
    let input = figure(usage, &["prompt_tokens", "input_tokens"])?;
    let seconds = figure(usage, &["seconds"])?;
    if [total, output, input, seconds].iter().all(Option::is_none) {
        return None;
    }
    let output = output.unwrap_or(0);
    let input = input.unwrap_or_else(|| total.unwrap_or(0).saturating_sub(output));
    // Google counts what the model thought with in the total alone, and charges it as output.
    let output = output.max(total.unwrap_or(0).saturating_sub(input));
    let read = [
        "prompt_tokens_details",
        "input_tokens_details",
        "input_token_details",
    ];
    let made = ["completion_tokens_details", "output_tokens_details"];
    let hits = detail(usage, &[], "prompt_cache_hit_tokens");
    Some(Usage {
        input,
        cached_input: detail(usage, &read, "cached_tokens").max(hits).min(input),
        cache_writes: detail(usage, &read, "cache_write_tokens").min(input),
        image_input: detail(usage, &read, "image_tokens").min(input),
        audio_input: detail(usage, &read, "audio_tokens").min(input),
        output,
        audio_output: detail(usage, &made, "audio_tokens").min(output),
        reasoning: detail(usage, &made, "reasoning_tokens").min(output),
        seconds: seconds.unwrap_or(0),
        usd: usd(usage),
        ..Usage::default()
    })
}

/// What was read from the cache or written to it is not part of `input_tokens` there.
fn anthropic(usage: &Map<String, Value>) -> Option<Usage> {
    let input = figure(usage, &["input_tokens"])?;
    let output = figure(usage, &["output_tokens"])?;
    if input.is_none() && output.is_none() {
        return None;
    }
    let cached_input = figure(usage, &["cache_read_input_tokens"])?.unwrap_or(0);
    let cache_writes = figure(usage, &["cache_creation_input_tokens"])?.unwrap_or(0);
    let long = detail(usage, &["cache_creation"], "ephemeral_1h_input_tokens");
    Some(Usage {
        input: input.unwrap_or(0) + cached_input + cache_writes,
        cached_input,
        cache_writes,
        long_cache_writes: long.min(cache_writes),
        output: output.unwrap_or(0),
        usd: usd(usage),
        ..Usage::default()
    })
}

/// The first of these that is there: `None` if it cannot be.
fn figure(usage: &Map<String, Value>, names: &[&str]) -> Option<Option<u64>> {
    let mut given = names.iter().filter_map(|name| usage.get(*name));
    match given.find(|value| !value.is_null()) {
        Some(value) => count(value).map(Some),
        None => Some(None),
    }
}

/// A figure that only changes the price: what cannot be counts as not told.
fn detail(usage: &Map<String, Value>, groups: &[&str], name: &str) -> u64 {
    let value = if groups.is_empty() {
        usage.get(name)
    } else {
        groups.iter().find_map(|group| usage.get(*group)?.get(name))
    };
    value.and_then(count).unwrap_or(0)
}

fn count(value: &Value) -> Option<u64> {
    // Some servers write whole numbers with a fraction of 0, and durations with others.
    let number = value.as_f64()?.ceil();
    (number >= 0.0 && number <= MOST as f64).then_some(number as u64)
}

fn usd(usage: &Map<String, Value>) -> Option<f64> {
    let cost = usage.get("cost")?.as_f64()?;
    (0.0..=MOST_USD).contains(&cost).then_some(cost)
}

#[cfg(test)]
mod tests;
