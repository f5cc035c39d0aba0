//! Streams that stay open.

use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::{task::LocalSet, time::timeout};

use crate::load::{Connection, Kind, PATIENCE, Target};

/// Both ends of every stream are in this process, or half of them.
pub(crate) fn allow_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Where it is not allowed, there are enough anyway or the measurement says so.
    let _ = setrlimit(Resource::Nofile, limit);
}

/// A stream that is read no further.
pub(crate) struct Open {
    _connection: Connection,
    _body: Incoming,
}

/// Opens so many streams and waits for the first event of each.
pub(crate) async fn streams(target: &Target, number: usize) -> (Vec<Open>, LocalSet) {
    let tasks = LocalSet::new();
    let opened = tasks.run_until(async {
        let mut opened = Vec::with_capacity(number);
        for number in 0..number {
            let open = timeout(PATIENCE, open(target, number)).await;
            opened.push(open.unwrap());
        }
        // What is still to be put away has had its turn.
        tokio::time::sleep(Duration::from_secs(1)).await;
        opened
    });
    (opened.await, tasks)
}

async fn open(target: &Target, number: usize) -> Open {
    let mut connection = target.connect().await;
    let mut body = connection.send(target, Kind::Held, number).await.unwrap();
    let first = body.frame().await;
    assert!(first.is_some_and(|frame| frame.is_ok()), "no first event");
    Open {
        _connection: connection,
        _body: body,
    }
}
