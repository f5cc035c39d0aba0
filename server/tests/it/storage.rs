//! Folders that cannot be written, files that are gone.

use std::{fs, path::PathBuf};

use image::ImageFormat;
use serde_json::json;

use crate::support::{Answer, Atelier, OpenAi, Setup, blobs, photo, picture, problem, taken, text};

/// A file where the folder of the pictures was: not even root can write into that.
struct Broken {
    folder: PathBuf,
    aside: PathBuf,
}

impl Broken {
    fn new(setup: &Setup) -> Self {
        let folder = setup.data().join("images");
        let aside = setup.data().join("aside");
        fs::rename(&folder, &aside).unwrap();
        fs::write(&folder, "no folder").unwrap();
        Self { folder, aside }
    }

    fn mend(&self) {
        fs::remove_file(&self.folder).unwrap();
        fs::rename(&self.aside, &self.folder).unwrap();
    }
}

async fn ready(server: &Atelier) -> u16 {
    let answer = server.get("/readyz").send().await.unwrap();
    answer.status().as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_is_paid_for_whose_picture_cannot_be_kept() {
    let openai = OpenAi::start(vec![]).await;
    let setup = Setup::new().openai(&openai);
    let server = setup.start();
    assert_eq!(ready(&server).await, 200);
    let broken = Broken::new(&setup);
    let (status, told) = problem(server.get("/readyz").send().await.unwrap()).await;
    assert_eq!((status, text(&told["code"])), (503, "storage_unavailable"));
    let mut jobs = Vec::new();
    for prompt in ["a boat", "a barge", "a raft"] {
        jobs.push(server.paint(prompt).await);
    }
    server.logged("no paid call is made until they can");
    for job in &jobs {
        let waits = |job: &serde_json::Value| job["status"] == "queued";
        server.until(job, waits).await;
    }
    assert_eq!(openai.calls().len(), 0);
    broken.mend();
    for job in &jobs {
        let job = server.succeeded(job).await;
        assert_eq!(job["attempt"], 1, "{job}");
    }
    assert_eq!(openai.calls().len(), 3);
    assert_eq!(ready(&server).await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paid_picture_waits_for_the_disk() {
    let openai = OpenAi::start(vec![Answer::Hang]).await;
    let setup = Setup::new().openai(&openai);
    let server = setup.start();
    let job = server.paint("a boat").await;
    openai.called(1).await;
    let broken = Broken::new(&setup);
    openai.release();
    for _ in 0..8 {
        server.logged("could not be kept yet");
    }
    assert_eq!(server.job(text(&job["id"])).await["status"], "running");
    broken.mend();
    let job = server.succeeded(&job).await;
    assert_eq!(server.picture(&job).await, picture());
    assert_eq!(openai.calls().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_stored_is_not_our_fault() {
    let setup = Setup::new();
    let server = setup.start();
    let broken = Broken::new(&setup);
    let uploads = setup.data().join("uploads");
    for _ in 0..2 {
        let answer = server.restore(photo(40, 30, ImageFormat::Png)).await;
        let (status, told) = problem(answer).await;
        assert_eq!((status, text(&told["code"])), (503, "storage_unavailable"));
        if uploads.is_dir() {
            fs::remove_dir_all(&uploads).unwrap();
            fs::write(&uploads, "no folder").unwrap();
        }
    }
    fs::remove_file(&uploads).unwrap();
    broken.mend();
    let job = taken(server.restore(photo(40, 30, ImageFormat::Png)).await).await;
    server.succeeded(&job).await;
}

#[tokio::test]
async fn folders_that_were_deleted_are_made_again() {
    let setup = Setup::new();
    let server = setup.start();
    for folder in ["images", "uploads"] {
        fs::remove_dir_all(setup.data().join(folder)).unwrap();
    }
    let job = taken(server.restore(photo(40, 30, ImageFormat::Png)).await).await;
    server.succeeded(&job).await;
    fs::remove_dir_all(setup.data().join("images")).unwrap();
    let job = server.succeeded(&server.paint("a boat").await).await;
    server.picture(&job).await;
    fs::remove_dir_all(setup.data().join("images")).unwrap();
    assert_eq!(ready(&server).await, 200);
}

#[tokio::test]
async fn a_picture_whose_file_is_gone_is_made_again() {
    let openai = OpenAi::start(vec![]).await;
    let setup = Setup::new().openai(&openai);
    let server = setup.start();
    let remove_all = || {
        for name in blobs(&setup.data()) {
            fs::remove_file(setup.data().join("images").join(name)).unwrap();
        }
    };
    server.succeeded(&server.paint("a boat").await).await;
    assert_eq!(server.paint("a boat").await["cache"], "exact");
    // The same words, after they were given again, and others that mean the same.
    for (calls, prompt) in [(2, "a boat"), (3, "a boat"), (4, "please paint a boat")] {
        remove_all();
        let job = server.succeeded(&server.paint(prompt).await).await;
        assert_eq!(server.picture(&job).await, picture(), "{prompt}");
        assert_eq!(
            (&job["cache"], openai.calls().len()),
            (&json!("miss"), calls)
        );
    }
    let again = server.paint("please paint a boat").await;
    assert_eq!(again["status"], "succeeded");
    assert_eq!(openai.calls().len(), 4);
}

/// The order's own upload belongs to the job that is made again.
#[tokio::test]
async fn a_restoration_whose_file_is_gone_is_made_again_from_the_new_upload() {
    let openai = OpenAi::start(vec![]).await;
    let setup = Setup::new().openai(&openai);
    let server = setup.start();
    let order = async || taken(server.restore(photo(40, 30, ImageFormat::Png)).await).await;
    let first = server.succeeded(&order().await).await;
    let key = text(&first["images"][0]["url"]).replace("/images/", "");
    fs::remove_file(setup.data().join("images").join(key)).unwrap();
    let second = server.succeeded(&order().await).await;
    assert_eq!(
        (&second["cache"], openai.calls().len()),
        (&json!("miss"), 2)
    );
    server.picture(&second).await;
    let original = server.get(text(&second["original"]["url"])).send().await;
    assert_eq!(original.unwrap().status(), 200);
}
