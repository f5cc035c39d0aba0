//! What the operator learns of the limits.

use serde_json::{Value, json};

use crate::support::{Atelier, OpenAi, Setup, redis_database, text};

const TOKEN: &str = "an operator's token";

/// Five requests for everybody together, and a dollar.
const LIMITS: &str = "
    [[limits]]
    name = 'visitors'
    scope = 'ip'
    unit = 'requests'
    algorithm = 'fixed_window'
    quota = 5
    window = '365d'
    [[limits]]
    name = 'budget'
    scope = 'global'
    unit = 'usd'
    algorithm = 'fixed_window'
    quota = 100.0
    window = '365d'
";

/// So many orders, one after the other.
async fn order(server: &Atelier, first: u32, orders: u32) {
    for number in first..first + orders {
        let body =
            json!({ "prompt": format!("boat {number}"), "quality": "low", "size": "1024x1024" });
        server.post("/api/images").json(&body).send().await.unwrap();
    }
}

async fn overview(server: &Atelier) -> Value {
    let ask = server.get("/api/admin/limits").bearer_auth(TOKEN);
    ask.send().await.unwrap().json().await.unwrap()
}

fn policy<'a>(overview: &'a Value, name: &str) -> &'a Value {
    let policies = overview["policies"].as_array().unwrap();
    let named = policies.iter().find(|policy| policy["name"] == name);
    named.unwrap_or_else(|| panic!("no {name} in {overview}"))
}

/// Allowed and rejected, over all hours: an hour may end while we look.
fn sums(policy: &Value) -> (u64, u64) {
    let hours = policy["hours"].as_array().unwrap();
    let sum = |field: &str| hours.iter().map(|hour| hour[field].as_u64().unwrap()).sum();
    (sum("allowed"), sum("rejected"))
}

#[tokio::test]
async fn what_was_let_through_and_turned_down_is_told() {
    let openai = OpenAi::start(vec![]).await;
    let setup = Setup::with_file(LIMITS)
        .openai(&openai)
        .set("ATELIER_ADMIN_TOKEN", TOKEN);
    let server = setup.start();
    order(&server, 0, 8).await;
    server.get("/api/limits").send().await.unwrap();
    let told = overview(&server).await;
    let visitors = policy(&told, "visitors");
    assert_eq!(sums(visitors), (5, 3));
    assert_eq!(visitors["window_seconds"], 31_536_000);
    assert_eq!(visitors["remaining"], Value::Null);
    let most = visitors["most_rejected"].as_array().unwrap();
    assert_eq!((most.len(), &most[0]["rejected"]), (1, &json!(3)));
    let who = text(&most[0]["who"]);
    assert!(
        who.len() == 12 && who.bytes().all(|b| b.is_ascii_hexdigit()),
        "{who}"
    );
    let budget = policy(&told, "budget");
    assert_eq!(sums(budget), (5, 0));
    assert!(budget["remaining"].as_f64().unwrap() < 100.0);

    // A kill loses little, an end nothing.
    drop(server);
    let renamed = setup.again();
    let again = renamed.start();
    assert_eq!(sums(policy(&overview(&again).await, "visitors")), (5, 3));
}

#[tokio::test]
async fn addresses_are_shown_where_the_operator_wants_them() {
    let openai = OpenAi::start(vec![]).await;
    let file = format!("{LIMITS}[figures]\nshow_addresses = true");
    let setup = Setup::with_file(&file)
        .openai(&openai)
        .set("ATELIER_ADMIN_TOKEN", TOKEN);
    let server = setup.start();
    order(&server, 0, 6).await;
    let told = overview(&server).await;
    assert_eq!(
        policy(&told, "visitors")["most_rejected"],
        json!([{ "who": "127.0.0.1", "rejected": 1 }])
    );
}

#[tokio::test]
async fn two_servers_add_up_and_a_policy_that_is_gone_is_still_told() {
    let openai = OpenAi::start(vec![]).await;
    let database = redis_database().await;
    let servers = |file: &str| {
        let setup = Setup::with_file(file)
            .openai(&openai)
            .set("ATELIER_ADMIN_TOKEN", TOKEN)
            .set("ATELIER_SECRET", "0123456789abcdef")
            .set("ATELIER_REDIS_URL", &database);
        let server = setup.start();
        (setup, server)
    };
    let ((_one, one), (_two, two)) = (servers(LIMITS), servers(LIMITS));
    order(&one, 0, 4).await;
    order(&two, 4, 4).await;
    overview(&one).await;
    let told = overview(&two).await;
    assert_eq!(sums(policy(&told, "visitors")), (5, 3));
    assert_eq!(policy(&told, "visitors")["most_rejected"][0]["rejected"], 3);
    let (_three, three) = servers(&LIMITS.replace("visitors", "guests"));
    let told = overview(&three).await;
    assert_eq!(sums(policy(&told, "visitors")), (5, 3));
    assert_eq!(policy(&told, "visitors")["quota"], Value::Null);
    assert_eq!(sums(policy(&told, "guests")), (0, 0));
}

/// Names, labels and numbers as Prometheus reads them.
#[tokio::test]
async fn metrics_are_told_to_prometheus() {
    let openai = OpenAi::start(vec![]).await;
    let setup = Setup::with_file(LIMITS).openai(&openai);
    let server = setup.start();
    let job = server
        .submit(&json!({ "prompt": "a lighthouse", "quality": "low", "size": "1024x1024" }))
        .await;
    server.succeeded(&job).await;
    order(&server, 0, 6).await;
    let answer = server.get("/metrics").send().await.unwrap();
    assert_eq!(
        answer.headers()["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let metrics = answer.text().await.unwrap();
    for line in metrics.lines().filter(|line| !line.is_empty()) {
        let told = line.starts_with("# HELP atelier_") || line.starts_with("# TYPE atelier_");
        let number = line
            .rsplit_once(' ')
            .is_some_and(|(_, number)| number.parse::<f64>().is_ok());
        assert!(told || (line.starts_with("atelier_") && number), "{line}");
    }
    for line in [
        "atelier_limit_decisions_total{policy=\"visitors\",outcome=\"allowed\"} 5",
        "atelier_limit_decisions_total{policy=\"visitors\",outcome=\"rejected\"} 2",
        "atelier_limit_quota{policy=\"budget\",unit=\"usd\"} 100",
        "atelier_orders_accepted_total{kind=\"image\",cache=\"miss\"} 5",
    ] {
        assert!(
            metrics.lines().any(|known| known == line),
            "{line} in {metrics}"
        );
    }
    assert!(
        metrics.contains("atelier_limit_remaining{policy=\"budget\",unit=\"usd\"} 99.8"),
        "{metrics}"
    );
    assert!(
        metrics.contains("atelier_jobs_finished_total{status=\"succeeded\"}"),
        "{metrics}"
    );
}
