//! Files go with the jobs they were for, even when a job is deleted before its
//! call has ended.

use std::os::unix::fs::PermissionsExt as _;

use image::ImageFormat;
use serde_json::Value;

use crate::support::{Answer, Atelier, OpenAi, PATIENCE, Setup, blobs, photo, taken, text};

/// Two restorations of the same photo whose one call hangs. Whoever came first
/// has deleted theirs; the second is returned.
async fn follower_of_a_deleted_job(server: &Atelier, openai: &OpenAi) -> Value {
    let mut jobs = Vec::new();
    for cache in ["miss", "joined"] {
        let job = taken(server.restore(photo(64, 64, ImageFormat::Png)).await).await;
        assert_eq!(job["cache"], cache);
        openai.called(1).await;
        jobs.push(job);
    }
    for expected in [200, 204] {
        assert_eq!(delete(server, &jobs[0]).await, expected);
    }
    assert_eq!(status(server, &jobs[0]["original"]["url"]).await, 200);
    assert_eq!(status(server, &jobs[1]["original"]["url"]).await, 200);
    jobs.remove(1)
}

async fn delete(server: &Atelier, job: &Value) -> u16 {
    let path = text(&job["url"]).to_owned();
    let answer = server.delete(&path).send().await.unwrap();
    answer.status().as_u16()
}

async fn status(server: &Atelier, path: &Value) -> u16 {
    let answer = server.get(text(path)).send().await.unwrap();
    answer.status().as_u16()
}

/// Waits until just the blobs of these addresses are there.
pub(crate) async fn only(setup: &Setup, addresses: &[&Value]) {
    let key = |address: &&Value| text(address).replace("/images/", "");
    let mut expected: Vec<String> = addresses.iter().map(key).collect();
    expected.sort();
    let found = async {
        loop {
            let mut found = blobs(&setup.data());
            found.sort();
            if found == expected {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    let found = tokio::time::timeout(PATIENCE, found).await;
    found.unwrap_or_else(|_| panic!("{expected:?} expected, found {:?}", blobs(&setup.data())));
}

#[tokio::test]
async fn a_photo_deleted_during_the_call_is_gone_when_the_call_ends() {
    let openai = OpenAi::start(vec![Answer::Hang]).await;
    let setup = Setup::new().openai(&openai);
    let server = setup.start();
    let job = follower_of_a_deleted_job(&server, &openai).await;
    openai.release();
    let job = server.succeeded(&job).await;
    let restored = &job["images"][0]["url"];
    only(&setup, &[&job["original"]["url"], restored]).await;
    assert_eq!(delete(&server, &job).await, 204);
    assert!(blobs(&setup.data()).is_empty());
}

#[tokio::test]
async fn a_photo_deleted_during_the_call_is_gone_when_nobody_waits_any_more() {
    let openai = OpenAi::start(vec![Answer::Hang]).await;
    let setup = Setup::new().openai(&openai);
    let server = setup.start();
    let job = follower_of_a_deleted_job(&server, &openai).await;
    assert_eq!(delete(&server, &job).await, 200, "cancelled");
    only(&setup, &[&job["original"]["url"]]).await;
    assert_eq!(delete(&server, &job).await, 204);
    assert!(blobs(&setup.data()).is_empty());
}

/// Private photos and the secret are nobody else's on the machine, and the
/// database is whole without its log once the server has stopped.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_kept_is_this_users_alone_and_whole_after_a_stop() {
    let openai = OpenAi::start(vec![]).await;
    let setup = Setup::new().openai(&openai);
    let mut server = setup.start();
    let job = server.paint("a boat").await;
    server.succeeded(&job).await;
    server.ask_to_stop();
    assert!(server.ended().success());
    let mut folders = vec![setup.data()];
    while let Some(folder) = folders.pop() {
        let mode = folder.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{folder:?}");
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let mode = path.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{path:?}");
        }
    }
    let copy = setup.folder.path().join("copy.db");
    std::fs::copy(setup.data().join("atelier.db"), &copy).unwrap();
    let copy = rusqlite::Connection::open(copy).unwrap();
    let count = "SELECT count(*) FROM jobs WHERE status = 'succeeded'";
    let jobs: i64 = copy.query_row(count, [], |row| row.get(0)).unwrap();
    assert_eq!(jobs, 1);
}
