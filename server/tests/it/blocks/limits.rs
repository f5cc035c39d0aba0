use futures::future::join_all;
use serde_json::{Value, json};

use super::Site;
use crate::{
    access::create,
    support::{Setup, text},
};

const CHECK: &str = "/api/limits/check";
const REFUND: &str = "/api/limits/refund";

const LIMITS: &str = "
    [[limits]]
    name = 'calls'
    scope = 'user'
    unit = 'requests'
    algorithm = 'fixed_window'
    quota = 10
    window = '365d'
    [[limits]]
    name = 'tokens'
    scope = 'ip'
    unit = 'tokens'
    algorithm = 'fixed_window'
    quota = 1000
    window = '1mo'
    [[limits]]
    name = 'budget'
    scope = 'global'
    unit = 'usd'
    algorithm = 'sliding_window'
    quota = 5
    window = '365d'
    [[limits]]
    name = 'bucket'
    scope = 'user'
    unit = 'requests'
    algorithm = 'token_bucket'
    quota = 2
    window = '365d'
";

fn check(policy: &str, identity: &str, cost: f64) -> Value {
    json!({ "policy": policy, "identity": identity, "cost": cost })
}

impl Site {
    /// What is left of a policy for somebody.
    async fn left(&self, policy: &str, identity: &str) -> f64 {
        let look = json!({ "policy": policy, "identity": identity, "dry": true });
        self.ask(CHECK, look).await["remaining"].as_f64().unwrap()
    }
}

#[tokio::test]
async fn a_policy_is_charged_by_its_name_for_whom_the_caller_says() {
    for site in Site::both(LIMITS).await {
        let asked = json!({ "policy": "calls", "identity": "ada" });
        let first = site.ask(CHECK, asked.clone()).await;
        assert_eq!(
            (&first["allowed"], &first["remaining"]),
            (&json!(true), &json!(9.0))
        );
        assert!(
            first["reset_seconds"].as_u64() <= Some(365 * 86_400),
            "{first}"
        );
        assert!(first["receipt"].is_string() && first.get("checks").is_none());
        // A dry check charges nothing, and tells what a real one would be told.
        for (cost, allowed) in [(9.0, true), (10.0, false)] {
            let mut look = check("calls", "ada", cost);
            look["dry"] = json!(true);
            let look = site.ask(CHECK, look).await;
            assert_eq!(
                (&look["allowed"], &look["remaining"]),
                (&json!(allowed), &json!(9.0))
            );
            assert!(look.get("receipt").is_none(), "{look}");
        }
        let over = site.ask(CHECK, check("calls", "ada", 10.0)).await;
        assert_eq!(
            (&over["allowed"], &over["remaining"]),
            (&json!(false), &json!(9.0))
        );
        assert!(over["retry_after"].as_u64() >= Some(1), "{over}");
        // What is more than the quota will never be had.
        let never = site.ask(CHECK, check("calls", "ada", 11.0)).await;
        assert_eq!(never["allowed"], false);
        assert!(never.get("retry_after").is_none(), "{never}");
        // Other identities and other keys have counters of their own.
        assert_eq!(site.left("calls", "ben").await, 10.0);
        let other = create(&site.setup, &["other", "--scope", "blocks"]);
        let answer = site.ask_as(&other, CHECK, asked).await;
        assert_eq!(answer["remaining"], 9.0);
        // A global policy counts all of a key's together.
        for (identity, left) in [("ada", 4.75), ("ben", 4.5)] {
            let answer = site.ask(CHECK, check("budget", identity, 0.25)).await;
            assert_eq!(answer["remaining"], left);
        }
        let all = site
            .ask(CHECK, json!({ "policy": "budget", "cost": 1.5 }))
            .await;
        assert_eq!(all["remaining"], 3.0);
    }
}

#[tokio::test]
async fn several_policies_are_charged_in_one_step_or_none() {
    for site in Site::both(LIMITS).await {
        let both = json!([
            check("calls", "ada", 1.0),
            check("tokens", "203.0.113.7", 900.0)
        ]);
        let first = site.ask(CHECK, both.clone()).await;
        assert_eq!(first["allowed"], true);
        // Less is left of the tokens.
        assert_eq!(first["remaining"], 100.0);
        let second = site.ask(CHECK, both).await;
        assert_eq!(
            (&second["allowed"], &second["remaining"]),
            (&json!(false), &json!(100.0))
        );
        let told: Vec<_> = second["checks"].as_array().unwrap().iter().collect();
        assert_eq!(
            (&told[0]["policy"], &told[0]["allowed"]),
            (&json!("calls"), &json!(true))
        );
        assert_eq!(
            (&told[1]["identity"], &told[1]["allowed"]),
            (&json!("203.0.113.7"), &json!(false))
        );
        assert!(told[1]["retry_after"].is_u64() && told[0].get("retry_after").is_none());
        assert_eq!(site.left("calls", "ada").await, 9.0);
        let named = json!({ "policy": ["calls", "bucket"], "identity": "ada" });
        for left in [1.0, 0.0] {
            let answer = site.ask(CHECK, named.clone()).await;
            assert_eq!(
                (&answer["allowed"], &answer["checks"][1]["remaining"]),
                (&json!(true), &json!(left))
            );
        }
        assert_eq!(site.ask(CHECK, named).await["allowed"], false);
        assert_eq!(site.left("calls", "ada").await, 7.0);
    }
}

#[tokio::test]
async fn a_quota_is_not_exceeded_however_many_ask_at_once() {
    for site in Site::both(LIMITS).await {
        let asked = || site.ask(CHECK, json!({ "policy": "calls", "identity": "ada" }));
        let answers = join_all((0..40).map(|_| asked())).await;
        let allowed = answers.iter().filter(|answer| answer["allowed"] == true);
        assert_eq!(allowed.count(), 10);
    }
}

#[tokio::test]
async fn a_refund_is_given_once_and_to_nobody_else() {
    for site in Site::both(LIMITS).await {
        for policy in ["calls", "bucket", "tokens", "budget"] {
            let charged = site.ask(CHECK, check(policy, "ada", 2.0)).await;
            site.ask(CHECK, check(policy, "ben", 1.0)).await;
            let whole = charged["remaining"].as_f64().unwrap() + 2.0;
            let whole = if policy == "budget" {
                whole - 1.0
            } else {
                whole
            };
            let refund = json!({ "receipt": charged["receipt"] });
            for _once in 0..3 {
                let answer = site.ask(REFUND, refund.clone()).await;
                assert_eq!(answer["remaining"], whole, "{policy}");
            }
            let other = create(&site.setup, &["other", "--scope", "blocks"]);
            let stolen = site.server.post(REFUND).bearer_auth(&other).json(&refund);
            assert_eq!(stolen.send().await.unwrap().status(), 422);
        }
    }
}

#[tokio::test]
async fn a_charge_is_settled_to_what_it_really_cost() {
    for site in Site::both(LIMITS).await {
        let estimate = site.ask(CHECK, check("tokens", "ada", 400.0)).await;
        let settle = json!({ "receipt": estimate["receipt"], "actual": 150 });
        assert_eq!(site.ask(REFUND, settle).await["remaining"], 850.0);
        let again = json!({ "receipt": estimate["receipt"] });
        assert_eq!(site.ask(REFUND, again).await["remaining"], 850.0);
        let small = site.ask(CHECK, check("tokens", "ada", 50.0)).await;
        let more = json!({ "receipt": small["receipt"], "actual": 900 });
        assert_eq!(site.ask(REFUND, more).await["remaining"], 0.0);
        // Several at once are given back whole.
        let both = json!([check("calls", "ben", 3.0), check("budget", "ben", 2.0)]);
        let receipt = site.ask(CHECK, both).await["receipt"].clone();
        let part = json!({ "receipt": receipt, "actual": 1 }).to_string();
        assert_eq!(site.refused(REFUND, part).await, (422, "actual".into()));
        site.ask(REFUND, json!({ "receipt": receipt })).await;
        assert_eq!(site.left("calls", "ben").await, 10.0);
        assert_eq!(site.left("budget", "ben").await, 5.0);
    }
}

#[tokio::test]
async fn a_refund_can_also_name_what_was_charged() {
    for site in Site::both(LIMITS).await {
        for policy in ["calls", "bucket", "budget"] {
            site.ask(CHECK, check(policy, "ada", 2.0)).await;
            let before = site.left(policy, "ada").await;
            let mut refund = check(policy, "ada", 1.0);
            refund["id"] = json!(format!("refund of {policy}"));
            for _once in 0..3 {
                let answer = site.ask(REFUND, refund.clone()).await;
                assert_eq!(answer["remaining"], before + 1.0, "{policy}");
            }
            // Without an id each is another, and nobody gets more than there was.
            for _each in 0..3 {
                site.ask(REFUND, check(policy, "ada", 1.0)).await;
            }
            assert_eq!(site.left(policy, "ada").await, before + 2.0, "{policy}");
        }
    }
}

#[tokio::test]
async fn a_check_that_makes_no_sense_is_named() {
    let site = Site::start(Setup::with_file(LIMITS));
    let long = "a".repeat(201);
    let many: Vec<_> = (0..21)
        .map(|n| check("calls", &n.to_string(), 1.0))
        .collect();
    for (body, code) in [
        (json!({ "policy": "none", "identity": "ada" }), "policy"),
        (json!({ "policy": [], "identity": "ada" }), "checks"),
        (json!([]), "checks"),
        (json!(many), "checks"),
        (
            json!([check("calls", "ada", 1.0), check("calls", "ada", 2.0)]),
            "checks",
        ),
        (
            json!([check("budget", "ada", 1.0), check("budget", "ben", 2.0)]),
            "checks",
        ),
        (json!({ "policy": "calls" }), "identity"),
        (check("calls", "", 1.0), "identity"),
        (check("calls", &long, 1.0), "identity"),
        (check("calls", "a\nb", 1.0), "identity"),
        (check("calls", "ada", -1.0), "cost"),
        (check("calls", "ada", 1.5), "cost"),
        (check("calls", "ada", 1e300), "cost"),
        (
            json!([check("calls", "ada", 1.0), { "policy": "budget", "dry": true }]),
            "dry",
        ),
    ] {
        let refused = site.refused(CHECK, body.to_string()).await;
        assert_eq!(refused, (422, code.into()), "{body}");
    }
    for body in [
        r#"{"policy": 7, "identity": "ada"}"#,
        r#"{"identity": "ada"}"#,
        r#"{"policy": "calls", "policy": "budget", "identity": "ada"}"#,
        r#"{"policy": "calls", "identity": "ada", "cost": "1"}"#,
        r#"{"policy": "calls", "identity": "ada", "cost": 1e999}"#,
        r#"{"policy": "calls", "identity": "ada", "colour": 1}"#,
    ] {
        assert_eq!(
            site.refused(CHECK, body).await,
            (400, "malformed".into()),
            "{body}"
        );
    }
    assert_eq!(site.left("calls", "ada").await, 10.0);

    let charged = site.ask(CHECK, check("calls", "ada", 1.0)).await;
    let receipt = text(&charged["receipt"]);
    for (body, code) in [
        (json!({}), "refund"),
        (json!({ "receipt": receipt, "policy": "calls" }), "refund"),
        (
            json!({ "policy": "calls", "identity": "ada", "actual": 1 }),
            "refund",
        ),
        (json!({ "receipt": "" }), "receipt"),
        (json!({ "receipt": &receipt[1..] }), "receipt"),
        (json!({ "receipt": receipt, "actual": -1 }), "actual"),
        (json!({ "policy": "none", "identity": "ada" }), "policy"),
        (
            json!({ "policy": "calls", "identity": "ada", "id": "" }),
            "id",
        ),
    ] {
        let refused = site.refused(REFUND, body.to_string()).await;
        assert_eq!(refused, (422, code.into()), "{body}");
    }
    assert_eq!(site.left("calls", "ada").await, 9.0);
}
