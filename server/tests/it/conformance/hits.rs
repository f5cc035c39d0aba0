//! What an answer from the cache asks of the stores, and what becomes of it when its source goes meanwhile.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use async_trait::async_trait;
use atelier::{
    access::{AccessStore, Denial, Error, Key, Subject},
    app::{Accepted, Studio},
    limit::{Policy, Unit},
    queue::{DynQueue, Ended},
};
use atelier_api::{Cache, Status};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{
    Stores, ledger,
    over_limit::{order, policy, work},
};
use crate::support::PATIENCE;

const OWNER: &str = "somebody";
const STRANGER: &str = "somebody-else";

/// An access store that counts the queries whether jobs are withheld; after that, the job may be `deleted`.
struct Asked {
    store: Arc<dyn AccessStore>,
    queue: Arc<DynQueue>,
    deleted: bool,
    count: AtomicU32,
}

#[async_trait]
impl AccessStore for Asked {
    async fn keys(&self) -> Result<Vec<(String, Key)>, Error> {
        self.store.keys().await
    }

    async fn find(&self, digest: &str) -> Result<Option<Key>, Error> {
        self.store.find(digest).await
    }

    async fn put(&self, digest: &str, key: &Key) -> Result<(), Error> {
        self.store.put(digest, key).await
    }

    async fn denials(&self) -> Result<Vec<Denial>, Error> {
        self.store.denials().await
    }

    async fn deny(&self, denial: &Denial) -> Result<(), Error> {
        self.store.deny(denial).await
    }

    async fn allow(&self, subject: &Subject) -> Result<bool, Error> {
        self.store.allow(subject).await
    }

    async fn withhold(&self, job: &str, withheld: bool) -> Result<(), Error> {
        self.store.withhold(job, withheld).await
    }

    async fn withheld(&self, job: &str) -> Result<bool, Error> {
        self.count.fetch_add(1, Ordering::SeqCst);
        let withheld = self.store.withheld(job).await;
        if self.deleted {
            self.queue.delete(job).await.unwrap();
        }
        withheld
    }
}

/// A studio that has made a picture for its owner.
async fn studio(
    stores: &Stores,
    policies: Vec<Arc<Policy>>,
    deleted: bool,
) -> (Arc<Studio>, Arc<Asked>) {
    let asked = Arc::new(Asked {
        store: Arc::clone(&stores.access),
        queue: Arc::clone(&stores.queue),
        deleted,
        count: AtomicU32::new(0),
    });
    let mut studio = ledger::studio(stores);
    studio.settings.policies = policies;
    studio.stores.access = Arc::clone(&asked) as Arc<dyn AccessStore>;
    let studio = Arc::new(studio);
    order(&studio, OWNER).await.unwrap();
    work(&studio).await;
    (studio, asked)
}

fn left(accepted: &Accepted) -> Vec<(Unit, u64)> {
    let standings = accepted.standings.iter();
    standings
        .map(|standing| (standing.policy.unit, standing.remaining))
        .collect()
}

pub(crate) async fn a_hit_asks_once_whether_its_source_is_withheld(stores: Stores) {
    let (studio, asked) = studio(&stores, Vec::new(), false).await;
    let hit = order(&studio, STRANGER).await.unwrap();
    assert_eq!(hit.job.cache, Cache::Exact);
    assert_eq!(asked.count.load(Ordering::SeqCst), 1);
}

pub(crate) async fn an_answer_that_is_deleted_after_it_was_found_is_made_again(stores: Stores) {
    let policies = vec![policy("images", 9)];
    let (studio, _) = studio(&stores, policies, true).await;
    let again = order(&studio, STRANGER).await.unwrap();
    assert_eq!(
        (again.job.status, again.job.cache),
        (Status::Queued, Cache::Miss)
    );
    assert_eq!(again.job.request.found, None);
    assert_eq!(left(&again), [(Unit::Images, 7)], "what is made is charged");
    work(&studio).await;
    let made = studio
        .stores
        .queue
        .get(&again.job.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(made.status, Status::Succeeded);
}

pub(crate) async fn a_hit_with_nothing_to_give_back_is_not_noted(stores: Stores) {
    let policies = vec![policy("requests", 9)];
    let (studio, _) = studio(&stores, policies, false).await;
    let hit = order(&studio, STRANGER).await.unwrap();
    assert_eq!(left(&hit), [(Unit::Requests, 7)]);
    assert_eq!(hit.job.charge, json!([]));
    assert!(!Ended::answered(&hit.job).is_noted());
}

pub(crate) async fn a_hit_has_its_charge_back_when_it_is_answered(stores: Stores) {
    let policies = vec![policy("images", 9), policy("requests", 9)];
    let (studio, _) = studio(&stores, policies, false).await;
    let hit = order(&studio, STRANGER).await.unwrap();
    assert_eq!(left(&hit), [(Unit::Images, 8), (Unit::Requests, 7)]);
    assert!(Ended::answered(&hit.job).is_noted());
    let deadline = Instant::now() + PATIENCE;
    while !studio
        .stores
        .queue
        .outbox(None, 9)
        .await
        .unwrap()
        .is_empty()
    {
        assert!(Instant::now() < deadline, "the note goes behind the answer");
        sleep(std::time::Duration::from_millis(5)).await;
    }
}
