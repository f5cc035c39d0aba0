use super::*;

fn price(text: &str) -> Price {
    toml::from_str(&format!("model = \"m\"\n{text}")).unwrap()
}

fn approx(a: f64, b: f64) {
    assert!((a - b).abs() < 1e-12, "{a} is not {b}");
}

#[test]
fn the_shipped_table_is_whole() {
    let shipped = Prices::shipped();
    assert_eq!(shipped.as_of.len(), "2026-11-26".len());
    assert!(shipped.models.len() > 80);
    for price in &shipped.models {
        assert_eq!(price.check(), Ok(()), "{}", price.model);
        let found = shipped.of(&price.model);
        assert_eq!(found, Some(price), "{} stands there twice", price.model);
        assert!(
            price
                .cached_input
                .is_none_or(|cached| cached <= price.input),
            "{}",
            price.model
        );
    }
    let gpt = shipped.of("gpt-5-mini").unwrap();
    assert_eq!(
        (gpt.input, gpt.cached_input, gpt.output),
        (0.25, Some(0.025), 2.0)
    );
}

#[test]
fn each_kind_of_token_has_its_price() {
    let price = price(
        "input = 4.0\ncached_input = 0.4\ncache_write = 5.0\nimage_input = 10.0\noutput = 20.0\naudio_output = 50.0",
    );
    let usage = Usage {
        input: 1_000_000,
        cached_input: 500_000,
        cache_writes: 100_000,
        long_cache_writes: 40_000,
        image_input: 100_000,
        output: 200_000,
        audio_output: 100_000,
        ..Usage::default()
    };
    // 0.3 M plain, 0.5 M cached, 0.06 M written for minutes, 0.04 M for an hour, 0.1 M of pictures.
    let input = 0.3 * 4.0 + 0.5 * 0.4 + 0.06 * 5.0 + 0.04 * 8.0 + 0.1 * 10.0;
    approx(price.cost(&usage), input + 0.1 * 20.0 + 0.1 * 50.0);
    // What has no price of its own costs what the rest does.
    let plain = self::price("input = 4.0\noutput = 20.0");
    approx(plain.cost(&usage), 4.0 + 0.2 * 20.0);
}

#[test]
fn no_token_is_charged_twice() {
    let price = price("input = 1.0\ncached_input = 1.0\nimage_input = 1.0\noutput = 0.0");
    let usage = Usage {
        input: 100,
        cached_input: 90,
        image_input: 90,
        ..Usage::default()
    };
    approx(price.cost(&usage), 100.0 / MILLION);
}

#[test]
fn pictures_minutes_and_calls_have_prices() {
    let price = price("input = 0.0\nimage = 0.04\nminute = 0.006\ncall = 0.01");
    let usage = Usage {
        images: 2,
        seconds: 90,
        ..Usage::default()
    };
    approx(price.cost(&usage), 0.08 + 0.009 + 0.01);
    approx(price.cost(&Usage::default()), 0.01);
    // What the upstream says is what it charges.
    approx(
        price.cost(&Usage {
            usd: Some(0.5),
            ..usage
        }),
        0.5,
    );
}

#[test]
fn names_are_found_in_all_their_spellings() {
    let shipped = Prices::shipped();
    for name in [
        "gpt-5-mini",
        "openai/gpt-5-mini",
        "gpt-5-mini-2025-08-07",
        "openai/gpt-5-mini-2025-08-07:nitro",
    ] {
        assert_eq!(shipped.of(name).unwrap().model, "gpt-5-mini", "{name}");
    }
    let claude = shipped.of("claude-haiku-4-5-20251001").unwrap();
    assert_eq!(claude.model, "claude-haiku-4-5");
    assert_eq!(
        shipped.of("models/gemini-3.8-flash").unwrap().model,
        "gemini-3.8-flash"
    );
    for name in [
        "",
        "gpt",
        "gpt-5-mini-new",
        "gpt-5-mini-2025-08",
        "gpt-5-mini-20250807x",
        "-",
    ] {
        assert_eq!(shipped.of(name), None, "{name}");
    }
}

#[test]
fn ones_own_prices_come_first() {
    let own = Price {
        model: "gpt-5*".into(),
        ..price("input = 9.0")
    };
    let local = Price {
        model: "local/*".into(),
        ..price("input = 0.0")
    };
    let prices = Prices::with(vec![own, local]);
    assert_eq!(prices.of("gpt-5-mini").unwrap().input, 9.0);
    assert_eq!(prices.of("local/gpt-5-mini").unwrap().input, 0.0);
    assert_eq!(prices.of("gpt-4.1").unwrap().input, 2.0);
    assert_eq!(prices.as_of, Prices::shipped().as_of);
}

#[test]
fn an_unknown_model_is_taken_for_the_dearest() {
    let prices = Prices::shipped();
    let quote = prices
        .quote("claude-next", |model| model.starts_with("claude-"))
        .unwrap();
    assert!(!quote.is_known && quote.price.model.starts_with("claude-"));
    assert_eq!(quote.price.output, 50.0);
    let quote = prices.quote("x", |_| false).unwrap();
    assert_eq!((quote.is_known, quote.price.output), (false, 180.0));
    assert!(prices.quote("gpt-5", |_| false).unwrap().is_known);
    assert_eq!(Prices::default().quote("gpt-5", |_| true), None);
}

#[test]
fn prices_that_cannot_be_are_named() {
    for (text, field) in [
        ("input = -1.0", "input"),
        ("input = nan", "input"),
        ("input = 0.0\noutput = inf", "output"),
        ("input = 0.0\ncached_input = -0.1", "cached_input"),
        ("input = 0.0\ncall = -1.0", "call"),
    ] {
        assert_eq!(price(text).check(), Err(field));
    }
    assert!(toml::from_str::<Price>("model = \"m\"\ninput = 1.0\nouput = 2.0").is_err());
    assert!(toml::from_str::<Price>("model = \"m\"").is_err());
}

#[test]
fn patterns_fit() {
    for (pattern, name, expected) in [
        ("gpt-*", "gpt-5", true),
        ("gpt-*", "gpt-", true),
        ("gpt-*", "xgpt-5", false),
        ("*", "", true),
        ("*", "anything", true),
        ("a*b*c", "a1b2c", true),
        ("a*b*c", "abc", true),
        ("a*b*c", "acb", false),
        ("a*a", "a", false),
        ("a*a", "aa", true),
        ("*-mini", "gpt-5-mini", true),
        ("*-mini", "gpt-5-mini-2", false),
        ("exact", "exact", true),
        ("exact", "exactly", false),
        ("", "", true),
    ] {
        assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
    }
}
