//! What is noted of jobs that have ended.

use crate::{
    work::{Bill, Ended},
    work::{Cost, Outcome},
};
use atelier_api::Status;
use atelier_queue::Outcome as _;

use super::{
    jobs::Jobs,
    row::{Row, Withdrawn},
};

impl Jobs {
    /// Notes the end of jobs that shared the call of the first; the first whose
    /// charge is open pays.
    pub(super) fn end(&mut self, ids: &[String], interrupted: bool) -> Vec<Ended> {
        let bill = bill(&self.rows[&ids[0]], interrupted);
        let mut bills = Some(bill);
        ids.iter()
            .map(|id| {
                let charge = &self.rows[id].job.charge;
                let open = charge.as_array().is_some_and(|taken| !taken.is_empty());
                let bill = if open { bills.take() } else { None };
                self.note(id, bill.unwrap_or(Bill::NOTHING))
            })
            .collect()
    }

    /// Notes the end of a job that owes nothing.
    pub(super) fn end_free(&mut self, id: &str) -> Vec<Ended> {
        vec![self.note(id, Bill::NOTHING)]
    }

    fn note(&mut self, id: &str, bill: Bill) -> Ended {
        let row = &self.rows[id];
        let mut job = row.job.clone();
        job.failures.clear();
        if row.withdrawn != Withdrawn::No {
            job.status = Status::Cancelled;
            job.outcome = None;
            job.progress = None;
            job.preview = None;
        }
        let end = Ended {
            key: format!("{id}-{:010}", job.version),
            job,
            bill,
        };
        if end.is_noted() {
            self.outbox.insert(end.key.clone(), end.clone());
        }
        end
    }
}

/// What the call costs: every attempt at it, whatever became of it.
fn bill(row: &Row, interrupted: bool) -> Bill {
    let outcome = row.job.outcome.as_ref();
    let claims = outcome.map_or(&[][..], Outcome::earlier_claims);
    let (paid, failed): (Vec<_>, Vec<_>) = row
        .job
        .failures
        .iter()
        .partition(|failed| claims.contains(&failed.token));
    let mut costs: Vec<Cost> = failed.iter().map(|failed| failed.cost).collect();
    let mut made = Some(0);
    if let Some(Outcome::Succeeded {
        pictures, cost_usd, ..
    }) = outcome
    {
        if paid.iter().all(|paid| paid.settled_cost == Cost::Nothing) {
            costs.push(cost_usd.map_or(Cost::Estimate, Cost::Usd));
        }
        made = Some(pictures.len());
    }
    if interrupted {
        costs.push(Cost::Estimate);
        made = None;
    }
    let told = costs.iter().map(|cost| match cost {
        Cost::Usd(usd) => *usd,
        _ => 0.0,
    });
    let usd = told.fold(0.0, |sum, usd| sum + usd);
    let lost = costs.iter().filter(|cost| **cost == Cost::Estimate);
    Bill {
        usd,
        estimates: u32::try_from(lost.count()).unwrap(),
        made,
    }
}
