//! Two visitors who mean the same pay once, and nobody is handed the wrong picture.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Atelier, OpenAi, PATIENCE, Setup, text};

const FIRST: &str = "a red car parked in front of an old house";
const SAME: &str = "Please draw an old house with a crimson automobile parked in front of it";

/// Orders it again and again until the answer is as it should be: what was painted
/// is found a moment after it is finished.
async fn until(server: &Atelier, prompt: &str, known: impl Fn(&Value) -> bool) -> Value {
    let started = Instant::now();
    loop {
        let job = server.paint(prompt).await;
        if known(&job) {
            return job;
        }
        assert!(started.elapsed() < PATIENCE, "{prompt:?} was never found");
        server.succeeded(&job).await;
        // Else it would be found by its words.
        let path = text(&job["url"]).to_owned();
        server.delete(&path).send().await.unwrap();
    }
}

/// Orders it until it is answered by its meaning.
pub(crate) async fn until_known(server: &Atelier, prompt: &str) -> Value {
    until(server, prompt, |job| job["cache"] == "semantic").await
}

#[tokio::test]
async fn the_same_meaning_is_answered_at_once_and_says_so() {
    let setup = Setup::new();
    let server = setup.start();
    let first = server.paint("two cats sleeping on a red sofa").await;
    let first = server.succeeded(&first).await;
    let job = until_known(&server, "Two cats asleep on a red couch, please!").await;
    assert_eq!(job["status"], "succeeded");
    assert_eq!(job["images"], first["images"]);
    assert_eq!(job["similar_to"]["prompt"], first["prompt"]);
    let similarity = job["similar_to"]["similarity"].as_f64().unwrap();
    assert!((0.5..=1.0).contains(&similarity), "{similarity}");

    let body = json!({ "prompt": "two cats asleep on a red couch" });
    let answer = server.post("/api/images").json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(
        answer.headers()["cache-status"],
        "atelier; hit; detail=semantic"
    );
    let age: u64 = answer.headers()["age"].to_str().unwrap().parse().unwrap();
    assert!(age < 600);

    let page = server
        .get(&format!("/jobs/{}", text(&job["id"])))
        .send()
        .await
        .unwrap();
    let page = page.text().await.unwrap();
    assert!(
        page.contains("<q dir=\"auto\">two cats sleeping on a red sofa</q>"),
        "{page}"
    );
    assert!(
        page.contains("% alike") && page.contains("Paint a new one"),
        "{page}"
    );
}

#[tokio::test]
async fn another_meaning_is_painted() {
    let openai = OpenAi::start(vec![]).await;
    let setup = Setup::with_file("limits = []\n[semantic]\nencoder = \"openai\"").openai(&openai);
    let server = setup.start();
    let first = server.paint("an astronaut riding a horse").await;
    server.succeeded(&first).await;
    until_known(&server, "astronaut riding a horse, high quality").await;
    // To this encoder all of them are the same.
    for other in [
        "a horse riding an astronaut",
        "two astronauts riding a horse",
        "an astronaut riding a white horse",
        "an astronaut not riding a horse",
        "an astronaut riding a horse at night",
        "an astronaut riding a camel",
    ] {
        assert_eq!(server.paint(other).await["cache"], "miss", "{other}");
    }
    let other_style = json!({ "prompt": "a horse, an astronaut riding it", "style": "ink" });
    assert_eq!(server.submit(&other_style).await["cache"], "miss");
    let fresh = json!({ "prompt": "astronaut riding a horse, best quality", "fresh": true });
    assert_eq!(server.submit(&fresh).await["cache"], "miss");
}

#[tokio::test]
async fn a_deleted_picture_is_nobodys_answer() {
    let setup = Setup::new();
    let server = setup.start();
    let first = server.paint(FIRST).await;
    let first = server.succeeded(&first).await;
    let again = until_known(&server, SAME).await;
    let path = text(&first["url"]).to_owned();
    assert_eq!(server.delete(&path).send().await.unwrap().status(), 204);
    for prompt in [FIRST, SAME] {
        assert_eq!(server.paint(prompt).await["cache"], "miss", "{prompt}");
    }
    // Who was given it keeps it.
    assert!(!server.picture(&again).await.is_empty());
}

#[tokio::test]
async fn meanings_survive_a_restart_and_can_be_purged() {
    let setup = Setup::new();
    let server = setup.start();
    let first = server.paint(FIRST).await;
    let first = server.succeeded(&first).await;
    until_known(&server, SAME).await;
    server.ask_to_stop();
    let mut server = server;
    assert!(server.ended().success());

    let server = setup.start();
    let known = until_known(&server, SAME).await;
    assert_eq!(known["images"], first["images"]);
    let stats = setup.run(&["cache", "stats", "--json"]);
    let stats: Value = serde_json::from_slice(&stats.stdout).unwrap();
    assert!(stats["semantic"].as_u64() >= Some(1), "{stats}");
    assert!(stats["misses"].as_u64() >= Some(1), "{stats}");
    assert!(stats["meanings"].as_u64() >= Some(1), "{stats}");

    let why = setup.run(&["cache", "why", text(&known["id"])]);
    let why: Value = serde_json::from_slice(&why.stdout).unwrap();
    assert_eq!(
        (&why["cache"], &why["found"]["job"]),
        (&json!("semantic"), &first["id"])
    );
    assert!(
        text(&why["found"]["reason"]).contains("“car” = “automobile”")
            || text(&why["found"]["reason"]).contains("“automobile” = “car”"),
        "{why}"
    );
    // By way of a job that was answered with it.
    let purged = setup.run(&["cache", "purge", text(&known["id"])]);
    let purged = String::from_utf8(purged.stdout).unwrap();
    assert!(purged.contains(text(&first["id"])), "{purged}");
    assert_eq!(server.paint(SAME).await["cache"], "miss");
    assert!(setup.run(&["cache", "purge", "--all"]).status.success());
    let stats = setup.run(&["cache", "stats", "--json"]);
    let stats: Value = serde_json::from_slice(&stats.stdout).unwrap();
    assert_eq!(
        (&stats["entries"], &stats["meanings"]),
        (&json!(0), &json!(0))
    );
    assert!(
        setup
            .refusal_of(&["cache", "purge", "nobody"])
            .contains("no job")
    );
}

#[tokio::test]
async fn a_suggestion_is_shown_beside_the_picture() {
    let setup = Setup::with_file(SUGGEST);
    let server = setup.start();
    let first = server.paint(FIRST).await;
    server.succeeded(&first).await;
    let job = suggested(&server).await;
    assert_eq!(job["cache"], "miss");
    assert_eq!(job["similar_to"]["prompt"], FIRST);
    let shown = server.get(text(&job["similar_to"]["image"]["url"]));
    assert_eq!(shown.send().await.unwrap().status(), 200);
    let page = server.get(&format!("/jobs/{}", text(&job["id"])));
    let page = page.send().await.unwrap().text().await.unwrap();
    assert!(page.contains("An earlier picture"), "{page}");
}

const SUGGEST: &str = "limits = []\n[semantic]\nmode = \"suggest\"";

/// A picture that was painted beside an earlier one of the same meaning.
async fn suggested(server: &Atelier) -> Value {
    let job = until(server, SAME, |job| job["similar_to"].is_object()).await;
    server.succeeded(&job).await
}

#[tokio::test]
async fn what_the_encoder_cannot_read_is_compared_exactly() {
    let setup = Setup::with_file("limits = []");
    let server = setup.start();
    let long = format!("{} at night", "a very long street ".repeat(1600));
    for prompt in [
        "🦊🌲❄️",
        "ein Hund jagt eine Katze",
        "一只猫坐在窗台上",
        "قطة على السطح",
        "a\u{200b} fox \u{202e}in the\u{202c} snow",
        "\u{200b}\u{feff}x",
        "((((((((",
        "\"\"\"\"'''",
        long.as_str(),
    ] {
        let job = server.paint(prompt).await;
        assert_eq!(job["cache"], "miss", "{prompt}");
        server.succeeded(&job).await;
        let again = server.paint(prompt).await;
        assert_eq!(again["cache"], "exact", "{prompt}");
    }
    for other in ["🦊🌲", "eine Katze jagt ein Hund", "一只狗坐在窗台上"] {
        assert_eq!(server.paint(other).await["cache"], "miss", "{other}");
    }
}

#[tokio::test]
async fn prompts_that_differ_where_the_encoder_has_stopped_reading_are_different() {
    let setup = Setup::with_file("limits = []");
    let server = setup.start();
    let street = "a quiet street with a baker, a butcher, a florist and a cobbler, ".repeat(12);
    let first = server.paint(&format!("{street} and a red door")).await;
    server.succeeded(&first).await;
    until_known(&server, &format!("{street} and a crimson door")).await;
    let other = server.paint(&format!("{street} and a blue door")).await;
    assert_eq!(other["cache"], "miss");
}

#[tokio::test]
async fn an_encoder_that_is_slow_or_down_costs_a_moment_and_is_a_miss() {
    let openai = OpenAi::start(vec![]).await;
    let setup = Setup::with_file("limits = []\n[semantic]\nencoder = \"openai\"").openai(&openai);
    let server = setup.start();
    let first = server.paint(FIRST).await;
    server.succeeded(&first).await;
    until_known(&server, SAME).await;
    assert!(openai.embedded() >= 2);
    openai.think_long();
    let started = Instant::now();
    assert_eq!(
        server.paint("an old house, a crimson car").await["cache"],
        "miss"
    );
    assert!(started.elapsed() < Duration::from_secs(30));
    server.logged("no vector within 300 ms");
    // The same words need none.
    assert_eq!(server.paint(FIRST).await["cache"], "exact");
}

/// Runs `atelier cache explain` with these arguments.
fn explained(arguments: &[&str]) -> Value {
    let output = Setup::new().run(&[&["cache", "explain"], arguments].concat());
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn two_questions_are_explained() {
    let explain = |a: &str, b: &str| explained(&["--questions", a, b]);
    let same = explain(
        "How do I remove rust?",
        "Hi, could you tell me how to get rid of rust? Thanks!",
    );
    assert_eq!(same["match"], true, "{same}");
    let other = explain("How do I install Docker?", "How do I uninstall Docker?");
    assert_eq!(other["match"], false, "{other}");
    assert!(text(&other["reason"]).contains("install"), "{other}");
    let swapped = explain("What causes inflation?", "What does inflation cause?");
    assert_eq!(swapped["match"], false, "{swapped}");
}

#[tokio::test]
async fn two_prompts_are_explained() {
    let explain = |a: &str, b: &str| explained(&[a, b]);
    let same = explain("a red car", "a crimson automobile");
    assert_eq!(same["match"], true, "{same}");
    let other = explain("two cats on a sofa", "three cats on a sofa");
    assert_eq!(other["match"], false, "{other}");
    assert!(text(&other["reason"]).contains("counts differ"), "{other}");
    let swapped = explain("an astronaut riding a horse", "a horse riding an astronaut");
    assert_eq!(swapped["match"], false, "{swapped}");
    assert!(swapped["similarity"].as_f64() > Some(0.9), "{swapped}");
}
