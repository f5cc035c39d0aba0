//! What is to be told of a write.

/// What a write has changed.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) jobs: Vec<String>,
    pub(super) work: bool,
}

impl Changes {
    pub(super) fn push(&mut self, id: String) {
        self.jobs.push(id);
    }

    /// There may be something to claim.
    pub(super) fn work(&mut self) {
        self.work = true;
    }
}
