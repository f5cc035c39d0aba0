use super::*;

fn load(file: &str, environment: &[(&str, &str)]) -> Result<Config> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("atelier.toml");
    std::fs::write(&path, file)?;
    Config::load(|name| match name {
        "ATELIER_CONFIG" => Some(path.display().to_string()),
        _ => environment
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| (*value).to_owned()),
    })
}

fn message(file: &str, environment: &[(&str, &str)]) -> String {
    format!("{:#}", load(file, environment).unwrap_err())
}

#[test]
fn the_default_file_is_valid() {
    let config = load("", &[]).unwrap();
    assert_eq!(config.provider(), ProviderName::Local);
    assert_eq!(config.limits.len(), 4);
}

#[test]
fn the_environment_wins_over_the_file() {
    let config = load(
        "listen = '127.0.0.1:1'\nworkers = 2",
        &[("ATELIER_LISTEN", "127.0.0.1:2")],
    )
    .unwrap();
    assert_eq!((config.listen.port(), config.workers), (2, 2));
}

#[test]
fn a_file_changes_one_setting_of_a_table() {
    let config = load(
        "[queue]\nlease = '5s'\n[openai.prices]\ntext_input = 1.0",
        &[],
    )
    .unwrap();
    assert_eq!(
        (config.queue.lease, config.queue.attempts),
        (Duration::from_secs(5), 5)
    );
    assert!((config.openai.prices.image_output - 30.0).abs() < f64::EPSILON);
}

#[test]
fn a_key_chooses_openai() {
    assert_eq!(
        load("", &[("OPENAI_API_KEY", "sk-test")])
            .unwrap()
            .provider(),
        ProviderName::OpenAi
    );
    assert_eq!(
        load("", &[("OPENAI_API_KEY", "")]).unwrap().provider(),
        ProviderName::Local
    );
}

#[test]
fn limits_can_be_switched_off() {
    assert!(load("limits = []", &[]).unwrap().limits.is_empty());
}

#[test]
fn refusals_name_the_setting() {
    for (file, environment, expected) in [
        ("[queue]\nleese = '5s'", &[][..], "leese"),
        ("colour = 'red'", &[], "colour"),
        ("[queue]\nlease = 'soon'", &[], "soon"),
        ("workers = 0", &[], "ATELIER_WORKERS"),
        ("", &[("ATELIER_WORKERS", "many")], "ATELIER_WORKERS"),
        ("", &[("ATELIER_LISTEN", "nowhere")], "listen"),
        ("", &[("ATELIER_PROVIDER", "openai")], "OPENAI_API_KEY"),
        ("", &[("ATELIER_PROVIDER", "crayons")], "crayons"),
        (
            "",
            &[("ATELIER_PROVIDER", "replicate")],
            "REPLICATE_API_TOKEN",
        ),
        ("[replicate]\nimage_model = 'a/b/../c'", &[], "is no model"),
        (
            "",
            &[("REPLICATE_WEBHOOK_SECRET", "whsec_?")],
            "REPLICATE_WEBHOOK_SECRET",
        ),
        ("", &[("ATELIER_REDIS_URL", "http://localhost")], "redis"),
        ("", &[("ATELIER_BLOBS", "s3://pictures")], "ATELIER_BLOBS"),
        ("", &[("ATELIER_SECRET", "short")], "ATELIER_SECRET"),
        (
            "",
            &[("ATELIER_ADMIN_TOKEN", "short")],
            "ATELIER_ADMIN_TOKEN",
        ),
        ("[openai]\ncalls_per_second = 0.0", &[], "calls_per_second"),
        (
            "",
            &[("ATELIER_TRUSTED_PROXIES", "10.0.0.0/8, everyone")],
            "trusted_proxies",
        ),
        ("[deny]\nips = ['everyone']", &[], "[deny]"),
        ("[deny]\nuser_agents = ['']", &[], "[deny]"),
        ("this is not toml", &[], "not TOML"),
        ("[callbacks]\nper_hour = 0", &[], "callbacks.per_hour"),
        ("[callbacks]\nparallel = 0", &[], "callbacks.parallel"),
        ("[callbacks]\nper_second = nan", &[], "callbacks.per_second"),
        ("[callbacks]\ntimeout = '0s'", &[], "callbacks.timeout"),
        ("[refusals]\nquota = 0", &[], "refusals.quota"),
        ("[refusals]\nwindow = '1ms'", &[], "refusals.window"),
        ("[connections]\nmost = 0", &[], "connections.most"),
        ("[connections]\nhead = '0s'", &[], "connections.head"),
        ("[connections]\nidle = '900y'", &[], "connections.idle"),
    ] {
        let message = message(file, environment);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_public_address_is_an_origin() {
    for url in [
        "https://atelier.example/studio",
        "https://atelier.example/?a=b",
        "https://atelier.example/#top",
        "https://me@atelier.example",
        "https://:pw@atelier.example",
        "ftp://atelier.example",
        "mailto:me@atelier.example",
        "atelier.example:3000",
    ] {
        let message = message("", &[("ATELIER_PUBLIC_URL", url)]);
        assert!(message.contains("ATELIER_PUBLIC_URL"), "{url}: {message}");
    }
    for url in ["https://atelier.example", "http://[::1]:3000/"] {
        assert!(load("", &[("ATELIER_PUBLIC_URL", url)]).is_ok(), "{url}");
    }
}

#[test]
fn secrets_are_not_printed() {
    let environment = [
        ("OPENAI_API_KEY", "sk-verysecret"),
        ("ATELIER_SECRET", "0123456789abcdef"),
    ];
    let config = load("", &environment).unwrap();
    let printed = format!("{config:?}{}", toml::to_string(&config).unwrap());
    assert!(!printed.contains("verysecret") && !printed.contains("0123456789abcdef"));
}

#[test]
fn a_limit_that_cannot_be_is_named() {
    let limit = |name: &str, rest: &str| {
        format!(
            "[[limits]]\nname = '{name}'\nscope = 'ip'\nunit = 'images'\n\
             algorithm = 'fixed_window'\nquota = 5\nwindow = '1d'\n{rest}\n"
        )
    };
    for (file, expected) in [
        (limit("a", "on_error = 'hope'"), "hope"),
        (limit("a", "actions = []"), "\"a\": its actions are empty"),
        (limit("a", "colour = 'red'"), "colour"),
        (limit("key-quota", ""), "\"key-quota\": this name stands"),
        (limit("a", "") + &limit("a", ""), "\"a\" stands there twice"),
    ] {
        let message = message(&file, &[]);
        assert!(message.contains(expected), "{message}");
    }
}
