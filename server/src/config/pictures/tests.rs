use super::*;
use crate::config::tests::{load, message};

const UPSTREAMS: &str = "limits = []\n[[upstreams]]\nname = 'google'\nkind = 'gemini'\napi_key_env = 'KEY'\n\
    [[upstreams]]\nname = 'home'\nkind = 'localai'\n[[upstreams]]\nname = 'chat'\nkind = 'mistral'\n\
    [[upstreams]]\nname = 'keyless'\nkind = 'openrouter'\n[studio]\n";

fn names(models: &[ModelName]) -> Vec<String> {
    models.iter().map(ToString::to_string).collect()
}

#[test]
fn a_provider_is_the_default_of_both_lists() {
    let config = load("", &[]).unwrap();
    assert_eq!(names(&config.pictures()), ["local/sketch-1"]);
    assert_eq!(names(&config.photos()), ["local/restorer-1"]);
    let config = load("", &[("OPENAI_API_KEY", "k")]).unwrap();
    assert_eq!(names(&config.pictures()), ["openai/gpt-image-2"]);
    let file = format!("{UPSTREAMS}pictures = 'google/gemini-3-pro-image'");
    let config = load(&file, &[("KEY", "k"), ("OPENAI_API_KEY", "k")]).unwrap();
    assert_eq!(names(&config.pictures()), ["google/gemini-3-pro-image"]);
    assert_eq!(names(&config.photos()), ["openai/gpt-image-2"]);
    let printed = config.to_file().unwrap();
    assert!(
        printed.contains("pictures = [\"google/gemini-3-pro-image\"]"),
        "{printed}"
    );
}

#[test]
fn the_first_is_offered_once() {
    let load = |settings: &str| load(&format!("{UPSTREAMS}{settings}"), &[("KEY", "k")]).unwrap();
    let config = load("picture_choices = ['google/x', 'local/sketch-1', 'home/x']");
    assert_eq!(names(&config.picture_choices()), ["google/x", "home/x"]);
    assert_eq!(names(&config.photo_choices()), Vec::<String>::new());
    let printed = config.to_file().unwrap();
    assert!(printed.contains("picture_choices = ["), "{printed}");
    let config = load("photos = 'google/x'\nphoto_choices = 'local/restorer-1'");
    assert_eq!(names(&config.photo_choices()), ["local/restorer-1"]);
}

#[test]
fn models_are_checked_by_name() {
    for (lists, parts) in [
        ("pictures = 'google'", ["\"google\"", "openai/gpt-image-2"]),
        ("pictures = []", ["empty", "studio"]),
        ("pictures = 'acme/x'", ["acme", "google"]),
        ("pictures = 'chat/x'", ["mistral", "makes no pictures"]),
        ("pictures = 'keyless/x'", ["keyless", "api_key_env"]),
        ("photos = 'home/x'", ["localai", "from photos"]),
        ("pictures = 'google/a/b'", ["a/b", "gemini"]),
        (
            "pictures = 'openai/gpt-image-2'",
            ["OPENAI_API_KEY", "openai"],
        ),
        (
            "pictures = 'replicate/a/b'",
            ["REPLICATE_API_TOKEN", "replicate"],
        ),
        (
            "pictures = 'local/restorer-1'",
            ["local/sketch-1", "pictures"],
        ),
        ("pictures = ['home/x', 'home/x']", ["home/x", "twice"]),
        ("picture_choices = 'acme/x'", ["picture_choices", "acme"]),
        ("photo_choices = 'home/x'", ["photo_choices", "localai"]),
        (
            "photo_choices = 'local/sketch-1'",
            ["photo_choices", "local/restorer-1"],
        ),
        (
            "picture_choices = ['home/x', 'home/x']",
            ["picture_choices", "twice"],
        ),
        (
            "picture_choices = ['home/1', 'home/2', 'home/3', 'home/4', 'home/5', 'home/6', 'home/7', 'home/8']",
            ["picture_choices", "9"],
        ),
        (
            "prices = [{ model = 'x', picture = -1.0 }]",
            ["studio.prices", "x"],
        ),
    ] {
        let told = message(&format!("{UPSTREAMS}{lists}"), &[("KEY", "k")]);
        assert!(
            parts.iter().all(|part| told.contains(part)),
            "{lists}: {told}"
        );
    }
}

#[test]
fn money_needs_prices() {
    let limits = "[[limits]]\nname = 'money'\nscope = 'global'\nunit = 'usd'\nalgorithm = 'fixed_window'\n\
        quota = 1.0\nwindow = '1d'\n";
    let upstreams = UPSTREAMS.replace("limits = []\n", limits);
    for list in ["pictures", "picture_choices"] {
        let load = |model: &str| load(&format!("{upstreams}{list} = '{model}'"), &[("KEY", "k")]);
        for known in ["google/gemini-3-pro-image", "home/anything"] {
            assert!(load(known).is_ok(), "{known}");
        }
        let told = format!("{:#}", load("google/gemini-9").unwrap_err());
        assert!(
            told.contains("studio.prices") && told.contains("gemini-9"),
            "{told}"
        );
    }
}

#[test]
fn prices_are_found_in_all_spellings() {
    let price = |model: &str| PicturePrice {
        model: model.to_owned(),
        picture: 0.1,
        photo: 0.0,
        tokens: None,
    };
    let table = [price("a/x"), price("x*"), price("a/y*")];
    let found = |upstream, model| find_price(&table, upstream, model).map(|price| &*price.model);
    assert_eq!(found("a", "x"), Some("a/x"));
    assert_eq!(found("b", "x-2"), Some("x*"));
    assert_eq!(found("b", "maker/x-2"), Some("x*"));
    assert_eq!(found("a", "y-1"), Some("a/y*"));
    assert_eq!(found("b", "y-1"), None);
}
