//! A data folder on a file system that is full, a real one: a small one in memory,
//! which only the process under test sees.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use image::ImageFormat;
use reqwest::Response;
use serde_json::json;

use crate::support::{Answer, Atelier, OpenAi, Setup, photo, picture, problem, taken, text};

/// Enough for the database and a few pictures.
const SIZE: &str = "16m";

/// Mounts it over the data folder, then becomes what follows.
const MOUNT: &str =
    r#"mkdir -p "$ATELIER_DATA" && mount -t tmpfs -o size=16m tmpfs "$ATELIER_DATA" && exec "$@""#;

/// How to get a name space of one's own for mounts: as root, or as whom root is
/// mapped to.
const SPACES: [&str; 2] = ["--mount", "--mount --map-root-user"];

/// Orders that are handed in at most until one is refused.
const MOST_ORDERS: usize = 60;

/// The server on a small disk; nothing, with a word why, where that may not be made.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn on_a_small_disk(setup: Setup) -> Option<Setup> {
    let folder = tempfile::tempdir().unwrap();
    for space in SPACES {
        let words = space.split(' ').chain(["sh", "-c", MOUNT, "sh"]);
        let words: Vec<_> = ["unshare"].into_iter().chain(words).collect();
        let mut trial = Command::new(words[0]);
        trial.args(&words[1..]).arg("true");
        let tried = trial.env("ATELIER_DATA", folder.path()).output();
        if tried.is_ok_and(|tried| tried.status.success()) {
            let path = std::env::var("PATH").unwrap();
            return Some(setup.set("PATH", &path).wrapped(&words));
        }
    }
    eprintln!(
        "skipped: a file system of {SIZE} in memory may not be mounted here (unshare, mount)"
    );
    None
}

/// A file that takes all the room there is.
struct Filler(PathBuf);

impl Filler {
    fn fill(folder: &Path) -> Self {
        let path = folder.join("filler");
        let mut file = File::create(&path).unwrap();
        for size in [64 * 1024, 1024, 1] {
            let zeros = vec![0; size];
            while file.write_all(&zeros).is_ok() {}
        }
        Self(path)
    }

    fn remove(self) {
        fs::remove_file(self.0).unwrap();
    }
}

/// Whether it was refused because the disk is full, and not for another reason.
async fn is_refused(answer: Response) -> bool {
    if answer.status().is_success() {
        return false;
    }
    let (status, told) = problem(answer).await;
    assert!([503, 507].contains(&status), "{told}");
    true
}

/// Orders pictures until the disk takes no more orders; those that were taken.
async fn order_until_refused(server: &Atelier) -> Vec<serde_json::Value> {
    let mut jobs = Vec::new();
    for number in 0..MOST_ORDERS {
        let prompt = format!("boat {number} {}", "on a lake ".repeat(150));
        let order = server
            .post("/api/images")
            .json(&json!({ "prompt": prompt }));
        let answer = order.send().await.unwrap();
        if !answer.status().is_success() {
            assert!(is_refused(answer).await);
            return jobs;
        }
        jobs.push(taken(answer).await);
    }
    panic!("{MOST_ORDERS} orders found room on a full disk");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paid_picture_waits_until_a_full_disk_takes_it() {
    let openai = OpenAi::start(vec![Answer::Hang]).await;
    let Some(setup) = on_a_small_disk(Setup::new().openai(&openai)) else {
        return;
    };
    let server = setup.start();
    let job = server.paint("a lighthouse").await;
    openai.called(1).await;
    let filler = Filler::fill(&server.seen(&setup.data()));
    openai.release();
    for _ in 0..3 {
        server.logged("could not be kept yet");
    }

    assert!(is_refused(server.get("/readyz").send().await.unwrap()).await);
    assert!(is_refused(server.restore(photo(400, 300, ImageFormat::Png)).await).await);
    let others = order_until_refused(&server).await;
    let waiting = server.job(text(&job["id"])).await;
    assert_eq!(waiting["status"], "running");
    assert_eq!(openai.calls().len(), 1, "no other call is paid for");

    filler.remove();
    let job = server.succeeded(&job).await;
    assert_eq!(job["attempt"], 1, "{job}");
    assert_eq!(server.picture(&job).await, picture());
    for other in &others {
        server.succeeded(other).await;
    }
    assert_eq!(openai.calls().len(), 1 + others.len());
    assert_eq!(server.get("/readyz").send().await.unwrap().status(), 200);
    let photo = taken(server.restore(photo(400, 300, ImageFormat::Png)).await).await;
    server.succeeded(&photo).await;
}
