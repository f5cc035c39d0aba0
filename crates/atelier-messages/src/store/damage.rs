//! What cannot be read holds up nobody.

use jiff::Timestamp;

use crate::{Event, Events, Message, MessageStore, NewSchedule, State};

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

/// Returns the revision.
pub(crate) async fn put(store: &dyn MessageStore, id: &str, second: i64) -> u64 {
    let new = NewSchedule {
        id: id.into(),
        cron: String::new(),
        destination: String::new(),
        message: Message::default(),
        delay: 0,
        body: serde_json::Value::Null,
        next: Some(at(second)),
    };
    let put = store.put_schedule("owner", &new, 10, at(0)).await;
    put.unwrap().unwrap().revision
}

/// There is a damaged schedule that is due before the sound one.
pub(crate) async fn is_put_off(store: &dyn MessageStore) {
    let due = store.due(at(2), 1).await.unwrap();
    assert!(due.is_empty());
    let due = store.due(at(2), 1).await.unwrap();
    assert_eq!(due[0].schedule.given.id, "sound");
    store.remove_schedule("owner", "sound").await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), Some(at(2 + 3_600)));
}

pub(crate) async fn append(store: &dyn MessageStore, count: i64) {
    let events = Events::default();
    for time in 0..count {
        let event = Event {
            time,
            message: time.to_string(),
            state: State::Active,
            about: Box::default(),
            next: None,
            status: None,
            headers: Vec::new(),
            body: None,
            error: None,
        };
        events.note("owner", event);
    }
    events.flush(store, 100).await.unwrap();
}

/// There are nine damaged events after the sound one.
pub(crate) async fn leaves_the_first_event(store: &dyn MessageStore) {
    for limit in [1, 2, 100] {
        let events = store.events("owner", None, limit).await.unwrap();
        let messages: Vec<_> = events.iter().map(|(_, event)| &event.message).collect();
        assert_eq!(messages, ["0"]);
    }
}
