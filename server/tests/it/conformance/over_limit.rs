//! Who is over a limit is given what has been made before, and nothing else.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use atelier::{
    app::{self, Accepted, Caller, Order, Studio, Terms},
    blob::Blobs,
    callback::{Data, Message},
    job::{Outcome, Owner, Picture, Visibility},
    limit::{Decision, Demand, Error, HourlyStats, Limiter, Policy, Settlement, Unit},
    queue::{Claim, DynQueue, Lane, Verdict},
};
use atelier_api::Cache;
use jiff::Timestamp;

use super::{Stores, ledger};
use crate::support::{image_task, picture};

const LEASE: Duration = Duration::from_secs(600);
const OWNER: &str = "somebody";
/// The same, as jobs have it.
const STORED: &str = "session:somebody";

/// What happens to the answer between the charge and the order.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Stays,
    Deleted,
    FileGone,
}

/// A limiter after whose third charge the answer meets its fate: the first was
/// the answer's own, the second is refused, the third pays for asking.
struct Meanwhile {
    limiter: Arc<dyn Limiter>,
    queue: Arc<DynQueue>,
    blobs: Blobs,
    fate: Fate,
    charges: AtomicU32,
}

impl Meanwhile {
    async fn happen(&self) {
        let jobs = self.queue.list(STORED, None, 1).await.unwrap();
        match self.fate {
            Fate::Stays => {}
            Fate::Deleted => {
                self.queue.delete(&jobs[0].id).await.unwrap();
            }
            Fate::FileGone => {
                let picture = jobs[0].outcome.iter().flat_map(Outcome::pictures).next();
                self.blobs.delete(&picture.unwrap().key).await.unwrap();
            }
        }
    }
}

#[async_trait]
impl Limiter for Meanwhile {
    async fn charge(&self, demands: Vec<Demand>, now: Timestamp) -> Result<Decision, Error> {
        let decision = self.limiter.charge(demands, now).await;
        if self.charges.fetch_add(1, Ordering::SeqCst) == 2 {
            self.happen().await;
        }
        decision
    }

    async fn settle(
        &self,
        id: &str,
        settlements: Vec<Settlement>,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.limiter.settle(id, settlements, now).await
    }

    async fn record(
        &self,
        stats: Vec<HourlyStats>,
        now: Timestamp,
        keep: Duration,
    ) -> Result<(), Error> {
        self.limiter.record(stats, now, keep).await
    }

    async fn stats(&self, since: Timestamp, now: Timestamp) -> Result<Vec<HourlyStats>, Error> {
        self.limiter.stats(since, now).await
    }

    async fn sweep(&self, now: Timestamp) -> Result<(), Error> {
        self.limiter.sweep(now).await
    }
}

/// A policy for everybody together.
pub(super) fn policy(unit: &str, quota: u32) -> Arc<Policy> {
    let text = format!(
        "name = '{unit}'\nscope = 'global'\nunit = '{unit}'\nalgorithm = 'fixed_window'\n\
         quota = {quota}\nwindow = '365d'"
    );
    Arc::new(toml::from_str(&text).unwrap())
}

/// A studio in which everybody together may have one picture.
fn studio(stores: &Stores, fate: Fate) -> Arc<Studio> {
    let mut studio = ledger::studio(stores);
    studio.settings.policies = vec![policy("images", 1), policy("requests", 9)];
    studio.stores.limiter = Arc::new(Meanwhile {
        limiter: Arc::clone(&stores.limiter),
        queue: Arc::clone(&stores.queue),
        blobs: studio.stores.blobs.clone(),
        fate,
        charges: AtomicU32::new(0),
    });
    Arc::new(studio)
}

fn caller(owner: &str) -> Caller {
    Caller {
        ip: "203.0.113.1".into(),
        owner: Some(Owner::Session(owner.into())),
        held: None,
        holder: None,
    }
}

pub(super) async fn order(studio: &Arc<Studio>, owner: &str) -> Result<Accepted, app::Error> {
    let order = Order::Image(image_task("a boat"));
    studio.submit(&caller(owner), order, Terms::default()).await
}

/// Makes the picture of the job that waits.
pub(super) async fn work(studio: &Arc<Studio>) {
    let now = Timestamp::now();
    let lanes = [Lane::open("test")];
    let Claim::Call(job) = studio.stores.queue.claim(&lanes, now, LEASE).await.unwrap() else {
        panic!("a job waits");
    };
    let bytes = picture();
    let size = bytes.len() as u64;
    let kept = studio
        .stores
        .blobs
        .keep(bytes.into(), "png", Visibility::Everybody);
    let outcome = Outcome::Succeeded {
        pictures: vec![Picture {
            key: kept.await.unwrap(),
            width: 1,
            height: 1,
            media_type: "image/png".into(),
            bytes: size,
            thumbhash: String::new(),
        }],
        cost_usd: Some(0.04),
        left_out: Vec::new(),
        earlier_claims: Vec::new(),
        made_by: None,
    };
    let verdict = Verdict::Record(outcome.clone());
    let ticket = job.ticket();
    studio
        .stores
        .queue
        .settle(&ticket, verdict, now)
        .await
        .unwrap();
    let message = Message {
        kind: "job.succeeded".into(),
        timestamp: now,
        data: Data { ticket, outcome },
    };
    studio.complete(&message).await.unwrap();
}

/// A studio whose one picture is made, and what becomes of the same order again.
async fn again(stores: &Stores, fate: Fate) -> (Arc<Studio>, Result<Accepted, app::Error>) {
    let studio = studio(stores, fate);
    order(&studio, OWNER).await.unwrap();
    work(&studio).await;
    let again = order(&studio, OWNER).await;
    (studio, again)
}

pub(crate) async fn an_answer_is_given_to_who_is_over_a_limit(stores: Stores) {
    let (studio, again) = again(&stores, Fate::Stays).await;
    assert_eq!(again.unwrap().job.cache, Cache::Exact);
    assert_eq!(requests_left(&studio).await, 7, "to ask is a request");
}

/// Of nine.
async fn requests_left(studio: &Studio) -> u64 {
    let standings = studio.limits(&caller(OWNER)).await.unwrap();
    let requests = standings
        .iter()
        .find(|one| one.policy.unit == Unit::Requests);
    requests.unwrap().remaining
}

async fn is_refused(stores: Stores, fate: Fate) {
    let (studio, again) = again(&stores, fate).await;
    let Err(app::Error::Limited(standings)) = again else {
        panic!("no more may be made: {again:?}");
    };
    let violated: Vec<_> = standings.iter().filter(|one| one.violated).collect();
    assert_eq!(violated.len(), 1);
    assert_eq!(violated[0].policy.unit, Unit::Images);
    // No call is made, nothing is kept of the order, and nothing was charged.
    let lanes = [Lane::open("test")];
    let claim = studio
        .stores
        .queue
        .claim(&lanes, Timestamp::now(), LEASE)
        .await;
    assert!(matches!(claim, Ok(Claim::Idle(_))), "{claim:?}");
    let jobs = studio.stores.queue.list(STORED, None, 9).await.unwrap();
    assert_eq!(jobs.len(), usize::from(fate == Fate::FileGone));
    assert_eq!(requests_left(&studio).await, 8);
}

pub(crate) async fn an_answer_that_is_deleted_meanwhile_is_refused_by_the_limit(stores: Stores) {
    is_refused(stores, Fate::Deleted).await;
}

pub(crate) async fn an_answer_whose_picture_goes_meanwhile_is_refused_by_the_limit(stores: Stores) {
    is_refused(stores, Fate::FileGone).await;
}
