use super::*;

fn read(text: &str) -> Result<Policy, String> {
    toml::from_str(text).map_err(|error| error.to_string())
}

const GOOD: &str = "name = 'a'\nscope = 'ip'\nunit = 'images'\nalgorithm = 'fixed_window'\n\
                    quota = 20\nwindow = '1d'\n";

#[test]
fn what_is_left_out_has_a_default() {
    let policy = read(GOOD).unwrap();
    assert_eq!((policy.quota, policy.burst), (20, 20));
    assert!(policy.counts("anything"));
    assert_eq!(policy.on_error, OnError::Allow);
    let tokens = read(&GOOD.replace("images", "tokens")).unwrap();
    assert_eq!((tokens.quota, tokens.on_error), (20, OnError::Deny));
    let money = read(&GOOD.replace("images", "usd").replace("20", "2.5")).unwrap();
    assert_eq!((money.quota, money.on_error), (2_500_000, OnError::Deny));
}

#[test]
fn a_burst_is_for_buckets() {
    let policy = read(&format!("{GOOD}burst = 3")).unwrap();
    assert_eq!((policy.quota, policy.burst), (20, 20));
}

#[test]
fn a_policy_is_printed_as_it_was_written() {
    for text in [
        GOOD.to_owned(),
        GOOD.replace("images", "usd").replace("20", "0.25"),
        GOOD.replace("fixed_window", "token_bucket") + "burst = 40",
        GOOD.to_owned() + "actions = ['image']",
        GOOD.replace("images", "tokens").replace("'1d'", "'1mo'"),
    ] {
        let policy = read(&text).unwrap();
        assert_eq!(read(&toml::to_string(&policy).unwrap()).unwrap(), policy);
    }
}

#[test]
fn a_bucket_fills_by_the_smallest_numbers_that_say_the_same() {
    let bucket = GOOD.replace("fixed_window", "token_bucket");
    let policy = read(&bucket.replace("'1d'", "'1000s'")).unwrap();
    let expected = Rule::TokenBucket {
        size: 20,
        refill: 1,
        period: 50_000,
    };
    assert_eq!(policy.rule(), expected);
    let policy = read(&bucket.replace("20", "9").replace("'1d'", "'6s'")).unwrap();
    let expected = Rule::TokenBucket {
        size: 9,
        refill: 3,
        period: 2_000,
    };
    assert_eq!(policy.rule(), expected);
}

/// Stored counters and receipts are found by these.
#[test]
fn counters_have_the_names_that_they_always_had() {
    for (from, to, prefix) in [
        ("'a'", "'a'", "a:if86400000:"),
        ("images", "requests", "a:rf86400000:"),
        ("images", "tokens", "a:tf86400000:"),
        ("fixed_window", "sliding_window", "a:is86400000:"),
        ("fixed_window", "token_bucket", "a:ib20/86400000:"),
        ("'1d'", "'1mo'", "a:if1mo:"),
    ] {
        assert_eq!(read(&GOOD.replace(from, to)).unwrap().prefix(), prefix);
    }
}

#[test]
fn a_receipt_is_known_by_its_policy() {
    let (mine, other) = (
        read(GOOD).unwrap(),
        read(&GOOD.replace("'a'", "'b'")).unwrap(),
    );
    let receipt = Receipt {
        key: format!("{}203.0.113.7", mine.prefix()),
        unit: mine.unit,
        rule: mine.rule(),
        cost: 1,
        mark: 0,
    };
    assert!(mine.gave(&receipt) && !other.gave(&receipt));
}

#[test]
fn the_outermost_policies_are_taken() {
    for text in [
        GOOD.replace("'1d'", "'1s'"),
        GOOD.replace("'1d'", "'366d'"),
        GOOD.replace("'a'", &format!("'{}'", "a".repeat(64))),
        GOOD.replace("20", "0"),
        GOOD.replace("20", &MAX_PARTS.to_string()),
    ] {
        read(&text).unwrap();
    }
    let bucket = GOOD.replace("fixed_window", "token_bucket");
    // In lowest terms: one of a million milliseconds.
    let bucket = bucket.replace("20", "1").replace("'1d'", "'1000s'");
    read(&format!("{bucket}burst = {}", MAX_PARTS / 1_000_000)).unwrap();
    read(&format!("{bucket}burst = {}", MAX_PARTS / 1_000_000 + 1)).unwrap_err();
    // The very last: 2^14 milliseconds and 2^39 requests.
    let bucket = bucket.replace("'1000s'", "'16s 384ms'");
    read(&format!("{bucket}burst = {}", 1_u64 << 39)).unwrap();
}

#[test]
fn a_bad_policy_is_named() {
    for (from, to, why) in [
        ("'a'", "'A b'", "lower-case"),
        ("'1d'", "'10ms'", "window"),
        ("'1d'", "'900d'", "window"),
        ("'1d'", "'367d'", "window"),
        ("'a'", "''", "lower-case"),
        ("'a'", &format!("'{}'", "a".repeat(65)), "lower-case"),
        ("20", "-1", "quota is negative"),
        ("20", "nan", "quota is negative"),
        ("20", "1.5", "whole number"),
        ("20", "1e17", "too large"),
        ("'1d'", "'1d'\nactions = []", "actions"),
    ] {
        let error = read(&GOOD.replace(from, to)).unwrap_err();
        assert!(
            error.contains("the limit") && error.contains(why),
            "{error}"
        );
    }
    let bucket = GOOD.replace("fixed_window", "token_bucket");
    for algorithm in ["token_bucket", "sliding_window"] {
        let monthly = GOOD.replace("fixed_window", algorithm);
        let error = read(&monthly.replace("'1d'", "'1mo'")).unwrap_err();
        assert!(error.contains("calendar month"), "{error}");
    }
    for (quota, burst, why) in [
        ("0", "5", "never fill"),
        ("5", "0", "burst is below 1"),
        ("7919", "9e14", "too large to be counted"),
    ] {
        let text = bucket.replace("20", quota) + &format!("burst = {burst}");
        let error = read(&text).unwrap_err();
        assert!(error.contains(why), "{error}");
    }
}
