//! Keys in URLs, each of which opens one job to whoever has it. They are signatures, and
//! nothing of them is stored. A *link's* key shows a job; an *owner's* key gives a caller
//! with neither session nor API key all the rights of the owner.

use std::borrow::Cow;

use axum::http::Uri;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use crate::http::{State, extract::query::parameter};
use crate::{
    app::Caller,
    job::{JobId, Visibility},
    queue::Job,
};

/// Length of a key in bytes: enough that nobody can guess one.
const LENGTH: usize = 16;

/// The query parameter for a key.
const FIELD: &str = "key";

/// The query parameter for a link's key beside the owner's.
const BESIDE: &str = "link";

/// Makes and verifies the keys of one purpose.
#[derive(Clone)]
pub struct JobKeys(Hmac<Sha256>);

impl JobKeys {
    /// Signs keys with `secret`, which no other purpose may use.
    pub fn new(secret: [u8; 64]) -> Self {
        Self(Hmac::new(&secret.into()))
    }

    /// The address of the job with its key.
    pub(crate) fn address(&self, path: &str, id: &str) -> String {
        format!("{path}?{FIELD}={}", self.key(id))
    }

    /// The address of the owner's page, with the link's key as well.
    pub(crate) fn beside(&self, page: String, job: &Job) -> String {
        match job.request.task.visibility() {
            Visibility::Everybody => page,
            Visibility::Owner => format!("{page}&{BESIDE}={}", self.key(&job.id)),
        }
    }

    fn key(&self, id: &str) -> String {
        let tag = self.0.clone().chain_update(id).finalize().into_bytes();
        BASE64_URL_SAFE_NO_PAD.encode(&tag[..LENGTH])
    }

    /// The key of the job, if the query has it.
    fn key_in<'a>(&self, query: Option<&'a str>, id: &str) -> Option<Cow<'a, str>> {
        parameter(query, FIELD).filter(|key| self.opens(id, key))
    }

    /// Whether the key is the job's.
    pub(crate) fn opens(&self, id: &str, key: &str) -> bool {
        let tag = BASE64_URL_SAFE_NO_PAD.decode(key).unwrap_or_default();
        // Truncated keys must not pass.
        tag.len() == LENGTH
            && self
                .0
                .clone()
                .chain_update(id)
                .verify_truncated_left(&tag)
                .is_ok()
    }
}

/// The job that is addressed, if its owner's key is in the address as well.
pub(crate) fn held(state: &State, uri: &Uri) -> Option<JobId> {
    let path = uri.path();
    let path = path.strip_prefix("/api").unwrap_or(path);
    let id = path.strip_prefix("/jobs/")?.split('/').next()?;
    state.owner_keys.key_in(uri.query(), id)?;
    Some(id.into())
}

/// The job that a form field names, by its id or its whole address, and the caller with
/// the rights that a key in that address gives.
pub(crate) fn named(state: &State, caller: &Caller, text: &str) -> (Caller, JobId) {
    let (address, query) = match text.split_once('?') {
        Some((address, query)) => (address, Some(query)),
        None => (text, None),
    };
    let id = JobId::from(address.rsplit('/').next().unwrap_or_default());
    let mut caller = caller.clone();
    if state.owner_keys.key_in(query, &id).is_some() {
        caller.held = Some(id.clone());
    }
    (caller, id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_opens_its_own_job_only() {
        let keys = JobKeys::new([7; 64]);
        let key = keys.key("one");
        assert!(keys.opens("one", &key));
        assert!(!keys.opens("two", &key));
        assert!(!JobKeys::new([8; 64]).opens("one", &key));
        for wrong in ["", "A", &key[1..], &format!("{key}AAAA")] {
            assert!(!keys.opens("one", wrong), "{wrong}");
        }
    }

    #[test]
    fn a_part_of_a_key_opens_nothing() {
        let keys = JobKeys::new([7; 64]);
        let key = keys.key("one");
        for length in 0..key.len() {
            assert!(!keys.opens("one", &key[..length]), "{length}");
        }
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(&key).unwrap();
        for length in 0..bytes.len() {
            let part = BASE64_URL_SAFE_NO_PAD.encode(&bytes[..length]);
            assert!(!keys.opens("one", &part), "{length} bytes");
        }
    }
}
