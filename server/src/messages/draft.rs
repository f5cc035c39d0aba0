//! What is asked for becomes messages: read, bounded, and aimed at URLs.

use std::time::Duration;

use atelier_gateway::Endpoint;
use atelier_messages::{
    Message, dedup,
    destination::Destination,
    options::{Limits, Options},
};
use atelier_queue::GateRef;
use atelier_webhook::ssrf;
use bytes::Bytes;
use humantime::format_duration;
use jiff::Timestamp;
use url::Url;

use super::{Error, Messages, Result, Sender};
use crate::job::gates;

/// The only API that can be published to.
const LLM: &str = "llm";

/// Names that are never on the public internet (RFC 6761, 6762, 8375, and the reserved
/// `internal`), with those below them.
const PRIVATE: [&str; 4] = ["localhost", "local", "internal", "home.arpa"];

/// What is to be published.
#[derive(Debug, Clone)]
pub struct Publish {
    pub destination: Destination,
    pub options: Options,
    pub body: Bytes,
    /// The queue that it waits in.
    pub queue: Option<String>,
    /// The host under which the publisher has reached this server.
    pub host: Option<String>,
}

impl Publish {
    /// How long its messages wait.
    pub(super) fn delay(&self, now: Timestamp) -> Duration {
        self.options.due(now).duration_since(now).unsigned_abs()
    }

    pub(super) const fn is_to_group(&self) -> bool {
        matches!(self.destination, Destination::Group(_))
    }
}

/// A message that is ready to be queued.
#[derive(Debug)]
pub(super) struct Draft {
    /// `None` for a new one.
    pub(super) id: Option<String>,
    pub(super) message: Message,
    pub(super) body: Bytes,
    /// What it is the same in as its duplicates.
    pub(super) dedup: Option<String>,
    /// Whether it is a call of this server's own gateway.
    pub(super) own: bool,
    pub(super) gates: Vec<GateRef>,
    pub(super) not_before: Option<Timestamp>,
}

/// A URL that a message goes to.
#[derive(Debug, Default)]
pub(super) struct Target {
    pub(super) url: String,
    group: Option<String>,
    endpoint: Option<String>,
    api: Option<String>,
    /// Header fields that the message gets, unless it has them.
    headers: Vec<(String, String)>,
    pub(super) own: bool,
}

impl Messages {
    /// What publishers may ask for.
    pub fn limits(&self) -> Limits {
        Limits {
            retries: self.settings.max_retries,
            ..Limits::default()
        }
    }

    /// The messages that are asked for: one, or one for each endpoint of a group.
    pub(super) async fn draft(
        &self,
        sender: &Sender,
        publish: Publish,
        now: Timestamp,
    ) -> Result<Vec<Draft>> {
        let message = self.asked_for(sender, &publish, now)?;
        let Publish {
            destination,
            options,
            body,
            host,
            ..
        } = publish;
        let host = host.as_deref();
        let targets = self.targets(sender, &destination, &message, host).await?;
        let mut drafts = Vec::with_capacity(targets.len());
        for target in targets {
            let key = dedup_key(&options, &destination, &message, &body);
            // Each endpoint of a group gets the message once.
            let key = key.map(|key| match &target.group {
                Some(_) => format!("{key}\n{}", target.url),
                None => key,
            });
            let mut draft = self.aim(sender, &message, target, body.clone())?;
            draft.dedup = key;
            drafts.push(draft);
        }
        Ok(drafts)
    }

    /// The message that is asked for, without its destination.
    pub(super) fn asked_for(
        &self,
        sender: &Sender,
        publish: &Publish,
        now: Timestamp,
    ) -> Result<Message> {
        let (settings, options) = (&self.settings, &publish.options);
        if publish.delay(now) > settings.max_delay {
            return Err(Error::Invalid(format!(
                "A message is published at most {} ahead.",
                format_duration(settings.max_delay)
            )));
        }
        if publish.body.len() as u64 > settings.max_body {
            return Err(Error::TooLarge(settings.max_body));
        }
        let mut message = options.message("", &sender.ip, now, &self.limits());
        message.queue = publish.queue.clone().or(message.queue);
        let callbacks = [&message.callback, &message.failure_callback];
        let callbacks = callbacks.into_iter().flatten();
        let timeouts = callbacks.clone().map(|callback| callback.timeout);
        for timeout in timeouts.chain([message.timeout]).flatten() {
            if Duration::from_millis(timeout) > settings.max_timeout {
                return Err(Error::Invalid(format!(
                    "A call takes at most {}.",
                    format_duration(settings.max_timeout)
                )));
            }
        }
        for callback in callbacks {
            self.check_public(&callback.url)?;
        }
        Ok(message)
    }

    /// The URLs that a destination stands for.
    pub(super) async fn targets(
        &self,
        sender: &Sender,
        destination: &Destination,
        message: &Message,
        host: Option<&str>,
    ) -> Result<Vec<Target>> {
        match destination {
            Destination::Url(url) => {
                let own = self.is_own(message, url, host);
                Ok(vec![Target {
                    url: url.clone(),
                    own,
                    ..Target::default()
                }])
            }
            Destination::Api(api) if api == LLM => Ok(vec![Target {
                url: self.own.address(Endpoint::ChatCompletions),
                api: Some(api.clone()),
                own: true,
                ..Target::default()
            }]),
            Destination::Api(api) => Err(Error::Invalid(format!(
                "There is no API {api:?} here: there is \"api/llm\"."
            ))),
            Destination::Group(name) => {
                let group = self.group(sender, name).await?;
                let targets = group.endpoints.into_iter().map(|endpoint| Target {
                    own: self.is_own(message, &endpoint.url, host),
                    url: endpoint.url,
                    group: Some(group.name.clone()),
                    endpoint: endpoint.name,
                    api: None,
                    headers: group.headers.clone(),
                });
                Ok(targets.collect())
            }
        }
    }

    fn is_own(&self, message: &Message, url: &str, host: Option<&str>) -> bool {
        let url = Url::parse(url).ok();
        url.is_some_and(|url| self.own.is_call(&message.method, &url, host))
    }

    /// The message to one URL, with the gates that it passes.
    pub(super) fn aim(
        &self,
        sender: &Sender,
        message: &Message,
        target: Target,
        body: Bytes,
    ) -> Result<Draft> {
        let mut message = message.clone();
        for (name, value) in target.headers {
            if message.headers.iter().all(|(known, _)| *known != name) {
                message.headers.push((name, value));
            }
        }
        let mut gates = Vec::new();
        if let Some(queue) = &message.queue {
            gates.push(gates::by_queue(&sender.owner, queue));
        }
        if let Some(flow) = &message.flow {
            gates.push(gates::by_flow(&sender.owner, flow));
        }
        if !target.own {
            let url = self.check_public(&target.url)?;
            let per_host = self.settings.per_host;
            gates.push(gates::by_host(&sender.owner, &url, per_host));
        }
        message.url = target.url;
        message.group = target.group;
        message.endpoint = target.endpoint;
        message.api = target.api;
        let waits = message.not_before > message.created_at;
        let not_before = waits.then(|| Timestamp::from_millisecond(message.not_before));
        Ok(Draft {
            id: None,
            dedup: None,
            own: target.own,
            not_before: not_before.transpose().map_err(Error::invalid)?,
            message,
            body,
            gates,
        })
    }

    /// Errors if the URL will never be called, as far as that can be told without looking its
    /// host up.
    pub(super) fn check_public(&self, url: &str) -> Result<Url> {
        let allowed = self.settings.allow_private;
        let url = ssrf::check(url, allowed).map_err(Error::invalid)?;
        if !allowed && url.domain().is_some_and(is_private) {
            return Err(Error::Invalid(format!(
                "{} is not a name on the public internet.",
                url.domain().unwrap_or_default()
            )));
        }
        Ok(url)
    }
}

fn dedup_key(
    options: &Options,
    destination: &Destination,
    message: &Message,
    body: &[u8],
) -> Option<String> {
    if let Some(id) = &options.deduplication_id {
        return Some(dedup::by_id(id));
    }
    let by_content = options.content_based_deduplication;
    let destination = destination.to_string();
    by_content.then(|| dedup::by_content(&destination, &message.headers, body))
}

fn is_private(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    let mut known = PRIVATE.iter();
    known.any(|private| match name.strip_suffix(private) {
        Some(rest) => rest.is_empty() || rest.ends_with('.'),
        None => false,
    })
}
