//! What is noted of a job that has ended.

use super::{
    super::super::outbox::{Bill, Call, Ended},
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

    pub(in super::super) fn into_ended(self) -> Result<Ended> {
        let (job, withdrawn) = self.record.into_job_left()?;
        let bill = if self.pays {
            Bill::of(Call {
                failures: &job.failures,
                outcome: job.outcome.as_ref(),
                interrupted: self.interrupted,
            })
        } else {
            Bill::NOTHING
        };
        Ok(if withdrawn {
            Ended::withdrawn(job, bill)
        } else {
            Ended::new(job, bill)
        })
    }
}
