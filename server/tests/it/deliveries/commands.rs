//! `atelier messages`, `schedules`, `groups` and `dlq`, and `atelier serve --dev-queue`.

use serde_json::{Value, json};

use super::{Answer, Receiver, Site, sent};
use crate::support::{Setup, text};

/// What the command prints.
fn printed(setup: &Setup, arguments: &[&str]) -> String {
    let output = setup.run(arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What the command prints as JSON, line by line.
fn told(setup: &Setup, arguments: &[&str]) -> Vec<Value> {
    let text = printed(setup, arguments);
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Why the command fails.
fn refused(setup: &Setup, arguments: &[&str]) -> String {
    let output = setup.run(arguments);
    assert!(!output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_are_listed_shown_and_cancelled() {
    let site = Site::start();
    let (setup, url) = (&site.setup, "https://example.com/hook");
    let later = site.publish(url).header("upstash-delay", "1d");
    let id = sent(later.body("hello")).await;
    let table = printed(setup, &["messages", "list"]);
    assert!(
        table.starts_with("ID") && table.contains(&id) && table.contains(url),
        "{table}"
    );
    let all = told(setup, &["messages", "list", "--json"]);
    assert_eq!(all.len(), 1);
    for message in [&all[0], &told(setup, &["messages", "show", &id])[0]] {
        assert_eq!(message["messageId"], id);
        assert_eq!(message["body"], "hello");
        assert_eq!(message["state"], "queued");
    }
    let none = told(setup, &["messages", "list", "--json", "--owner", "key_x"]);
    assert_eq!(none, Vec::<Value>::new());
    printed(setup, &["messages", "cancel", &id]);
    let states = site.states(&id, "CANCELED").await;
    assert_eq!(states, ["CREATED", "CANCELED"]);
    refused(setup, &["messages", "cancel", &id]);
    let error = refused(setup, &["messages", "show", "msg_x"]);
    assert!(error.contains("atelier messages list"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_listed_retried_and_deleted() {
    let answers = vec![Answer::status(500); 3];
    let (site, receiver) = (Site::start(), Receiver::start(answers).await);
    for body in ["one", "two", "three"] {
        let request = site.publish(&receiver.url).header("upstash-retries", "0");
        sent(request.body(body)).await;
        receiver.next().await;
    }
    site.dead(3).await;
    let setup = &site.setup;
    let letters = told(setup, &["dlq", "list", "--json"]);
    assert_eq!(letters.len(), 3);
    let table = printed(setup, &["dlq", "list"]);
    for letter in &letters {
        assert!(table.contains(text(&letter["dlqId"])), "{table}");
    }
    let id = text(&letters[0]["dlqId"]);
    assert_eq!(told(setup, &["dlq", "show", id])[0], letters[0]);
    let done = printed(setup, &["dlq", "retry", id]);
    assert_eq!(done, "1 are delivered again\n");
    let again = receiver.next().await;
    assert_eq!(again.header("upstash-message-id"), letters[0]["messageId"]);
    refused(setup, &["dlq", "retry", id]);
    printed(setup, &["dlq", "delete", text(&letters[1]["messageId"])]);
    let done = printed(setup, &["dlq", "delete", "--all"]);
    assert_eq!(done, "1 are deleted\n");
    assert_eq!(site.json("/v2/dlq").await["messages"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn schedules_and_groups_are_listed_shown_and_deleted() {
    let site = Site::start();
    let path = "/v2/schedules/https://example.com/";
    let schedule = site.server.post(path).bearer_auth(&site.key);
    let schedule = schedule
        .header("upstash-cron", "1 1 1 1 *")
        .header("upstash-schedule-id", "plan");
    schedule.send().await.unwrap().error_for_status().unwrap();
    let path = "/v2/topics/group/endpoints";
    let group = site.server.post(path).bearer_auth(&site.key);
    let group = group.json(&json!({ "endpoints": [{ "url": "https://a.example" }] }));
    group.send().await.unwrap().error_for_status().unwrap();

    let setup = &site.setup;
    for (command, name) in [("schedules", "plan"), ("groups", "group")] {
        assert!(printed(setup, &[command, "list"]).contains(name));
        let listed = told(setup, &[command, "list", "--json"]);
        assert_eq!(told(setup, &[command, "show", name]), listed);
    }
    printed(setup, &["schedules", "pause", "plan"]);
    assert_eq!(site.json("/v2/schedules/plan").await["isPaused"], true);
    printed(setup, &["schedules", "resume", "plan"]);
    assert_eq!(site.json("/v2/schedules/plan").await["isPaused"], false);
    for (command, name) in [("schedules", "plan"), ("groups", "group")] {
        printed(setup, &[command, "delete", name]);
        assert_eq!(
            told(setup, &[command, "list", "--json"]),
            Vec::<Value>::new()
        );
        refused(setup, &[command, "delete", name]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_development_queue_answers_to_what_everybody_knows() {
    let setup = Setup::with_file("limits = []");
    let server = setup.start_dev_queue().without_session();
    let token = "eyJVc2VySUQiOiJkZWZhdWx0VXNlciIsIlBhc3N3b3JkIjoiZGVmYXVsdFBhc3N3b3JkIn0=";
    let keys = server.get("/v2/keys").bearer_auth(token).send().await;
    let keys: Value = keys.unwrap().json().await.unwrap();
    let expected = json!({
        "current": "sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r",
        "next": "sig_5ZB6DVzB1wjE8S6rZ7eenA8Pdnhs",
    });
    assert_eq!(keys, expected);
    // What is being developed runs here.
    let receiver = Receiver::start(vec![]).await;
    let path = format!("/v2/publish/{}", receiver.url);
    sent(server.post(&path).bearer_auth(token)).await;
    assert!(!receiver.next().await.header("upstash-signature").is_empty());
    let other = server.get("/v2/keys").bearer_auth("key_other").send().await;
    assert_eq!(other.unwrap().status(), 401);
}

#[test]
fn the_development_queue_is_for_this_machine_alone() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:8080"] {
        let setup = Setup::with_file("limits = []").set("ATELIER_LISTEN", address);
        let error = refused(&setup, &["serve", "--dev-queue"]);
        assert!(error.contains("127.0.0.1"), "{error}");
    }
}
