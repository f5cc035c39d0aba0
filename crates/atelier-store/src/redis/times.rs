//! The clocks for scripts: that of the node that runs them. In a cluster this need not be
//! the node that has the queue, whose clock counts for everything else.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use ::redis::RedisError;

use super::link::Link;
use crate::clock::StoreTime;

/// The hash tag of the keys whose node has the store's clock.
const QUEUE: &str = "queue";

/// The clocks of the nodes.
pub(super) struct Times {
    queue: Arc<StoreTime>,
    /// For a cluster: by the few hash tags of our keys, each with one such key.
    others: Mutex<HashMap<String, (String, Arc<StoreTime>)>>,
}

impl Times {
    pub(super) fn new(queue: Arc<StoreTime>) -> Self {
        Self {
            queue,
            others: Mutex::default(),
        }
    }

    /// Returns the clock of the node that has this key, measured if it is unknown.
    pub(super) async fn of(&self, link: &Link, key: &str) -> Result<Arc<StoreTime>, RedisError> {
        let time = self.find(link, key);
        if !time.is_known() {
            link.clone().measure_for(key, &time).await?;
        }
        Ok(time)
    }

    /// Measures the clock of the node that has this key again.
    pub(super) async fn measure(&self, link: &Link, key: &str) -> Result<(), RedisError> {
        let time = self.find(link, key);
        link.clone().measure_for(key, &time).await
    }

    /// Measures all known clocks again, except the queue's.
    pub(super) async fn measure_others(&self, link: &Link) -> Result<(), RedisError> {
        for (key, time) in self.others() {
            link.clone().measure_for(&key, &time).await?;
        }
        Ok(())
    }

    fn others(&self) -> Vec<(String, Arc<StoreTime>)> {
        let others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        others.values().cloned().collect()
    }

    fn find(&self, link: &Link, key: &str) -> Arc<StoreTime> {
        let tag = tag(key);
        if !link.is_cluster() || tag == QUEUE {
            return Arc::clone(&self.queue);
        }
        let mut others = self.others.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, time) = others
            .entry(tag.to_owned())
            .or_insert_with(|| (key.to_owned(), Arc::default()));
        Arc::clone(time)
    }
}

/// The part of the key that determines its node (Redis Cluster specification, "Hash tags").
fn tag(key: &str) -> &str {
    let tagged = key
        .split_once('{')
        .and_then(|(_, rest)| rest.split_once('}'));
    tagged.map_or(key, |(tag, _)| if tag.is_empty() { key } else { tag })
}

#[test]
fn a_tag_is_what_stands_in_the_first_braces() {
    for (key, expected) in [
        ("atelier:{queue}:", "queue"),
        ("a{b}c{d}", "b"),
        ("atelier:access:keys", "atelier:access:keys"),
        ("a{}b", "a{}b"),
        ("a{b", "a{b"),
    ] {
        assert_eq!(tag(key), expected);
    }
}
