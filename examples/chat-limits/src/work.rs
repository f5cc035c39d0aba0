//! What the queue carries, and what is done with it.

use std::{error::Error, sync::Arc};

use async_trait::async_trait;
use atelier_limit::{Receipt, Settlement, micros};
use atelier_queue::{CallError, Cost, Ended, Ending, Failure, NewJob, Payload, Status, Work};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{App, chat::View};

/// The lane of questions.
pub(crate) const CHAT: &str = "chat";

/// The lane of callbacks: however slow their receivers are, no question waits for them.
pub(crate) const CALLBACKS: &str = "callbacks";

/// A task, complete enough for any worker to carry it out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Task {
    /// Ask the upstream.
    Ask(Question),
    /// Tell somebody that a job has ended.
    Tell { url: Url, body: String },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Question {
    pub(crate) model: String,
    pub(crate) text: String,
}

pub(crate) type Job = atelier_queue::Job<Task>;

impl Payload for Task {
    type Outcome = Ending<String>;

    fn lane(&self) -> &str {
        match self {
            Self::Ask(_) => CHAT,
            Self::Tell { .. } => CALLBACKS,
        }
    }
}

#[async_trait]
impl Work<Task> for Arc<App> {
    async fn call(&self, job: &Job) -> Result<Ending<String>, CallError> {
        match &job.request {
            Task::Ask(question) => self.upstream.ask(question).await,
            Task::Tell { url, body } => self.tell(&job.id, url, body).await,
        }
    }

    /// The caches know the answer before the job has ended, so that there is no moment in
    /// which nobody does.
    async fn recorded(&self, job: &Job, outcome: &Ending<String>) {
        if let (Task::Ask(question), Ending::Succeeded { .. }) = (&job.request, outcome) {
            self.stores.remember(&job.owner, question, &job.id).await;
        }
    }

    /// What was reserved becomes what the call has cost. Settling an end twice changes
    /// nothing, and a job of the same id is added once.
    async fn ended(&self, end: &Ended<Task>) -> Result<(), Box<dyn Error + Send + Sync>> {
        let receipts: Vec<Receipt> = serde_json::from_value(end.job.charge.clone())?;
        let settlements = receipts.into_iter().map(|receipt| Settlement {
            actual: micros(end.bill.usd) + u64::from(end.bill.estimates) * receipt.cost,
            receipt,
        });
        let (settlements, now) = (settlements.collect(), self.stores.clock.now());
        self.stores
            .limiter
            .settle(&end.key, settlements, now)
            .await?;
        if let Some(url) = &end.job.hooks.callback_url {
            let url = url.parse()?;
            let body = message(end).to_string();
            let job = NewJob::new(&end.key, CALLBACKS, Task::Tell { url, body });
            self.stores.queue.enqueue(job, now).await?;
        }
        Ok(())
    }
}

fn message(end: &Ended<Task>) -> serde_json::Value {
    let succeeded = end.job.status == Status::Succeeded;
    serde_json::json!({
        "type": if succeeded { "job.succeeded" } else { "job.failed" },
        "timestamp": end.job.finished_at.map(|at| at.to_string()),
        "data": View::of(&end.job),
    })
}

impl App {
    /// The message's id is the same at every attempt.
    async fn tell(&self, id: &str, url: &Url, body: &str) -> Result<Ending<String>, CallError> {
        let now = self.stores.clock.now().into();
        match self.callbacks.send(url, id, body.into(), now).await {
            Ok(()) => Ok(Ending::Succeeded {
                answer: "delivered".into(),
                cost: Cost::Nothing,
            }),
            Err(error) => Err(CallError::from(Failure {
                code: "callback".into(),
                message: error.to_string(),
                retryable: !error.is_final(),
            })),
        }
    }
}
