//! API users are told how their jobs ended, at addresses of their own.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use atelier::callback::outgoing_secret;
use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use image::ImageFormat;
use reqwest::Response;
use serde_json::{Value, json};
use standardwebhooks::Webhook;
use tokio::{
    net::TcpListener,
    sync::{Mutex as AsyncMutex, mpsc},
    time::timeout,
};

use crate::support::{Answer, Atelier, OpenAi, PATIENCE, Setup, form, photo, problem, taken, text};

pub(crate) const SECRET: &str = "a secret of our tests";
const TOKEN: &str = "the token of our tests";
const FILE: &str = "limits = []\n[callbacks]\nopen = true\nallow_private = true\n[queue]\nattempts = 3\nretry_base = '10ms'";

/// An API user's server.
pub(crate) struct Receiver {
    pub(crate) url: String,
    notices: AsyncMutex<mpsc::UnboundedReceiver<Notice>>,
}

pub(crate) struct Notice {
    pub(crate) id: String,
    pub(crate) body: Value,
}

impl Receiver {
    /// Answers so at first, and then well.
    pub(crate) async fn start(answers: &[StatusCode]) -> Self {
        let answers = Arc::new(Mutex::new(VecDeque::from(answers.to_vec())));
        let (sender, notices) = mpsc::unbounded_channel();
        let receive = async move |headers: HeaderMap, body: Bytes| {
            let webhook = Webhook::from_bytes(SECRET.into()).unwrap();
            webhook.verify(&body, &headers).expect("a valid signature");
            let given = Webhook::new(&outgoing_secret(SECRET)).unwrap();
            given.verify(&body, &headers).expect("another one");
            let id = headers["webhook-id"].to_str().unwrap().to_owned();
            let body = serde_json::from_slice(&body).unwrap();
            sender.send(Notice { id, body }).unwrap();
            let next = answers.lock().unwrap().pop_front();
            next.unwrap_or(StatusCode::NO_CONTENT)
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().route("/hook", post(receive));
        tokio::spawn(axum::serve(listener, router).into_future());
        Self {
            url,
            notices: AsyncMutex::new(notices),
        }
    }

    pub(crate) async fn next(&self) -> Notice {
        let mut notices = self.notices.lock().await;
        let next = timeout(PATIENCE, notices.recv()).await;
        next.expect("a notice arrives").unwrap()
    }
}

/// A server that may call private addresses; keep all three.
async fn studio(script: Vec<Answer>) -> (Setup, OpenAi, Atelier) {
    let openai = OpenAi::start(script).await;
    let setup = Setup::with_file(FILE)
        .openai(&openai)
        .set("ATELIER_SECRET", SECRET)
        .set("ATELIER_ADMIN_TOKEN", TOKEN)
        .set("ATELIER_PUBLIC_URL", "https://atelier.example");
    let server = setup.start_at_its_own_address();
    (setup, openai, server)
}

fn broken() -> Answer {
    let body = json!({ "error": { "message": "No such size.", "code": "invalid_value" } });
    Answer::Error(400, vec![], body)
}

async fn order(server: &Atelier, prompt: &str, receiver: &Receiver) -> Value {
    let body = json!({ "prompt": prompt, "callback_url": receiver.url });
    server.submit(&body).await
}

/// The job as the notice tells it, with addresses as on the site.
fn told(notice: &Notice) -> Value {
    let mut job = notice.body["data"].clone();
    let here = |url: &Value| {
        let path = text(url).strip_prefix("https://atelier.example");
        json!(path.expect("a whole address"))
    };
    job["url"] = here(&job["url"]);
    for image in job["images"].as_array_mut().unwrap() {
        image["url"] = here(&image["url"]);
    }
    job
}

#[tokio::test]
async fn a_notice_arrives_signed_with_the_job() {
    let (_setup, _openai, server) = studio(vec![]).await;
    let receiver = Receiver::start(&[]).await;
    let job = order(&server, "a boat", &receiver).await;
    let job = server.succeeded(&job).await;
    let notice = receiver.next().await;
    assert_eq!(notice.body["type"], "job.succeeded");
    assert!(text(&notice.body["timestamp"]).ends_with('Z'));
    assert_eq!(told(&notice), job);
}

#[tokio::test]
async fn a_photos_form_takes_callbacks_too() {
    let (_setup, _openai, server) = studio(vec![]).await;
    let receiver = Receiver::start(&[]).await;
    let form = form(photo(40, 30, ImageFormat::Png))
        .text("callback_url", receiver.url.clone())
        .text("failure_callback_url", "");
    let request = server.post("/api/restorations").multipart(form);
    let job = taken(request.send().await.unwrap()).await;
    let notice = receiver.next().await;
    assert_eq!(notice.body["data"]["id"], job["id"]);
    let original = text(&notice.body["data"]["original"]["url"]);
    assert!(original.starts_with("https://"), "{original}");
}

#[tokio::test]
async fn a_notice_is_sent_again_under_the_same_id() {
    let (_setup, openai, server) = studio(vec![]).await;
    let busy = [
        StatusCode::INTERNAL_SERVER_ERROR,
        StatusCode::SERVICE_UNAVAILABLE,
    ];
    let receiver = Receiver::start(&busy).await;
    order(&server, "a boat", &receiver).await;
    let first = receiver.next().await;
    for _ in 0..2 {
        let again = receiver.next().await;
        assert_eq!((&again.id, &again.body), (&first.id, &first.body));
    }
    assert_eq!(openai.calls().len(), 1);
}

async fn dead(server: &Atelier) -> Vec<Value> {
    let list = server.get("/api/admin/dead").bearer_auth(TOKEN);
    let list: Value = list.send().await.unwrap().json().await.unwrap();
    list["jobs"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_notice_nobody_takes_is_a_dead_letter_and_no_job_of_the_api() {
    let (setup, _openai, server) = studio(vec![]).await;
    let receiver = Receiver::start(&[StatusCode::IM_A_TEAPOT; 3]).await;
    let job = order(&server, "a boat", &receiver).await;
    let first = receiver.next().await;
    let letter = loop {
        match &dead(&server).await[..] {
            [letter] => break letter.clone(),
            _ => tokio::task::yield_now().await,
        }
    };
    assert_eq!(letter["id"], first.id);
    assert_eq!(
        (&letter["kind"], &letter["job"]),
        (&json!("notice"), &job["id"])
    );
    let owner = text(&letter["owner"]);
    assert!(owner.starts_with("notices:"), "{letter}");
    let attempts = letter["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 3, "{letter}");
    assert!(text(&attempts[0]["message"]).contains("418"), "{letter}");
    let list = String::from_utf8(setup.run(&["dead", "list"]).stdout).unwrap();
    assert!(
        list.contains(&first.id) && list.contains("notice"),
        "{list}"
    );

    let path = format!("/api/jobs/{}", first.id);
    for request in [server.get(&path), server.delete(&path)] {
        assert_eq!(problem(request.send().await.unwrap()).await.0, 404);
    }
    server.succeeded(&job).await;

    // Retried, it arrives.
    let retry = server.post(&format!("/api/admin/dead/{}/retry", first.id));
    let answer = retry.bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(answer.status(), 204);
    for _ in 0..3 {
        assert_eq!(receiver.next().await.id, first.id);
    }
    assert!(dead(&server).await.is_empty());
}

#[tokio::test]
async fn a_failure_is_told_where_it_is_wanted() {
    let (_setup, _openai, server) = studio(vec![broken(), broken()]).await;
    let (good, bad) = (Receiver::start(&[]).await, Receiver::start(&[]).await);
    let body = json!({
        "prompt": "a boat", "callback_url": good.url, "failure_callback_url": bad.url,
    });
    let job = server.finished(&server.submit(&body).await).await;
    let notice = bad.next().await;
    assert_eq!(notice.body["type"], "job.failed");
    assert_eq!(told(&notice), job);
    assert_eq!(job["error"]["code"], "provider_refused");
    // Without an address for failures the other one hears of them.
    let job = order(&server, "a barge", &good).await;
    let notice = good.next().await;
    assert_eq!(
        (&notice.body["type"], &notice.body["data"]["id"]),
        (&json!("job.failed"), &job["id"])
    );
}

#[tokio::test]
async fn everybody_who_shares_an_answer_is_told() {
    let (_setup, openai, server) = studio(vec![Answer::Hang]).await;
    let (one, two) = (Receiver::start(&[]).await, Receiver::start(&[]).await);
    let leader = order(&server, "a boat", &one).await;
    openai.called(1).await;
    let follower = order(&server, "a boat", &two).await;
    assert_eq!(follower["cache"], "joined");
    openai.release();
    assert_eq!(told(&one.next().await), server.succeeded(&leader).await);
    assert_eq!(told(&two.next().await), server.succeeded(&follower).await);
    let cached = order(&server, "a boat", &two).await;
    assert_eq!(cached["cache"], "exact");
    assert_eq!(told(&two.next().await), cached);
}

#[tokio::test]
async fn a_cancelled_job_tells_nobody() {
    let (_setup, openai, server) = studio(vec![Answer::Hang]).await;
    let receiver = Receiver::start(&[]).await;
    let job = order(&server, "a boat", &receiver).await;
    openai.called(1).await;
    let path = text(&job["url"]).to_owned();
    assert_eq!(server.delete(&path).send().await.unwrap().status(), 200);
    let other = order(&server, "a barge", &receiver).await;
    assert_eq!(receiver.next().await.body["data"]["id"], other["id"]);
}

async fn refused(response: Response, field: &str) {
    let (status, problem) = problem(response).await;
    assert_eq!((status, text(&problem["code"])), (422, field), "{problem}");
}

#[tokio::test]
async fn private_addresses_are_refused_by_default() {
    let setup = Setup::with_file("limits = []\n[callbacks]\nopen = true");
    let server = setup.start();
    for url in [
        "http://127.0.0.1:9/",
        "http://[::1]/",
        "http://[2001:1ff::1]/",
        "http://[64:ff9b::10.0.0.1]/",
        "http://169.254.169.254/latest",
        "ftp://example.com/",
        "nonsense",
    ] {
        for field in ["callback_url", "failure_callback_url"] {
            let body = json!({ "prompt": "a boat", field: url });
            let request = server.post("/api/images").json(&body);
            refused(request.send().await.unwrap(), field).await;
            let form = form(photo(40, 30, ImageFormat::Png)).text(field, url);
            let request = server.post("/api/restorations").multipart(form);
            refused(request.send().await.unwrap(), field).await;
        }
    }
    let jobs: Value = server.json("/api/jobs").await;
    assert_eq!(jobs["jobs"], json!([]));
}

/// Whoever takes callbacks can verify them, and forge nothing we believe.
#[tokio::test]
async fn the_secret_that_is_given_away_opens_nothing() {
    let (setup, _openai, server) = studio(vec![]).await;
    let printed = setup.run(&["keys", "callback-secret"]).stdout;
    let secret = outgoing_secret(SECRET);
    assert_eq!(String::from_utf8(printed).unwrap(), format!("{secret}\n"));
    let (body, now) = ("{}", jiff::Timestamp::now().as_second());
    let signed = Webhook::new(&secret)
        .unwrap()
        .sign("x", now, body.as_bytes());
    let forged = server
        .post("/api/callback")
        .header("webhook-id", "x")
        .header("webhook-timestamp", now.to_string())
        .header("webhook-signature", signed.unwrap())
        .body(body);
    assert_eq!(forged.send().await.unwrap().status(), 401);
}
