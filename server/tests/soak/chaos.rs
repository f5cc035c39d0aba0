//! Who dies, and when.

use std::time::Duration;

use fastrand::Rng;
use tokio::time::{Instant, sleep};

use crate::{fleet::Fleet, settings::Settings};

/// How often it is looked after the processes.
const TEND: Duration = Duration::from_millis(250);

/// The longest that a process or Redis stays dead.
const DEAD_MS: u64 = 800;

/// A machine's clock is wrong by so many seconds at most.
const SKEW: i64 = 600;

/// Kills one process after another until its time is over. Redis is silent
/// for a while in the first half, and killed in the middle. Then it only looks
/// after them. Never returns.
pub(crate) async fn reign(fleet: &mut Fleet, settings: &Settings) {
    let mut rng = Rng::with_seed(settings.seed ^ 0xdead);
    let started = Instant::now();
    let mut redis_lives = fleet.redis.is_some();
    let (mut redis_speaks, mut silent) = (redis_lives, None::<Instant>);
    let mut next = settings.kill_every;
    loop {
        let elapsed = started.elapsed();
        if redis_speaks && elapsed > settings.length / 4 {
            redis_speaks = false;
            fleet.silence_redis();
            silent = Some(Instant::now());
        }
        if silent.is_some_and(|since| since.elapsed() > settings.silence) {
            silent = None;
            fleet.hear_redis().await;
        }
        if redis_lives && silent.is_none() && elapsed > settings.length / 2 {
            redis_lives = false;
            fleet.kill_redis(moment(&mut rng)).await;
        }
        if elapsed > next && elapsed < settings.length {
            next += settings.kill_every;
            let place = rng.usize(..fleet.processes.len());
            fleet.kill(place);
            fleet.set_clock(place, rng.i64(-SKEW..SKEW));
            sleep(moment(&mut rng)).await;
        }
        fleet.tend().await;
        sleep(TEND).await;
    }
}

fn moment(rng: &mut Rng) -> Duration {
    Duration::from_millis(rng.u64(..DEAD_MS))
}
