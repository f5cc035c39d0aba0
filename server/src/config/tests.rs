use super::*;
use crate::{limit::Unit, policies::ACTIONS};

pub(super) fn load(file: &str, environment: &[(&str, &str)]) -> Result<Config> {
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

pub(super) fn message(file: &str, environment: &[(&str, &str)]) -> String {
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
        (
            "",
            &[("ATELIER_REDIS_URL", "http://localhost")],
            "redis_url (ATELIER_REDIS_URL): this is no address",
        ),
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
        ("[gateway]\nping = '0s'", &[], "gateway.ping"),
        ("[gateway]\nmax_body = 1", &[], "gateway.max_body"),
        ("[gateway.cache]\nscope = 'all'", &[], "scope"),
        ("[messages]\nparallel = 0", &[], "messages.parallel"),
        ("[messages]\nmax_body = 0", &[], "messages.max_body"),
        (
            "[messages]\nkeep = '1m'",
            &[],
            "shorter than messages.dedup_window",
        ),
        ("[messages]\ntimeout = '3h'", &[], "messages.timeout"),
        ("[messages]\nmax_batch = 0", &[], "messages.max_batch"),
        ("[messages.testing]\nca = 'x'", &[], "ca"),
        (
            "[[upstreams]]\nname = 'A b'\nbase_url = 'http://a/v1'",
            &[],
            "upstreams.name",
        ),
        (
            "[[upstreams]]\nname = 'a'\nbase_url = 'ftp://a/v1'",
            &[],
            "base_url of \"a\"",
        ),
        (
            "[[upstreams]]\nname = 'a'\nbase_url = 'http://me:pw@a/v1'",
            &[],
            "api_key_env",
        ),
        (
            "[[upstreams]]\nname = 'a'\nbase_url = 'http://a/v1'\napi_key_env = 'NONE'",
            &[],
            "NONE",
        ),
        (
            "[[upstreams]]\nname = 'a'\nbase_url = 'http://a/v1'\nparallel = 0",
            &[],
            "parallel of \"a\"",
        ),
        ("[[models]]\nname = 'a'\ntargets = []", &[], "no targets"),
    ] {
        let message = message(file, environment);
        assert!(message.contains(expected), "{message}");
    }
}

const SECRETS: [(&str, &str); 7] = [
    ("OPENAI_API_KEY", "sk-verysecret"),
    ("OPENAI_BASE_URL", "https://me:verysecret@images.example/v1"),
    ("ATELIER_SECRET", "verysecret-0123456789"),
    ("ATELIER_ADMIN_TOKEN", "verysecret-9876543210"),
    (
        "ATELIER_REDIS_URL",
        "rediss://me:verysecret@redis.example:6380/2",
    ),
    (
        "ATELIER_CALLBACK_URL",
        "http://me:verysecret@inside.example/",
    ),
    ("REPLICATE_API_TOKEN", "r8_verysecret"),
];

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
    let config = load("", &SECRETS).unwrap();
    let printed = format!("{:?}{}", config.secret, config.to_file().unwrap());
    assert!(!printed.contains("verysecret"), "{printed}");
}

#[test]
fn what_is_printed_can_be_loaded_again() {
    let file = "workers = 7\n[queue]\nlease = '5s'\n[[limits]]\nname = 'a'\nscope = 'ip'\n\
                unit = 'images'\nalgorithm = 'token_bucket'\nquota = 5\nwindow = '1d'\nburst = 2";
    let printed = load(file, &[]).unwrap().to_file().unwrap();
    assert_eq!(load(&printed, &[]).unwrap().to_file().unwrap(), printed);

    let secret = load(file, &SECRETS).unwrap().to_file().unwrap();
    let loaded = load(&secret, &[]).unwrap();
    assert!(loaded.secret.is_none() && loaded.admin_token.is_none());
    assert!(loaded.openai.api_key.is_none() && loaded.redis_url.is_none());
    assert!(loaded.callback_url.is_none());
    assert_eq!(loaded.workers, 7);
}

#[test]
fn what_is_printed_for_a_secret_is_none() {
    for (setting, file) in [
        ("ATELIER_SECRET", "secret = '(set, not shown)'"),
        ("ATELIER_ADMIN_TOKEN", "admin_token = '(set, not shown)'"),
        ("OPENAI_API_KEY", "[openai]\napi_key = '(set, not shown)'"),
        (
            "REPLICATE_API_TOKEN",
            "[replicate]\napi_token = '(set, not shown)'",
        ),
        (
            "REPLICATE_WEBHOOK_SECRET",
            "[replicate]\nwebhook_secret = '(set, not shown)'",
        ),
    ] {
        let message = message(file, &[]);
        assert!(message.contains(setting), "{message}");
    }
}

#[test]
fn a_value_that_would_fail_later_is_refused_by_its_name() {
    for (file, expected) in [
        ("[cache]\nttl = '5000years'", "cache.ttl"),
        ("[queue]\nlease = '5000years'", "queue.lease"),
        ("[queue]\nlease = '299ms'", "queue.lease"),
        ("[queue]\nretry_base = '0s'", "queue.retry_base"),
        ("[queue]\nretry_base = '6m'", "queue.retry_base"),
        ("[queue]\nretry_cap = '5000years'", "queue.retry_cap"),
        ("[queue]\ngrace = '5000years'", "queue.grace"),
        ("[queue]\nkeep = '5000years'", "queue.keep"),
        ("[queue]\nattempts = 0", "queue.attempts"),
        ("[photos]\nkeep = '5000years'", "photos.keep"),
        ("[photos]\nmax_bytes = 0", "photos.max_bytes"),
        ("[photos]\nmax_pixels = 0", "photos.max_pixels"),
        ("[figures]\nkeep = '5000years'", "figures.keep"),
        ("[openai]\ntimeout = '0s'", "openai.timeout"),
        ("[openai]\ntimeout = '5000years'", "openai.timeout"),
        ("[openai]\nmodel = ''", "openai.model"),
        ("[openai]\nmodel = 'two words'", "openai.model"),
        ("[openai]\nparallel = 0", "openai.parallel"),
        ("[openai]\npartial_images = 4", "openai.partial_images"),
        ("[openai]\nbase_url = 'ftp://a.example'", "OPENAI_BASE_URL"),
        (
            "[openai]\nbase_url = 'http://a/v1?key=b'",
            "OPENAI_BASE_URL",
        ),
        ("[openai]\napi_key = \"sk-test\\n\"", "OPENAI_API_KEY"),
        ("[openai]\napi_key = ' '", "OPENAI_API_KEY"),
        (
            "[openai.prices]\ntext_input = -1.0",
            "openai.prices.text_input",
        ),
        (
            "[openai.prices]\nimage_output = nan",
            "openai.prices.image_output",
        ),
        (
            "[[openai.estimates]]\nmodel = '*'\nlow = nan\nmedium = 1.0\nhigh = 1.0\nphoto = 1.0",
            "openai.estimates: low",
        ),
        ("[replicate]\ntimeout = '0s'", "replicate.timeout"),
        ("[replicate]\nbase_url = 'file:///v1'", "REPLICATE_BASE_URL"),
        ("[replicate]\nimage_usd = nan", "replicate.image_usd"),
        ("[replicate]\nimage_model = ''", "is no model"),
        ("[replicate]\nparallel = 0", "replicate.parallel"),
        ("[semantic]\nmodel = ''", "semantic.model"),
        ("[semantic]\nthreshold = nan", "semantic.threshold"),
        ("[semantic]\nentries = 0", "semantic.entries"),
        (
            "public_url = 'https://a.example/studio'",
            "ATELIER_PUBLIC_URL",
        ),
        (
            "public_url = 'https://a.example/?a=b'",
            "ATELIER_PUBLIC_URL",
        ),
        ("public_url = 'ftp://a.example'", "ATELIER_PUBLIC_URL"),
        ("callback_url = 'ftp://a.example'", "ATELIER_CALLBACK_URL"),
        ("secret = '                    '", "ATELIER_SECRET"),
        ("secret = 'whsec_short'", "ATELIER_SECRET"),
        ("secret = 'whsec_not base64 at all'", "ATELIER_SECRET"),
        (
            "admin_token = '                    '",
            "ATELIER_ADMIN_TOKEN",
        ),
        ("admin_token = 'sixteen characterß'", "ATELIER_ADMIN_TOKEN"),
        ("log = 'inof'", "RUST_LOG"),
        ("log = ''", "RUST_LOG"),
        ("log = 'warn,atelier::worker=debgu'", "RUST_LOG"),
        ("workers = 1000000", "ATELIER_WORKERS"),
    ] {
        let message = message(file, &[]);
        assert!(message.contains(expected), "{expected}: {message}");
    }
}

#[test]
fn levels_are_told_by_name_or_by_module() {
    for log in ["info", "WARN", "off", "warn, atelier::worker=debug", "3"] {
        assert!(load(&format!("log = '{log}'"), &[]).is_ok(), "{log}");
    }
}

#[test]
fn every_action_and_unit_can_be_limited() {
    let (actions, units) = (ACTIONS.map(|action| format!("'{action}'")), Unit::ALL);
    for unit in units.map(Unit::as_str) {
        let file = format!(
            "[[limits]]\nname = 'a'\nscope = 'user'\nunit = '{unit}'\nalgorithm = 'fixed_window'\n\
             quota = 5\nwindow = '1mo'\nactions = [{}]\n",
            actions.join(", ")
        );
        let config = load(&file, &[]).unwrap();
        assert_eq!(config.limits[0].actions, ACTIONS);
    }
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
        (
            limit("a", "actions = ['image', 'paint']"),
            "\"a\": there is no action \"paint\". There are image, restoration, chat",
        ),
        (limit("a", "colour = 'red'"), "colour"),
        (limit("key-quota", ""), "\"key-quota\": this name stands"),
        (limit("key-quota-usd-1mo", ""), "this name stands"),
        (limit("a", "") + &limit("a", ""), "\"a\" stands there twice"),
    ] {
        let message = message(&file, &[]);
        assert!(message.contains(expected), "{message}");
    }
}
