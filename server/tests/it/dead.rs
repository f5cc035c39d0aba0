//! Dead letters: what an operator sees of the jobs that failed and does about
//! them, through the API and on the command line.

use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, Atelier, OpenAi, Setup, blobs, photo, problem, taken, text};

const TOKEN: &str = "the token of our tests";

fn refused() -> Answer {
    let body = json!({ "error": {
        "message": "No.", "type": "image_generation_user_error", "code": "moderation_blocked",
    } });
    Answer::Error(400, vec![], body)
}

/// A server whose first calls are refused; keep all three.
async fn studio(refusals: usize) -> (Setup, OpenAi, Atelier) {
    let script = (0..refusals).map(|_| refused()).collect();
    let openai = OpenAi::start(script).await;
    let setup = Setup::new()
        .openai(&openai)
        .set("ATELIER_ADMIN_TOKEN", TOKEN);
    let server = setup.start();
    (setup, openai, server)
}

async fn failed(server: &Atelier, prompt: &str) -> Value {
    let job = server.finished(&server.paint(prompt).await).await;
    assert_eq!(job["status"], "failed", "{job}");
    job
}

async fn asked(request: RequestBuilder) -> Value {
    let answer = request.bearer_auth(TOKEN).send().await.unwrap();
    answer.error_for_status().unwrap().json().await.unwrap()
}

async fn letters(server: &Atelier) -> Vec<Value> {
    let list = asked(server.get("/api/admin/dead")).await;
    assert!(list["next"].is_null(), "{list}");
    list["jobs"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_dead_letter_is_listed_with_its_attempts_and_tried_again() {
    let (_setup, openai, server) = studio(1).await;
    let job = failed(&server, "a duel").await;
    let [letter] = &letters(&server).await[..] else {
        panic!("one job has failed")
    };
    for (name, value) in job.as_object().unwrap() {
        assert_eq!(letter[name], *value, "{name}");
    }
    let owner = text(&letter["owner"]);
    assert!(owner.starts_with("session:"), "{owner}");
    let [attempt] = &letter["attempts"].as_array().unwrap()[..] else {
        panic!("it was tried once")
    };
    assert_eq!(
        (
            &attempt["attempt"],
            &attempt["code"],
            &attempt["request_id"]
        ),
        (&json!(1), &json!("content_refused"), &json!("req_test"))
    );
    assert!(text(&attempt["at"]).ends_with('Z'));
    assert!(text(&attempt["message"]).contains("unsafe"));

    let path = format!("/api/admin/dead/{}/retry", text(&job["id"]));
    let retried = asked(server.post(&path)).await;
    assert_eq!(retried["id"], job["id"]);
    server.succeeded(&retried).await;
    assert_eq!(openai.calls().len(), 2);
    assert!(letters(&server).await.is_empty());
    let again = server.post(&path).bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(problem(again).await.0, 409, "it is no dead letter any more");
}

#[tokio::test]
async fn all_dead_letters_are_tried_again_at_once() {
    let (_setup, _openai, server) = studio(3).await;
    let mut jobs = Vec::new();
    for prompt in ["a duel", "a brawl", "a battle"] {
        jobs.push(failed(&server, prompt).await);
    }
    let answer = asked(server.post("/api/admin/dead/retry")).await;
    assert_eq!(answer, json!({ "retried": 3 }));
    for job in &jobs {
        let job = server.job(text(&job["id"])).await;
        server.succeeded(&job).await;
    }
}

#[tokio::test]
async fn dead_letters_are_listed_page_by_page() {
    let (_setup, _openai, server) = studio(3).await;
    let mut expected = Vec::new();
    for prompt in ["a duel", "a brawl", "a battle"] {
        expected.push(failed(&server, prompt).await["id"].clone());
    }
    expected.reverse();
    let first = asked(server.get("/api/admin/dead?limit=2")).await;
    let next = format!("/api/admin/dead?limit=2&cursor={}", text(&first["next"]));
    let second = asked(server.get(&next)).await;
    assert!(second["next"].is_null());
    let ids: Vec<_> = [first, second]
        .iter()
        .flat_map(|page| page["jobs"].as_array().unwrap().clone())
        .map(|job| job["id"].clone())
        .collect();
    assert_eq!(ids, expected);
    let wrong = server.get("/api/admin/dead?limit=0").bearer_auth(TOKEN);
    assert_eq!(problem(wrong.send().await.unwrap()).await.0, 400);
}

#[tokio::test]
async fn a_dead_letter_is_deleted_with_its_files() {
    let (setup, _openai, server) = studio(1).await;
    let photo = photo(40, 30, image::ImageFormat::Png);
    let job = server
        .finished(&taken(server.restore(photo).await).await)
        .await;
    assert_eq!(blobs(&setup.data()).len(), 1, "the photo as uploaded");
    let path = format!("/api/admin/dead/{}", text(&job["id"]));
    let delete = || server.delete(&path).bearer_auth(TOKEN).send();
    assert_eq!(delete().await.unwrap().status(), StatusCode::NO_CONTENT);
    assert!(blobs(&setup.data()).is_empty());
    assert_eq!(problem(delete().await.unwrap()).await.0, 404);
    // What has not failed is no dead letter.
    let alive = server.succeeded(&server.paint("a boat").await).await;
    let path = format!("/api/admin/dead/{}", text(&alive["id"]));
    let kept = server.delete(&path).bearer_auth(TOKEN).send().await;
    assert_eq!(problem(kept.unwrap()).await.0, 404);
    assert_eq!(server.job(text(&alive["id"])).await, alive);
}

#[tokio::test]
async fn only_the_token_opens_the_operators_routes() {
    let (_setup, _openai, server) = studio(0).await;
    let list = || server.get("/api/admin/dead");
    for request in [
        list(),
        list().bearer_auth("another token of theirs"),
        list().bearer_auth(""),
        list().basic_auth("admin", Some(TOKEN)),
        server.post("/api/admin/dead/retry"),
        server.delete("/api/admin/dead/x").bearer_auth("wrong"),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
        let (status, problem) = problem(response).await;
        assert_eq!((status, text(&problem["code"])), (401, "unauthorized"));
    }
    assert!(letters(&server).await.is_empty());
}

#[tokio::test]
async fn without_a_token_there_are_no_operators_routes() {
    let setup = Setup::new();
    let server = setup.start();
    for request in [
        server.get("/api/admin/dead"),
        server.get("/api/admin/dead").bearer_auth(TOKEN),
        server.get("/api/admin/dead").bearer_auth(""),
        server.post("/api/admin/dead/retry").bearer_auth(TOKEN),
    ] {
        assert_eq!(problem(request.send().await.unwrap()).await.0, 404);
    }
}

/// What a command printed.
fn printed(setup: &Setup, arguments: &[&str]) -> String {
    let output = setup.run(arguments);
    let complaints = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{arguments:?}: {complaints}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn the_command_line_works_beside_a_running_server() {
    let (setup, _openai, server) = studio(3).await;
    let job = failed(&server, "a duel").await;
    for prompt in ["a brawl", "a battle"] {
        failed(&server, prompt).await;
    }
    let id = text(&job["id"]);

    let table = printed(&setup, &["dead", "list"]);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 4, "{table}");
    for words in [id, "image", "content_refused", "unsafe"] {
        assert!(lines[3].contains(words), "{words:?} is not in {table}");
    }
    let json = printed(&setup, &["dead", "list", "--json"]);
    let listed: Vec<Value> = json
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(listed, letters(&server).await);

    printed(&setup, &["dead", "retry", id]);
    let job = server.job(id).await;
    server.succeeded(&job).await;
    let refusal = setup.refusal_of(&["dead", "retry", id]);
    assert!(refusal.contains("no dead letter"), "{refusal}");
    let refusal = setup.refusal_of(&["dead", "delete", "nonsense"]);
    assert!(refusal.contains("no dead letter"), "{refusal}");
    assert!(setup.refusal_of(&["dead", "retry"]).contains("--all"));

    let one = text(&listed[0]["id"]);
    printed(&setup, &["dead", "delete", one]);
    assert_eq!(letters(&server).await.len(), 1);
    printed(&setup, &["dead", "delete", "--all"]);
    assert!(letters(&server).await.is_empty());
    assert_eq!(printed(&setup, &["dead", "list", "--json"]), "");
}

#[tokio::test]
async fn finished_jobs_are_forgotten_after_their_time() {
    let setup = Setup::with_file("limits = []\n[queue]\nkeep = '1ms'");
    let openai = OpenAi::start(vec![Answer::Picture, refused()]).await;
    let setup = setup.openai(&openai);
    let server = setup.start();
    let jobs = [
        server.succeeded(&server.paint("a boat").await).await,
        failed(&server, "a duel").await,
    ];
    server.kill();

    // The first sweep is at the start.
    let server = setup.start();
    for job in &jobs {
        let path = text(&job["url"]).to_owned();
        while server.get(&path).send().await.unwrap().status() != StatusCode::NOT_FOUND {
            tokio::task::yield_now().await;
        }
    }
    while !blobs(&setup.data()).is_empty() {
        tokio::task::yield_now().await;
    }
}
