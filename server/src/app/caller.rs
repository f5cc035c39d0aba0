//! Who is asking, and what is theirs.

use std::sync::Arc;

use crate::{
    access::Holder,
    queue::{Job, PART},
};

/// Who is asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// An IPv4 address or an IPv6 /64 network; what limits count by.
    pub ip: String,
    /// What jobs belong to: an API key or a session. Without either, each job
    /// belongs to itself, and an address owns nothing.
    pub owner: Option<String>,
    /// The job whose owner's key came with the request.
    pub held: Option<String>,
    /// Whose API key came with the request.
    pub holder: Option<Arc<Holder>>,
}

impl Caller {
    /// What stands for the caller where sessions, which cost nothing, must not
    /// count: the API key, or the address.
    pub fn counted_as(&self) -> &str {
        let holder = self.holder.as_ref();
        holder.map_or(&self.ip, |holder| &holder.id)
    }

    /// Whether the job belongs to the caller.
    pub fn owns(&self, job: &Job) -> bool {
        self.owner.as_ref() == Some(&job.owner) || self.holds(job)
    }

    /// Whether the job belongs to the caller by its key.
    pub fn holds(&self, job: &Job) -> bool {
        job.owns_itself() && self.held.as_ref() == Some(&job.id)
    }

    /// Whom a new job is to belong to. The address has no part in that: it is
    /// there for the fair order, in which one place is enough for it.
    pub(super) fn owner_of(&self, id: &str) -> String {
        let itself = || format!("ip:{}{PART}{id}", self.ip);
        self.owner.clone().unwrap_or_else(itself)
    }

    /// Whoever the job belongs to.
    pub(super) fn owning(job: &Job) -> Self {
        Self {
            ip: String::new(),
            owner: Some(job.owner.clone()),
            held: None,
            holder: None,
        }
    }

    /// Whose refusals hold the caller: an API key's holder stands for themselves.
    pub(super) fn is_held_as(&self) -> impl Iterator<Item = &str> {
        let count = if self.holder.is_some() { 1 } else { 2 };
        self.is_counted_as().take(count)
    }

    /// Whom a refusal counts against: the API key or session, and the address.
    pub(super) fn is_counted_as(&self) -> impl Iterator<Item = &str> {
        let owner = self.owner.as_deref();
        owner.into_iter().chain([self.ip.as_str()])
    }
}
