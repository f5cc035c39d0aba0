//! Too much.

use image::ImageFormat;
use serde_json::{Value, json};

use super::{fill_in, page};
use crate::files::only;
use crate::support::{Answer, Atelier, OpenAi, Setup, blobs, photo, problem, taken, text};

/// As the default limits, but for windows that do not end while we look.
const LIMITS: &str = "
    [[limits]]
    name = 'pictures'
    scope = 'ip'
    unit = 'images'
    algorithm = 'fixed_window'
    quota = 20
    window = '365d'
    actions = ['image']
    [[limits]]
    name = 'photos'
    scope = 'ip'
    unit = 'images'
    algorithm = 'fixed_window'
    quota = 1
    window = '365d'
    actions = ['restoration']
    [[limits]]
    name = 'burst'
    scope = 'ip'
    unit = 'requests'
    algorithm = 'fixed_window'
    quota = 5
    window = '365d'
";

async fn limited(file: &str, script: Vec<Answer>) -> (Setup, OpenAi, Atelier) {
    let openai = OpenAi::start(script).await;
    let setup = Setup::with_file(file).openai(&openai);
    let server = setup.start();
    (setup, openai, server)
}

async fn remaining(server: &Atelier, name: &str) -> f64 {
    let limits: Value = server.json("/api/limits").await;
    let limits = limits["limits"].as_array().unwrap();
    let limit = limits.iter().find(|limit| limit["name"] == name).unwrap();
    limit["remaining"].as_f64().unwrap()
}

/// A refund follows the end of its job at once, but not before it.
async fn refunded(server: &Atelier, name: &str, expected: f64) {
    let arrives = async { while remaining(server, name).await < expected {} };
    tokio::time::timeout(crate::support::PATIENCE, arrives)
        .await
        .expect("the charge is refunded");
    assert_eq!(remaining(server, name).await, expected);
}

async fn use_up(server: &Atelier) {
    for number in 1..=5 {
        server.paint(&format!("boat number {number}")).await;
    }
}

#[tokio::test]
async fn the_sixth_order_is_one_too_many() {
    let (_setup, openai, server) = limited(LIMITS, vec![]).await;
    use_up(&server).await;
    let response = server
        .post("/api/images")
        .json(&json!({ "prompt": "a sixth" }))
        .send()
        .await
        .unwrap();
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    let (limit, wait) = (
        header("ratelimit"),
        header("retry-after").parse::<u64>().unwrap(),
    );
    assert_eq!(
        header("ratelimit-policy"),
        "\"pictures\";q=20;w=31536000, \"burst\";q=5;w=31536000"
    );
    assert!(
        limit.contains(&format!("\"burst\";r=0;t={wait}")),
        "{limit}"
    );
    assert!(
        limit.starts_with("\"pictures\";r=15;"),
        "what is refused is not charged: {limit}"
    );
    assert!((1..=31_536_000).contains(&wait));
    let (status, problem) = problem(response).await;
    assert_eq!((status, text(&problem["code"])), (429, "limited"));
    assert_eq!(problem["violated-policies"], json!(["burst"]));
    assert_eq!(
        text(&problem["type"]),
        "https://iana.org/assignments/http-problem-types#quota-exceeded"
    );
    assert_eq!(remaining(&server, "burst").await, 0.0);
    assert_eq!(remaining(&server, "pictures").await, 15.0);
    openai.called(5).await;
    assert!(
        openai
            .calls()
            .iter()
            .all(|call| call["prompt"] != "a sixth")
    );
}

#[tokio::test]
async fn a_form_over_the_limit_is_answered_with_a_page() {
    let (_setup, _openai, server) = limited(LIMITS, vec![]).await;
    use_up(&server).await;
    let response = fill_in(&server, &[("prompt", "a sixth")]).await;
    assert!(response.headers().contains_key("retry-after"));
    assert!(response.headers().contains_key("ratelimit"));
    let (status, page) = page(response).await;
    assert_eq!(status, 429);
    assert!(page.contains("Too fast. Try again in"), "{page}");
}

#[tokio::test]
async fn a_photo_over_the_limit_is_not_kept() {
    let (setup, _openai, server) = limited(LIMITS, vec![]).await;
    let job = taken(server.restore(photo(40, 30, ImageFormat::Jpeg)).await).await;
    let job = server.succeeded(&job).await;
    // The preview is cleared away once the job is finished.
    only(&setup, &[&job["images"][0]["url"], &job["original"]["url"]]).await;
    let kept = blobs(&setup.data());
    let (status, problem) = problem(server.restore(photo(30, 40, ImageFormat::Jpeg)).await).await;
    assert_eq!(
        (status, &problem["violated-policies"]),
        (429, &json!(["photos"]))
    );
    assert_eq!(blobs(&setup.data()), kept);
}

#[tokio::test]
async fn what_is_asked_for_at_once_is_counted_at_once() {
    let (_setup, _openai, server) = limited(LIMITS, vec![]).await;
    server.submit(&json!({ "prompt": "boats", "n": 10 })).await;
    assert_eq!(remaining(&server, "pictures").await, 10.0);
    assert_eq!(remaining(&server, "burst").await, 4.0);
    let orders = (0..10).map(|number| {
        let order = server
            .post("/api/images")
            .json(&json!({ "prompt": format!("boat {number}"), "n": 4 }));
        async move { order.send().await.unwrap().status().as_u16() }
    });
    let statuses = futures::future::join_all(orders).await;
    assert_eq!(
        statuses.iter().filter(|status| **status == 202).count(),
        2,
        "{statuses:?}"
    );
    assert_eq!(remaining(&server, "pictures").await, 2.0);
    assert_eq!(remaining(&server, "burst").await, 2.0);
}

#[tokio::test]
async fn a_job_that_failed_costs_its_request_alone() {
    let blocked = json!({ "error": { "code": "moderation_blocked", "message": "x" } });
    let (_setup, _openai, server) =
        limited(LIMITS, vec![Answer::Error(400, vec![], blocked)]).await;
    let job = server.submit(&json!({ "prompt": "a boat", "n": 4 })).await;
    assert_eq!(server.finished(&job).await["status"], "failed");
    refunded(&server, "pictures", 20.0).await;
    assert_eq!(remaining(&server, "burst").await, 4.0);
}

#[tokio::test]
async fn who_cancels_before_the_call_gets_the_pictures_back() {
    let one_at_a_time = format!("{LIMITS}\n[openai]\nparallel = 1");
    let (_setup, openai, server) = limited(&one_at_a_time, vec![Answer::Hang]).await;
    server.paint("a barge").await;
    openai.called(1).await;
    let job = server.submit(&json!({ "prompt": "a boat", "n": 4 })).await;
    assert_eq!(remaining(&server, "pictures").await, 15.0);
    let path = format!("/api/jobs/{}", text(&job["id"]));
    assert_eq!(server.delete(&path).send().await.unwrap().status(), 200);
    assert_eq!(remaining(&server, "pictures").await, 19.0);
    assert_eq!(remaining(&server, "burst").await, 3.0);
}

/// One picture is made, and one is charged.
#[tokio::test]
async fn who_joins_a_call_gets_the_pictures_back_when_it_ends() {
    let (_setup, openai, server) = limited(LIMITS, vec![Answer::Hang]).await;
    let leader = server.paint("a boat").await;
    openai.called(1).await;
    let follower = server.paint("a boat").await;
    assert_eq!(follower["cache"], "joined");
    assert_eq!(remaining(&server, "pictures").await, 18.0);
    openai.release();
    server.succeeded(&leader).await;
    server.succeeded(&follower).await;
    refunded(&server, "pictures", 19.0).await;
    assert_eq!(remaining(&server, "burst").await, 3.0);
}

#[tokio::test]
async fn an_answer_from_the_cache_costs_its_request_alone() {
    let (_setup, openai, server) = limited(LIMITS, vec![]).await;
    server.succeeded(&server.paint("a boat").await).await;
    let order = || {
        let order = server.post("/api/images");
        order.json(&json!({ "prompt": "a boat" })).send()
    };
    for left in [3, 2, 1, 0] {
        let response = order().await.unwrap();
        let limit = response.headers()["ratelimit"].to_str().unwrap().to_owned();
        assert!(limit.contains(&format!("\"burst\";r={left};")), "{limit}");
        assert_eq!(taken(response).await["cache"], "exact");
    }
    let (status, problem) = problem(order().await.unwrap()).await;
    assert_eq!(
        (status, &problem["violated-policies"]),
        (429, &json!(["burst"]))
    );
    assert_eq!(remaining(&server, "pictures").await, 19.0);
    assert_eq!(openai.calls().len(), 1);
}

/// An address that a client only claims is not believed.
#[tokio::test]
async fn a_claimed_address_does_not_help() {
    let (_setup, _openai, server) = limited(LIMITS, vec![]).await;
    use_up(&server).await;
    let order = server
        .post("/api/images")
        .header("x-forwarded-for", "203.0.113.7");
    let response = order
        .json(&json!({ "prompt": "a sixth" }))
        .send()
        .await
        .unwrap();
    assert_eq!(problem(response).await.0, 429);
}

#[tokio::test]
async fn there_are_limits_without_a_configuration() {
    let (_setup, _openai, server) = limited("", vec![]).await;
    let response = server
        .post("/api/images")
        .json(&json!({ "prompt": "a boat" }))
        .send()
        .await
        .unwrap();
    assert_eq!(
        response.headers()["ratelimit-policy"],
        "\"burst\";q=5;w=60, \"daily-pictures\";q=20;w=86400, \"daily-budget\";q=1000;w=86400;qu=\"usd-cents\""
    );
    let limits: Value = server.json("/api/limits").await;
    let quotas: Vec<_> = limits["limits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|limit| (text(&limit["name"]), &limit["quota"]))
        .collect();
    let expected = [
        ("burst", &json!(5.0)),
        ("daily-pictures", &json!(20.0)),
        ("daily-photos", &json!(10.0)),
        ("daily-budget", &json!(10.0)),
    ];
    assert_eq!(quotas, expected);
}

/// Every algorithm lets the quota through, and again when it said it would.
#[tokio::test]
async fn retry_after_is_neither_too_early_nor_far_too_late() {
    for algorithm in ["fixed_window", "sliding_window", "token_bucket"] {
        let policy = format!(
            "[[limits]]\nname = 'p'\nscope = 'ip'\nunit = 'requests'\nalgorithm = '{algorithm}'\n\
             quota = 2\nwindow = '2s'"
        );
        let (_setup, _openai, server) = limited(&policy, vec![]).await;
        let order = |number: u32| {
            let body = json!({ "prompt": format!("boat {number}") });
            let order = server.post("/api/images").json(&body);
            async move { order.send().await.unwrap() }
        };
        let mut number = 0;
        let refused = loop {
            number += 1;
            let answer = order(number).await;
            if answer.status() == 429 {
                break answer;
            }
        };
        let wait = refused.headers()["retry-after"].to_str().unwrap();
        let wait: u64 = wait.parse().unwrap();
        assert!((1..=4).contains(&wait), "{algorithm}: {wait}");
        tokio::time::sleep(std::time::Duration::from_secs(wait)).await;
        assert_eq!(order(100).await.status(), 202, "{algorithm}");
    }
}

#[tokio::test]
async fn the_limits_are_told_also_when_an_order_is_no_good() {
    let (_setup, _openai, server) = limited(LIMITS, vec![]).await;
    let order = server.post("/api/images").json(&json!({ "prompt": "" }));
    let answer = order.send().await.unwrap();
    assert_eq!(answer.status(), 422);
    assert!(
        answer.headers()["ratelimit"]
            .to_str()
            .unwrap()
            .contains("\"burst\";r=5;")
    );
    assert!(answer.headers().contains_key("ratelimit-policy"));
    let answer = server.restore(b"no photo".to_vec()).await;
    assert!(answer.status().is_client_error());
    assert!(
        answer.headers()["ratelimit"]
            .to_str()
            .unwrap()
            .starts_with("\"photos\";r=1;")
    );
}

#[tokio::test]
async fn more_than_is_ever_given_out_is_told_so() {
    let few = LIMITS.replace("quota = 20", "quota = 3");
    let (_setup, _openai, server) = limited(&few, vec![]).await;
    let order = server
        .post("/api/images")
        .json(&json!({ "prompt": "boats", "n": 4 }));
    let (status, problem) = problem(order.send().await.unwrap()).await;
    assert_eq!(
        (status, &problem["violated-policies"]),
        (429, &json!(["pictures"]))
    );
    assert!(
        text(&problem["detail"]).contains("Ask for fewer"),
        "{problem}"
    );
    assert_eq!(remaining(&server, "pictures").await, 3.0);
}

/// At zero the form says when to come back, and still offers what is cached.
#[tokio::test]
async fn without_pictures_left_there_is_still_what_was_made_before() {
    let one = LIMITS.replace("quota = 20", "quota = 1");
    let (_setup, openai, server) = limited(&one, vec![]).await;
    server.succeeded(&server.paint("a boat").await).await;
    let page = server.get("/").send().await.unwrap().text().await.unwrap();
    assert!(
        page.contains("No pictures left for now. Come back in"),
        "{page}"
    );
    let refused = server
        .post("/api/images")
        .json(&json!({ "prompt": "a barge" }));
    assert_eq!(problem(refused.send().await.unwrap()).await.0, 429);
    assert_eq!(server.paint("a boat").await["cache"], "exact");
    assert_eq!(remaining(&server, "burst").await, 3.0);
    openai.called(1).await;
    assert_eq!(openai.calls().len(), 1);
}
