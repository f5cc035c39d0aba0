//! Who makes a request, and which jobs belong to them.

use std::sync::Arc;

use crate::{
    access::Holder,
    job::{JobId, Owner},
    queue::Job,
};

/// Who makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// An IPv4 address or an IPv6 /64 network, as limits count it.
    pub ip: String,
    /// The owner of the caller's jobs: an API key or a session. Without either, each job
    /// belongs to itself; an address owns nothing.
    pub owner: Option<Owner>,
    /// The job whose owner key came with the request.
    pub held: Option<JobId>,
    /// The holder of the API key that came with the request.
    pub holder: Option<Arc<Holder>>,
}

impl Caller {
    /// The caller's name where sessions must not count, as anybody can get another for
    /// nothing: the API key, or the address.
    pub fn counted_as(&self) -> &str {
        let holder = self.holder.as_ref();
        holder.map_or(&self.ip, |holder| &holder.id)
    }

    /// Whether the job belongs to the caller.
    pub fn owns(&self, job: &Job) -> bool {
        self.owner.as_ref() == Some(&Owner::of(job)) || self.holds(job)
    }

    /// Whether the job belongs to the caller by its key.
    pub fn holds(&self, job: &Job) -> bool {
        job.owns_itself() && self.held.as_deref() == Some(&job.id)
    }

    /// The owner of a new job.
    pub fn owner_of(&self, job: &JobId) -> Owner {
        let itself = || Owner::Address {
            network: self.ip.clone(),
            job: job.clone(),
        };
        self.owner.clone().unwrap_or_else(itself)
    }

    /// The owner of the job as a caller.
    pub(super) fn owning(job: &Job) -> Self {
        Self {
            ip: String::new(),
            owner: Some(Owner::of(job)),
            held: None,
            holder: None,
        }
    }

    /// The names whose refusals block the caller. With an API key, the address does not count.
    pub(super) fn blocked_by(&self) -> impl Iterator<Item = String> {
        let count = if self.holder.is_some() { 1 } else { 2 };
        self.refusals_count_for().take(count)
    }

    /// The names that a refusal counts against: the API key or session, and the address.
    pub(super) fn refusals_count_for(&self) -> impl Iterator<Item = String> {
        let owner = self.owner.as_ref().map(ToString::to_string);
        owner.into_iter().chain([self.ip.clone()])
    }
}
