//! The walk of a request from end to end, with the built-in engine.

use image::ImageFormat;
use serde_json::json;

use crate::support::{Answer, OpenAi, Setup, blobs, photo, problem, taken, text};

#[tokio::test]
async fn a_prompt_becomes_a_picture() {
    let setup = Setup::new();
    let server = setup.start();
    let body = json!({ "prompt": "a lighthouse at dusk", "size": "1024x1536", "style": "ink" });
    let job = server.submit(&body).await;
    assert_eq!(job["kind"], "image");
    assert_eq!(job["cache"], "miss");
    let job = server.succeeded(&job).await;
    assert_eq!(
        job["params"],
        json!({ "size": "1024x1536", "quality": "auto", "n": 1, "style": "ink" })
    );
    let picture = image::load_from_memory(&server.picture(&job).await).unwrap();
    assert_eq!((picture.width(), picture.height()), (1024, 1536));
    assert_eq!(job["images"][0]["width"], 1024);
    assert_eq!(job["images"][0]["media_type"], "image/png");
    for time in ["created_at", "started_at", "finished_at"] {
        assert!(text(&job[time]).ends_with('Z'), "{time} of {job}");
    }
}

#[tokio::test]
async fn a_preview_is_shown_while_the_picture_is_made() {
    let setup = Setup::new();
    let server = setup.start();
    let body = json!({ "prompt": "a harbour at noon", "size": "3840x2160" });
    let job = server.submit(&body).await;
    // A small one first, which a larger one replaces.
    let (path, size) = loop {
        let job = server.until(&job, |job| job["preview"].is_string()).await;
        let path = text(&job["preview"]).to_owned();
        let preview = server.get(&path).send().await.unwrap();
        if preview.status() == 200 {
            let preview = image::load_from_memory(&preview.bytes().await.unwrap()).unwrap();
            let size = (preview.width(), preview.height());
            if size != (96, 54) {
                break (path, size);
            }
        }
    };
    assert_eq!(size, (288, 162));
    let job = server.succeeded(&job).await;
    assert!(job["preview"].is_null(), "{job}");
    while server.get(&path).send().await.unwrap().status() != 404 {
        tokio::task::yield_now().await;
    }
    assert_eq!(blobs(&setup.data()).len(), 1);
}

#[tokio::test]
async fn the_same_prompt_is_answered_from_the_cache_and_a_fresh_one_is_not() {
    let setup = Setup::new();
    let server = setup.start();
    let first = server.paint("two cats on a wall").await;
    let first = server.succeeded(&first).await;
    let again = server.paint("  two cats   on a wall ").await;
    assert_eq!(
        (&again["status"], &again["cache"]),
        (&json!("succeeded"), &json!("exact"))
    );
    assert_eq!(again["images"], first["images"]);
    assert_ne!(again["id"], first["id"]);

    let fresh = server
        .submit(&json!({ "prompt": "two cats on a wall", "fresh": true }))
        .await;
    let fresh = server.succeeded(&fresh).await;
    assert_eq!(fresh["cache"], "miss");
    assert_ne!(server.picture(&fresh).await, server.picture(&first).await);
    let newest = server.paint("two cats on a wall").await;
    assert_eq!(newest["images"], fresh["images"]);
}

#[tokio::test]
async fn a_photo_becomes_a_restored_one() {
    let setup = Setup::new();
    let server = setup.start();
    let response = server.restore(photo(300, 200, ImageFormat::Jpeg)).await;
    let job = taken(response).await;
    assert_eq!(
        (&job["kind"], &job["prompt"]),
        (&json!("restoration"), &json!(""))
    );
    assert_eq!(job["original"]["width"], 300);
    let job = server.succeeded(&job).await;
    let restored = image::load_from_memory(&server.picture(&job).await).unwrap();
    assert_eq!((restored.width(), restored.height()), (300, 200));

    let again = taken(server.restore(photo(300, 200, ImageFormat::Jpeg)).await).await;
    assert_eq!(again["cache"], "exact");
}

#[tokio::test]
async fn a_finished_job_is_deleted_with_its_files() {
    let setup = Setup::new();
    let server = setup.start();
    let job = taken(server.restore(photo(64, 64, ImageFormat::Png)).await).await;
    let job = server.succeeded(&job).await;
    let path = text(&job["url"]).to_owned();
    assert_eq!(blobs(&setup.data()).len(), 2);

    let kept = server
        .delete(&format!("{path}?cancel=true"))
        .send()
        .await
        .unwrap();
    assert_eq!(
        kept.status(),
        409,
        "a cancel that comes too late deletes nothing"
    );
    assert_eq!(server.delete(&path).send().await.unwrap().status(), 204);
    assert_eq!(server.get(&path).send().await.unwrap().status(), 404);
    assert_eq!(
        server
            .get(text(&job["images"][0]["url"]))
            .send()
            .await
            .unwrap()
            .status(),
        404
    );
    assert!(blobs(&setup.data()).is_empty());
}

#[tokio::test]
async fn jobs_belong_to_their_session() {
    let setup = Setup::new();
    let server = setup.start();
    let first_visit = server.get("/").header("cookie", "");
    let page = first_visit.send().await.unwrap();
    let cookie = page.headers()["set-cookie"]
        .to_str()
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let body = json!({ "prompt": "my own picture" });
    let mine = taken(
        server
            .post("/api/images")
            .header("cookie", &cookie)
            .json(&body)
            .send()
            .await
            .unwrap(),
    )
    .await;
    let theirs = server.paint("somebody else's").await;

    let jobs = server
        .get("/api/jobs")
        .header("cookie", &cookie)
        .send()
        .await
        .unwrap();
    let jobs: serde_json::Value = jobs.json().await.unwrap();
    let ids: Vec<&str> = jobs["jobs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|job| text(&job["id"]))
        .collect();
    assert_eq!(ids, [text(&mine["id"])]);
    let path = text(&theirs["url"]).to_owned();
    let refused = server
        .delete(&path)
        .header("cookie", &cookie)
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), 403);
}

#[tokio::test]
async fn a_poll_answers_unchanged_after_its_time() {
    let setup = Setup::new();
    let server = setup.start();
    let job = server.paint("a still life").await;
    let job = server.succeeded(&job).await;
    let path = format!(
        "/api/jobs/{}?after={}&wait=0",
        text(&job["id"]),
        job["version"]
    );
    let same: serde_json::Value = server.json(&path).await;
    assert_eq!(same, job);
}

#[tokio::test]
async fn a_poll_that_names_no_time_waits_for_news() {
    let openai = OpenAi::start(vec![Answer::Hang]).await;
    let setup = Setup::new().openai(&openai);
    let server = setup.start();
    let job = server.paint("a still life").await;
    openai.called(1).await;
    let job = server.job(text(&job["id"])).await;
    let path = format!("/api/jobs/{}?after={}", text(&job["id"]), job["version"]);
    let poll = tokio::spawn(server.get(&path).send());
    // One that was sent later and says how long is answered first.
    assert_eq!(server.json(&format!("{path}&wait=1")).await, job);
    assert!(!poll.is_finished());
    openai.release();
    let news: serde_json::Value = poll.await.unwrap().unwrap().json().await.unwrap();
    assert!(news["version"].as_u64() > job["version"].as_u64(), "{news}");
}

#[tokio::test]
async fn the_site_says_that_it_lives_and_is_ready() {
    let setup = Setup::new();
    let server = setup.start();
    for path in ["/healthz", "/readyz"] {
        assert_eq!(
            server.get(path).send().await.unwrap().status(),
            200,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_sample_is_restored_like_a_photo() {
    let server = Setup::new().start();
    let send = async |name: &str| {
        let form = reqwest::multipart::Form::new().text("sample", name.to_owned());
        let sent = server.post("/api/restorations").multipart(form);
        sent.send().await.unwrap()
    };
    for name in ["astronaut", "camera", "coffee"] {
        let job = server.succeeded(&taken(send(name).await).await).await;
        assert_eq!(job["kind"], "restoration");
        let original = server.get(text(&job["original"]["url"])).send();
        let kept = original.await.unwrap().bytes().await.unwrap();
        let file = server.get(&format!("/samples/{name}.jpg")).send();
        let file = file.await.unwrap().bytes().await.unwrap();
        let [kept, file] = [kept, file].map(|bytes| image::load_from_memory(&bytes).unwrap());
        assert_eq!((kept.width(), kept.height()), (file.width(), file.height()));
    }
    for name in ["../site", "", "LICENCES"] {
        let (status, problem) = problem(send(name).await).await;
        assert_eq!(status, 422, "{name}");
        assert_eq!(problem["code"], "sample");
    }
}

#[tokio::test]
async fn a_style_of_the_operators_reaches_the_provider_in_words() {
    let openai = OpenAi::start(vec![]).await;
    let style = "[[studio.styles]]\nname = 'Linocut'\nwords = 'bold linocut'\n";
    let setup = Setup::with_file(&format!("limits = []\n{style}")).openai(&openai);
    let server = setup.start();
    let body = json!({ "prompt": "a boat", "style": "Linocut" });
    let job = server.succeeded(&server.submit(&body).await).await;
    assert_eq!(job["params"]["style"], "Linocut");
    let words = "a boat\n\nStyle: bold linocut.";
    assert_eq!(openai.calls()[0]["prompt"], words);
    assert_eq!(server.submit(&body).await["cache"], "exact");
    let unknown = json!({ "prompt": "a boat", "style": "Woodcut" });
    let sent = server.post("/api/images").json(&unknown).send().await;
    let (status, problem) = problem(sent.unwrap()).await;
    assert_eq!((status, text(&problem["code"])), (422, "style"));
    assert!(text(&problem["detail"]).contains("Linocut"), "{problem}");

    let file = format!("limits = []\n{style}thumbnail = '/nowhere.png'");
    let refusal = Setup::with_file(&file).refusal();
    assert!(refusal.contains("studio.styles"), "{refusal}");
    assert!(refusal.contains("/nowhere.png"), "{refusal}");
}
