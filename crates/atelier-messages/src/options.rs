//! What a request asks for, in its header fields or its query: `Upstash-Retries: 3`, or
//! `?upstash-retries=3`.

mod fields;

use std::{str::FromStr, time::Duration};

use http::{HeaderMap, Method};
use jiff::Timestamp;

use self::fields::{Fields, labels, not_before};
use crate::{
    Callback, Flow, Message, Redact,
    cron::{Cron, InvalidCron},
    destination::{self, InvalidDestination},
    duration::{self, InvalidDuration},
    expression::{InvalidExpression, InvalidPause},
    flow::InvalidFlow,
    names::{self, Headers, InvalidName},
    redact::InvalidRedact,
};

/// What the names of all options begin with.
const OPTION: &str = "upstash-";

const CALLBACK: &str = "upstash-callback";
const FAILURE_CALLBACK: &str = "upstash-failure-callback";
const CONTENT_TYPE: &str = "content-type";

/// Maximum number of labels.
const MAX_LABELS: usize = 20;

/// What options may ask for at most, and what is assumed where they ask for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The number of repetitions where none is given.
    pub default_retries: u32,
    /// Maximum number of repetitions.
    pub retries: u32,
    /// Maximum number of header fields of a message, and of each of its callbacks.
    pub headers: usize,
    /// Maximum length of these, in bytes.
    pub header_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            default_retries: 3,
            retries: 100,
            headers: 100,
            header_bytes: 32 * 1024,
        }
    }
}

/// What a request asks for; what it does not mention is `None` or empty.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: Option<String>,
    /// Called so long after it was published.
    pub delay: Option<Duration>,
    /// Not called before; goes before `delay`.
    pub not_before: Option<Timestamp>,
    /// How often a call that failed is repeated.
    pub retries: Option<u32>,
    /// The pause before a repetition, an [`Expression`](crate::expression::Expression) that has a value for each of them.
    pub retry_delay: Option<String>,
    /// How long a call may take.
    pub timeout: Option<Duration>,
    /// The header fields that are passed on, with canonical names.
    pub headers: Headers,
    /// Who is told of every call.
    pub callback: Option<Callback>,
    /// Who is told if the last call failed.
    pub failure_callback: Option<Callback>,
    /// Messages with the same id are one.
    pub deduplication_id: Option<String>,
    /// Messages with the same content are one.
    pub content_based_deduplication: bool,
    /// What the message shares its rate and its parallelism with.
    pub flow: Option<Flow>,
    /// Words to find it by.
    pub labels: Vec<String>,
    /// What is not shown of it.
    pub redact: Redact,
    /// When a schedule publishes.
    pub cron: Option<Cron>,
    /// The id of a schedule.
    pub schedule_id: Option<String>,
    /// The queue that the message waits in.
    pub queue: Option<String>,
}

/// An option that cannot be used. It reads as `Upstash-Delay: a duration cannot be negative`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {reason}")]
pub struct InvalidOption {
    /// The name of the header field, or of the same parameter of the query.
    pub name: String,
    /// What is wrong with it.
    pub reason: Reason,
}

/// Why an option cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// It is not UTF-8.
    #[error("the value is not valid UTF-8")]
    Encoding,
    /// Not a method that can be called with.
    #[error("the method must be GET, POST, PUT, PATCH or DELETE")]
    Method,
    /// Neither true nor false.
    #[error("the value must be true or false")]
    Switch,
    /// Not a whole number, or too large.
    #[error("the number of retries must be a whole number from 0 to {0}")]
    Retries(u32),
    /// Not a Unix time, or too far ahead.
    #[error("the value must be a Unix time in seconds, at most 3660 days ahead")]
    NotBefore,
    /// A callback cannot be delayed.
    #[error("a callback cannot be delayed: it is sent when the call has ended")]
    CallbackDelay,
    /// Too many labels, or one that is too long.
    #[error(
        "there can be {MAX_LABELS} labels at most, separated by commas, each of at most 256 bytes"
    )]
    Labels,
    /// Too many header fields.
    #[error("there can be {0} forwarded header fields at most")]
    TooMany(usize),
    /// Header fields that are too long.
    #[error("the forwarded header fields can have {0} bytes at most")]
    TooLong(usize),
    /// See [`InvalidDuration`].
    #[error(transparent)]
    Duration(#[from] InvalidDuration),
    /// See [`InvalidExpression`].
    #[error(transparent)]
    Expression(#[from] InvalidExpression),
    /// See [`InvalidPause`].
    #[error(transparent)]
    Pause(#[from] InvalidPause),
    /// See [`InvalidDestination`].
    #[error(transparent)]
    Destination(#[from] InvalidDestination),
    /// See [`InvalidName`].
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// See [`InvalidFlow`].
    #[error(transparent)]
    Flow(#[from] InvalidFlow),
    /// See [`InvalidRedact`].
    #[error(transparent)]
    Redact(#[from] InvalidRedact),
    /// See [`InvalidCron`].
    #[error(transparent)]
    Cron(#[from] InvalidCron),
}

impl Options {
    /// Reads the options of a request. The header field goes before the parameter of the query.
    ///
    /// # Errors
    ///
    /// An [`InvalidOption`] that names the first one that cannot be used. Unknown options are
    /// ignored.
    ///
    /// # Examples
    ///
    /// ```
    /// use atelier_messages::options::{Limits, Options};
    /// use http::HeaderMap;
    /// use jiff::Timestamp;
    ///
    /// let mut headers = HeaderMap::new();
    /// headers.insert("upstash-retries", "5".parse()?);
    /// headers.insert("upstash-forward-x-tenant", "7".parse()?);
    ///
    /// let options = Options::of_request(&headers, Some("upstash-delay=1m"), Timestamp::UNIX_EPOCH, &Limits::default())?;
    /// assert_eq!((options.retries, options.delay.map(|delay| delay.as_secs())), (Some(5), Some(60)));
    /// assert_eq!(options.headers, [("X-Tenant".to_owned(), "7".to_owned())]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of_request(
        headers: &HeaderMap,
        query: Option<&str>,
        now: Timestamp,
        limits: &Limits,
    ) -> Result<Self, InvalidOption> {
        let mut fields = Vec::new();
        for (name, value) in headers {
            match std::str::from_utf8(value.as_bytes()) {
                Ok(value) => fields.push((name.as_str().to_owned(), value.to_owned())),
                Err(_) if is_read(name.as_str()) => {
                    return Err(invalid(name.as_str(), Reason::Encoding));
                }
                Err(_) => {}
            }
        }
        fields.extend(query.map(destination::options).unwrap_or_default());
        Self::of_fields(fields, now, limits)
    }

    /// Reads the options in header fields with names of any case, for example those of an item of a
    /// batch. Where a name repeats, its first value counts.
    ///
    /// # Errors
    ///
    /// As [`Options::of_request`].
    pub fn of_fields(
        fields: impl IntoIterator<Item = (String, String)>,
        now: Timestamp,
        limits: &Limits,
    ) -> Result<Self, InvalidOption> {
        let fields = fields
            .into_iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value));
        let fields = Fields {
            fields: fields.collect(),
            limits,
        };
        let retries = fields.retries(OPTION)?;
        Ok(Self {
            method: fields.method(OPTION)?,
            delay: fields.read("upstash-delay", duration::parse)?,
            not_before: fields.read("upstash-not-before", |text| not_before(text, now))?,
            retries,
            retry_delay: fields.retry_delay(OPTION, retries)?,
            timeout: fields.timeout(OPTION)?,
            headers: fields.headers()?,
            callback: fields.callback(CALLBACK, retries)?,
            failure_callback: fields.callback(FAILURE_CALLBACK, retries)?,
            deduplication_id: fields.read("upstash-deduplication-id", |id| {
                names::key(id).map(str::to_owned)
            })?,
            content_based_deduplication: fields.switch("upstash-content-based-deduplication")?,
            flow: fields.flow(OPTION)?,
            labels: fields.read("upstash-label", labels)?.unwrap_or_default(),
            redact: fields
                .read("upstash-redact-fields", Redact::parse)?
                .unwrap_or_default(),
            cron: fields.read("upstash-cron", Cron::from_str)?,
            schedule_id: fields.word("upstash-schedule-id")?,
            queue: fields.word("upstash-queue-name")?,
        })
    }

    /// When a message that is published at `now` is due.
    pub fn due(&self, now: Timestamp) -> Timestamp {
        let delayed = || {
            now.checked_add(self.delay.unwrap_or_default())
                .unwrap_or(Timestamp::MAX)
        };
        self.not_before.unwrap_or_else(delayed).max(now)
    }

    /// The message that these options ask for, published at `now` from `caller_ip`. Where it belongs
    /// to a group, an API or a schedule is not known here.
    pub fn message(&self, url: &str, caller_ip: &str, now: Timestamp, limits: &Limits) -> Message {
        Message {
            url: url.to_owned(),
            method: self
                .method
                .clone()
                .unwrap_or_else(|| Method::POST.to_string()),
            headers: self.headers.clone(),
            queue: self.queue.clone(),
            retries: self.retries.unwrap_or(limits.default_retries),
            retry_delay: self.retry_delay.clone(),
            timeout: self.timeout.map(duration::milliseconds),
            not_before: self.due(now).as_millisecond(),
            created_at: now.as_millisecond(),
            callback: self.callback.clone(),
            failure_callback: self.failure_callback.clone(),
            flow: self.flow.clone(),
            labels: self.labels.clone(),
            redact: self.redact.clone(),
            caller_ip: caller_ip.to_owned(),
            ..Message::default()
        }
    }
}

/// Whether a field is read in any case.
fn is_read(name: &str) -> bool {
    name == CONTENT_TYPE || name.starts_with(OPTION)
}

fn invalid(name: &str, reason: impl Into<Reason>) -> InvalidOption {
    InvalidOption {
        name: names::shorten(&names::canonical(name)),
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests;
