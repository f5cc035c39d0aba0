//! An address is not a person: who comes with neither session nor API key owns
//! nothing but what they have a key for, and the key is in what they were given.

use image::ImageFormat;
use reqwest::{Response, StatusCode};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::{Atelier, OpenAi, Setup, blobs, form, photo, redis_database, taken, text};

fn small() -> Vec<u8> {
    photo(64, 48, ImageFormat::Jpeg)
}

async fn restored(server: &Atelier) -> Value {
    let job = taken(server.restore(small()).await).await;
    server.succeeded(&job).await
}

/// The address without its key.
fn bare(job: &Value) -> &str {
    text(&job["url"]).split_once("?key=").expect("a key").0
}

fn key(job: &Value) -> &str {
    text(&job["url"]).split_once("?key=").expect("a key").1
}

async fn status(server: &Atelier, path: &str) -> u16 {
    server.get(path).send().await.unwrap().status().as_u16()
}

async fn delete(server: &Atelier, path: &str) -> u16 {
    server.delete(path).send().await.unwrap().status().as_u16()
}

async fn post(server: &Atelier, path: &str, body: &str) -> Response {
    let form = "application/x-www-form-urlencoded";
    let request = server.post(path).header("content-type", form);
    request.body(body.to_owned()).send().await.unwrap()
}

/// Both stores.
async fn setups() -> [Setup; 2] {
    [
        Setup::new(),
        Setup::new().set("ATELIER_REDIS_URL", &redis_database().await),
    ]
}

#[tokio::test]
async fn a_program_without_cookies_follows_what_it_was_given() {
    for setup in setups().await {
        let server = setup.start().without_session();
        let job = restored(&server).await;
        let (url, bare) = (text(&job["url"]), bare(&job));
        let page = bare.replace("/api", "");
        let wrong = format!("{bare}?key={}", "A".repeat(22));
        for refused in [bare, &wrong, &page, &format!("{page}/download")] {
            assert_eq!(status(&server, refused).await, 404, "{refused}");
        }
        for refused in [bare, &wrong] {
            assert_eq!(delete(&server, refused).await, 404, "{refused}");
        }
        let by_key = |what: &str| format!("{page}{what}?key={}", key(&job));
        for shown in [url, &by_key(""), &by_key("/download")] {
            assert_eq!(status(&server, shown).await, 200, "{shown}");
        }
        assert_eq!(server.json(&format!("{url}&after=0&wait=5")).await, job);
        // A session changes nothing about that.
        let browser = server.visitor();
        let seen = browser.get(format!("{}{url}", server.url));
        assert_eq!(
            seen.send().await.unwrap().json::<Value>().await.unwrap(),
            job
        );
        let jobs = server.json("/api/jobs").await;
        assert_eq!(jobs, json!({ "jobs": [] }));
        assert_eq!(delete(&server, &format!("{url}&cancel=true")).await, 409);
        assert_eq!(delete(&server, url).await, 204);
        assert_eq!(status(&server, url).await, 404);
        assert!(blobs(&setup.data()).is_empty());
    }
}

#[tokio::test]
async fn a_part_of_a_key_opens_nothing() {
    let setup = Setup::new();
    let server = setup.start().without_session();
    let job = restored(&server).await;
    let link = server.post(&format!("{}/link?key={}", bare(&job), key(&job)));
    let link: Value = link.send().await.unwrap().json().await.unwrap();
    let link = text(&link["url"]);
    assert_ne!(link.split_once("?key=").unwrap().1, key(&job));
    assert_eq!(status(&server, link).await, 200);
    for url in [text(&job["url"]), link] {
        let (path, key) = url.split_once("?key=").unwrap();
        for length in 0..key.len() {
            let part = format!("{path}?key={}", &key[..length]);
            assert_eq!(status(&server, &part).await, 404, "{length}");
        }
    }
}

#[tokio::test]
async fn who_makes_a_link_without_cookies_stays_its_owner() {
    let setup = Setup::new();
    let server = setup.start().without_session();
    let make = async |job: &Value| {
        let path = format!("{}/link?key={}", bare(job), key(job));
        let made = server.post(&path).header("accept", "text/html");
        let made = made.send().await.unwrap();
        assert_eq!(made.status(), 303);
        made.headers()["location"].to_str().unwrap().to_owned()
    };
    let job = restored(&server).await;
    let (page, own) = (bare(&job).replace("/api", ""), key(&job));
    let shown = make(&job).await;
    assert!(
        shown.starts_with(&format!("{page}?key={own}&link=")),
        "{shown}"
    );
    let seen = server
        .get(&shown)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let link = format!("{page}?key={}", shown.split_once("&link=").unwrap().1);
    assert!(seen.contains(&format!("href=\"{link}\"")), "{seen}");
    assert!(seen.contains("Give others "), "{seen}");
    assert!(seen.contains("Delete now") && !seen.contains("Make a link"));
    // The page of the link is one that only shows it.
    let given = server
        .get(&link)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(
        !given.contains(own) && !given.contains("Delete now"),
        "{given}"
    );

    let picture = server.succeeded(&server.paint("a boat").await).await;
    let page = text(&picture["url"]).replace("/api", "");
    assert_eq!(make(&picture).await, page);
}

#[tokio::test]
async fn a_picture_of_ones_own_can_be_cancelled_withheld_saved_and_used_by_its_key() {
    let openai = OpenAi::start(vec![]).await;
    let setup = Setup::new().openai(&openai);
    let server = setup.start().without_session();
    let job = server.succeeded(&server.paint("a boat").await).await;
    let (url, bare) = (text(&job["url"]), bare(&job));
    // Whoever knows the address sees a picture; the key is not told to them.
    let seen = server.json(bare).await;
    assert_eq!(
        (&seen["images"], &seen["url"]),
        (&job["images"], &json!(bare))
    );
    for what in ["link", "unshare", "share", "delete"] {
        let refused = post(&server, &format!("{bare}/{what}"), "").await;
        assert_eq!(refused.status(), 403, "{what}");
    }
    let withheld = post(&server, &format!("{bare}/unshare?key={}", key(&job)), "").await;
    assert_eq!(withheld.status(), 204);
    assert_eq!(
        (status(&server, bare).await, status(&server, url).await),
        (404, 200)
    );

    let change = |from: &str| json!({ "prompt": "make it night", "from": from });
    let refused = server.post("/api/images").json(&change(text(&job["id"])));
    assert_eq!(refused.send().await.unwrap().status(), 404);
    let changed = server.submit(&change(url)).await;
    assert_eq!(changed["params"]["from"], job["id"]);
    let order = reqwest::multipart::Form::new().text("from", url.to_owned());
    let enlarged = server.post("/api/restorations").multipart(order);
    taken(enlarged.send().await.unwrap()).await;

    let chosen = |names: [&str; 2]| {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(names.map(|name| ("id", name))).finish()
    };
    let ids = chosen([text(&job["id"]), "nothing"]);
    assert_eq!(post(&server, "/api/jobs/zip", &ids).await.status(), 404);
    let mine = chosen([url, "nothing"]);
    assert_eq!(post(&server, "/api/jobs/zip", &mine).await.status(), 200);
    // Nobody is told that there is anything to delete.
    assert_eq!(post(&server, "/api/jobs/delete", &ids).await.status(), 204);
    assert_eq!(status(&server, url).await, 200);
    assert_eq!(post(&server, "/api/jobs/delete", &mine).await.status(), 204);
    assert_eq!(status(&server, url).await, 404);
}

#[tokio::test]
async fn a_job_under_way_is_cancelled_by_its_key() {
    let openai = OpenAi::start(vec![crate::support::Answer::Hang]).await;
    let setup = Setup::new().openai(&openai);
    let server = setup.start().without_session();
    let job = server.paint("a boat").await;
    openai.called(1).await;
    assert_eq!(delete(&server, bare(&job)).await, 403);
    let answer = server.delete(text(&job["url"])).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let cancelled: Value = answer.json().await.unwrap();
    assert_eq!(
        (&cancelled["status"], &cancelled["url"]),
        (&json!("cancelled"), &job["url"])
    );
    assert_eq!(server.json(text(&job["url"])).await["status"], "cancelled");
}

/// What programs behind the same address have made is nothing to a browser that
/// comes without a cookie, or with one.
#[tokio::test]
async fn a_first_visit_sees_nothing_of_others_behind_the_same_address() {
    for setup in setups().await {
        let server = setup.start().without_session();
        let photo = restored(&server).await;
        let picture = server.paint("an okapi of somebody else's").await;
        server.succeeded(&picture).await;
        let browser = server.visitor();
        for client in [&server.client, &browser] {
            for path in ["/", "/restore", "/gallery"] {
                let page = client.get(format!("{}{path}", server.url));
                let page = page.header("accept", "text/html").send().await.unwrap();
                let page = page.text().await.unwrap();
                for id in [&photo["id"], &picture["id"]] {
                    assert!(!page.contains(text(id)), "{path}: {page}");
                }
                assert!(!page.contains("okapi"), "{path}");
            }
            let page = client.get(format!("{}/jobs/{}", server.url, text(&photo["id"])));
            assert_eq!(page.send().await.unwrap().status(), 404);
        }
    }
}

#[tokio::test]
async fn what_an_address_owned_before_is_nobodys() {
    let setup = Setup::new();
    let mut server = setup.start().without_session();
    let job = restored(&server).await;
    server.ask_to_stop();
    assert!(server.ended().success());
    let database = Connection::open(setup.data().join("atelier.db")).unwrap();
    let changed = database.execute("UPDATE jobs SET owner = 'ip:127.0.0.1'", []);
    assert_eq!(changed.unwrap(), 1);
    drop(database);
    let server = setup.start().without_session();
    assert_eq!(server.json("/api/jobs").await, json!({ "jobs": [] }));
    for url in [bare(&job), text(&job["url"])] {
        assert_eq!(status(&server, url).await, 404);
        assert_eq!(delete(&server, url).await, 404);
    }
}

#[tokio::test]
async fn a_form_sent_without_a_cookie_leads_to_its_job() {
    let setup = Setup::new();
    let server = setup.start().without_session();
    let order = server.post("/api/restorations").multipart(form(small()));
    let sent = order.header("accept", "text/html").send().await.unwrap();
    assert_eq!(sent.status(), StatusCode::SEE_OTHER);
    let page = sent.headers()["location"].to_str().unwrap().to_owned();
    let job = server.json(&format!("/api{page}&after=0")).await;
    let job = server.succeeded(&job).await;
    assert_eq!(page, text(&job["url"]).replace("/api", ""));
    let shown = server.get(&page).header("accept", "text/html");
    let shown = shown.send().await.unwrap();
    assert_eq!(shown.headers()["x-robots-tag"], "noindex");
    assert_eq!(shown.headers()["referrer-policy"], "same-origin");
    let shown = shown.text().await.unwrap();
    assert!(shown.contains(text(&job["images"][0]["url"])), "{shown}");
    assert!(
        shown.contains("Only those who have the link to this page can see this"),
        "{shown}"
    );
    for action in ["delete", "link", "unshare"] {
        let action = format!("{}/{action}?key={}", bare(&job), key(&job));
        assert!(shown.contains(&action), "{action} in {shown}");
    }
    let back = server.post(&format!("{}/unshare?key={}", bare(&job), key(&job)));
    let back = back.header("accept", "text/html").send().await.unwrap();
    assert_eq!(back.headers()["location"].to_str().unwrap(), page);
    let gone = server.post(&format!("{}/delete?key={}", bare(&job), key(&job)));
    let gone = gone.header("accept", "text/html").send().await.unwrap();
    assert_eq!(gone.status(), StatusCode::SEE_OTHER);
    assert_eq!(status(&server, &page).await, 404);
}

#[tokio::test]
async fn sessions_and_api_keys_have_plain_addresses() {
    let setup = Setup::new();
    let server = setup.start();
    let job = restored(&server).await;
    assert_eq!(job["url"], json!(format!("/api/jobs/{}", text(&job["id"]))));
    let jobs = server.json("/api/jobs").await;
    assert_eq!(jobs["jobs"][0]["url"], job["url"]);
    let link = server.post(&format!("{}/link", text(&job["url"])));
    let link: Value = link.send().await.unwrap().json().await.unwrap();
    // Who was given a link, and keeps no cookies, follows what they are told.
    let guest = reqwest::Client::builder().no_proxy().build().unwrap();
    let seen = guest.get(format!("{}/api{}", server.url, text(&link["url"])));
    let seen: Value = seen.send().await.unwrap().json().await.unwrap();
    assert_eq!(seen["url"], json!(format!("/api{}", text(&link["url"]))));
    let again = guest.delete(format!("{}{}", server.url, text(&seen["url"])));
    assert_eq!(again.send().await.unwrap().status(), 404);
}
