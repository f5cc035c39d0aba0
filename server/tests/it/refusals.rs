//! Prompts that the provider refuses as unsafe cost the operator's account, so
//! whoever has many refused is held.

use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};

use crate::support::{
    Answer, Atelier, OpenAi, PATIENCE, Setup, problem, redis_database, taken, text,
};

/// Three, and none comes back while we look.
const FILE: &str = "
    limits = []
    workers = 1
    trusted_proxies = ['127.0.0.1/32']
    [refusals]
    quota = 3
    window = '365d'
";

fn unsafe_words() -> Answer {
    let body = json!({ "error": { "code": "moderation_blocked", "message": "No." } });
    Answer::Error(400, vec![], body)
}

/// Refuses so many, and then makes pictures.
async fn studio(file: &str, refusals: usize) -> (Setup, OpenAi, Atelier) {
    let openai = OpenAi::start((0..refusals).map(|_| unsafe_words()).collect()).await;
    let setup = Setup::with_file(file).openai(&openai);
    let server = setup.start().without_session();
    (setup, openai, server)
}

fn order(server: &Atelier, prompt: &str) -> RequestBuilder {
    let order = server.post("/api/images");
    order.json(&json!({ "prompt": prompt }))
}

/// From this address, as a trusted proxy tells it.
fn from(order: RequestBuilder, ip: &str) -> RequestBuilder {
    order.header("x-forwarded-for", ip)
}

/// Until this job has ended; the refusal of one counts at once after that.
async fn ended(
    server: &Atelier,
    answer: Response,
    as_who: impl Fn(RequestBuilder) -> RequestBuilder,
) -> Value {
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    let poll = async {
        loop {
            let job = as_who(server.get(&location)).send().await.unwrap();
            let job: Value = job.json().await.unwrap();
            if ["succeeded", "failed"].contains(&text(&job["status"])) {
                return job;
            }
        }
    };
    tokio::time::timeout(PATIENCE, poll).await.expect("an end")
}

async fn refused(
    server: &Atelier,
    answer: Response,
    as_who: impl Fn(RequestBuilder) -> RequestBuilder,
) {
    let job = ended(server, answer, as_who).await;
    assert_eq!(job["error"]["code"], "content_refused", "{job}");
}

async fn is_held(answer: Response) {
    let wait: u64 = answer.headers()["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(wait > 1_000_000, "{wait}");
    let (status, problem) = problem(answer).await;
    assert_eq!(
        (status, &problem["violated-policies"]),
        (429, &json!(["refusals"])),
        "{problem}"
    );
    assert!(
        text(&problem["detail"]).contains("refused too much"),
        "{problem}"
    );
}

async fn whoever_is_refused_often_is_held(setup: Setup, openai: OpenAi) {
    let (ada, ben) = (setup.key("Ada"), setup.key("Ben"));
    let server = setup.start();
    for number in 0..3 {
        let order = order(&server, &format!("nastiness {number}")).bearer_auth(&ada);
        let answer = order.send().await.unwrap();
        assert_eq!(answer.status(), 202);
        // A refusal says nothing of others' limits.
        assert!(!answer.headers().contains_key("ratelimit"));
        refused(&server, answer, |poll| poll.bearer_auth(&ada)).await;
    }
    held_soon(|| order(&server, "a boat").bearer_auth(&ada)).await;
    let fine = order(&server, "a barge").bearer_auth(&ben).send().await;
    taken(fine.unwrap()).await;
    openai.called(4).await;
    assert_eq!(openai.calls().len(), 4);
}

/// The refusal is counted right after the job has ended.
async fn held_soon(order: impl Fn() -> RequestBuilder) {
    let held = async {
        loop {
            let answer = order().send().await.unwrap();
            if answer.status() == 429 {
                return is_held(answer).await;
            }
        }
    };
    tokio::time::timeout(PATIENCE, held).await.expect("a hold");
}

#[tokio::test]
async fn a_key_that_is_refused_often_is_held() {
    let openai = OpenAi::start((0..3).map(|_| unsafe_words()).collect()).await;
    let setup = Setup::with_file(FILE).openai(&openai);
    whoever_is_refused_often_is_held(setup, openai).await;
}

#[tokio::test]
async fn a_key_that_is_refused_often_is_held_on_redis() {
    let openai = OpenAi::start((0..3).map(|_| unsafe_words()).collect()).await;
    let setup = Setup::with_file(FILE).openai(&openai);
    let setup = setup.set("ATELIER_REDIS_URL", &redis_database().await);
    whoever_is_refused_often_is_held(setup, openai).await;
}

#[tokio::test]
async fn without_a_key_session_and_address_are_held() {
    let (setup, openai, server) = studio(FILE, 3).await;
    let page = server.get("/").send().await.unwrap();
    let cookie = page.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let (here, there) = ("203.0.113.7", "203.0.113.8");
    let in_session = |order: RequestBuilder| order.header("cookie", &cookie);
    for number in 0..3 {
        let order = order(&server, &format!("nastiness {number}"));
        let answer = in_session(from(order, here)).send().await.unwrap();
        refused(&server, answer, in_session).await;
    }
    // Neither a new session nor another address helps, only both together; an
    // API key stands for itself.
    held_soon(|| from(order(&server, "a boat"), here)).await;
    held_soon(|| in_session(from(order(&server, "a boat"), there))).await;
    taken(from(order(&server, "a boat"), there).send().await.unwrap()).await;
    let key = setup.key("Ada");
    let keyed = from(order(&server, "a barge"), here).bearer_auth(&key);
    taken(keyed.send().await.unwrap()).await;
    openai.called(5).await;
    assert_eq!(openai.calls().len(), 5);
}

/// What was handed in before the first refusal came back is not asked for either.
#[tokio::test]
async fn a_flood_of_refused_words_is_not_carried_on() {
    let (_setup, openai, server) = studio(FILE, 100).await;
    let mut jobs = Vec::new();
    for number in 0..30 {
        let answer = order(&server, &format!("nastiness {number}"))
            .send()
            .await
            .unwrap();
        if answer.status() == 202 {
            jobs.push(answer.headers()["location"].to_str().unwrap().to_owned());
        } else {
            is_held(answer).await;
        }
    }
    for job in jobs {
        let job: Value = server.json(&job).await;
        let job = server.finished(&job).await;
        let code = text(&job["error"]["code"]);
        assert!(["content_refused", "held"].contains(&code), "{job}");
    }
    assert_eq!(openai.calls().len(), 3);
}

/// Who asks for the same as somebody who is held meanwhile has the picture nevertheless.
async fn a_hold_is_nobody_elses(setup: Setup, openai: OpenAi) {
    let (ada, ben) = (setup.key("Ada"), setup.key("Ben"));
    let server = setup.start();
    let send = async |prompt: &str, key: &str| {
        let order = order(&server, prompt).bearer_auth(key);
        order.send().await.unwrap()
    };
    let first = send("a barge", &ben).await;
    openai.called(1).await;
    for number in 0..3 {
        send(&format!("nastiness {number}"), &ada).await;
    }
    let boats = [send("a boat", &ada).await, send("a boat", &ben).await];
    let kites = [send("a kite", &ada).await, send("a kite", &ada).await];
    openai.release();
    let status = async |answer, key: &str| {
        let job = ended(&server, answer, |poll| poll.bearer_auth(key)).await;
        let code = job["error"]["code"].as_str().unwrap_or_default();
        (text(&job["status"]).to_owned(), code.to_owned())
    };
    let succeeded = ("succeeded".to_owned(), String::new());
    assert_eq!(status(first, &ben).await, succeeded);
    for (boat, key) in boats.into_iter().zip([&ada, &ben]) {
        assert_eq!(status(boat, key).await, succeeded);
    }
    for kite in kites {
        let held = ("failed".to_owned(), "held".to_owned());
        assert_eq!(status(kite, &ada).await, held);
    }
    assert_eq!(openai.calls().len(), 5);
}

async fn hanging_once() -> OpenAi {
    let refusals = (0..3).map(|_| unsafe_words());
    OpenAi::start([Answer::Hang].into_iter().chain(refusals).collect()).await
}

#[tokio::test]
async fn who_shares_a_call_does_not_share_a_hold() {
    let openai = hanging_once().await;
    let setup = Setup::with_file(FILE).openai(&openai);
    a_hold_is_nobody_elses(setup, openai).await;
}

#[tokio::test]
async fn who_shares_a_call_does_not_share_a_hold_on_redis() {
    let openai = hanging_once().await;
    let setup = Setup::with_file(FILE).openai(&openai);
    let setup = setup.set("ATELIER_REDIS_URL", &redis_database().await);
    a_hold_is_nobody_elses(setup, openai).await;
}

/// An order that is refused for that reason is charged nothing.
#[tokio::test]
async fn who_is_held_is_charged_nothing() {
    let policy = "
        workers = 1
        [refusals]
        quota = 1
        window = '365d'
        [[limits]]
        name = 'pictures'
        scope = 'ip'
        unit = 'images'
        algorithm = 'fixed_window'
        quota = 20
        window = '365d'
    ";
    let (_setup, _openai, server) = studio(policy, 1).await;
    let answer = order(&server, "nastiness").send().await.unwrap();
    refused(&server, answer, |poll| poll).await;
    for _ in 0..5 {
        held_soon(|| order(&server, "a boat")).await;
    }
    let limits: Value = server.json("/api/limits").await;
    assert_eq!(limits["limits"][0]["remaining"], json!(20.0), "{limits}");
}
