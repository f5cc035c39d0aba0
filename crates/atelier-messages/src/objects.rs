//! The JSON that is shown: messages, dead letters, schedules, logs, groups, queues and keys, and
//! what a callback is told.
//!
//! Times are Unix milliseconds unless a name says otherwise. What is not there is left out rather
//! than null. Header fields are lists under canonical names. Where the published clients and the
//! published documentation spell a name differently, both are written.

mod object;

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use self::object::Object;
use crate::{
    Callback, Event, Group, Message, Redact, Schedule,
    names::{self, Headers},
};

/// The answer of a call.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// Its status; 0 if there was no answer.
    pub status: u16,
    /// Its header fields, with names of any case.
    pub headers: &'a Headers,
    /// Its body, or as much as is kept of it; without an answer, why there is none.
    pub body: &'a [u8],
}

/// A message's call, as a callback tells of it.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// The message's id.
    pub id: &'a str,
    /// The message.
    pub message: &'a Message,
    /// Its body.
    pub body: &'a [u8],
    /// How often the call had been repeated, 0 for the first.
    pub retried: u32,
    /// The answer.
    pub answer: Answer<'a>,
    /// The dead letter that it has become; for failure callbacks.
    pub dead_letter: Option<&'a str>,
}

/// How a message fares that a schedule published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunState {
    /// It has not ended.
    InProgress,
    /// It was delivered.
    Success,
    /// It was not.
    Fail,
}

/// A queue.
#[derive(Debug, Clone, Copy)]
pub struct QueueFacts<'a> {
    /// Its name.
    pub name: &'a str,
    /// Maximum number of calls at a time.
    pub parallelism: u32,
    /// How many messages wait.
    pub lag: u64,
    /// Whether no calls begin.
    pub paused: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// A flow control key.
#[derive(Debug, Clone, Copy)]
pub struct FlowFacts<'a> {
    /// The key.
    pub key: &'a str,
    /// How many messages wait.
    pub waiting: u64,
    /// Maximum number of calls at a time.
    pub parallelism: Option<u32>,
    /// The number of calls in progress.
    pub active: u32,
    /// Maximum number of calls that start in a period.
    pub rate: Option<u32>,
    /// How many have started in the present one.
    pub started: u32,
    /// The period, in seconds.
    pub period: u64,
    /// When the present one began.
    pub period_start: Option<Timestamp>,
    /// Whether no calls begin.
    pub paused: bool,
    /// Whether messages leave the parallelism as it is.
    pub pinned_parallelism: bool,
    /// Whether messages leave the rate as it is.
    pub pinned_rate: bool,
}

/// A message.
pub fn message(id: &str, message: &Message, body: &[u8]) -> Value {
    message_fields(id, message, body).into()
}

fn message_fields(id: &str, message: &Message, body: &[u8]) -> Object {
    common(message)
        .with("messageId", id)
        .with("url", &*message.url)
        .with("maxRetries", message.retries)
        .with("notBefore", message.not_before)
        .with("createdAt", message.created_at)
        .with_some("retryDelayExpression", message.retry_delay.as_deref())
        .with_body("body", "bodyBase64", &message.redact.body(body))
        .with("header", fields(&message.headers, &message.redact))
        .with_some(
            "callbackHeader",
            callback_fields(message.callback.as_ref(), &message.redact),
        )
        .with_some(
            "failureCallbackHeader",
            callback_fields(message.failure_callback.as_ref(), &message.redact),
        )
}

/// A dead letter.
pub fn dead_letter(
    dlq_id: &str,
    id: &str,
    message: &Message,
    body: &[u8],
    answer: Answer<'_>,
) -> Value {
    message_fields(id, message, body)
        .with("dlqId", dlq_id)
        .with("responseStatus", answer.status)
        .with_some("responseHeader", answer_fields(answer.headers))
        .with_body("responseBody", "responseBodyBase64", answer.body)
        .into()
}

/// A schedule with its message's body, and the states of the messages that it published last.
pub fn schedule(schedule: &Schedule, body: &[u8], states: &[(String, RunState)]) -> Value {
    let (given, last) = (&schedule.given, schedule.fired.first());
    let message = &given.message;
    let states: Map<String, Value> = states
        .iter()
        .map(|(id, state)| (id.clone(), state.name().into()))
        .collect();
    let delay = (given.delay > 0).then_some(given.delay / 1000);
    let next = given.next.filter(|_| !schedule.paused);
    common(message)
        .without("api")
        .with("scheduleId", &*given.id)
        .with("cron", &*given.cron)
        .with("destination", &*given.destination)
        .with("createdAt", schedule.created_at.as_millisecond())
        .with("retries", message.retries)
        .with_some("retryDelayExpression", message.retry_delay.as_deref())
        .with_some("delay", delay)
        .with_some(
            "timeout",
            message.timeout.map(|milliseconds| milliseconds / 1000),
        )
        .with_body("body", "bodyBase64", &message.redact.body(body))
        .with("header", fields(&message.headers, &message.redact))
        .with_some(
            "callbackHeader",
            callback_fields(message.callback.as_ref(), &message.redact),
        )
        .with_some(
            "failureCallbackHeader",
            callback_fields(message.failure_callback.as_ref(), &message.redact),
        )
        .with("isPaused", schedule.paused)
        .with_some(
            "lastScheduleTime",
            last.map(|last| last.at.as_millisecond()),
        )
        .with_some("nextScheduleTime", next.map(Timestamp::as_millisecond))
        .with_some("lastScheduleStates", (!states.is_empty()).then_some(states))
        .with_some("error", last.and_then(|last| last.error.as_deref()))
        .into()
}

/// An entry of the log.
pub fn log(event: &Event) -> Value {
    let message = &event.about;
    let answer = answer_fields(&event.headers);
    common(message)
        .with("time", event.time)
        .with("messageId", &*event.message)
        .with("state", json!(event.state))
        .with("url", &*message.url)
        .with("maxRetries", message.retries)
        .with_some("nextDeliveryTime", event.next)
        .with_some("error", event.error.as_deref())
        .with_some("responseStatus", event.status)
        .with_some("responseBody", event.body.as_deref())
        .with_some("responseHeader", answer.clone())
        .with_some("responseHeaders", answer)
        .with_some(
            "timeout",
            message.timeout.map(|milliseconds| milliseconds / 1000),
        )
        .with_some("retryDelayExpr", message.retry_delay.as_deref())
        .with_some("retryDelayExpression", message.retry_delay.as_deref())
        .into()
}

/// What a callback is told: its body.
pub fn callback(told: &Told<'_>) -> Value {
    let Told {
        message, answer, ..
    } = told;
    Object::default()
        .with("status", answer.status)
        .with("header", answer_fields(answer.headers).unwrap_or_default())
        .with("body", BASE64.encode(answer.body))
        .with("retried", told.retried)
        .with("maxRetries", message.retries)
        .with_some("dlqId", told.dead_letter)
        .with("sourceMessageId", told.id)
        .with_some("topicName", message.group.as_deref())
        .with_some("endpointName", message.endpoint.as_deref())
        .with("url", &*message.url)
        .with("method", &*message.method)
        .with("sourceHeader", fields(&message.headers, &Redact::default()))
        .with("sourceBody", BASE64.encode(told.body))
        // Both are texts in the published documentation.
        .with("notBefore", message.not_before.to_string())
        .with("createdAt", message.created_at.to_string())
        .with_some("scheduleId", message.schedule.as_deref())
        .with("callerIP", &*message.caller_ip)
        .into()
}

/// A URL group.
pub fn group(group: &Group) -> Value {
    let endpoint = |endpoint: &crate::Endpoint| -> Value {
        let object = Object::default().with_some("name", endpoint.name.as_deref());
        object.with("url", &*endpoint.url).into()
    };
    let endpoints: Vec<Value> = group.endpoints.iter().map(endpoint).collect();
    let headers = fields(&group.headers, &Redact::default());
    Object::default()
        .with("name", &*group.name)
        .with("createdAt", group.created_at.as_millisecond())
        .with("updatedAt", group.updated_at.as_millisecond())
        .with_some("headers", (!group.headers.is_empty()).then_some(headers))
        .with("endpoints", endpoints)
        .into()
}

/// A queue.
pub fn queue(queue: &QueueFacts<'_>) -> Value {
    json!({
        "name": queue.name,
        "parallelism": queue.parallelism,
        "createdAt": queue.created_at.as_millisecond(),
        "updatedAt": queue.updated_at.as_millisecond(),
        "lag": queue.lag,
        "paused": queue.paused,
    })
}

/// A flow control key. The beginning of the period is in Unix seconds.
pub fn flow_control(flow: &FlowFacts<'_>) -> Value {
    Object::default()
        .with("flowControlKey", flow.key)
        .with("waitListSize", flow.waiting)
        .with_some("parallelismMax", flow.parallelism)
        .with("parallelismCount", flow.active)
        .with_some("rateMax", flow.rate)
        .with("rateCount", flow.started)
        .with("ratePeriod", flow.period)
        .with_some(
            "ratePeriodStart",
            flow.period_start.map(Timestamp::as_second),
        )
        .with("isPaused", flow.paused)
        .with("isPinnedParallelism", flow.pinned_parallelism)
        .with("isPinnedRate", flow.pinned_rate)
        .into()
}

/// How many calls there may be at a time over all, and how many there are.
pub fn global_parallelism(most: u32, active: u32) -> Value {
    json!({ "parallelismMax": most, "parallelismCount": active })
}

/// The signing keys.
pub fn signing_keys(current: &str, next: &str) -> Value {
    json!({ "current": current, "next": next })
}

/// What was published; `url` is told for each message to a group.
pub fn published(id: &str, url: Option<&str>, deduplicated: bool) -> Value {
    Object::default()
        .with("messageId", id)
        .with_some("url", url)
        .with_some("deduplicated", deduplicated.then_some(true))
        .into()
}

/// An error.
pub fn error(text: &str) -> Value {
    json!({ "error": text })
}

impl RunState {
    const fn name(self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Success => "SUCCESS",
            Self::Fail => "FAIL",
        }
    }
}

/// What messages, schedules and logs have in common.
fn common(message: &Message) -> Object {
    let label = message.labels.first().map(String::as_str);
    let ip = (!message.caller_ip.is_empty()).then_some(&*message.caller_ip);
    let url = |callback: &Option<Callback>| callback.as_ref().map(|callback| callback.url.clone());
    Object::default()
        .with_some("topicName", message.group.as_deref())
        .with_some("endpointName", message.endpoint.as_deref())
        .with_some("api", message.api.as_deref())
        .with("method", &*message.method)
        .with_some("callback", url(&message.callback))
        .with_some("failureCallback", url(&message.failure_callback))
        .with_some("queueName", message.queue.as_deref())
        .with_some("scheduleId", message.schedule.as_deref())
        .with_some("callerIP", ip)
        .with_some("callerIp", ip)
        .with_flow(message.flow.as_ref())
        .with_some("label", label)
        .with_some("labels", label.map(|_| message.labels.clone()))
}

/// Header fields as lists by name, without what is redacted.
fn fields(headers: &Headers, redact: &Redact) -> Map<String, Value> {
    let mut fields: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for (name, value) in headers {
        fields
            .entry(name)
            .or_default()
            .push(redact.header(name, value).into());
    }
    let list = |(name, values): (&str, Vec<Value>)| (name.to_owned(), values.into());
    fields.into_iter().map(list).collect()
}

fn callback_fields(callback: Option<&Callback>, redact: &Redact) -> Option<Map<String, Value>> {
    let headers = &callback?.headers;
    (!headers.is_empty()).then(|| fields(headers, redact))
}

fn answer_fields(headers: &Headers) -> Option<Map<String, Value>> {
    let canonical = |(name, value): &(String, String)| (names::canonical(name), value.clone());
    let headers: Headers = headers.iter().map(canonical).collect();
    (!headers.is_empty()).then(|| fields(&headers, &Redact::default()))
}

#[cfg(test)]
mod tests;
