//! Accepts calls that are made later, as jobs of the durable queue.

use std::sync::Arc;

use atelier_api::Status;
use atelier_gateway::ApiError;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{
    Body, Error, Gateway, Reply,
    carry_out::told_headers,
    lookup::{Plan, key_reused},
    request::Asked,
    serve::from_before,
};
use crate::{
    app, cache,
    job::{Answered, CALLS, CallTask, Content, Cost, JobId, Outcome, Request, Task},
    limit::{Costs, Receipt, Standing},
    providers::{Provider as _, local::Local},
    queue::{Hooks, Job, NewJob},
};

/// How a job is to be carried out.
#[derive(Debug, Default)]
pub struct Terms {
    /// What it keeps of the headers.
    pub headers: Vec<(String, String)>,
    /// URLs to be called when it has ended.
    pub hooks: Hooks,
}

/// A call that was accepted.
#[derive(Debug)]
pub struct Accepted {
    pub job: Job,
    /// What is left of the limits for whoever asked.
    pub standings: Vec<Standing>,
}

impl Gateway {
    /// Accepts a call to be made later: charged for now, as a call made at once is, and
    /// settled when its job has ended. An answer from before ends the job at once.
    pub async fn accept(self: &Arc<Self>, asked: Asked, terms: Terms) -> Result<Accepted, Error> {
        if self.studio.drain.is_cancelled() {
            return Err(Error::Closing);
        }
        if asked.call.is_stream() {
            let message = "A stream cannot be answered asynchronously. Leave out stream, or the \
                           preference respond-async.";
            return Err(ApiError::invalid(message).param("stream").into());
        }
        let model = self.allowed_model(&asked)?;
        let plan = self.plan(&asked, &model);
        let id = self.job_id(&asked);
        if let Some(job) = self.accepted_before(&asked, &plan, &id).await? {
            let standings = self.charge_free(&asked).await?;
            asked.recording.forget();
            return Ok(Accepted { job, standings });
        }
        let answer = self.answer_from_before(&asked, &plan).await;
        let (provider, costs) = match &answer {
            Some(_) => (String::new(), request_only()),
            None => self.expected_costs(&asked, &model).await?,
        };
        let calls_back = terms.hooks != Hooks::default();
        let reserved = self.reserve_for_job(&asked, &provider, costs, calls_back);
        let (standings, receipts) = reserved.await?;
        let (body, file) = Content::new(asked.call.body().clone());
        let request = Request {
            provider: CALLS.into(),
            model,
            variation: 0,
            task: Task::Call(task(&asked, &plan, costs, body, terms.headers)),
            found: None,
        };
        let owner = asked.caller.owner_of(&id).of_call();
        let job = NewJob {
            hooks: terms.hooks,
            charge: charge(&receipts, answer.is_some()),
            answer: answer.map(Outcome::Answered),
            ..NewJob::new(id, owner, request)
        };
        let job = self.studio.queue_call(job, file, receipts).await?;
        check_same(&job, &plan)?;
        if job.status == Status::Succeeded {
            asked.recording.end(StatusCode::OK);
        } else {
            asked.recording.forget();
        }
        Ok(Accepted { job, standings })
    }

    /// A call with an `Idempotency-Key` has the same id whenever it is sent: the queue adds
    /// it once, whichever process it comes to.
    fn job_id(&self, asked: &Asked) -> JobId {
        let Some(key) = &asked.wishes.idempotency_key else {
            return self.studio.new_job_id();
        };
        let mut id = cache::digest(&["job", asked.caller.counted_as(), key]);
        id.truncate(32);
        id.into()
    }

    async fn accepted_before(
        &self,
        asked: &Asked,
        plan: &Plan,
        id: &JobId,
    ) -> Result<Option<Job>, Error> {
        if asked.wishes.idempotency_key.is_none() {
            return Ok(None);
        }
        let job = self.studio.stores.queue.get(id).await;
        let job = job.map_err(app::Error::from)?;
        if let Some(job) = &job {
            check_same(job, plan)?;
        }
        Ok(job)
    }

    /// An answer that a job can be added with. One that does not fit into its record is found
    /// again when the job is carried out.
    async fn answer_from_before(&self, asked: &Asked, plan: &Plan) -> Option<Answered> {
        let hit = self.look_up(asked, plan).await?;
        let reply = from_before(&asked.call, hit, Vec::new());
        asked.recording.comes_from(reply.source);
        let Body::Whole(bytes) = &reply.body else {
            return None;
        };
        let (body, file) = Content::new(bytes.clone());
        file.is_none().then(|| free(asked, &reply, body))
    }

    /// Who is expected to be asked, and what that costs at most.
    async fn expected_costs(&self, asked: &Asked, model: &str) -> Result<(String, Costs), Error> {
        let targets = self.speaking_targets(asked, model).await?;
        Ok(match targets.first() {
            Some(target) => {
                let upstream = target.upstream.name().to_owned();
                (upstream, self.expected(&asked.call, target))
            }
            None => {
                let costs = self.built_in_costs(&asked.call, model)?;
                (Local.name().to_owned(), costs)
            }
        })
    }
}

fn task(
    asked: &Asked,
    plan: &Plan,
    costs: Costs,
    body: Content,
    headers: Vec<(String, String)>,
) -> CallTask {
    CallTask {
        request: asked.id.clone(),
        path: asked.call.endpoint().path().to_owned(),
        query: asked.query.clone(),
        headers,
        body,
        ip: asked.caller.ip.clone(),
        digest: plan.digest.clone(),
        images: costs.images,
        tokens: costs.tokens,
    }
}

/// What the job settles when it has ended. Of an answer from before only the request is
/// charged, which nobody gets back.
fn charge(receipts: &[Receipt], answered: bool) -> Value {
    if answered {
        Value::Null
    } else {
        json!(receipts)
    }
}

/// An answer that costs nothing.
fn free(asked: &Asked, reply: &Reply, body: Content) -> Answered {
    Answered {
        status: reply.status.as_u16(),
        headers: told_headers(&asked.id, reply),
        body,
        cost: Cost::Nothing,
        images: 0,
        tokens: 0,
        failure: None,
        earlier_claims: Vec::new(),
    }
}

fn request_only() -> Costs {
    Costs {
        requests: 1,
        ..Costs::default()
    }
}

/// Errors if the job was made by another request under the same `Idempotency-Key`.
fn check_same(job: &Job, plan: &Plan) -> Result<(), Error> {
    match &job.request.task {
        Task::Call(task) if task.digest == plan.digest => Ok(()),
        _ => Err(key_reused()),
    }
}
