//! Which messages, dead letters or events are meant: `?url=a&url=b&label=c` means those of either
//! URL that have the label.

use std::borrow::Cow;

use serde_json::Value;
use url::Url;

use crate::{Message, State, names};

/// Maximum number of values in a filter.
pub const MAX_VALUES: usize = 1000;

/// How many are listed or acted upon where no number is given.
pub const DEFAULT_COUNT: usize = 100;

/// Maximum number that are listed or acted upon at a time; larger numbers are taken for it.
pub const MAX_COUNT: usize = 1000;

/// What is filtered; each has filters that the others have not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// Messages that are to be cancelled.
    Messages,
    /// Dead letters.
    DeadLetters,
    /// Events.
    Events,
}

/// A filter: values of one name mean either of them, different names all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The ids of messages that are meant; `None` if none were given, which is not the same as an
    /// empty list.
    pub messages: Option<Vec<String>>,
    /// The ids of dead letters that are meant; `None` if none were given.
    pub dead_letters: Option<Vec<String>>,
    /// Where a listing goes on.
    pub cursor: Option<String>,
    count: Option<usize>,
    wanted: Vec<(Field, String)>,
    states: Vec<Vec<State>>,
    statuses: Vec<u16>,
    from: Option<i64>,
    to: Option<i64>,
}

/// What a filter looks at.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The message's id.
    pub id: &'a str,
    /// The dead letter's id.
    pub dead_letter: Option<&'a str>,
    /// The message.
    pub message: &'a Message,
    /// The state that an event tells.
    pub state: Option<State>,
    /// The status of the last answer.
    pub status: Option<u16>,
    /// When it was made, ended or happened, in Unix milliseconds.
    pub time: i64,
}

/// Why a filter cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidFilter {
    /// There is no such filter.
    #[error("there is no filter {0:?} here")]
    Unknown(String),
    /// A value cannot be read.
    #[error("{0} must be {1}")]
    Value(&'static str, &'static str),
    /// There are more values than [`MAX_VALUES`].
    #[error("a filter can have {MAX_VALUES} values at most")]
    TooMany,
    /// The body is no object of texts, numbers and lists of them.
    #[error("the body must be a JSON object whose members are texts, numbers, or lists of them")]
    Body,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Url,
    Host,
    Path,
    Group,
    Queue,
    Schedule,
    Label,
    Flow,
    CallerIp,
}

const FIELDS: [Field; 9] = [
    Field::Url,
    Field::Host,
    Field::Path,
    Field::Group,
    Field::Queue,
    Field::Schedule,
    Field::Label,
    Field::Flow,
    Field::CallerIp,
];

impl Field {
    fn named(name: &str, of: Of) -> Option<Self> {
        Some(match name {
            "url" => Self::Url,
            "host" if of != Of::DeadLetters => Self::Host,
            "path" if of != Of::DeadLetters => Self::Path,
            "topicName" => Self::Group,
            "queueName" => Self::Queue,
            "scheduleId" => Self::Schedule,
            "label" => Self::Label,
            "flowControlKey" => Self::Flow,
            "callerIp" | "callerIP" => Self::CallerIp,
            _ => return None,
        })
    }

    fn is(self, message: &Message, wanted: &str) -> bool {
        let same = |value: &Option<String>| value.as_deref() == Some(wanted);
        match self {
            Self::Url => message.url == wanted,
            Self::Host => Url::parse(&message.url).is_ok_and(|url| is_host(&url, wanted)),
            Self::Path => Url::parse(&message.url).is_ok_and(|url| url.path() == wanted),
            Self::Group => same(&message.group),
            Self::Queue => same(&message.queue),
            Self::Schedule => same(&message.schedule),
            Self::Label => message.labels.iter().any(|label| label == wanted),
            Self::Flow => message.flow.as_ref().is_some_and(|flow| flow.key == wanted),
            Self::CallerIp => message.caller_ip == wanted,
        }
    }
}

/// With or without the port.
fn is_host(url: &Url, wanted: &str) -> bool {
    let host = url.host_str().unwrap_or_default();
    let with_port = url
        .port_or_known_default()
        .map(|port| format!("{host}:{port}"));
    host.eq_ignore_ascii_case(wanted)
        || with_port.is_some_and(|host| host.eq_ignore_ascii_case(wanted))
}

impl Filter {
    /// Reads a filter from the query of a request and from its body, a JSON object with the same
    /// names and, for example, lists of ids. The token and the options in a query are skipped.
    ///
    /// # Errors
    ///
    /// An [`InvalidFilter`]: what is not known is refused, so that a misspelt filter does not mean
    /// everything.
    ///
    /// # Examples
    ///
    /// ```
    /// use atelier_messages::filter::{Filter, Of};
    ///
    /// let filter = Filter::read(Of::DeadLetters, Some("label=a&label=b&count=10"), b"")?;
    /// assert_eq!(filter.count(), 10);
    /// assert!(Filter::read(Of::DeadLetters, Some("labeel=a"), b"").is_err());
    /// # Ok::<(), atelier_messages::filter::InvalidFilter>(())
    /// ```
    pub fn read(of: Of, query: Option<&str>, body: &[u8]) -> Result<Self, InvalidFilter> {
        let mut filter = Self::default();
        let mut count = 0;
        let query = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        let in_query = query.filter(|(name, _)| !is_ours(name));
        for (name, value) in in_query {
            count += 1;
            filter.add(of, &name, &value)?;
        }
        for (name, values) in members(body)? {
            filter.begin(of, &name)?;
            for value in values {
                count += 1;
                filter.add(of, &name, &value)?;
            }
        }
        if count > MAX_VALUES {
            return Err(InvalidFilter::TooMany);
        }
        Ok(filter)
    }

    /// A list of ids that is empty means none, and not all.
    fn begin(&mut self, of: Of, name: &str) -> Result<(), InvalidFilter> {
        match (name, of) {
            ("messageIds", Of::Messages | Of::Events) => {
                self.messages.get_or_insert_default();
            }
            ("dlqIds", Of::DeadLetters) => {
                self.dead_letters.get_or_insert_default();
            }
            ("messageIds" | "dlqIds", _) => return Err(unknown(name)),
            _ => {}
        }
        Ok(())
    }

    fn add(&mut self, of: Of, name: &str, value: &str) -> Result<(), InvalidFilter> {
        match (name, of) {
            ("messageIds", Of::Messages | Of::Events)
            | ("messageId", Of::DeadLetters | Of::Events) => {
                self.messages.get_or_insert_default().push(value.to_owned());
            }
            ("dlqIds", Of::DeadLetters) => self
                .dead_letters
                .get_or_insert_default()
                .push(value.to_owned()),
            ("state", Of::Events) => self.states.push(states(value)?),
            ("responseStatus", Of::DeadLetters) => {
                self.statuses
                    .push(number(value, "responseStatus", "an HTTP status")?);
            }
            ("fromDate", _) => {
                self.from = Some(number(value, "fromDate", "a Unix time in milliseconds")?);
            }
            ("toDate", _) => {
                self.to = Some(number(value, "toDate", "a Unix time in milliseconds")?);
            }
            ("count", _) => self.count = Some(count(value)?),
            ("cursor", _) => {
                self.cursor = Some(value.to_owned()).filter(|cursor| !cursor.is_empty());
            }
            // Both have no effect any more, and are still sent.
            ("api" | "async", _) => {}
            _ => {
                let field = Field::named(name, of).ok_or_else(|| unknown(name))?;
                self.wanted.push((field, value.to_owned()));
            }
        }
        Ok(())
    }

    /// How many are listed or acted upon at a time: between 1 and [`MAX_COUNT`].
    pub fn count(&self) -> usize {
        self.count.unwrap_or(DEFAULT_COUNT)
    }

    /// Whether everything is meant.
    pub fn is_everything(&self) -> bool {
        let plain = Self {
            cursor: self.cursor.clone(),
            count: self.count,
            ..Self::default()
        };
        *self == plain
    }

    /// Whether this one is meant.
    pub fn matches(&self, facts: &Facts<'_>) -> bool {
        self.is_listed(facts)
            && FIELDS.iter().all(|field| self.fits(*field, facts.message))
            && is_any(&self.statuses, |status| facts.status == Some(*status))
            && is_any(&self.states, |states| {
                facts.state.is_some_and(|state| states.contains(&state))
            })
            && self.from.is_none_or(|from| facts.time >= from)
            && self.to.is_none_or(|to| facts.time <= to)
    }

    fn is_listed(&self, facts: &Facts<'_>) -> bool {
        let is_in = |ids: &Option<Vec<String>>, id: Option<&str>| {
            ids.as_ref()
                .is_none_or(|ids| ids.iter().any(|listed| Some(&**listed) == id))
        };
        is_in(&self.messages, Some(facts.id)) && is_in(&self.dead_letters, facts.dead_letter)
    }

    fn fits(&self, field: Field, message: &Message) -> bool {
        let mut wanted = self
            .wanted
            .iter()
            .filter(|(other, _)| *other == field)
            .peekable();
        wanted.peek().is_none() || wanted.any(|(_, wanted)| field.is(message, wanted))
    }
}

/// Whether one of them fits, or there are none.
fn is_any<T>(wanted: &[T], fits: impl Fn(&T) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(fits)
}

fn unknown(name: &str) -> InvalidFilter {
    InvalidFilter::Unknown(names::shorten(name))
}

/// The token and options in a query, which are no filters.
fn is_ours(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name == "qstash_token" || name.starts_with("upstash-")
}

fn number<T: std::str::FromStr>(
    text: &str,
    name: &'static str,
    what: &'static str,
) -> Result<T, InvalidFilter> {
    text.trim()
        .parse()
        .map_err(|_| InvalidFilter::Value(name, what))
}

fn count(text: &str) -> Result<usize, InvalidFilter> {
    const WHAT: &str = "a whole number of 1 or more";
    match number::<u64>(text, "count", WHAT)? {
        0 => Err(InvalidFilter::Value("count", WHAT)),
        count => Ok(usize::try_from(count).unwrap_or(MAX_COUNT).min(MAX_COUNT)),
    }
}

/// The states that a name means: `IN_PROGRESS` is all but the last ones.
fn states(name: &str) -> Result<Vec<State>, InvalidFilter> {
    Ok(match name {
        "CREATED" => vec![State::Created],
        "ACTIVE" => vec![State::Active],
        "RETRY" => vec![State::Retry],
        "ERROR" => vec![State::Error],
        "DELIVERED" => vec![State::Delivered],
        "FAILED" => vec![State::Failed],
        "CANCEL_REQUESTED" => vec![State::CancelRequested],
        "CANCELED" | "CANCELLED" => vec![State::Canceled],
        "IN_PROGRESS" => vec![
            State::Created,
            State::Active,
            State::Retry,
            State::Error,
            State::CancelRequested,
        ],
        _ => {
            let known = "CREATED, ACTIVE, RETRY, ERROR, DELIVERED, FAILED, CANCEL_REQUESTED, CANCELED or IN_PROGRESS";
            return Err(InvalidFilter::Value("state", known));
        }
    })
}

type Members = Vec<(String, Vec<String>)>;

/// The members of a JSON object, as texts; none of an empty body.
fn members(body: &[u8]) -> Result<Members, InvalidFilter> {
    if body.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    let body: serde_json::Map<String, Value> =
        serde_json::from_slice(body).map_err(|_| InvalidFilter::Body)?;
    let texts = |value: Value| match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(values) => values.iter().map(text).collect(),
        value => Ok(vec![text(&value)?]),
    };
    let present = body.into_iter().filter(|(_, value)| !value.is_null());
    present
        .map(|(name, value)| Ok((name, texts(value)?)))
        .collect()
}

fn text(value: &Value) -> Result<String, InvalidFilter> {
    let text: Cow<'_, str> = match value {
        Value::String(text) => text.into(),
        Value::Number(number) => number.to_string().into(),
        Value::Bool(bool) => bool.to_string().into(),
        _ => return Err(InvalidFilter::Body),
    };
    Ok(text.into_owned())
}

#[cfg(test)]
mod tests;
