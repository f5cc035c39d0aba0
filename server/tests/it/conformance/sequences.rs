//! Random sequences of operations, each on a store of its own.

use proptest::{
    strategy::Strategy,
    test_runner::{Config, TestCaseError, TestError, TestRunner, contextualize_config},
};

use super::Stores;

/// Tries so many sequences (or `PROPTEST_CASES`). What is wrong with one is told
/// of the shortest that is found in so many steps.
pub(super) fn try_sequences<S: Strategy>(
    cases: u32,
    steps: u32,
    sequences: &S,
    open: impl AsyncFn() -> Stores,
    run: impl AsyncFn(Stores, S::Value) -> Result<(), String>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let config = contextualize_config(Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: steps,
        ..Config::default()
    });
    let result = TestRunner::new(config).run(sequences, |ops| {
        let run = async { run(open().await, ops).await };
        runtime.block_on(run).map_err(TestCaseError::fail)
    });
    match result {
        Ok(()) => {}
        Err(TestError::Fail(reason, _) | TestError::Abort(reason)) => panic!("{reason}"),
    }
}
