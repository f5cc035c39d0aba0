//! Random sequences of operations, each on a store of its own.

#![expect(clippy::unwrap_used, reason = "a test has no other way to fail")]

use proptest::{
    strategy::Strategy,
    test_runner::{Config, TestCaseError, TestError, TestRunner, contextualize_config},
};

/// Tries `cases` sequences (or `PROPTEST_CASES`), and shrinks a failing one in at most
/// `steps` steps.
///
/// # Panics
/// With the reason returned by `run` for the shortest failing sequence found.
pub fn try_sequences<S: Strategy, T>(
    cases: u32,
    steps: u32,
    sequences: &S,
    open: impl AsyncFn() -> T,
    run: impl AsyncFn(T, S::Value) -> Result<(), String>,
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
