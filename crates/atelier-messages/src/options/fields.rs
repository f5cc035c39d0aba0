//! Options one by one, as they stand in header fields.

use std::time::Duration;

use http::Method;
use jiff::Timestamp;

use super::{CONTENT_TYPE, InvalidOption, Limits, MAX_LABELS, OPTION, Reason, invalid};
use crate::{
    Callback, Flow, destination,
    duration::{self, LONGEST},
    expression::Expression,
    flow::{self, InvalidFlow},
    names::{self, Headers},
};

/// What the names of header fields begin with that are passed on.
const FORWARD: &str = "forward-";

/// The methods that a destination can be called with.
const METHODS: [Method; 5] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
];

/// Header fields with names in lower case.
pub(super) struct Fields<'a> {
    pub(super) fields: Vec<(String, String)>,
    pub(super) limits: &'a Limits,
}

pub(super) type Read<T> = Result<T, InvalidOption>;

impl Fields<'_> {
    /// The trimmed value of the first field with that name, unless it is empty.
    fn get(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(other, _)| other == name);
        found
            .map(|(_, value)| value.trim())
            .filter(|value| !value.is_empty())
    }

    pub(super) fn read<T, E: Into<Reason>>(
        &self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Read<Option<T>> {
        self.get(name)
            .map(parse)
            .transpose()
            .map_err(|reason| invalid(name, reason))
    }

    pub(super) fn word(&self, name: &str) -> Read<Option<String>> {
        self.read(name, |text| names::word(text).map(str::to_owned))
    }

    /// Python writes `True`.
    pub(super) fn switch(&self, name: &str) -> Read<bool> {
        let parse = |text: &str| match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(Reason::Switch),
        };
        Ok(self.read(name, parse)?.unwrap_or_default())
    }

    pub(super) fn method(&self, prefix: &str) -> Read<Option<String>> {
        let parse = |text: &str| {
            let known = METHODS
                .iter()
                .find(|method| method.as_str().eq_ignore_ascii_case(text));
            known.map(Method::to_string).ok_or(Reason::Method)
        };
        self.read(&format!("{prefix}method"), parse)
    }

    pub(super) fn retries(&self, prefix: &str) -> Read<Option<u32>> {
        let most = self.limits.retries;
        let parse = |text: &str| {
            let retries: Option<u32> = text.parse().ok();
            retries
                .filter(|retries| *retries <= most)
                .ok_or(Reason::Retries(most))
        };
        self.read(&format!("{prefix}retries"), parse)
    }

    /// An expression that has a value for each of the repetitions.
    pub(super) fn retry_delay(&self, prefix: &str, retries: Option<u32>) -> Read<Option<String>> {
        let parse = |text: &str| {
            let expression: Expression = text.parse()?;
            expression.check(retries.unwrap_or(self.limits.default_retries))?;
            Ok::<_, Reason>(expression.to_string())
        };
        self.read(&format!("{prefix}retry-delay"), parse)
    }

    /// No time at all is taken for the default.
    pub(super) fn timeout(&self, prefix: &str) -> Read<Option<Duration>> {
        let timeout = self.read(&format!("{prefix}timeout"), duration::parse)?;
        Ok(timeout.filter(|timeout| !timeout.is_zero()))
    }

    pub(super) fn flow(&self, prefix: &str) -> Read<Option<Flow>> {
        let (key, value) = (
            format!("{prefix}flow-control-key"),
            format!("{prefix}flow-control-value"),
        );
        let flow = flow::read(self.get(&key), self.get(&value));
        flow.map_err(|reason| match reason {
            InvalidFlow::Key(_) => invalid(&key, reason),
            _ => invalid(&value, reason),
        })
    }

    pub(super) fn callback(&self, name: &str, retries: Option<u32>) -> Read<Option<Callback>> {
        let Some(url) = self.read(name, destination::url)? else {
            return Ok(None);
        };
        let prefix = &format!("{name}-");
        for delay in ["delay", "not-before"].map(|delay| format!("{prefix}{delay}")) {
            if self.get(&delay).is_some() {
                return Err(invalid(&delay, Reason::CallbackDelay));
            }
        }
        let own_retries = self.retries(prefix)?;
        Ok(Some(Callback {
            url,
            method: self.method(prefix)?.unwrap_or_default(),
            headers: self.forwarded(prefix)?,
            retries: own_retries,
            retry_delay: self.retry_delay(prefix, own_retries.or(retries))?,
            timeout: self.timeout(prefix)?.map(duration::milliseconds),
            flow: self.flow(prefix)?,
        }))
    }

    /// The fields named `{prefix}Forward-…`, whatever follows.
    fn forwarded(&self, prefix: &str) -> Read<Headers> {
        let prefix = format!("{prefix}{FORWARD}");
        let mut headers = Headers::new();
        for (name, value) in &self.fields {
            if let Some(own) = name.strip_prefix(&prefix) {
                let field = names::forwarded(own, value).map_err(|reason| invalid(name, reason))?;
                headers.extend(field);
            }
        }
        self.bound(&prefix, headers)
    }

    /// All fields that the message passes on.
    pub(super) fn headers(&self) -> Read<Headers> {
        let mut headers = self.forwarded(OPTION)?;
        let forwards_all = self.switch("upstash-header-forward")?;
        let mut others = Headers::new();
        for (name, value) in &self.fields {
            if name == CONTENT_TYPE || forwards_all && names::goes_on_with_all(name) {
                let field =
                    names::forwarded(name, value).map_err(|reason| invalid(name, reason))?;
                others.extend(field);
            }
        }
        names::add_missing(&mut headers, &others);
        self.bound("upstash-forward-", headers)
    }

    fn bound(&self, name: &str, headers: Headers) -> Read<Headers> {
        if headers.len() > self.limits.headers {
            return Err(invalid(name, Reason::TooMany(self.limits.headers)));
        }
        let bytes: usize = headers
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        if bytes > self.limits.header_bytes {
            return Err(invalid(name, Reason::TooLong(self.limits.header_bytes)));
        }
        Ok(headers)
    }
}

/// A Unix time in seconds; one in the past means at once.
pub(super) fn not_before(text: &str, now: Timestamp) -> Result<Timestamp, Reason> {
    let seconds: i64 = text.parse().map_err(|_| Reason::NotBefore)?;
    let at = Timestamp::from_second(seconds).map_err(|_| Reason::NotBefore)?;
    let is_near = at.duration_since(now) <= LONGEST.try_into().unwrap_or_default();
    (seconds >= 0 && is_near)
        .then_some(at)
        .ok_or(Reason::NotBefore)
}

pub(super) fn labels(text: &str) -> Result<Vec<String>, Reason> {
    let mut labels: Vec<String> = Vec::new();
    for label in text
        .split(',')
        .map(str::trim)
        .filter(|label| !label.is_empty())
    {
        let label = names::key(label).map_err(|_| Reason::Labels)?;
        if !labels.iter().any(|known| known == label) {
            labels.push(label.to_owned());
        }
        if labels.len() > MAX_LABELS {
            return Err(Reason::Labels);
        }
    }
    Ok(labels)
}
