//! Callbacks: messages that tell what became of another. One is sent for every attempt that
//! was answered, and one more if the message is given up. Nobody is told of a callback.

use std::sync::Arc;

use atelier_messages::{About, Callback, Message, ids, objects};
use atelier_queue::GateRef;
use bytes::Bytes;
use jiff::Timestamp;
use tokio::time::sleep;
use tracing::warn;
use url::Url;

use super::{
    Attempt,
    judge::{self, Made},
};
use crate::{
    blob::{self, Blobs},
    job::{
        Answered, Content, MESSAGES, MessageTask, Outcome, Request, Task, gates, owner_of_messages,
    },
    queue::{self, AddError, DynQueue, Ended, Job, NewJob},
    worker::{Worker, conclude::store_pause},
};

/// What is told of one attempt.
struct Told<'a> {
    job: &'a Job,
    task: &'a MessageTask,
    status: u16,
    headers: &'a Vec<(String, String)>,
    body: Bytes,
    retried: u32,
    now: Timestamp,
}

/// Queues callbacks.
#[derive(Clone)]
pub struct CallbackQueue {
    pub queue: Arc<DynQueue>,
    pub blobs: Blobs,
    /// Maximum number of calls of an owner to one host at a time.
    pub per_host: u32,
}

impl CallbackQueue {
    /// Queues what is to be told of how a message ended. Queuing it again changes nothing.
    /// `retried` is how often its call was repeated, if that is known.
    ///
    /// # Errors
    /// If a store fails.
    pub async fn queue_end(
        &self,
        end: &Ended,
        retried: Option<u32>,
        now: Timestamp,
    ) -> Result<(), AddError> {
        let (job, Some(answered)) = (&end.job, answer(&end.job)) else {
            return Ok(());
        };
        let Task::Message(task) = &job.request.task else {
            return Ok(());
        };
        let told = Told {
            job,
            task,
            status: answered.status,
            headers: &answered.headers,
            body: self.read(&answered.body).await?,
            retried: self.retried(job, retried).await?,
            now,
        };
        let at = ids::time_of(&job.id).unwrap_or(job.created_at);
        if let Some(callback) = &task.message.callback {
            let id = ids::derived(at, &[&end.key, "callback"]);
            self.queue(id, &told, callback, false).await?;
        }
        if let Some(callback) = &task.message.failure_callback
            && answered.failure.is_some()
        {
            let id = ids::derived(at, &[&end.key, "failure callback"]);
            self.queue(id, &told, callback, true).await?;
        }
        Ok(())
    }

    async fn queue(
        &self,
        id: String,
        told: &Told<'_>,
        callback: &Callback,
        failure: bool,
    ) -> Result<(), AddError> {
        let source = self.read(&told.task.body).await?;
        let body = body(told, &source, failure);
        let (content, file) = Content::new(body.into());
        let new = self.job(id, told, callback, failure, content);
        let adding = self.queue.enqueue(new, told.now);
        queue::add_with_body(&self.blobs, file, adding).await?;
        Ok(())
    }

    fn job(
        &self,
        id: String,
        told: &Told<'_>,
        callback: &Callback,
        failure: bool,
        body: Content,
    ) -> NewJob {
        let job = told.job;
        let message = message(told, callback, failure);
        let owner = owner_of_messages(&job.owner).unwrap_or(&job.owner);
        let gates = self.gates(owner, &message);
        let request = Request {
            provider: MESSAGES.into(),
            model: String::new(),
            variation: 0,
            found: None,
            task: Task::Message(Box::new(MessageTask {
                message,
                body,
                key: told.task.key.clone(),
            })),
        };
        NewJob {
            gates,
            // The next message of a queue waits for it.
            inherits: told.task.message.queue.as_ref().map(|_| job.id.clone()),
            ..NewJob::new(id, job.owner.clone(), request)
        }
    }

    fn gates(&self, owner: &str, message: &Message) -> Vec<GateRef> {
        let flow = message.flow.as_ref();
        let flow = flow.map(|flow| gates::by_flow(owner, flow));
        let url = Url::parse(&message.url).ok();
        let host = url.map(|url| gates::by_host(owner, &url, self.per_host));
        flow.into_iter().chain(host).collect()
    }

    /// Nothing if it is not there any more.
    async fn read(&self, content: &Content) -> Result<Bytes, blob::Error> {
        match content.read(&self.blobs).await {
            Err(error) if error.is_missing() => Ok(Bytes::new()),
            read => read,
        }
    }

    async fn retried(&self, job: &Job, known: Option<u32>) -> Result<u32, queue::Error> {
        if let Some(known) = known {
            return Ok(known);
        }
        // What is in the outbox is without its failed attempts.
        let whole = self.queue.get(&job.id).await?;
        Ok(whole.as_ref().map_or(0, judge::answered))
    }
}

impl Worker {
    /// Queues what is to be told of an attempt that will be repeated. It is named by the claim,
    /// not by the number of the attempt: if the process ends before the attempt is settled, the
    /// call is made again under that number, and is told of as well. Returns false if the process
    /// ends before that.
    pub(super) async fn tell_of_attempt(&self, attempt: &Attempt<'_>, made: Made) -> bool {
        let (job, task) = (attempt.job, attempt.task);
        let Some(callback) = &task.message.callback else {
            return true;
        };
        let id = ids::callback(&job.id, job.token);
        let told = Told {
            job,
            task,
            status: made.status,
            headers: &made.headers,
            body: made.body,
            retried: attempt.retried,
            now: self.clock.now(),
        };
        let callbacks = &self.messages.callbacks;
        for tries in 1.. {
            match callbacks.queue(id.clone(), &told, callback, false).await {
                Ok(()) => return true,
                Err(error) if may_pass(&error) => {
                    warn!(%error, id = job.id, "a callback is not queued yet");
                }
                Err(error) => {
                    warn!(%error, id = job.id, "a callback cannot be queued");
                    return true;
                }
            }
            self.keep_lease(&job.ticket()).await;
            tokio::select! {
                () = sleep(store_pause(tries)) => {}
                () = self.hand_back.cancelled() => return false,
            }
        }
        false
    }

    /// Queues what is to be told of ends. What fails now is retried later, from the outbox.
    pub(super) async fn tell_of_end(&self, ended: Vec<Ended>, retried: u32) {
        for end in ended.iter().filter(|end| end.is_noted()) {
            let told = async {
                let now = self.clock.now();
                let callbacks = &self.messages.callbacks;
                callbacks.queue_end(end, Some(retried), now).await?;
                Ok::<_, AddError>(self.queue.acknowledge(&end.key).await?)
            };
            if let Err(error) = told.await {
                warn!(%error, id = end.job.id, "an ended message stays in the outbox");
            }
        }
    }
}

/// Whether another try to queue a callback may help.
const fn may_pass(error: &AddError) -> bool {
    error.is_uncertain() || matches!(error, AddError::Blob(_))
}

fn answer(job: &Job) -> Option<&Answered> {
    match &job.outcome {
        Some(Outcome::Answered(answered)) => Some(answered),
        _ => None,
    }
}

/// The callback as a message.
fn message(told: &Told<'_>, callback: &Callback, failure: bool) -> Message {
    let (source, now) = (&told.task.message, told.now.as_millisecond());
    let mut headers = callback.headers.clone();
    let is_typed = |(name, _): &(String, String)| name.eq_ignore_ascii_case("content-type");
    if !headers.iter().any(is_typed) {
        headers.push(("Content-Type".into(), "application/json".into()));
    }
    let method = if callback.method.is_empty() {
        "POST".into()
    } else {
        callback.method.clone()
    };
    Message {
        url: callback.url.clone(),
        method,
        headers,
        retries: callback.retries.unwrap_or(source.retries),
        retry_delay: callback.retry_delay.clone(),
        timeout: callback.timeout,
        not_before: now,
        created_at: now,
        flow: callback.flow.clone(),
        labels: source.labels.clone(),
        redact: source.redact.clone(),
        caller_ip: source.caller_ip.clone(),
        about: Some(About {
            message: told.job.id.clone(),
            failure,
        }),
        ..Message::default()
    }
}

fn body(told: &Told<'_>, source: &[u8], failure: bool) -> Vec<u8> {
    let job = told.job;
    let ended = job.finished_at.unwrap_or(told.now);
    let dead_letter = failure.then(|| ids::dead_letter(ended, &job.id));
    let body = objects::callback(&objects::Told {
        id: &job.id,
        message: &told.task.message,
        body: source,
        retried: told.retried,
        answer: objects::Answer {
            status: told.status,
            headers: told.headers,
            body: &told.body,
        },
        dead_letter: dead_letter.as_deref(),
    });
    body.to_string().into_bytes()
}
