//! Random lives of orders that share calls, on a studio over each store: what
//! the limits book in the end is what the calls have cost, and whoever is to be
//! told is told once.

mod books;
mod ops;

use std::{sync::Arc, time::Duration};

use atelier::{
    blob::Blobs,
    cache::Savings,
    limit::{self, Refusals, Tally},
    store::clock::Clock,
    studio::{Doubts, Given, Mode, Searches, Studio},
    worker::journal::Journal,
};
use proptest::{
    collection::vec,
    test_runner::{Config, TestCaseError, TestError, TestRunner, contextualize_config},
};
use tokio_util::sync::CancellationToken;

use self::{
    books::{Books, Priced},
    ops::op,
};
use super::Stores;

/// More than is ever spent, in windows that do not end while we look.
const POLICIES: [&str; 3] = ["usd", "images", "requests"];

pub(crate) fn studio(stores: &Stores) -> Arc<Studio> {
    let policy = |unit: &str| {
        let text = format!(
            "name = '{unit}'\nscope = 'global'\nunit = '{unit}'\nalgorithm = 'fixed_window'\n\
             quota = 1000\nwindow = '365d'"
        );
        Arc::new(toml::from_str(&text).unwrap())
    };
    let while_it_lasts = Duration::from_secs(600);
    Arc::new(Studio {
        clock: Clock::system(),
        queue: Arc::clone(&stores.queue),
        register: Arc::clone(&stores.register),
        cache: Arc::clone(&stores.cache),
        semantic: None,
        mode: Mode::Off,
        savings: Savings::default(),
        given: Given::default(),
        limiter: Arc::clone(&stores.limiter),
        blobs: Blobs::in_folder(stores._folder.path()).unwrap(),
        provider: Arc::new(Priced),
        policies: POLICIES.map(policy).into(),
        callbacks: limit::callbacks(1000).unwrap(),
        refusals: Refusals::new(Arc::clone(&stores.limiter), 1, while_it_lasts).unwrap(),
        doubts: Doubts::default(),
        searches: Searches::default(),
        tally: Tally::new(None),
        figures_kept: while_it_lasts,
        cache_ttl: while_it_lasts,
        keep: while_it_lasts,
        photos_kept: while_it_lasts,
        files: Arc::clone(&stores.files),
        journal: Journal::in_folder(stores._folder.path().join("journal")),
        public_url: None,
        drain: CancellationToken::new(),
    })
}

/// Tries so many sequences (or `PROPTEST_CASES`), each on a store of its own.
fn try_sequences(cases: u32, open: impl AsyncFn() -> Stores) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let config = contextualize_config(Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 500,
        ..Config::default()
    });
    let result = TestRunner::new(config).run(&vec(op(), 10..=40), |ops| {
        runtime.block_on(async {
            let stores = open().await;
            let mut books = Books::new(studio(&stores));
            for op in &ops {
                books.perform(op).await;
            }
            books.close().await.map_err(TestCaseError::fail)
        })
    });
    match result {
        Ok(()) => {}
        Err(TestError::Fail(reason, ops)) => panic!("{reason}\n{ops:#?}"),
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}

macro_rules! stores {
    ($($store:ident: $cases:literal),+ $(,)?) => {
        $(mod $store {
            #[test]
            fn what_is_booked_is_what_was_paid() {
                super::try_sequences($cases, crate::conformance::$store);
            }
        })+
    };
}

stores! { sqlite: 48, redis: 32, cluster: 8 }
