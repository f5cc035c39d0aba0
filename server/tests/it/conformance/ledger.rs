//! Random lives of orders that share calls, on a studio over each store: what
//! the limits book in the end is what the calls have cost, and whoever is to be
//! told is told once.

mod books;
mod ops;
mod prices;

use std::{sync::Arc, time::Duration};

use atelier::{
    app::{self, Studio},
    blob::{Blobs, Journal},
    limit::Stats,
    policies::Refusals,
    store::clock::Clock,
};
use tokio_util::sync::CancellationToken;

use self::{
    books::{Books, Priced},
    ops::{Op, op},
};
use super::Stores;
use crate::support::{models, settings};

/// More than is ever spent, in windows that do not end while we look.
const POLICIES: [&str; 3] = ["usd", "images", "requests"];

/// A studio that keeps everything for as long as a test lasts.
pub(crate) fn studio(stores: &Stores) -> Studio {
    let policy = |unit: &str| {
        let text = format!(
            "name = '{unit}'\nscope = 'global'\nunit = '{unit}'\nalgorithm = 'fixed_window'\n\
             quota = 1000\nwindow = '365d'"
        );
        Arc::new(toml::from_str(&text).unwrap())
    };
    let while_it_lasts = Duration::from_secs(600);
    let refusals = Refusals::new(Arc::clone(&stores.limiter), 1, while_it_lasts).unwrap();
    let settings = settings(POLICIES.map(policy).into(), while_it_lasts);
    let stores = app::Stores {
        clock: Clock::system(),
        queue: Arc::clone(&stores.queue),
        collection: Arc::clone(&stores.collection),
        files: Arc::clone(&stores.files),
        journal: Journal::in_folder(stores._folder.path().join("journal")),
        blobs: Blobs::in_folder(stores._folder.path()).unwrap(),
        cache: Arc::clone(&stores.cache),
        semantic: None,
        limiter: Arc::clone(&stores.limiter),
        access: Arc::clone(&stores.access),
        calls: Arc::clone(&stores.calls),
        pins: Arc::clone(&stores.pins),
        messages: Arc::clone(&stores.messages),
        redis: None,
    };
    let (stats, drain) = (Stats::new(None), CancellationToken::new());
    let models = models(&(Arc::new(Priced) as _));
    Studio::new(stores, settings, models, refusals, stats, drain)
}

async fn run(stores: Stores, ops: Vec<Op>) -> Result<(), String> {
    let mut books = Books::new(Arc::new(studio(&stores)));
    for op in &ops {
        books.perform(op).await;
    }
    let balanced = books.close().await;
    balanced.map_err(|reason| format!("{reason}\n{ops:#?}"))
}

macro_rules! stores {
    ($($store:ident: $cases:literal),+ $(,)?) => {
        $(mod $store {
            use proptest::collection::vec;

            use atelier_store::testing::try_sequences;

            #[test]
            fn what_is_booked_is_what_was_paid() {
                let ops = vec(super::op(), 10..=40);
                try_sequences($cases, 500, &ops, crate::conformance::$store, super::run);
            }
        })+
    };
}

stores! { sqlite: 48, redis: 32, cluster: 8 }
