//! Passes a stream on as it comes, and follows what it says.

use std::time::Duration;

use atelier_gateway::{
    ApiError, Assembler, Endpoint, Estimate, Usage,
    forward::Answer,
    sse::{Event, Splitter},
    usage_chunk,
};
use bytes::{Bytes, BytesMut};
use tokio::time::timeout;
use tracing::warn;

use super::{
    call::Leading,
    charging::{Charge, Due},
    contents::ASSEMBLED,
    flights::Abandoned,
    lookup::is_bought,
};
use crate::limit::Costs;

/// Largest event in bytes: a picture in base64, or a whole response that may hold some.
const MAX_PICTURE: usize = 64 * 1024 * 1024;

/// Largest event of a text, which comes in small pieces.
const MAX_TEXT: usize = 1024 * 1024;

/// A comment that shows that the stream is alive.
const PING: Bytes = Bytes::from_static(b": ping\n\n");

/// How many bytes of an answer make one token, roughly.
const PER_TOKEN: u64 = 4;

/// A stream under way.
pub(super) struct Pump<'a> {
    leading: &'a Leading,
    answer: Answer,
    charge: Charge,
    splitter: Splitter,
    assembler: Assembler,
    /// The client did not ask for the chunk that tells the usage.
    hides_usage: bool,
    silence: Duration,
}

/// Why a stream ended.
enum End {
    /// The upstream has said all.
    Whole,
    /// The upstream broke off, or sent something else.
    Broken(&'static str),
    /// Nobody reads it any more.
    Abandoned,
}

impl<'a> Pump<'a> {
    pub(super) fn new(leading: &'a Leading, answer: Answer, charge: Charge) -> Self {
        let (call, settings) = (&leading.asked.call, &leading.gateway.settings);
        let recorded = if leading.asked.recording.keeps_contents() {
            ASSEMBLED
        } else {
            0
        };
        let keeps = leading.plan.keeps || leading.plan.repeat.is_some();
        let kept = match (keeps, is_bought(call)) {
            (false, _) => 0,
            (true, true) => MAX_PICTURE,
            (true, false) => 4 * settings.cache.max_bytes,
        };
        let largest = match call.endpoint() {
            Endpoint::ChatCompletions | Endpoint::Completions | Endpoint::Messages => MAX_TEXT,
            _ => MAX_PICTURE,
        };
        let has_usage_chunk = matches!(
            call.endpoint(),
            Endpoint::ChatCompletions | Endpoint::Completions
        );
        Self {
            hides_usage: has_usage_chunk && !call.wants_usage(),
            silence: settings.ping,
            splitter: Splitter::new(largest),
            assembler: Assembler::new(call.endpoint(), recorded.max(kept)),
            leading,
            answer,
            charge,
        }
    }

    /// Passes everything on, and settles the charge.
    pub(super) async fn run(mut self) {
        let end = self.pass_on().await;
        let flight = &self.leading.flight;
        let endpoint = self.leading.asked.call.endpoint();
        let failed = matches!(end, End::Broken(_)) || self.assembler.error().is_some();
        if let End::Broken(why) = end {
            let upstream = self.answer.target.upstream.name();
            warn!(upstream, why, "a stream broke off");
            let error = ApiError::bad_gateway(format!("The stream of {upstream} {why}."));
            let event = error.event(endpoint, self.assembler.next_sequence());
            flight.price(self.costs().usd);
            let _ = flight.write(event).await;
        }
        let costs = self.costs();
        flight.price(costs.usd);
        flight.end();
        self.charge.set(Due::Costs(costs));
        drop(self.charge);
        let (recording, status) = (&self.leading.asked.recording, self.answer.response.status());
        let usage = self.assembler.usage().copied();
        let answer = self.assembler.into_answer();
        if let Some(answer) = answer.as_ref().filter(|_| recording.keeps_contents()) {
            recording.answers(answer.to_string().as_bytes());
        }
        match end {
            End::Abandoned => {}
            _ if failed => recording.broke_off(status),
            _ => recording.end(status),
        }
        if let (End::Whole, Some(read)) = (end, answer) {
            let (gateway, target) = (&self.leading.gateway, &self.answer.target);
            gateway
                .note_response(&self.leading.asked, target, Some(&read))
                .await;
            self.leading.keep(target, read, usage, costs.usd).await;
        }
    }

    async fn pass_on(&mut self) -> End {
        loop {
            let next = tokio::select! {
                next = timeout(self.silence, self.answer.response.chunk()) => next,
                () = self.leading.flight.abandoned() => return End::Abandoned,
            };
            let written = match next {
                // Between two events only.
                Err(_) if self.splitter.pending() == 0 => self.leading.flight.write(PING).await,
                Err(_) => continue,
                Ok(Err(_)) => return self.broken("broke off"),
                Ok(Ok(None)) => return self.finish().await,
                Ok(Ok(Some(chunk))) => {
                    self.splitter.push(&chunk);
                    match self.events() {
                        Some(events) => self.write(events).await,
                        None => return End::Broken("has an event that is too large"),
                    }
                }
            };
            if let Err(Abandoned) = written {
                return End::Abandoned;
            }
        }
    }

    /// Writes events, and the cost before the one that ends the stream.
    async fn write(&self, [events, last]: [Bytes; 2]) -> Result<(), Abandoned> {
        let flight = &self.leading.flight;
        if !(events.is_empty() && last.is_empty()) {
            self.leading.asked.recording.begins();
        }
        if !events.is_empty() {
            flight.write(events).await?;
        }
        if !last.is_empty() {
            flight.price(self.costs().usd);
            flight.write(last).await?;
        }
        Ok(())
    }

    /// The whole events that have arrived: those before the one that ends the stream, and the
    /// others. `None` if one is too large.
    fn events(&mut self) -> Option<[Bytes; 2]> {
        let mut parts = [Joined::default(), Joined::default()];
        let [before, last] = &mut parts;
        while let Some(event) = self.splitter.next_event().ok()? {
            let event = self.read(event);
            let is_shown = self.follow(&event);
            let part = if self.assembler.is_over() || self.assembler.error().is_some() {
                &mut *last
            } else {
                &mut *before
            };
            if is_shown {
                part.push(event.raw);
            }
        }
        Some(parts.map(Joined::bytes))
    }

    /// The event in OpenAI's form; one with an error without the upstream's key.
    fn read(&self, event: Event) -> Event {
        let (upstream, call) = (&self.answer.target.upstream, &self.leading.asked.call);
        let event = upstream.dialect().read_event(call.endpoint(), event);
        let raw = upstream.hidden(event.raw.clone());
        Event { raw, ..event }
    }

    /// Notes what an event says. Returns whether it is passed on.
    fn follow(&mut self, event: &Event) -> bool {
        self.assembler.push(event);
        !(self.hides_usage && usage_chunk(event))
    }

    async fn finish(&mut self) -> End {
        let splitter = std::mem::replace(&mut self.splitter, Splitter::new(0));
        let last = splitter.finish().map(|event| self.read(event));
        let is_shown = last.as_ref().is_some_and(|event| self.follow(event));
        if !self.assembler.is_terminated() && self.assembler.error().is_none() {
            // An event without its end is none, and would swallow the error that follows.
            return self.broken("ended too early");
        }
        let last = last.filter(|_| is_shown).map(|event| event.raw);
        match self.write([Bytes::new(), last.unwrap_or_default()]).await {
            Ok(()) => End::Whole,
            Err(Abandoned) => End::Abandoned,
        }
    }

    /// What follows the last event is of no importance.
    fn broken(&self, why: &'static str) -> End {
        if self.assembler.is_terminated() {
            End::Whole
        } else {
            End::Broken(why)
        }
    }

    /// What is charged: by the upstream's figures, or else by what was produced.
    fn costs(&self) -> Costs {
        let target = &self.answer.target;
        match self.assembler.usage() {
            Some(usage) => self.leading.costs(target, usage),
            None => self.leading.costs_of(target, self.assembler.produced()),
        }
    }
}

/// Events together; one alone is not copied.
#[derive(Default)]
struct Joined {
    only: Option<Bytes>,
    all: BytesMut,
}

impl Joined {
    fn push(&mut self, event: Bytes) {
        match self.only.take() {
            None if self.all.is_empty() => self.only = Some(event),
            before => {
                self.all.extend(before);
                self.all.extend_from_slice(&event);
            }
        }
    }

    fn bytes(self) -> Bytes {
        self.only.unwrap_or_else(|| self.all.freeze())
    }
}

/// The usage of a call that told none, by its estimate and the bytes of its answer.
pub(super) fn produced(estimate: &Estimate, bytes: u64) -> Usage {
    Usage {
        output: bytes.div_ceil(PER_TOKEN),
        ..estimate.usage()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_without_usage_is_charged_what_was_produced() {
        let estimate = Estimate {
            input_tokens: 100,
            output_tokens: 4096,
            ..Estimate::default()
        };
        let usage = produced(&estimate, 9);
        assert_eq!((usage.input, usage.output), (100, 3));
    }
}
