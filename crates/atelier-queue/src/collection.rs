//! What owners find among their jobs, and how they mark it.

use async_trait::async_trait;

use super::{Job, Payload, Result};
#[cfg(any(feature = "sqlite", feature = "redis"))]
use super::{PART, words::words};

/// What a job is found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// A word of the caller's choice, without line breaks.
    pub kind: String,
    /// A text whose [words](crate::words()) it is found by; it may have none.
    pub text: String,
}

/// What is searched for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// Beginnings of [words](crate::words()), all of which must be there; none for all jobs.
    pub text: String,
    /// Only jobs of this kind.
    pub kind: Option<String>,
    /// Only favourites.
    pub favourites: bool,
    /// Only jobs in this folder.
    pub folder: Option<String>,
}

/// How an owner marked a job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    /// It is a favourite.
    pub favourite: bool,
    /// The folder that it is in.
    pub folder: Option<String>,
}

/// A change of marks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marking {
    /// Makes jobs favourites, or no longer.
    pub favourite: Option<bool>,
    /// Moves jobs into the folder of this name, which is there for as long as a job is in it; out of theirs if it is
    /// empty.
    pub folder: Option<String>,
}

/// An owner's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Its name.
    pub name: String,
    /// The number of jobs in it.
    pub jobs: u64,
}

/// Maximum number of folders of an owner.
pub const MOST_FOLDERS: usize = 100;

/// The jobs that have an [`Entry`] and succeeded, as their owners find them. What is searched is kept in step with
/// the jobs, and gone with them.
#[async_trait]
pub trait Collection<P: Payload>: Send + Sync + 'static {
    /// Returns at most `limit` of the owner's jobs that match, newest first, older than the job `before`. An owner
    /// with a [`crate::PART`] has no collection.
    async fn search(
        &self,
        owner: &str,
        search: &Search,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Job<P>>>;
    /// Marks jobs, each of them named once. Returns the number of those that are marked so now: they are in the owner's
    /// collection. Errors with [`Error::TooManyFolders`](crate::Error::TooManyFolders) if one more would be needed.
    async fn mark(&self, owner: &str, ids: &[String], marking: &Marking) -> Result<usize>;
    /// Returns the marks of each of the owner's jobs.
    async fn marks(&self, owner: &str, ids: &[String]) -> Result<Vec<Marks>>;
    /// Returns the owner's folders in the order of their names.
    async fn folders(&self, owner: &str) -> Result<Vec<Folder>>;
}

/// An entry as it is stored.
#[cfg(any(feature = "sqlite", feature = "redis"))]
pub(crate) struct Indexed {
    pub(crate) kind: String,
    /// Separated by blanks.
    pub(crate) words: String,
}

#[cfg(any(feature = "sqlite", feature = "redis"))]
impl Indexed {
    /// The entry of an owner's job, if it has one.
    pub(crate) fn of<P: Payload>(owner: &str, request: &P) -> Option<Self> {
        let entry = request.entry().filter(|_| !owner.contains(PART))?;
        Some(Self {
            kind: entry.kind,
            words: words(&entry.text).join(" "),
        })
    }
}
