//! Random sequences of operations by several workers, which crash now and
//! then, on a store and on the model: whoever looks sees the same.

mod ops;
mod calls;
mod world;

use std::{fmt::Write as _, ops::RangeInclusive};

use self::{
    calls::{Call, Seen, perform},
    ops::{Op, op},
    world::{OWNERS, World},
};
use super::super::Stores;
use crate::work::{DynQueue, Job, Queue};

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
    queue: &'a DynQueue,
    world: World,
    story: String,
}

impl Trial<'_> {
    async fn run(mut self, ops: &[Op]) -> Result<(), String> {
        for op in ops {
            let jobs = self.jobs().await;
            for call in self.world.calls(op, &jobs) {
                let seen = self.agree(&call).await?;
                self.world.learn(op, &seen);
            }
            // Who holds the gates is counted by the stores, and looked for by the model.
            self.agree(&Call::Gates).await?;
        }
        self.look().await?;
        for wait in LAST_CLAIMS {
            if let Some(call) = self.world.drain(wait) {
                self.agree(&call).await?;
            }
        }
        self.look().await
    }

    async fn look(&mut self) -> Result<(), String> {
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
    async fn agree(&mut self, call: &Call) -> Result<Seen, String> {
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
        Err(reason)
    }
}

async fn run(stores: Stores, ops: Vec<Op>) -> Result<(), String> {
    let trial = Trial {
        queue: stores.queue.as_ref(),
        world: World::default(),
        story: String::new(),
    };
    trial.run(&ops).await
}

macro_rules! stores {
    ($($store:ident: $cases:literal),+ $(,)?) => {
        $(mod $store {
            use proptest::collection::vec;

            use atelier_store::testing::try_sequences;

            #[test]
            fn random_sequences_do_what_the_model_does() {
                let ops = vec(super::op(), super::LENGTH);
                try_sequences($cases, 2000, &ops, crate::$store, super::run);
            }
        })+
    };
}

stores! { sqlite: 64, redis: 32, cluster: 8 }
