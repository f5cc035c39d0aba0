//! What an operator relies on: commands that read leave nothing behind, what is
//! printed can be loaded, and a process that is asked to stop does so.

use nix::sys::signal::Signal;

use crate::support::{Answer, OpenAi, Setup, problem, text};

#[test]
fn commands_that_read_make_nothing() {
    let setup = Setup::new();
    for command in [
        &["config"][..],
        &["keys", "list"],
        &["deny", "list"],
        &["dead", "list", "--json"],
        &["cache", "stats"],
        &["cache", "explain", "a cat", "two cats"],
    ] {
        let output = setup.run(command);
        assert!(output.status.success(), "{command:?}: {output:?}");
        assert!(!setup.data().exists(), "{command:?}");
    }
    let refusal = setup.refusal_of(&["keys", "callback-secret"]);
    assert!(refusal.contains("ATELIER_SECRET"), "{refusal}");
    assert!(!setup.data().exists());
}

#[test]
fn commands_that_read_find_what_is_there() {
    let setup = Setup::new();
    setup.key("Ada");
    let listed = String::from_utf8(setup.run(&["keys", "list"]).stdout).unwrap();
    assert!(listed.contains("Ada"), "{listed}");
}

#[test]
fn the_printed_configuration_starts_a_server_but_opens_nothing() {
    let token = "an-operators-own-token";
    let setup = Setup::new().set("ATELIER_ADMIN_TOKEN", token);
    let printed = String::from_utf8(setup.run(&["config"]).stdout).unwrap();
    assert!(!printed.contains(token), "{printed}");
    assert!(printed.contains("# admin_token"), "{printed}");
    let server = Setup::with_file(&printed).start();
    drop(server);

    let placeholder = printed
        .lines()
        .find_map(|line| line.strip_prefix("# admin_token"))
        .unwrap();
    let refusal = Setup::with_file(&format!("admin_token{placeholder}")).refusal();
    assert!(refusal.contains("ATELIER_ADMIN_TOKEN"), "{refusal}");
}

#[test]
fn keys_have_names_that_can_be_shown() {
    let setup = Setup::new();
    for name in ["", " ", "two\nlines", &"n".repeat(101)] {
        setup.refusal_of(&["keys", "create", name]);
        setup.refusal_of(&["keys", "revoke", name]);
    }
    let named_by_its_id = setup.run(&["keys", "create"]);
    assert!(named_by_its_id.status.success());
    setup.key(&"n".repeat(100));
    let listed = String::from_utf8(setup.run(&["keys", "list", "--json"]).stdout).unwrap();
    let keys: Vec<serde_json::Value> = listed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(keys.len(), 2);
    assert!(keys.iter().all(|key| key["revoked_at"].is_null()));
    assert_eq!(keys[1]["name"], keys[1]["id"]);
}

#[test]
fn nearly_everybody_is_denied_only_when_that_is_meant() {
    let setup = Setup::new();
    for everybody in [
        "0.0.0.0/0",
        "::/0",
        "::ffff:0.0.0.0/96",
        "0.0.0.0/7",
        "Mozilla",
    ] {
        let refusal = setup.refusal_of(&["deny", "add", everybody]);
        assert!(refusal.contains("--yes"), "{refusal}");
    }
    for some in [
        &["10.0.0.0/8"][..],
        &["2001::/16"],
        &["curl/8"],
        &["0.0.0.0/0", "--yes"],
    ] {
        let output = setup.run(&[&["deny", "add"], some].concat());
        assert!(output.status.success(), "{output:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_signal_to_stop_drains() {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let mut server = Setup::new().start();
        server.signal(signal);
        assert!(server.ended().success(), "{signal}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_signal_ends_the_grace() {
    let provider = OpenAi::start(vec![Answer::Hang]).await;
    let file = "limits = []\n[queue]\ngrace = '1h'";
    let setup = Setup::with_file(file).openai(&provider);
    let mut server = setup.start();
    let job = server.paint("a lighthouse").await;
    provider.called(1).await;
    server.signal(Signal::SIGINT);
    server.logged("stopping");
    server.signal(Signal::SIGINT);
    assert!(server.ended().success());

    let server = setup.start();
    let job = server.succeeded(&job).await;
    assert_eq!(
        job["attempt"], 1,
        "a job that was handed back kept its attempts"
    );
}

#[test]
fn the_log_names_the_address_that_is_listened_on() {
    let setup = Setup::new().set("ATELIER_PUBLIC_URL", "https://atelier.example");
    let server = setup.start_at_its_own_address();
    let address = server.url.strip_prefix("http://").unwrap();
    assert!(server.started_with(address));
}

#[tokio::test]
async fn operators_learn_how_to_connect_a_model_and_visitors_do_not() {
    let server = Setup::new().start();
    assert!(server.started_with("set OPENAI_API_KEY"));
    for path in ["/", "/restore"] {
        let page = async |name: &'static str| {
            let page = server.get(path).header(name, "192.0.2.1").send().await;
            page.unwrap().text().await.unwrap()
        };
        let (here, by_proxy) = (page("x-other").await, page("x-forwarded-for").await);
        assert!(here.contains("OPENAI_API_KEY"), "{path}");
        assert!(!by_proxy.contains("OPENAI_API_KEY"), "{path}");
        assert!(by_proxy.contains("not an AI model"), "{path}");
    }
}

#[tokio::test]
async fn cookies_are_secure_where_the_site_is() {
    for (url, secure) in [
        ("https://atelier.example", true),
        ("http://atelier.example", false),
    ] {
        let setup = Setup::new().set("ATELIER_PUBLIC_URL", url);
        let server = setup.start_at_its_own_address();
        for path in ["/", "/?lang=de"] {
            let first_visit = server.get(path).header("cookie", "");
            let answer = first_visit.send().await.unwrap();
            let cookies = answer.headers().get_all("set-cookie");
            assert!(cookies.iter().count() > 0, "{path}");
            for cookie in cookies {
                let cookie = cookie.to_str().unwrap();
                assert_eq!(cookie.contains("; Secure"), secure, "{cookie}");
            }
        }
    }
}

#[tokio::test]
async fn what_a_path_does_not_take_is_told_with_what_it_takes() {
    let server = Setup::new().start();
    for (method, path, allowed) in [
        ("PUT", "/api/images", "POST"),
        ("POST", "/api/jobs/x", "DELETE"),
        ("POST", "/healthz", "GET"),
        ("POST", "/gallery", "GET"),
    ] {
        let method = method.parse().unwrap();
        let request = server
            .client
            .request(method, format!("{}{path}", server.url));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 405, "{path}");
        let allow = answer.headers()["allow"].to_str().unwrap();
        assert!(allow.contains(allowed), "{path}: {allow}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }
}

#[tokio::test]
async fn addresses_lead_to_pages_or_say_why_not() {
    let server = Setup::new().start();
    for (path, to) in [
        ("/gallery/", "/gallery"),
        ("/restore/?lang=de", "/restore?lang=de"),
    ] {
        let answer = server.get(path).send().await.unwrap();
        assert_eq!(answer.status(), 308, "{path}");
        assert_eq!(answer.headers()["location"], to);
    }
    for path in ["//evil.example/gallery/", "/nowhere/"] {
        let answer = server.get(path).send().await.unwrap();
        assert!(answer.headers().get("location").is_none(), "{path}");
    }
    for path in ["/api/jobs/%ff", "/images/%ff", "/jobs/%ff/download"] {
        let answer = server.get(path).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }
    let answer = server.get("/api/jobs/x?wait=soon").send().await.unwrap();
    let problem: serde_json::Value = answer.json().await.unwrap();
    assert!(
        text(&problem["detail"]).contains("wait is \"soon\""),
        "{problem}"
    );
}

#[tokio::test]
async fn a_query_has_the_fields_that_it_may_have() {
    let server = Setup::new().start();
    let image = "/images/0190abcd0190abcd0190abcd0190abcd.png";
    let (higher, narrow, plain) = ["?height=320", "?width=7", "?width="]
        .map(|query| format!("{image}{query}"))
        .into();
    for (path, mistake) in [
        ("/api/jobs?before=x", "unknown field `before`"),
        ("/api/jobs/x?after=1&ater=1", "unknown field `ater`"),
        ("/api/jobs/x?wait=1&wait=2", "duplicate field `wait`"),
        ("/jobs/x/download?size=1", "unknown field `size`"),
        (higher.as_str(), "unknown field `height`"),
        (narrow.as_str(), "width is one of [320, 640, 960, 1280]."),
    ] {
        let answer = server.get(path).send().await.unwrap();
        let (status, problem) = problem(answer).await;
        assert_eq!(
            (status, text(&problem["code"])),
            (400, "malformed"),
            "{path}"
        );
        assert!(text(&problem["detail"]).contains(mistake), "{problem}");
    }
    let answer = server
        .delete("/api/jobs/x?cancle=true")
        .send()
        .await
        .unwrap();
    assert_eq!(problem(answer).await.0, 400);
    // Keys belong to addresses, and empty fields are none.
    for path in [
        "/api/jobs/x?key=a&link=b",
        "/jobs/x/download?format=&key=a&link=b",
        plain.as_str(),
    ] {
        let answer = server.get(path).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
    }
}

#[tokio::test]
async fn pages_are_compressed_for_those_who_take_that() {
    let server = Setup::new().start();
    for (path, taken, coding) in [
        ("/", Some("gzip, br"), Some("gzip")),
        ("/gallery", Some("gzip"), Some("gzip")),
        ("/nowhere", Some("gzip"), Some("gzip")),
        ("/", None, None),
        ("/api/jobs", Some("gzip"), None),
        ("/favicon.ico", Some("gzip"), None),
    ] {
        let mut request = server.get(path).header("accept", "text/html");
        if let Some(taken) = taken {
            request = request.header("accept-encoding", taken);
        }
        let answer = request.send().await.unwrap();
        let told = answer.headers().get("content-encoding").cloned();
        let told = told.as_ref().map(|coding| coding.to_str().unwrap());
        assert_eq!(told, coding, "{path}");
        let body = answer.bytes().await.unwrap();
        assert_eq!(coding.is_some(), body.starts_with(&[0x1f, 0x8b]), "{path}");
    }
}

#[tokio::test]
async fn bodies_are_taken_as_they_are() {
    let server = Setup::new().start();
    let encoded = server
        .post("/api/images")
        .header("content-encoding", "gzip");
    let answer = encoded.json(&serde_json::json!({})).send().await.unwrap();
    assert_eq!(answer.status(), 415);
    assert_eq!(answer.headers()["accept-encoding"], "identity");

    for (media_type, body) in [
        (
            "Application/JSON; Charset=UTF-8",
            "{\"prompt\": \"a lamp\"}",
        ),
        ("Application/X-WWW-Form-URLencoded", "prompt=a+lamp"),
    ] {
        let request = server
            .post("/api/images")
            .header("content-type", media_type);
        let answer = request.body(body).send().await.unwrap();
        assert!(answer.status().is_success(), "{media_type}");
    }
}

#[tokio::test]
async fn the_heavier_kind_of_answer_is_given() {
    let server = Setup::new().start();
    for (accept, kind) in [
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html"),
        (
            "application/json, text/html;q=0.5",
            "application/problem+json",
        ),
        ("text/html;q=0, */*", "application/problem+json"),
    ] {
        let request = server.get("/nowhere").header("accept", accept);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 404);
        let told = answer.headers()["content-type"].to_str().unwrap();
        assert!(told.starts_with(kind), "{accept}: {told}");
    }
}
