//! Who dies, and when.

use std::time::Duration;

use fastrand::Rng;
use tokio::time::{Instant, sleep};

use crate::{fleet::Fleet, settings::Settings};

/// How often it is looked after the processes.
const TEND: Duration = Duration::from_millis(250);

/// The longest that a process or Redis stays dead.
const DEAD_MS: u64 = 800;

/// Kills one process after another until its time is over, and Redis once in
/// the middle; then only looks after them. Never returns.
pub(crate) async fn reign(fleet: &mut Fleet, settings: &Settings) {
    let mut rng = Rng::with_seed(settings.seed ^ 0xdead);
    let started = Instant::now();
    let mut redis_lives = fleet.redis.is_some();
    let mut next = settings.kill_every;
    loop {
        let elapsed = started.elapsed();
        if redis_lives && elapsed > settings.length / 2 {
            redis_lives = false;
            fleet.kill_redis(moment(&mut rng)).await;
        }
        if elapsed > next && elapsed < settings.length {
            next += settings.kill_every;
            fleet.kill(rng.usize(..fleet.processes.len()));
            sleep(moment(&mut rng)).await;
        }
        fleet.tend().await;
        sleep(TEND).await;
    }
}

fn moment(rng: &mut Rng) -> Duration {
    Duration::from_millis(rng.u64(..DEAD_MS))
}
