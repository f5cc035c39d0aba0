use atelier::{
    job::{Outcome, Picture, Request, RestorationTask, Task},
    queue::{Hooks, NewJob, Priority},
};
use atelier_api::Status;
use jiff::{SignedDuration, Timestamp};

use super::{Stores, ledger};
use crate::support::image_task;

fn new(id: &str) -> NewJob {
    NewJob {
        id: id.into(),
        owner: "owner".into(),
        request: Request {
            provider: "test".into(),
            model: "test".into(),
            variation: 0,
            found: None,
            task: Task::Image(image_task(id)),
        },
        priority: Priority::Normal,
        not_before: None,
        charge: serde_json::Value::Null,
        hooks: Hooks::default(),
        join: None,
        answer: None,
        answered_only: false,
        gates: Vec::new(),
        inherits: None,
    }
}

fn picture(key: String) -> Picture {
    Picture {
        key: key.into(),
        width: 1,
        height: 1,
        media_type: "image/png".into(),
        bytes: 1,
        thumbhash: String::new(),
    }
}

/// An order whose photo is this blob.
fn holder(index: u32, key: String) -> NewJob {
    let mut holder = new(&format!("holder {index:03}"));
    holder.request.task = Task::Restoration(RestorationTask {
        original: picture(key),
        digest: String::new(),
        enlarge: 1,
        strength: 100,
        monochrome: false,
        mask: None,
        base: None,
        name: None,
        exif: None,
    });
    holder
}

/// More than are looked up at a time.
pub(super) async fn all_old_jobs_go_in_one_sweep(stores: Stores) {
    let studio = ledger::studio(&stores);
    let then = Timestamp::now() - SignedDuration::from_hours(24);
    for index in 0..101 {
        let key = format!("{index}.png");
        let old = NewJob {
            answer: Some(Outcome::Succeeded {
                pictures: vec![picture(key.clone())],
                cost_usd: Some(0.04),
                left_out: Vec::new(),
                earlier_claims: Vec::new(),
                made_by: None,
            }),
            ..new(&format!("{index:03}"))
        };
        // Somebody refers to the picture, or the answer would not be given.
        let holding = stores.queue.enqueue(holder(index, key), Timestamp::now());
        holding.await.unwrap();
        let job = stores.queue.enqueue(old, then).await.unwrap();
        assert_eq!(job.status, Status::Succeeded);
    }
    studio.sweep().await.unwrap();
    assert!(stores.queue.get("000").await.unwrap().is_none());
    assert!(stores.queue.get("100").await.unwrap().is_none());
}
