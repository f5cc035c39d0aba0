//! Across owners a picture may be shared, and nobody's words; what is withheld or
//! deleted answers nobody else, and photos are nobody else's at all.

use std::time::Instant;

use image::ImageFormat;
use reqwest::Client;
use serde_json::{Value, json};

use crate::support::{
    Answer, Atelier, OpenAi, PATIENCE, Setup, form, photo, redis_database, taken, text,
};

const FIRST: &str = "two cats sleeping on a red sofa";
const SAME: &str = "Two cats asleep on a red couch, please!";
const HOUSE: &str = "A small red house by a lake at sunset";
const TOLD: &str = "I was diagnosed with leukaemia in May. I am Maria Keller, call me at 0171 2345678. \
    A small red house by a lake at sunset";

/// What somebody else than the server's own client is told.
async fn order(server: &Atelier, client: &Client, prompt: &str) -> Value {
    let request = client.post(format!("{}/api/images", server.url));
    let request = request.json(&json!({ "prompt": prompt }));
    taken(request.send().await.unwrap()).await
}

async fn text_of(server: &Atelier, client: &Client, path: &str) -> String {
    let request = client.get(format!("{}{path}", server.url));
    request.send().await.unwrap().text().await.unwrap()
}

async fn tell(server: &Atelier, job: &Value, what: &str) {
    let path = format!("{}/{what}", text(&job["url"]));
    let told = server.post(&path).send().await.unwrap();
    assert_eq!(told.status(), 204, "{what}");
}

/// Waits until the meaning of what was painted can be found: its owner, who may
/// always be answered with it, finds it.
async fn known(server: &Atelier, prompt: &str) {
    let started = Instant::now();
    loop {
        let job = server.paint(prompt).await;
        let job = server.succeeded(&job).await;
        let found = job["similar_to"].is_object();
        server.delete(text(&job["url"])).send().await.unwrap();
        if found {
            return;
        }
        assert!(started.elapsed() < PATIENCE, "{prompt:?} was never found");
    }
}

async fn setups(file: &str) -> [Setup; 2] {
    let redis = redis_database().await;
    [
        Setup::with_file(file),
        Setup::with_file(file).set("ATELIER_REDIS_URL", &redis),
    ]
}

/// Everywhere a stranger may look.
async fn looked_at_by(server: &Atelier, client: &Client, job: &Value) -> String {
    let id = text(&job["id"]);
    let mut seen = job.to_string();
    for path in [
        &format!("/jobs/{id}"),
        &format!("/api/jobs/{id}"),
        "/api/jobs",
        "/gallery",
        "/",
    ] {
        seen += &text_of(server, client, path).await;
    }
    seen
}

#[tokio::test]
async fn a_stranger_reads_nobodys_words() {
    for mode in ["answer", "suggest"] {
        let file = format!("limits = []\n[semantic]\nmode = \"{mode}\"");
        for setup in setups(&file).await {
            let server = setup.start();
            server.succeeded(&server.paint(FIRST).await).await;
            known(&server, SAME).await;
            let stranger = server.visitor();
            let quoted = format!("<q dir=\"auto\">{FIRST}</q>");
            // Their own words are told to whoever wrote them.
            let mine = server.succeeded(&server.paint(SAME).await).await;
            assert_eq!(mine["similar_to"]["prompt"], FIRST);
            let page = format!("/jobs/{}", text(&mine["id"]));
            let seen = text_of(&server, &server.client, &page).await;
            assert!(seen.contains(&quoted), "{seen}");
            let seen = text_of(&server, &stranger, &page).await;
            assert!(!seen.contains(FIRST), "{seen}");
            server.delete(text(&mine["url"])).send().await.unwrap();

            let job = order(&server, &stranger, SAME).await;
            let similar = &job["similar_to"];
            assert!(similar["similarity"].as_f64() > Some(0.5), "{job}");
            assert!(similar["prompt"].is_null(), "{job}");
            let seen = looked_at_by(&server, &stranger, &job).await;
            assert!(!seen.contains(FIRST), "{seen}");
            let page = format!("/jobs/{}", text(&job["id"]));
            let url = format!("{}/api{page}?after={}&wait=25", server.url, job["version"]);
            let done = async {
                while !text_of(&server, &stranger, &page).await.contains("% alike") {
                    stranger.get(&url).send().await.unwrap();
                }
            };
            tokio::time::timeout(PATIENCE, done).await.unwrap();
            let seen = looked_at_by(&server, &stranger, &job).await;
            assert!(!seen.contains(FIRST), "{seen}");
            assert!(seen.contains("with the same meaning"), "{seen}");
            let seen = text_of(&server, &server.client, &page).await;
            assert!(!seen.contains(&quoted), "{seen}");
        }
    }
}

#[tokio::test]
async fn a_prompt_that_tells_of_a_person_answers_nobody_else() {
    for mode in ["answer", "suggest"] {
        let setup = Setup::with_file(&format!("limits = []\n[semantic]\nmode = \"{mode}\""));
        let server = setup.start();
        let told = server.succeeded(&server.paint(TOLD).await).await;
        known(&server, HOUSE).await;
        let stranger = server.visitor();
        let nobody = Client::builder().no_proxy().build().unwrap();
        for client in [&stranger, &nobody] {
            let fresh = json!({ "prompt": HOUSE });
            let request = client
                .post(format!("{}/api/images", server.url))
                .json(&fresh);
            let answer = request.send().await.unwrap();
            assert!(!answer.headers().contains_key("age"));
            let job = taken(answer).await;
            assert!(
                job["similar_to"].is_null() && job["painted_at"].is_null(),
                "{job}"
            );
            assert_ne!(job["images"], told["images"]);
            let page = format!("/jobs/{}", text(&job["id"]));
            let page = text_of(&server, client, &page).await;
            assert!(!page.contains("Keller") && !page.contains("leukaemia"));
            // Else the next would be answered with this one.
            server.finished(&job).await;
            let url = format!("{}{}", server.url, text(&job["url"]));
            let gone = client.delete(url).send().await.unwrap();
            assert_eq!(gone.status(), 204);
        }
    }
}

#[tokio::test]
async fn what_is_withheld_answers_nobody_but_its_owner_in_every_process() {
    for setup in setups("limits = []").await {
        let server = setup.start();
        // Only a Redis has room for two.
        let second = setup.shares_a_store().then(|| setup.start());
        let first = server.succeeded(&server.paint(FIRST).await).await;
        known(&server, SAME).await;
        let stranger = server.visitor();
        let servers: Vec<&Atelier> = std::iter::once(&server).chain(&second).collect();
        // Given before: remembered in the process, and not given again.
        for server in &servers {
            let copy = order(server, &stranger, FIRST).await;
            assert_eq!(copy["images"], first["images"]);
        }
        tell(&server, &first, "unshare").await;
        for server in &servers {
            for prompt in [FIRST, SAME] {
                let job = order(server, &stranger, prompt).await;
                assert_ne!(job["images"], first["images"], "{job}");
                assert!(
                    job["similar_to"].is_null() && job["painted_at"].is_null(),
                    "{job}"
                );
                server.finished(&job).await;
                let url = format!("{}{}", server.url, text(&job["url"]));
                stranger.delete(url).send().await.unwrap();
            }
        }
        let alike = server.paint(SAME).await;
        assert_eq!(
            alike["images"], first["images"],
            "its owner is still answered"
        );
    }
}

#[tokio::test]
async fn a_call_under_way_is_not_shared_once_it_is_withheld() {
    for setup in setups("limits = []").await {
        let openai = OpenAi::start(vec![Answer::Hang, Answer::Hang]).await;
        let server = setup.openai(&openai).start();
        let stranger = server.visitor();
        let mine = server.paint("a lighthouse").await;
        openai.called(1).await;
        assert_eq!(
            order(&server, &stranger, "a lighthouse").await["cache"],
            "joined"
        );
        tell(&server, &mine, "unshare").await;
        assert_eq!(
            order(&server, &stranger, "a lighthouse").await["cache"],
            "miss"
        );
        openai.called(2).await;
        openai.release();
        server.succeeded(&mine).await;
    }
}

/// Whether the same photo was uploaded before is told to nobody but who did.
#[tokio::test]
async fn the_same_photo_says_nothing_of_others() {
    for setup in setups("limits = []").await {
        let openai = OpenAi::start(vec![Answer::Hang]).await;
        let server = setup.openai(&openai).start();
        let file = photo(64, 48, ImageFormat::Jpeg);
        let stranger = server.visitor();
        let nobody = Client::builder().no_proxy().build().unwrap();
        let send = async |client: &Client| {
            let request = client.post(format!("{}/api/restorations", server.url));
            let answer = request.multipart(form(file.clone())).send().await.unwrap();
            let told = answer.headers().contains_key("age");
            let cache = answer.headers()["cache-status"]
                .to_str()
                .unwrap()
                .to_owned();
            let status = answer.status().as_u16();
            let job = taken(answer).await;
            (status, cache, told, job)
        };
        let (.., mine) = send(&server.client).await;
        openai.called(1).await;
        assert_eq!(send(&server.client).await.3["cache"], "joined");
        let alone = |answer: &(u16, String, bool, Value)| {
            let (status, cache, told, job) = answer;
            assert_eq!(
                (*status, cache.as_str(), *told),
                (202, "atelier; fwd=miss", false)
            );
            assert_eq!(job["cache"], "miss");
            assert!(job["painted_at"].is_null(), "{job}");
        };
        alone(&send(&stranger).await);
        alone(&send(&nobody).await);
        openai.release();
        server.succeeded(&mine).await;
        assert_eq!(send(&server.client).await.1, "atelier; hit; detail=exact");
        let another = server.visitor();
        for client in [&another, &nobody, &nobody] {
            alone(&send(client).await);
        }
    }
}

#[tokio::test]
async fn who_was_given_a_picture_keeps_it_when_its_first_owner_deletes_it() {
    let setup = Setup::new();
    let server = setup.start();
    let first = server.succeeded(&server.paint("a harbour").await).await;
    let stranger = server.visitor();
    let copy = order(&server, &stranger, "a harbour").await;
    assert_eq!(
        (&copy["cache"], &copy["images"]),
        (&json!("exact"), &first["images"])
    );
    let gone = server.delete(text(&first["url"])).send().await.unwrap();
    assert_eq!(gone.status(), 204);
    assert!(!server.picture(&copy).await.is_empty());
    // The same words are nobody's answer any more, in the memory of the process either.
    assert_eq!(
        order(&server, &stranger, "a harbour").await["cache"],
        "miss"
    );
}

/// Everything that tells of the earlier picture beside a job, of which the file is at `image`.
async fn tells_of(server: &Atelier, client: &Client, job: &Value, image: &str) -> bool {
    let told = looked_at_by(server, client, &json!({ "id": job["id"] })).await;
    assert!(told.contains(text(&job["id"])), "{told}");
    told.contains(image) || told.contains("An earlier picture")
}

#[tokio::test]
async fn a_suggestion_goes_with_its_picture_in_every_process() {
    for setup in setups("limits = []\n[semantic]\nmode = \"suggest\"").await {
        let server = setup.start();
        let second = setup.shares_a_store().then(|| setup.start());
        let servers: Vec<&Atelier> = std::iter::once(&server).chain(&second).collect();
        let first = server.succeeded(&server.paint(FIRST).await).await;
        known(&server, SAME).await;
        let stranger = server.visitor();
        let job = order(&server, &stranger, SAME).await;
        let image = text(&first["images"][0]["url"]);
        assert_eq!(job["similar_to"]["image"]["url"], image, "{job}");
        server.finished(&job).await;
        for (what, shown) in [("unshare", false), ("share", true)] {
            tell(&server, &first, what).await;
            for server in &servers {
                assert_eq!(
                    tells_of(server, &stranger, &job, image).await,
                    shown,
                    "{what}"
                );
            }
        }
        let gone = server.delete(text(&first["url"])).send().await.unwrap();
        assert_eq!(gone.status(), 204);
        for server in &servers {
            assert!(!tells_of(server, &stranger, &job, image).await);
            let file = server.get(image).send().await.unwrap();
            assert_eq!(file.status(), 404, "nobody else needs it");
        }
    }
}

/// Their own words are told to their owner for as long as they have the job.
#[tokio::test]
async fn words_that_were_deleted_are_told_nowhere() {
    let setup = Setup::new();
    let server = setup.start();
    let first = server.succeeded(&server.paint(FIRST).await).await;
    let alike = crate::semantic::until_known(&server, SAME).await;
    assert_eq!(alike["similar_to"]["prompt"], FIRST);
    server.delete(text(&first["url"])).send().await.unwrap();
    let told = looked_at_by(&server, &server.client, &json!({ "id": alike["id"] })).await;
    assert!(!told.contains(FIRST), "{told}");
    let alike = server.job(text(&alike["id"])).await;
    assert_eq!(alike["cache"], "semantic");
}
