//! Random sequences of operations by several workers, which crash now and
//! then, on a store and on the model: whoever looks sees the same.

mod ops;
mod calls;
mod world;

use std::{fmt::Write as _, ops::RangeInclusive};

use atelier::queue::{Job, Queue};
use proptest::{
    collection::vec,
    test_runner::{Config, TestCaseError, TestError, TestRunner, contextualize_config},
};

use self::{
    calls::{Call, Seen, perform},
    ops::{Op, op},
    world::{OWNERS, World},
};
use super::super::Stores;

/// What is claimed at the end, after so many milliseconds each, shows the order
/// of what waits; and then of what was in the workers' hands.
const LAST_CLAIMS: [i64; 24] = {
    let mut waits = [1; 24];
    waits[8] = 60_000;
    waits
};

/// Operations in a sequence. Those that do not matter shrink to waits, of
/// which the story says nothing.
const LENGTH: RangeInclusive<usize> = 40..=60;

/// The calls made so far, on a store that must do what the model does.
struct Trial<'a> {
    queue: &'a dyn Queue,
    world: World,
    story: String,
}

impl Trial<'_> {
    async fn run(mut self, ops: &[Op]) -> Result<(), TestCaseError> {
        for op in ops {
            let jobs = self.jobs().await;
            for call in self.world.calls(op, &jobs) {
                let seen = self.agree(&call).await?;
                self.world.learn(op, &seen);
            }
        }
        self.look().await?;
        for wait in LAST_CLAIMS {
            if let Some(call) = self.world.drain(wait) {
                self.agree(&call).await?;
            }
        }
        self.look().await
    }

    async fn look(&mut self) -> Result<(), TestCaseError> {
        for call in self.world.looks(&self.jobs().await) {
            self.agree(&call).await?;
        }
        Ok(())
    }

    /// The model's jobs.
    async fn jobs(&self) -> Vec<Job> {
        let mut jobs = Vec::new();
        for owner in OWNERS {
            let list = self.world.model.list(owner, None, usize::MAX);
            jobs.extend(list.await.unwrap());
        }
        jobs
    }

    /// Makes the call on both; they must answer alike.
    async fn agree(&mut self, call: &Call) -> Result<Seen, TestCaseError> {
        let now = self.world.now();
        let mut expected = perform(&self.world.model, call, now).await;
        let mut found = perform(self.queue, call, now).await;
        let _ = writeln!(self.story, "{now} {call:?}: {}", expected.words);
        let loose = self.world.model.loose();
        for job in expected.jobs.iter_mut().chain(&mut found.jobs) {
            if loose.contains(&job.id) {
                job.version = 0;
            }
        }
        if found == expected {
            return Ok(expected);
        }
        let story = &self.story;
        let reason = format!("\n{story}the model: {expected:#?}\nthe store: {found:#?}");
        Err(TestCaseError::fail(reason))
    }
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
        max_shrink_iters: 2000,
        ..Config::default()
    });
    let result = TestRunner::new(config).run(&vec(op(), LENGTH), |ops| {
        runtime.block_on(async {
            let stores = open().await;
            let trial = Trial {
                queue: stores.queue.as_ref(),
                world: World::default(),
                story: String::new(),
            };
            trial.run(&ops).await
        })
    });
    match result {
        Ok(()) => {}
        Err(TestError::Fail(reason, _)) => panic!("{reason}"),
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}

macro_rules! stores {
    ($($store:ident: $cases:literal),+ $(,)?) => {
        $(mod $store {
            #[test]
            fn random_sequences_do_what_the_model_does() {
                super::try_sequences($cases, crate::conformance::$store);
            }
        })+
    };
}

stores! { sqlite: 64, redis: 32, cluster: 8 }
