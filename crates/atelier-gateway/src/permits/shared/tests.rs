use std::future::Future;

use atelier_store::testing;

use super::*;

/// Everything must happen within this.
const PATIENCE: Duration = Duration::from_secs(30);

/// One upstream as two processes see it.
fn two(redis: &Redis, limit: u32) -> [Arc<SharedPermits>; 2] {
    [0, 1].map(|_| Arc::new(SharedPermits::new(redis.clone(), "a", limit)))
}

async fn in_time<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.unwrap()
}

#[test]
fn the_scripts_declare_their_names() {
    for script in [&TAKE, &RENEW, &RELEASE] {
        assert_eq!(script.undeclared(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn processes_share_their_permits() {
    for redis in [testing::redis(), testing::redis_cluster()] {
        let [one, two] = two(&redis, 2);
        let (first, second) = (one.ask().await.unwrap(), two.ask().await.unwrap());
        assert!(one.ask().await.is_none());
        drop(second);
        let third = in_time(one.take()).await;
        drop((first, third));
        let both = in_time(async { (two.take().await, two.take().await) }).await;
        assert!(one.ask().await.is_none());
        drop(both);
    }
}

/// However many wait at the one, the other gets its turn.
#[tokio::test]
async fn processes_that_wait_take_turns() {
    let [one, two] = two(&testing::redis(), 1);
    let held = in_time(one.take()).await;
    assert!(two.ask().await.is_none());
    assert!(one.ask().await.is_none());
    drop(held);
    let permit = in_time(async {
        loop {
            assert!(one.ask().await.is_none(), "it was not its turn");
            if let Some(permit) = two.ask().await {
                return permit;
            }
        }
    });
    let permit = permit.await;
    assert!(two.ask().await.is_none());
    drop(permit);
    in_time(one.take()).await;
}

#[tokio::test]
async fn a_call_that_does_not_wait_any_longer_holds_up_nobody() {
    let [one, two] = two(&testing::redis(), 1);
    let held = in_time(one.take()).await;
    let waiting = timeout(Duration::from_millis(100), two.take()).await;
    assert!(waiting.is_err());
    drop(held);
    in_time(one.take()).await;
}

/// Its calls are in flight as long as it renews them.
#[tokio::test]
async fn permits_of_a_process_that_has_died_are_free_after_their_leases() {
    let [one, two] = two(&testing::redis(), 1);
    let held = in_time(one.take()).await;
    // What the dead do not do.
    std::mem::forget(held);
    let started = Instant::now();
    while started.elapsed() < LEASE + Duration::from_secs(2) {
        one.renew().await;
        assert!(two.ask().await.is_none());
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    in_time(two.take()).await;
}

#[tokio::test]
async fn a_process_counts_for_itself_while_redis_is_away() {
    let nobody = Redis::open("redis://127.0.0.1:1".parse().unwrap());
    let away = Arc::new(SharedPermits::new(nobody, "a", 1));
    let permits = in_time(async { [away.take().await, away.take().await] }).await;
    assert!(away.is_away());
    drop(permits);
    assert!(away.lock().held.is_empty());
}

/// What began while Redis was away is counted with the next renewal, and no longer than it
/// is in flight.
#[tokio::test]
async fn what_redis_does_not_know_is_told_with_the_renewal() {
    let [one, two] = two(&testing::redis(), 1);
    let begun = one.hold();
    one.renew().await;
    assert!(two.ask().await.is_none());
    drop(begun);
    in_time(two.take()).await;
}
