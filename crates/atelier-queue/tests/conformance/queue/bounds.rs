//! How many gates stay although no job names them.

use crate::work::{Bound, Error, GateChange};

use super::{
    super::at,
    Stores, Subject,
    gates::{add_all, flow},
};

/// A change of a gate of which there are at most so many.
fn within(most: usize) -> GateChange {
    let prefix = "a:".into();
    GateChange {
        within: Some(Bound { prefix, most }),
        ..GateChange::default()
    }
}

fn kept(most: usize) -> GateChange {
    GateChange {
        kept: Some(true),
        ..within(most)
    }
}

async fn is_refused(queue: &Subject, name: &str, change: GateChange) -> bool {
    match queue.set_gate(name, change, at(0)).await {
        Ok(_) => false,
        Err(Error::Crowded) => true,
        Err(error) => panic!("{error}"),
    }
}

pub(crate) async fn gates_that_stay_are_bounded(stores: Stores) {
    let queue = stores.queue;
    add_all(&queue, &["1", "2"], &[flow("a:job", 1), flow("b:job", 1)]).await;
    let paused = GateChange {
        paused: Some(true),
        ..within(3)
    };
    let pinned = GateChange {
        pin_rate: Some(true),
        ..within(3)
    };
    for (name, change) in [("a:1", kept(3)), ("a:2", paused.clone()), ("a:3", pinned)] {
        assert!(!is_refused(&queue, name, change).await, "{name}");
    }
    for name in ["a:4", "a:job"] {
        assert!(is_refused(&queue, name, paused.clone()).await, "{name}");
    }
    // Nothing has changed, and no gate has come into being.
    assert!(queue.gate("a:4").await.unwrap().is_none());
    assert!(!queue.gate("a:job").await.unwrap().unwrap().paused);
    let names = queue.gates("a:", None, 10).await.unwrap();
    assert_eq!(names.len(), 4);
    // What stays already may change, and what does not stay is not counted.
    assert!(!is_refused(&queue, "a:1", paused.clone()).await);
    assert!(!is_refused(&queue, "a:5", within(3)).await);
    // Room is made by letting one go, or removing it.
    let resumed = GateChange {
        paused: Some(false),
        ..within(3)
    };
    assert!(!is_refused(&queue, "a:2", resumed).await);
    assert!(!is_refused(&queue, "a:4", paused.clone()).await);
    assert!(is_refused(&queue, "a:6", paused.clone()).await);
    assert!(queue.remove_gate("a:4", at(0)).await.unwrap());
    assert!(!is_refused(&queue, "a:6", paused).await);
    // A removed one that a job still names is not counted, and comes again as a new one does.
    assert!(queue.remove_gate("a:job", at(0)).await.unwrap());
    assert!(is_refused(&queue, "a:job", kept(3)).await);
    assert!(queue.gate("a:job").await.unwrap().is_none());
    assert!(!is_refused(&queue, "a:job", kept(4)).await);
}

pub(crate) async fn many_who_make_gates_at_once_make_no_more_than_there_may_be(stores: Stores) {
    let queue = stores.queue;
    let makers = (0..40).map(|number| {
        let queue = queue.clone();
        tokio::spawn(async move { is_refused(&queue, &format!("a:{number}"), kept(10)).await })
    });
    let makers: Vec<_> = makers.collect();
    let mut refused = 0;
    for maker in makers {
        refused += usize::from(maker.await.unwrap());
    }
    assert_eq!(refused, 30);
    assert_eq!(queue.gates("a:", None, 100).await.unwrap().len(), 10);
}
