//! When a lane may begin a call, and which.

use std::{cmp::Reverse, collections::BTreeMap};

use crate::work::{Lane, PART, Priority};
use atelier_api::Status;
use jiff::{SignedDuration, Timestamp};

use super::{gates::in_order, jobs::Jobs};

/// What a lane remembers.
#[derive(Default)]
pub(super) struct Pace {
    /// The largest virtual start among the jobs begun.
    pub(super) virtual_time: u64,
    /// Where each owner's last job ends, in virtual time.
    pub(super) finish: BTreeMap<String, u64>,
    /// The next call is not begun earlier, for the rate.
    pub(super) next: Timestamp,
    /// Nothing is begun earlier, because the provider said so.
    held: Timestamp,
    /// So many calls at once when the hold ended.
    floor: Option<u32>,
}

/// A job's turn: a smaller one goes first, the older job among equals.
pub(super) type Turn = (Reverse<Priority>, u64);

impl Jobs {
    /// The jobs of the lane that wait for nothing but their turn, in order.
    pub(super) fn ready(&self, lane: &str) -> Vec<String> {
        let mut ready: Vec<_> = self
            .rows
            .iter()
            .filter(|(_, row)| in_order(row) && row.lane() == lane)
            .map(|(id, row)| (row.turn, id.clone()))
            .collect();
        ready.sort();
        ready.into_iter().map(|(_, id)| id).collect()
    }

    /// Whether the lane may begin a call; if not, when it may, if time alone
    /// can bring it.
    pub(super) fn may_begin(&self, lane: &Lane, now: Timestamp) -> Result<(), Option<Timestamp>> {
        let pace = self.pace(lane);
        let running = self.running(lane);
        if now < pace.held {
            return Err(Some(pace.held));
        }
        if running >= self.allowed(lane, now) {
            let bound = lane.parallel.unwrap_or(u32::MAX);
            let floor = pace.floor.filter(|_| running < bound);
            return Err(floor.map(|floor| pace.held + seconds(running - floor + 1)));
        }
        if lane.per_second.is_some() && now < pace.next {
            return Err(Some(pace.next));
        }
        Ok(())
    }

    /// A call of the job begins.
    pub(super) fn advance(&mut self, id: &str, lane: &Lane, now: Timestamp) {
        let (_, start) = self.rows[id].turn;
        let spacing = lane
            .per_second
            .map_or(0, |rate| (1000.0 / rate).ceil() as i64);
        let pace = self.paces.entry(lane.name.clone()).or_default();
        pace.virtual_time = pace.virtual_time.max(start);
        pace.next = pace.next.max(now) + SignedDuration::from_millis(spacing);
    }

    /// Gives the job the owner's next turn.
    pub(super) fn schedule(&mut self, id: &str, priority: Priority) {
        let row = self.rows.get_mut(id).unwrap();
        let pace = self.paces.entry(row.lane().to_owned()).or_default();
        let finish = pace.finish.entry(together(&row.job.owner)).or_default();
        let start = pace.virtual_time.max(*finish);
        *finish = start + u64::from(row.job.request.pictures);
        row.turn = (Reverse(priority), start);
    }

    /// The job took a turn for nothing.
    pub(super) fn unschedule(&mut self, id: &str) {
        let row = &self.rows[id];
        let pace = self.paces.entry(row.lane().to_owned()).or_default();
        let finish = pace.finish.entry(together(&row.job.owner)).or_default();
        let without = finish.saturating_sub(row.job.request.pictures.into());
        *finish = pace.virtual_time.max(without);
    }

    pub(super) fn throttle(&mut self, lane: &Lane, until: Timestamp, now: Timestamp) {
        let most = self.allowed(lane, now).min(self.running(lane));
        let pace = self.paces.entry(lane.name.clone()).or_default();
        if now >= pace.held {
            pace.floor = Some(1.max(most / 2));
        }
        pace.held = pace.held.max(until);
    }

    /// How many calls may be in progress once the lane is not held.
    fn allowed(&self, lane: &Lane, now: Timestamp) -> u32 {
        let pace = self.pace(lane);
        let grown = now.duration_since(pace.held).as_secs();
        let grown = u32::try_from(grown.max(0)).unwrap_or(u32::MAX);
        let throttled = pace
            .floor
            .map_or(u32::MAX, |floor| floor.saturating_add(grown));
        lane.parallel.unwrap_or(u32::MAX).min(throttled)
    }

    fn running(&self, lane: &Lane) -> u32 {
        let rows = self.rows.values().filter(|row| row.leads());
        rows.filter(|row| row.job.status == Status::Running && row.lane() == lane.name)
            .fold(0, |count, _| count + 1)
    }

    fn pace(&self, lane: &Lane) -> &Pace {
        self.paces.get(&lane.name).unwrap_or(&self.idle)
    }
}

/// What owners have in common who share a place in the order.
fn together(owner: &str) -> String {
    owner.split(PART).next().unwrap_or_default().to_owned()
}

fn seconds(count: u32) -> SignedDuration {
    SignedDuration::from_secs(count.into())
}
