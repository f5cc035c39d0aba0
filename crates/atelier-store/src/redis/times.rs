//! What time it is for scripts: by the clock of the node that runs them. In a
//! cluster that need not be the one that has the queue, by which everything else
//! goes.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use ::redis::RedisError;

use super::link::Link;
use crate::clock::StoreTime;

/// The hash tag of the keys whose node tells the time of the store.
const QUEUE: &str = "queue";

/// The clocks of the nodes.
pub(super) struct Times {
    queue: Arc<StoreTime>,
    /// Of a cluster, by the hash tags of our keys, which are few; each with a key.
    others: Mutex<HashMap<String, (String, Arc<StoreTime>)>>,
}

impl Times {
    pub(super) fn new(queue: Arc<StoreTime>) -> Self {
        Self {
            queue,
            others: Mutex::default(),
        }
    }

    /// The clock of the node that has this key, measured if it is not known.
    pub(super) async fn of(&self, link: &Link, key: &str) -> Result<Arc<StoreTime>, RedisError> {
        let time = self.find(link, key);
        if !time.is_known() {
            link.clone().measure_for(key, &time).await?;
        }
        Ok(time)
    }

    /// Measures the clock of the node that has this key anew.
    pub(super) async fn measure(&self, link: &Link, key: &str) -> Result<(), RedisError> {
        let time = self.find(link, key);
        link.clone().measure_for(key, &time).await
    }

    /// Measures again what has been measured, but for the clock of the queue.
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

/// What decides which node has the key (Redis Cluster specification, "Hash tags").
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
