//! What became of the gateway's calls: written to the store now and then, and read by the
//! operator.

use jiff::Timestamp;
use tracing::debug;

use super::{Error, Studio};
use serde::Serialize;

use crate::calls::{Body, Query, Record, Summary, summarize};

/// Which of the last calls are wanted.
#[derive(Debug, Clone, Default)]
pub struct WantedCalls {
    /// Only those of the API key with this id.
    pub key: Option<String>,
    /// Only those that asked for this model, or were answered by it.
    pub model: Option<String>,
    /// Only those since then.
    pub since: Option<Timestamp>,
}

/// A call with what was said in it, as far as that is kept.
#[derive(Debug, Serialize)]
pub struct ShownCall {
    #[serde(flatten)]
    pub record: Record,
    pub request: Option<Body>,
    pub answer: Option<Body>,
}

impl WantedCalls {
    fn want(&self, record: &Record) -> bool {
        let model = |wanted: &String| {
            [&record.model, &record.routed]
                .into_iter()
                .any(|name| name.as_ref() == Some(wanted))
        };
        let key = |wanted: &String| record.key.as_ref() == Some(wanted);
        self.key.as_ref().is_none_or(key)
            && self.model.as_ref().is_none_or(model)
            && self.since.is_none_or(|since| record.at >= since)
    }
}

impl Studio {
    /// Writes what was noted of calls to the store. What cannot be written waits.
    pub async fn record_calls(&self) {
        let (now, keep) = (self.stores.clock.now(), self.settings.stats_kept);
        let written = self.recorders.calls.write(&*self.stores.calls, now, keep);
        if let Err(error) = written.await {
            debug!(%error, "calls could not be recorded; retrying later");
        }
        if let Some(keep) = self.settings.contents_kept {
            let written = self
                .recorders
                .contents
                .write(&*self.stores.calls, now, keep);
            if let Err(error) = written.await {
                debug!(%error, "contents of calls could not be recorded; retrying later");
            }
        }
    }

    /// Forgets contents of calls that are too old; all, if none are to be kept.
    pub(super) async fn forget_contents(&self, now: Timestamp) -> Result<(), Error> {
        let before = match self.settings.contents_kept {
            Some(keep) => now.checked_sub(keep).unwrap_or(Timestamp::MIN),
            None => Timestamp::MAX,
        };
        Ok(self.stores.calls.forget(before).await?)
    }

    /// One of the last calls.
    pub async fn call(&self, id: &str) -> Result<Option<ShownCall>, Error> {
        let calls = self.calls(&WantedCalls::default()).await?;
        let Some(record) = calls.into_iter().find(|record| record.id == id) else {
            return Ok(None);
        };
        let (mut request, mut answer) = (None, None);
        if let Some(keep) = self.settings.contents_kept
            && let Ok(oldest) = self.stores.clock.now().checked_sub(keep)
            && let Some(contents) = self.stores.calls.contents(id).await?
            && contents.at >= oldest
        {
            (request, answer) = (contents.request, contents.answer);
        }
        Ok(Some(ShownCall {
            record,
            request,
            answer,
        }))
    }

    /// Those of the last calls that are wanted, the newest first.
    pub async fn calls(&self, wanted: &WantedCalls) -> Result<Vec<Record>, Error> {
        self.record_calls().await;
        let mut calls = self.stores.calls.recent().await?;
        calls.retain(|record| wanted.want(record));
        Ok(calls)
    }

    /// What is counted of calls, added up. Nothing is counted of hours before those that are
    /// kept.
    pub async fn call_stats(&self, query: Query) -> Result<Summary, Error> {
        self.record_calls().await;
        let now = self.stores.clock.now();
        let kept = now.checked_sub(self.settings.stats_kept);
        let query = Query {
            since: query.since.max(kept.unwrap_or_default()),
            ..query
        };
        Ok(summarize(&*self.stores.calls, &query, now).await?)
    }
}
