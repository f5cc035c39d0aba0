//! What became of messages.

use atelier_messages::{
    Event, EventId,
    filter::{Facts, Filter},
};
use tracing::debug;

use super::{Messages, Page, Result, Sender};

/// Events read at a time.
const BATCH: usize = 500;

impl Messages {
    /// The events of the owner's messages that the filter wants, newest first: as many as it
    /// says, from its cursor on.
    pub async fn events(&self, sender: &Sender, filter: &Filter) -> Result<Page<Event>> {
        let store = self.store();
        // What this process has noted is shown at once; the others' follows in a moment.
        let recorder = &self.studio.recorders.events;
        if let Err(error) = recorder.flush(store, super::MOST_EVENTS).await {
            debug!(%error, "events could not be recorded yet");
        }
        let (mut items, mut before) = (Vec::new(), filter.cursor.clone().map(EventId));
        loop {
            let read = store.events(&sender.owner, before.as_ref(), BATCH).await?;
            let ends = read.len() < BATCH;
            for (id, event) in read {
                if items.len() >= filter.count() {
                    let cursor = before.map(|EventId(id)| id);
                    return Ok(Page { items, cursor });
                }
                before = Some(id);
                if wants(filter, &event) {
                    items.push(event);
                }
            }
            if ends {
                let cursor = None;
                return Ok(Page { items, cursor });
            }
        }
    }
}

fn wants(filter: &Filter, event: &Event) -> bool {
    filter.matches(&Facts {
        id: &event.message,
        dead_letter: None,
        message: &event.about,
        state: Some(event.state),
        status: event.status,
        time: event.time,
    })
}
