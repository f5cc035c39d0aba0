//! No file outlives its last job: not after hang-ups, kills and disks that fail.

use std::{
    fs::{self, File},
    io::Write as _,
    net::TcpStream,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use image::ImageFormat;
use serde_json::Value;

use crate::{
    files::only,
    support::{
        Answer, Atelier, OpenAi, PATIENCE, Setup, blobs, photo, redis_database, taken, text,
    },
};

fn small() -> Vec<u8> {
    photo(64, 48, ImageFormat::Jpeg)
}

async fn restored(server: &Atelier) -> Value {
    let job = taken(server.restore(small()).await).await;
    server.succeeded(&job).await
}

async fn delete(server: &Atelier, job: &Value) {
    let answer = server.delete(text(&job["url"])).send().await.unwrap();
    assert_eq!(answer.status(), 204);
}

/// Both stores.
async fn setups() -> [Setup; 2] {
    [
        Setup::new(),
        Setup::new().set("ATELIER_REDIS_URL", &redis_database().await),
    ]
}

fn file(setup: &Setup, address: &Value) -> PathBuf {
    let name = text(address).replace("/images/", "");
    setup.data().join("images").join(name)
}

/// A file of this age.
fn aged(path: &Path, age: Duration) {
    let file = File::options()
        .append(true)
        .create(true)
        .open(path)
        .unwrap();
    file.set_modified(SystemTime::now() - age).unwrap();
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::test]
async fn identical_uploads_leave_nothing_when_their_jobs_are_deleted() {
    for setup in setups().await {
        let mut server = setup.start();
        for _ in 0..2 {
            let mut jobs: Vec<Value> = Vec::new();
            for _ in 0..8 {
                let job = restored(&server).await;
                jobs.retain(|known| known["id"] != job["id"]);
                jobs.push(job);
            }
            for job in &jobs {
                delete(&server, job).await;
            }
            only(&setup, &[]).await;
            // First with a session, then without one.
            server = server.without_session();
        }
    }
}

/// Its answer belongs to those who joined it, and goes with the last of them.
#[tokio::test]
async fn a_cancelled_leader_keeps_no_file_of_its_call() {
    for setup in setups().await {
        let openai = OpenAi::start(vec![Answer::Hang]).await;
        let setup = setup.openai(&openai);
        let server = setup.start();
        let leader = taken(server.restore(small()).await).await;
        openai.called(1).await;
        let follower = taken(server.restore(small()).await).await;
        assert_eq!(follower["cache"], "joined");
        let cancelled = server.delete(text(&leader["url"])).send().await.unwrap();
        assert_eq!(cancelled.status(), 200);
        openai.release();
        let done = server.succeeded(&follower).await;
        assert_eq!(done["images"].as_array().map(Vec::len), Some(1));
        delete(&server, &done).await;
        only(&setup, &[&leader["original"]["url"]]).await;
        delete(&server, &leader).await;
        only(&setup, &[]).await;
    }
}

/// A disk that does not let go of a file.
struct Stuck {
    path: PathBuf,
    aside: PathBuf,
}

impl Stuck {
    fn new(path: PathBuf) -> Self {
        let aside = path.with_extension("aside");
        fs::rename(&path, &aside).unwrap();
        fs::create_dir_all(path.join("full")).unwrap();
        Self { path, aside }
    }

    fn release(self) {
        fs::remove_dir_all(&self.path).unwrap();
        fs::rename(&self.aside, &self.path).unwrap();
    }
}

#[tokio::test]
async fn what_cannot_be_discarded_is_not_shown_and_tried_again() {
    for setup in setups().await {
        let server = setup.start();
        let job = restored(&server).await;
        let (original, made) = (&job["original"]["url"], &job["images"][0]["url"]);
        let small = format!("{}?width=320", text(original));
        server
            .get(&small)
            .send()
            .await
            .unwrap()
            .error_for_status()
            .unwrap();
        let stuck = Stuck::new(file(&setup, original));
        delete(&server, &job).await;
        server.logged("retrying later");
        stuck.release();
        for gone in [text(original), &small, text(made)] {
            assert_eq!(server.get(gone).send().await.unwrap().status(), 404);
        }
        only(&setup, &[]).await;
    }
}

#[tokio::test]
async fn what_is_to_be_discarded_is_remembered_beyond_a_kill() {
    for setup in setups().await {
        let server = setup.start();
        let job = restored(&server).await;
        let stuck = Stuck::new(file(&setup, &job["original"]["url"]));
        delete(&server, &job).await;
        server.kill();
        stuck.release();
        assert_eq!(blobs(&setup.data()).len(), 1);
        let _server = setup.start();
        only(&setup, &[]).await;
    }
}

#[tokio::test]
async fn files_without_a_record_go_when_they_are_old_enough() {
    for setup in setups().await {
        let server = setup.start();
        let job = restored(&server).await;
        let (original, made) = (&job["original"]["url"], &job["images"][0]["url"]);
        let copy = format!("{}?width=320", text(made));
        server
            .get(&copy)
            .send()
            .await
            .unwrap()
            .error_for_status()
            .unwrap();
        let kept = blobs(&setup.data());
        assert_eq!(kept.len(), 3);
        server.kill();
        let images = setup.data().join("images");
        for name in kept {
            aged(&images.join(name), DAY);
        }
        let stray = "0123456789abcdef0123456789abcdefp";
        for name in [
            format!("{stray}.jpg"),
            format!("{stray}.320.webp"),
            format!("{stray}.png#1"),
            "fedcba9876543210fedcba9876543210.640.webp".to_owned(),
        ] {
            aged(&images.join(name), DAY);
        }
        // An upload of another process, under way.
        let young = images.join(format!("{}.jpg", stray.replace('0', "1")));
        aged(&young, Duration::from_secs(60));
        let _server = setup.start();
        let copy = text(made)
            .replace(".jpg", ".320.webp")
            .replace(".png", ".320.webp");
        let young = format!("/images/{}", young.file_name().unwrap().to_str().unwrap());
        let (copy, young) = (Value::from(copy), Value::from(young));
        only(&setup, &[original, made, &copy, &young]).await;
    }
}

/// A folder that does not belong to the store is left alone.
#[tokio::test]
async fn a_store_that_knows_hardly_any_of_the_files_is_not_believed() {
    let setup = Setup::new();
    let images = setup.data().join("images");
    fs::create_dir_all(&images).unwrap();
    for number in 0..101 {
        aged(&images.join(format!("{number:032x}.png")), DAY);
    }
    let server = setup.start();
    server.logged("most files have no record");
    assert_eq!(blobs(&setup.data()).len(), 101);
}

/// Sends a part of an upload, and leaves.
fn hang_up(server: &Atelier, photo: &[u8], part: f64) {
    let head = "--b\r\ncontent-disposition: form-data; name=\"photo\"; filename=\"a.jpg\"\r\n\r\n";
    let body = [head.as_bytes(), photo, b"\r\n--b--\r\n"].concat();
    let host = server.url.replace("http://", "");
    let mut stream = TcpStream::connect(&host).unwrap();
    write!(
        stream,
        "POST /api/restorations HTTP/1.1\r\nhost: {host}\r\ncontent-length: {}\r\n\
         content-type: multipart/form-data; boundary=b\r\n\r\n",
        body.len()
    )
    .unwrap();
    let length = (body.len() as f64 * part) as usize;
    stream.write_all(&body[..length]).unwrap();
}

#[tokio::test]
async fn who_hangs_up_leaves_nothing() {
    let openai = OpenAi::start(vec![]).await;
    let setup = Setup::new().openai(&openai);
    let server = setup.start().without_session();
    let large = photo(1600, 1200, ImageFormat::Jpeg);
    for part in [0.3, 0.9, 1.0, 1.0, 1.0] {
        hang_up(&server, &large, part);
    }
    // Photos are decoded one after the other: then it is this one's turn.
    let job = restored(&server).await;
    delete(&server, &job).await;
    let nothing = async {
        while !blobs(&setup.data()).is_empty() || uploads(&setup) > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let nothing = tokio::time::timeout(PATIENCE, nothing).await;
    nothing.unwrap_or_else(|_| panic!("left: {:?}", blobs(&setup.data())));
}

fn uploads(setup: &Setup) -> usize {
    fs::read_dir(setup.data().join("uploads")).unwrap().count()
}
