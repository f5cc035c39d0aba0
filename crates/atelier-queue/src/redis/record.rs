//! The parts of a job's record. The scripts pack the head (`base.lua`) and the links; this
//! process packs the fixed part, which precedes the body, and outcomes. Texts are prefixed
//! with their length, in one byte or two.
//!
//! | part | fields |
//! |---|---|
//! | head | letters: status, cache, kind of outcome; marks: withdrawn, role, followed, failed, uncharged, linked, shown; numbers (as `f64`, little-endian): attempt, deliveries, version, token, started, finished, virtual start; band (1 byte), lane |
//! | links | leader, flight, progress, preview, reports (4; not before they were counted), the way through its gates (`way.lua`) |
//! | fixed | lane, band and flags (1), cost (4), owner, blobs of the request; with a flag the digest of what it may join |
//! | outcome | blobs of the outcome, JSON |
//! | note | whether it pays (1), id, head, body, outcome, failures of the call |

mod note;
mod pack;

use atelier_api::{Cache, Status};
use jiff::Timestamp;
use serde::{Deserialize, de::DeserializeOwned};

pub(super) use self::{
    note::Note,
    pack::{arrival, body, ended, outcome},
};
use super::{
    super::{FailedAttempt, Hooks, Job, NewJob, Payload, Ticket},
    unreadable::unreadable,
};
use atelier_store::{self as store, instant};

type Result<T, E = store::Error> = std::result::Result<T, E>;

/// A job as returned by a script.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) id: Vec<u8>,
    pub(super) head: Vec<u8>,
    pub(super) body: Vec<u8>,
    pub(super) links: Vec<u8>,
    pub(super) outcome: Vec<u8>,
    pub(super) failures: Vec<u8>,
    /// The leader's links, for a follower in flight.
    pub(super) leader_links: Vec<u8>,
    pub(super) place: Option<u64>,
}

/// As [`pack`] writes it.
#[derive(Deserialize)]
#[serde(bound = "P: Payload")]
struct Body<P> {
    created: i64,
    request: P,
    charge: serde_json::Value,
    hooks: Hooks,
}

/// A job that was just queued alone.
pub(super) fn fresh<P: Payload>(
    job: NewJob<P>,
    now: Timestamp,
    place: Option<u64>,
) -> Result<Job<P>> {
    Ok(Job {
        id: job.id,
        owner: job.owner,
        status: Status::Queued,
        version: 1,
        token: 0,
        attempt: 0,
        created_at: instant(now.as_millisecond())?,
        started_at: None,
        finished_at: None,
        progress: None,
        preview: None,
        leader: None,
        position: place,
        cache: Cache::Miss,
        request: job.request,
        charge: job.charge,
        hooks: job.hooks,
        failures: Vec::new(),
        outcome: None,
    })
}

impl Record {
    /// Its ticket, if that can be read.
    pub(super) fn ticket(&self) -> Ticket {
        // Letters and three numbers precede the token.
        const BEFORE: usize = 10 + 3 * size_of::<f64>();
        let token = self.head.get(BEFORE..).map(Reader);
        let token = token.and_then(|mut rest| rest.number().ok());
        Ticket {
            id: String::from_utf8_lossy(&self.id).into_owned(),
            token: token.unwrap_or_default(),
        }
    }

    /// The job as it is.
    pub(super) fn into_job<P: Payload>(self) -> Result<Job<P>> {
        self.read().map(|(job, _)| job)
    }

    /// The job as it is, and whether its owner has withdrawn it.
    pub(super) fn into_job_left<P: Payload>(self) -> Result<(Job<P>, bool)> {
        self.read().map(|(job, withdrawn)| (job, withdrawn != b'-'))
    }

    /// The job as its owner sees it; `None` if they deleted it.
    pub(super) fn seen<P: Payload>(self) -> Result<Option<Job<P>>> {
        let (mut job, withdrawn) = self.read::<P>()?;
        match withdrawn {
            b'-' => {}
            b'c' => {
                job.status = Status::Cancelled;
                job.outcome = None;
                job.progress = None;
                job.preview = None;
            }
            _ => return Ok(None),
        }
        Ok(Some(job))
    }

    /// The job, and the letter for whether its owner has withdrawn it.
    fn read<P: Payload>(self) -> Result<(Job<P>, u8)> {
        let mut head = Reader(&self.head);
        let [status, cache, _ended] = head.array()?;
        let [
            withdrawn,
            _role,
            _followed,
            _failed,
            uncharged,
            _linked,
            _shown,
        ] = head.array()?;
        let attempt = head.number()?;
        let _deliveries = head.number()?;
        let mut version = head.number()?;
        let token = head.number()?;
        let started = head.number()?;
        let finished = head.number()?;
        let mut links = Links::read(&self.links)?;
        if !self.leader_links.is_empty() {
            let leader = Links::read(&self.leader_links)?;
            version += leader.reports.saturating_sub(links.reports);
            (links.progress, links.preview) = (leader.progress, leader.preview);
        }
        let mut fixed = Reader(&self.body);
        let _lane = fixed.short()?;
        let [flags] = fixed.array()?;
        let _cost: [u8; 4] = fixed.array()?;
        let owner = text(fixed.long()?)?;
        let _files = fixed.long()?;
        if flags & pack::JOINS != 0 {
            let _digest = fixed.long()?;
        }
        let body: Body<P> = serde_json::from_slice(fixed.0)?;
        let job = Job {
            id: text(&self.id)?,
            owner,
            status: status_of(status)?,
            version,
            token,
            attempt: u32::try_from(attempt).map_err(|_| unreadable("too many attempts"))?,
            created_at: instant(body.created)?,
            started_at: time(started)?,
            finished_at: time(finished)?,
            progress: links.progress,
            preview: links.preview,
            leader: links.leader.filter(|_| !self.leader_links.is_empty()),
            position: self.place,
            cache: cache_of(cache)?,
            request: body.request,
            charge: if uncharged == b'y' {
                serde_json::Value::Null
            } else {
                body.charge
            },
            hooks: body.hooks,
            failures: failures(self.failures)?,
            // A follower has the outcome of its leader only once both have ended.
            outcome: if self.leader_links.is_empty() {
                outcome_of(&self.outcome)?
            } else {
                None
            },
        };
        Ok((job, withdrawn))
    }
}

/// Unpacks a record.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .ok_or_else(|| unreadable("a job's record is cut off"))?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let taken = self.take(N)?;
        taken
            .try_into()
            .map_err(|_| unreadable("a job's record is cut off"))
    }

    pub(super) fn number(&mut self) -> Result<u64> {
        // Lua's numbers are exact up to 2^53.
        self.array().map(|bytes| f64::from_le_bytes(bytes) as u64)
    }

    fn short(&mut self) -> Result<&'a [u8]> {
        let [length] = self.array()?;
        self.take(length.into())
    }

    fn longest(&mut self) -> Result<&'a [u8]> {
        let length = self.array().map(u32::from_be_bytes)?;
        self.take(usize::try_from(length).map_err(|_| unreadable("a record is too long"))?)
    }

    fn long(&mut self) -> Result<&'a [u8]> {
        let length = self.array().map(u16::from_be_bytes)?;
        self.take(length.into())
    }
}

fn text(bytes: &[u8]) -> Result<String> {
    let text = str::from_utf8(bytes).map_err(|_| unreadable("a name is not text"))?;
    Ok(text.to_owned())
}

fn number(bytes: &[u8]) -> Result<Option<f32>> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let number = text(bytes)?
        .parse()
        .map_err(|_| unreadable("progress is no number"))?;
    Ok(Some(number))
}

/// The parts that change while a job is in flight.
#[derive(Default)]
struct Links {
    leader: Option<String>,
    progress: Option<f32>,
    preview: Option<String>,
    reports: u64,
}

impl Links {
    fn read(packed: &[u8]) -> Result<Self> {
        if packed.is_empty() {
            return Ok(Self::default());
        }
        let mut links = Reader(packed);
        let leader = text(links.long()?)?;
        let _flight = links.long()?;
        let progress = number(links.long()?)?;
        let preview = text(links.long()?)?;
        let reports = if links.0.is_empty() {
            0
        } else {
            u32::from_be_bytes(links.array()?).into()
        };
        Ok(Self {
            leader: Some(leader).filter(|id| !id.is_empty()),
            progress,
            preview: Some(preview).filter(|key| !key.is_empty()),
            reports,
        })
    }
}

fn outcome_of<O: DeserializeOwned>(packed: &[u8]) -> Result<Option<O>> {
    if packed.is_empty() {
        return Ok(None);
    }
    let mut packed = Reader(packed);
    let _files = packed.long()?;
    Ok(Some(serde_json::from_slice(packed.0)?))
}

/// 0 means never.
fn time(milliseconds: u64) -> Result<Option<Timestamp>> {
    if milliseconds == 0 {
        return Ok(None);
    }
    let milliseconds = i64::try_from(milliseconds).map_err(|_| unreadable("a time is too late"))?;
    instant(milliseconds).map(Some)
}

fn status_of(letter: u8) -> Result<Status> {
    Ok(match letter {
        b'q' => Status::Queued,
        b'r' => Status::Running,
        b'd' => Status::Delivering,
        b's' => Status::Succeeded,
        b'f' => Status::Failed,
        b'c' => Status::Cancelled,
        _ => return Err(unreadable("a job is in an unknown state")),
    })
}

fn cache_of(letter: u8) -> Result<Cache> {
    Ok(match letter {
        b'm' => Cache::Miss,
        b'e' => Cache::Exact,
        b'j' => Cache::Joined,
        _ => return Err(unreadable("a job's answer came from an unknown cache")),
    })
}

/// Stored as `,{…},{…}`.
fn failures(mut texts: Vec<u8>) -> Result<Vec<FailedAttempt>> {
    match texts.first_mut() {
        None => return Ok(Vec::new()),
        Some(comma) => *comma = b'[',
    }
    texts.push(b']');
    Ok(serde_json::from_slice(&texts)?)
}
