//! What an upstream's refusal means: whether another try can help, and when.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::{
    Dialect,
    retry_after::{asked_pause, pause},
};

/// What says so at every upstream that no other try can help.
const FINALS: [&str; 2] = ["insufficient_quota", "PerDay"];

/// How deep the details of an error are looked into.
const DEPTH: usize = 6;

/// What a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Refusal {
    /// When the upstream wants to be asked again.
    pub pause: Option<Duration>,
    /// It would refuse again: what there was to spend is spent.
    pub is_final: bool,
    /// It refuses the key.
    pub is_bad_key: bool,
}

impl Refusal {
    /// Reads a refusal. The pause is told by the first of: `retry-after-ms`, `retry-after`,
    /// Google's `retryDelay`, a time until a model is loaded, and words.
    pub fn read(
        dialect: Dialect,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
        now: SystemTime,
    ) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_else(|_| {
            let text = String::from_utf8_lossy(body);
            Value::String(text.into_owned())
        });
        let error = unwrapped(&body);
        let row = dialect.row();
        let words = words(error);
        let says = |marks: &[&str]| {
            let mut words = words.iter();
            words.any(|word| marks.iter().any(|mark| word.contains(mark)))
        };
        let is_spent = status == StatusCode::PAYMENT_REQUIRED;
        let is_final = is_spent || says(&FINALS) || says(row.finals);
        Self {
            pause: asked_pause(headers, now).or_else(|| told_pause(error)),
            is_final,
            is_bad_key: status == StatusCode::UNAUTHORIZED
                || (status == StatusCode::FORBIDDEN && !is_final)
                || says(row.bad_keys),
        }
    }
}

/// The error of a list of one, as Google wraps it.
pub(crate) fn unwrapped(body: &Value) -> &Value {
    let first = body.as_array().and_then(|list| list.first());
    first.unwrap_or(body)
}

/// The codes of an error, without what is written for humans.
fn words(body: &Value) -> Vec<&str> {
    let error = &body["error"];
    let mut words: Vec<_> = ["code", "status", "type", "reason"]
        .iter()
        .flat_map(|name| [error[*name].as_str(), body[*name].as_str()])
        .flatten()
        .collect();
    let listed = body["errors"].as_array().into_iter().flatten();
    words.extend(listed.filter_map(|one| one["code"].as_str()));
    collect(&error["details"], DEPTH, &mut words);
    words
}

fn collect<'a>(value: &'a Value, depth: usize, words: &mut Vec<&'a str>) {
    match value {
        Value::String(word) => words.push(word),
        Value::Array(all) if depth > 0 => {
            all.iter().for_each(|one| collect(one, depth - 1, words));
        }
        Value::Object(all) if depth > 0 => {
            all.values().for_each(|one| collect(one, depth - 1, words));
        }
        _ => {}
    }
}

/// The pause that a body asks for.
fn told_pause(body: &Value) -> Option<Duration> {
    let error = &body["error"];
    let mut details = error["details"].as_array().into_iter().flatten();
    let delay = details.find_map(|detail| spoken(detail["retryDelay"].as_str()?));
    let loading = || body["estimated_time"].as_f64().map(pause);
    let texts = || {
        let listed = &body["errors"][0]["message"];
        let (theirs, own) = (&error["message"], &body["message"]);
        let texts = [body, error, theirs, own, &body["detail"], listed];
        texts
            .into_iter()
            .filter_map(Value::as_str)
            .find_map(in_words)
    };
    delay.or_else(loading).or_else(texts)
}

/// The time in words such as "Please try again in 1m2.5s."
fn in_words(text: &str) -> Option<Duration> {
    let text = text.to_ascii_lowercase();
    let marks = [
        "try again in ",
        "retry in ",
        "retry after ",
        "try again after ",
    ];
    marks.iter().find_map(|mark| {
        let (_, time) = text.split_once(mark)?;
        spoken(time)
    })
}

/// A time such as `37s`, `1m2.5s`, `250ms` or `20 seconds`, up to where it ends.
fn spoken(text: &str) -> Option<Duration> {
    let (mut rest, mut seconds, mut is_any) = (text.trim_start(), 0.0, false);
    loop {
        let is_figure = |c: char| c.is_ascii_digit() || c == '.';
        let end = rest.find(|c| !is_figure(c)).unwrap_or(rest.len());
        let (figure, behind) = rest.split_at(end);
        let behind = behind.trim_start();
        let letters = behind.find(|c: char| !c.is_ascii_alphabetic());
        let (unit, behind) = behind.split_at(letters.unwrap_or(behind.len()));
        let Some((figure, factor)) = figure.parse::<f64>().ok().zip(factor(unit)) else {
            return is_any.then(|| pause(seconds));
        };
        seconds += figure * factor;
        (rest, is_any) = (behind, true);
    }
}

fn factor(unit: &str) -> Option<f64> {
    Some(match unit {
        "ms" | "millisecond" | "milliseconds" => 1e-3,
        "s" | "sec" | "second" | "seconds" => 1.0,
        "m" | "min" | "minute" | "minutes" => 60.0,
        "h" | "hour" | "hours" => 3600.0,
        "d" | "day" | "days" => 86_400.0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
