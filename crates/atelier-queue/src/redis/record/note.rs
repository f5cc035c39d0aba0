//! The outbox entry of a job that has ended.

use super::{
    super::super::{Ended, Payload},
    Reader, Record, Result,
};

/// As `base.lua` packs it.
pub(in super::super) struct Note {
    /// Its failures are those of the call, if it pays.
    record: Record,
    pays: bool,
    interrupted: bool,
}

impl Note {
    pub(in super::super) fn read(packed: &[u8]) -> Result<Self> {
        let mut note = Reader(packed);
        let [paying] = note.array()?;
        let record = Record {
            id: note.long()?.into(),
            head: note.longest()?.into(),
            body: note.longest()?.into(),
            links: Vec::new(),
            outcome: note.longest()?.into(),
            failures: note.longest()?.into(),
            leader_links: Vec::new(),
            place: None,
        };
        Ok(Self {
            record,
            pays: paying & 1 != 0,
            interrupted: paying & 2 != 0,
        })
    }

    pub(in super::super) fn into_ended<P: Payload>(self) -> Result<Ended<P>> {
        let (job, withdrawn) = self.record.into_job_left()?;
        Ok(Ended::noted(job, withdrawn, self.pays, self.interrupted))
    }
}
