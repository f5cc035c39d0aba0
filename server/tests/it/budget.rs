//! Money: reserved by estimate, settled by what the provider charged, and
//! never spent beyond the budget.

use std::{sync::Arc, time::Duration};

use atelier::{
    access::SqliteAccessStore,
    app::schema,
    app::{Caller, Error, Order, Stores, Studio, Terms},
    blob::{Blobs, Journal},
    cache::SqliteCache,
    calls::SqliteCallStore,
    job::Owner,
    limit::{Limiter, RedisLimiter, Stats},
    policies::Refusals,
    providers::local::Local,
    queue::{DynCollection, Housekeeping, SqliteQueue},
    store::{clock::Clock, redis::Redis},
};
use atelier_messages::SqliteMessageStore;
use reqwest::Response;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::support::{
    Answer, Atelier, CHARGED, ESTIMATED, OpenAi, Setup, budget, image_task, models, problem,
    settings, taken, text, usage,
};

async fn studio(script: Vec<Answer>) -> (Setup, OpenAi, Atelier) {
    let openai = OpenAi::start(script).await;
    let setup = Setup::with_file(&budget(1)).openai(&openai);
    let server = setup.start();
    (setup, openai, server)
}

async fn order(server: &Atelier, prompt: &str) -> Response {
    let body = json!({ "prompt": prompt, "size": "1024x1024", "quality": "high" });
    let order = server.post("/api/images").json(&body);
    order.send().await.unwrap()
}

#[tokio::test]
async fn the_estimate_is_reserved_and_the_charge_settled() {
    let (_setup, openai, server) = studio(vec![Answer::Hang]).await;
    let job = taken(order(&server, "a boat").await).await;
    openai.called(1).await;
    server.settled(0.7).await;
    openai.release();
    let job = server.succeeded(&job).await;
    assert!((job["cost_usd"].as_f64().unwrap() - CHARGED).abs() < 1e-9);
    server.settled(1.0 - CHARGED).await;
}

#[tokio::test]
async fn what_fails_costs_nothing_and_what_is_not_told_costs_the_estimate() {
    let blocked = json!({ "error": { "code": "moderation_blocked", "message": "x" } });
    let script = vec![Answer::Error(400, vec![], blocked), Answer::Url];
    let (_setup, _openai, server) = studio(script).await;
    server
        .finished(&taken(order(&server, "a duel").await).await)
        .await;
    server.settled(1.0).await;
    server
        .succeeded(&taken(order(&server, "a boat").await).await)
        .await;
    server.settled(0.7).await;
}

/// Each is made twice: what was paid for and brought nothing is repeated once.
#[tokio::test]
async fn a_call_that_brought_nothing_costs_its_usage_or_its_estimate() {
    let of_no_use: [(fn() -> Answer, f64); 5] = [
        (|| told(&json!([{ "b64_json": "???" }])), CHARGED),
        (|| told(&json!("none")), CHARGED),
        (|| Answer::Json(json!({ "data": [] })), ESTIMATED),
        (|| Answer::Garbage("<html>a proxy's page</html>"), ESTIMATED),
        (|| Answer::Cut, ESTIMATED),
    ];
    for (which, (answer, cost)) in of_no_use.into_iter().enumerate() {
        let openai = OpenAi::start(vec![answer(), answer()]).await;
        let file = format!("{}[queue]\nretry_base = '10ms'", budget(1));
        let server = Setup::with_file(&file).openai(&openai).start();
        let job = taken(order(&server, "a boat").await).await;
        let job = server.finished(&job).await;
        assert_eq!(job["status"], "failed", "{which}: {job}");
        assert_eq!(openai.calls().len(), 2, "{which}");
        server.settled(1.0 - 2.0 * cost).await;
    }
}

/// An answer with usage.
fn told(data: &Value) -> Answer {
    Answer::Json(json!({ "created": 1, "data": data, "usage": usage() }))
}

#[tokio::test]
async fn a_call_that_its_process_did_not_survive_costs_its_estimate() {
    let (setup, openai, server) = studio(vec![Answer::Hang]).await;
    let job = taken(order(&server, "a boat").await).await;
    openai.called(1).await;
    server.kill();
    let server = setup.start();
    server.succeeded(&job).await;
    assert_eq!(openai.calls().len(), 2);
    server.settled(1.0 - ESTIMATED - CHARGED).await;
}

#[tokio::test]
async fn whoever_joins_a_call_does_not_pay_it_again() {
    let (_setup, openai, server) = studio(vec![Answer::Hang]).await;
    let first = taken(order(&server, "a boat").await).await;
    openai.called(1).await;
    let second = taken(order(&server, "a boat").await).await;
    assert_eq!(second["cache"], "joined");
    openai.release();
    server.succeeded(&first).await;
    server.succeeded(&second).await;
    server.settled(1.0 - CHARGED).await;
}

/// Whoever cancels before the call is given everything back; the call is paid
/// by who still waits for it.
#[tokio::test]
async fn a_call_is_paid_though_who_ordered_it_first_has_left() {
    let openai = OpenAi::start(vec![Answer::Hang]).await;
    let one_at_a_time = budget(1).replace("[openai]", "[openai]\nparallel = 1");
    let setup = Setup::with_file(&one_at_a_time).openai(&openai);
    let server = setup.start();
    let before = taken(order(&server, "a barge").await).await;
    openai.called(1).await;
    let leader = taken(order(&server, "a boat").await).await;
    let follower = taken(order(&server, "a boat").await).await;
    assert_eq!(follower["cache"], "joined");
    server.settled(0.1).await;
    let path = format!("/api/jobs/{}", text(&leader["id"]));
    assert_eq!(server.delete(&path).send().await.unwrap().status(), 200);
    server.settled(0.4).await;
    openai.release();
    server.succeeded(&before).await;
    server.succeeded(&follower).await;
    server.settled(1.0 - 2.0 * CHARGED).await;
}

/// The one who still waits leaves as well, during the call: it has been begun.
#[tokio::test]
async fn a_call_that_everybody_has_left_costs_its_estimate() {
    let openai = OpenAi::start(vec![Answer::Hang, Answer::Hang]).await;
    let one_at_a_time = budget(1).replace("[openai]", "[openai]\nparallel = 1");
    let setup = Setup::with_file(&one_at_a_time).openai(&openai);
    let server = setup.start();
    let before = taken(order(&server, "a barge").await).await;
    openai.called(1).await;
    let jobs = [
        taken(order(&server, "a boat").await).await,
        taken(order(&server, "a boat").await).await,
    ];
    let cancel = async |job: &Value| {
        let path = format!("/api/jobs/{}", text(&job["id"]));
        assert_eq!(server.delete(&path).send().await.unwrap().status(), 200);
    };
    cancel(&jobs[0]).await;
    openai.release();
    server.succeeded(&before).await;
    openai.called(2).await;
    cancel(&jobs[1]).await;
    server.settled(1.0 - CHARGED - 0.3).await;
}

#[tokio::test]
async fn orders_at_once_do_not_reserve_more_than_there_is() {
    let hang = (0..12).map(|_| Answer::Hang).collect();
    let (_setup, openai, server) = studio(hang).await;
    let prompts: Vec<_> = (0..12).map(|number| format!("boat {number}")).collect();
    let orders = prompts.iter().map(|prompt| order(&server, prompt));
    let answers = futures::future::join_all(orders).await;
    let (granted, refused): (Vec<_>, Vec<_>) = answers
        .into_iter()
        .partition(|answer| answer.status() == 202);
    assert_eq!(granted.len(), 3);
    for answer in refused {
        assert!(answer.headers().contains_key("retry-after"));
        let (status, problem) = problem(answer).await;
        assert_eq!(status, 429);
        assert_eq!(problem["violated-policies"], json!(["budget"]));
        assert!(text(&problem["detail"]).contains("has spent its budget"));
    }
    openai.called(3).await;
    openai.release();
    for answer in granted {
        server.succeeded(&taken(answer).await).await;
    }
    server.settled(1.0 - 3.0 * CHARGED).await;
}

#[tokio::test]
async fn without_money_there_is_still_what_was_made_before() {
    let (_setup, _openai, server) =
        studio(vec![Answer::Picture, Answer::Url, Answer::Url, Answer::Url]).await;
    for prompt in ["a boat", "a barge", "a raft"] {
        server
            .succeeded(&taken(order(&server, prompt).await).await)
            .await;
    }
    server.settled(0.4 - CHARGED).await;
    server
        .succeeded(&taken(order(&server, "a buoy").await).await)
        .await;
    assert_eq!(order(&server, "a mast").await.status(), 429);
    let again = order(&server, "a boat").await;
    assert!(
        again.headers()["ratelimit"]
            .to_str()
            .unwrap()
            .starts_with("\"budget\";r=")
    );
    assert_eq!(taken(again).await["cache"], "exact");
    let fresh =
        json!({ "prompt": "a boat", "size": "1024x1024", "quality": "high", "fresh": true });
    let fresh = server
        .post("/api/images")
        .json(&fresh)
        .send()
        .await
        .unwrap();
    assert_eq!(fresh.status(), 429);
    let page = server.get("/").send().await.unwrap().text().await.unwrap();
    assert!(
        page.contains("The studio's budget is spent. Come back in"),
        "{page}"
    );
}

#[tokio::test]
async fn what_costs_more_than_the_whole_budget_is_told_so() {
    let (_setup, _openai, server) = studio(vec![]).await;
    let body = json!({ "prompt": "a fleet", "n": 10, "quality": "high" });
    let answer = server.post("/api/images").json(&body).send().await.unwrap();
    let (status, problem) = problem(answer).await;
    assert_eq!(status, 429);
    assert!(
        text(&problem["detail"]).contains("something smaller"),
        "{problem}"
    );
    server.settled(1.0).await;
}

#[test]
fn a_budget_needs_a_price_for_the_model() {
    let file = budget(1).replace("'*'", "'other'");
    let setup = Setup::with_file(&file).set("OPENAI_API_KEY", "sk-test");
    let refusal = setup.refusal();
    assert!(refusal.contains("openai.estimates"), "{refusal}");
    assert!(refusal.contains("budget"), "{refusal}");
}

/// A studio whose limits are kept where nobody answers, and all else is well.
async fn limits_away(on_error: &str, folder: &std::path::Path) -> Studio {
    let text = format!(
        "name = 'p'\nscope = 'ip'\nunit = 'requests'\nalgorithm = 'fixed_window'\n\
         quota = 1\nwindow = '1d'\non_error = '{on_error}'"
    );
    let database = schema::open(&folder.join("atelier.db")).unwrap();
    let queue = SqliteQueue::take_over(database.clone(), Clock::system().now());
    let nobody = Redis::open("redis://127.0.0.1:1".parse().unwrap());
    let limiter: Arc<dyn Limiter> = Arc::new(RedisLimiter::new(nobody));
    let queue = Arc::new(queue.await.unwrap());
    let minute = Duration::from_secs(60);
    let refusals = Refusals::new(Arc::clone(&limiter), 1, minute).unwrap();
    let stores = Stores {
        clock: Clock::system(),
        collection: Arc::clone(&queue) as Arc<DynCollection>,
        files: Arc::clone(&queue) as Arc<dyn Housekeeping>,
        queue,
        journal: Journal::in_folder(folder.join("journal")),
        blobs: Blobs::in_folder(folder).unwrap(),
        cache: Arc::new(SqliteCache::new(database.clone(), 100)),
        semantic: None,
        limiter,
        access: Arc::new(SqliteAccessStore::new(database.clone())),
        calls: Arc::new(SqliteCallStore::new(database.clone())),
        pins: Arc::new(SqliteCallStore::new(database.clone())),
        messages: Arc::new(SqliteMessageStore::new(database)),
        redis: None,
    };
    let settings = settings(vec![Arc::new(toml::from_str(&text).unwrap())], minute);
    let (stats, drain) = (Stats::new(None), CancellationToken::new());
    let models = models(&(Arc::new(Local) as _));
    Studio::new(stores, settings, models, refusals, stats, drain)
}

#[tokio::test]
async fn a_policy_says_what_happens_when_it_cannot_be_asked() {
    let caller = Caller {
        ip: "203.0.113.1".into(),
        owner: Some(Owner::Session("1".into())),
        held: None,
        holder: None,
    };
    let order = Order::Image(image_task("a boat"));
    for (on_error, taken) in [("allow", true), ("deny", false)] {
        let folder = tempfile::tempdir().unwrap();
        let studio = Arc::new(limits_away(on_error, folder.path()).await);
        let answer = studio
            .submit(&caller, order.clone(), Terms::default())
            .await;
        match answer {
            Ok(accepted) => assert!(taken && accepted.standings.is_empty()),
            Err(error) => assert!(!taken && matches!(error, Error::Limit(_)), "{error}"),
        }
        assert_eq!(
            studio.jobs(&caller, None, 9).await.unwrap().len(),
            usize::from(taken)
        );
    }
}
