//! Repeats of calls that are finished in any case: pictures, and calls with an
//! `Idempotency-Key`. While one is under way its key holds a mark, by which every process knows
//! that a repeat must not buy it again.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use atelier_gateway::{ApiError, Retry};
use jiff::Timestamp;
use tokio::time::{interval_at, sleep};
use tracing::{debug, warn};

use super::{
    Error, Gateway,
    lookup::{Hit, Plan, is_bought, key_reused},
    request::Asked,
};

/// How often a mark is renewed.
const RENEWAL: Duration = Duration::from_secs(5);

/// After this time without a renewal whoever made the call is dead.
const SILENCE: Duration = Duration::from_secs(20);

/// How long the mark of a call stays whose process has died. Whoever repeats the call may do so
/// after hours, and must not buy a picture again then.
const REMEMBERED: Duration = Duration::from_hours(7 * 24);

/// How often a repeat looks whether a call of another process has ended.
const LOOK: Duration = Duration::from_millis(200);

/// The mark of a call under way.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mark {
    digest: String,
    renewed_at: Timestamp,
}

/// What a key holds.
enum Held {
    Nothing,
    Result(Box<Hit>),
    Mark(Mark),
}

impl Mark {
    const PREFIX: &str = "under way ";

    fn written(&self) -> String {
        format!("{}{} {}", Self::PREFIX, self.digest, self.renewed_at)
    }

    fn read(value: &str) -> Option<Self> {
        let (digest, renewed_at) = value.strip_prefix(Self::PREFIX)?.split_once(' ')?;
        Some(Self {
            digest: digest.to_owned(),
            renewed_at: renewed_at.parse().ok()?,
        })
    }

    fn is_alive(&self, now: Timestamp) -> bool {
        let silence = Duration::try_from(now.duration_since(self.renewed_at));
        silence.is_ok_and(|silence| silence < SILENCE) || self.renewed_at > now
    }
}

impl Gateway {
    /// Returns the result of the call that this one repeats, if there is one, as soon as it
    /// has ended. Nothing if this process has it in flight: then it is joined.
    pub(super) async fn result_of_repeated(
        &self,
        asked: &Asked,
        plan: &Plan,
        flight: &str,
    ) -> Result<Option<Hit>, Error> {
        let Some(key) = plan.repeat.as_ref().filter(|_| plan.repeated) else {
            return Ok(None);
        };
        loop {
            let mark = match self.held(key).await {
                Held::Nothing => return Ok(None),
                Held::Result(hit) if hit.is_of(plan) => return Ok(Some(*hit)),
                Held::Result(_) => return Err(key_reused()),
                Held::Mark(mark) => mark,
            };
            if mark.digest != plan.digest {
                return Err(key_reused());
            }
            if self.flights.holds(flight) {
                return Ok(None);
            }
            let dead = !mark.is_alive(self.studio.stores.clock.now());
            if dead && !is_bought(&asked.call) {
                return Ok(None);
            }
            if dead || Instant::now() >= asked.deadline {
                return Err(interrupted().into());
            }
            sleep(LOOK).await;
        }
    }

    async fn held(&self, key: &str) -> Held {
        let now = self.studio.stores.clock.now();
        let entry = self.studio.stores.cache.get(key, now).await;
        match entry {
            Ok(Some(entry)) => match Mark::read(&entry.value) {
                Some(mark) => Held::Mark(mark),
                None => {
                    Hit::read(&entry, now).map_or(Held::Nothing, |hit| Held::Result(hit.into()))
                }
            },
            Ok(None) => Held::Nothing,
            Err(error) => {
                debug!(%error, "the cache cannot be asked");
                Held::Nothing
            }
        }
    }

    /// Marks the call as under way until the mark is dropped.
    pub(super) async fn mark(self: &Arc<Self>, plan: &Plan) -> Option<Marked> {
        let key = plan.repeat.clone()?;
        let (gateway, digest) = (Arc::clone(self), plan.digest.clone());
        let first = gateway.renew(&key, &digest).await;
        let renewing = tokio::spawn({
            let (gateway, key) = (Arc::clone(self), key.clone());
            async move {
                let mut tick = interval_at(tokio::time::Instant::now() + RENEWAL, RENEWAL);
                loop {
                    tick.tick().await;
                    gateway.renew(&key, &digest).await;
                }
            }
        });
        Some(Marked {
            gateway,
            key,
            last: first,
            renewing,
        })
    }

    async fn renew(&self, key: &str, digest: &str) -> String {
        let now = self.studio.stores.clock.now();
        let mark = Mark {
            digest: digest.to_owned(),
            renewed_at: now,
        };
        let value = mark.written();
        let kept = REMEMBERED;
        if let Err(error) = self.studio.stores.cache.put(key, &value, now, kept).await {
            warn!(%error, "a call under way could not be marked");
        }
        value
    }
}

/// What became of the first call is not known.
pub(super) fn interrupted() -> ApiError {
    let message = "An earlier try of this call was interrupted, and may have been made and paid for. \
                   Ask anew if you want another.";
    ApiError::bad_gateway(message)
        .code("interrupted")
        .retry(Retry::Never)
}

/// The mark of a call that this process makes.
pub(super) struct Marked {
    gateway: Arc<Gateway>,
    key: String,
    last: String,
    renewing: tokio::task::JoinHandle<()>,
}

impl Marked {
    /// Renews it no more: no renewal follows this.
    pub(super) async fn stop(&mut self) {
        self.renewing.abort();
        // It fails because it was aborted.
        let _ = (&mut self.renewing).await;
    }

    /// Removes the mark, if there is no result in its place: the call was not made, or
    /// brought nothing, and a repeat may make it.
    pub(super) async fn remove(self) {
        self.renewing.abort();
        let now = self.gateway.studio.stores.clock.now();
        let cache = &self.gateway.studio.stores.cache;
        let value = match cache.get(&self.key, now).await {
            Ok(Some(entry)) if Mark::read(&entry.value).is_some() => entry.value,
            _ => self.last.clone(),
        };
        if let Err(error) = cache.remove(&self.key, &value).await {
            warn!(%error, "the mark of a call could not be removed");
        }
    }
}

impl Drop for Marked {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_read_as_it_was_written_and_ages() {
        let now = Timestamp::from_second(1_000).unwrap();
        let mark = Mark {
            digest: "abc".into(),
            renewed_at: now,
        };
        assert_eq!(Mark::read(&mark.written()), Some(mark.clone()));
        assert_eq!(Mark::read("{\"digest\":\"abc\"}"), None);
        assert!(mark.is_alive(now) && mark.is_alive(now + RENEWAL));
        assert!(!mark.is_alive(now + SILENCE));
        assert!(mark.is_alive(now - SILENCE));
    }
}
