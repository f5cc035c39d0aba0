use super::*;
use crate::upstream::{Unfit, UpstreamConfig};

/// What the configuration says, without the braces.
fn config(text: &str) -> UpstreamConfig {
    toml::from_str(&format!("name = 'it'\n{text}")).unwrap()
}

#[test]
fn every_dialect_has_its_name() {
    for dialect in Dialect::ALL {
        let read = config(&format!("kind = '{}'", dialect.name())).kind;
        assert_eq!(read, dialect);
    }
    assert_eq!(config("").kind, Dialect::OpenAi);
    assert!(toml::from_str::<UpstreamConfig>("name = 'it'\nkind = 'other'").is_err());
}

#[test]
fn addresses_are_made_of_the_settings() {
    for (settings, address) in [
        ("kind = 'openai'", "https://api.openai.com/v1"),
        (
            "kind = 'gemini'",
            "https://generativelanguage.googleapis.com/v1beta/openai",
        ),
        (
            "kind = 'azure'\nresource = 'ours'",
            "https://ours.openai.azure.com/openai/v1",
        ),
        (
            "kind = 'vertex'\nproject_id = 'p'",
            "https://aiplatform.googleapis.com/v1/projects/p/locations/global/endpoints/openapi",
        ),
        (
            "kind = 'vertex'\nproject_id = 'p'\nregion = 'europe-west4'",
            "https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/europe-west4/endpoints/openapi",
        ),
        (
            "kind = 'vertex'\nproject_id = 'p'\nregion = 'eu'",
            "https://aiplatform.eu.rep.googleapis.com/v1/projects/p/locations/eu/endpoints/openapi",
        ),
        (
            "kind = 'watsonx'\nregion = 'eu-de'\nspace_id = 's'",
            "https://eu-de.ml.cloud.ibm.com/ml/v1",
        ),
        (
            "kind = 'watsonx-gateway'\nregion = 'eu-de'",
            "https://eu-de.ml.cloud.ibm.com/ml/gateway/v1",
        ),
        (
            "kind = 'vertex'\nbase_url = 'http://127.0.0.1:9/x'",
            "http://127.0.0.1:9/x",
        ),
    ] {
        assert_eq!(config(settings).base().unwrap().as_str(), address);
    }
}

#[test]
fn what_an_address_needs_must_be_there() {
    for (settings, missing) in [
        ("kind = 'azure'", "resource"),
        ("kind = 'vertex'", "project_id"),
        ("kind = 'watsonx'\nregion = 'eu-de'", "project_id"),
        ("kind = 'watsonx'\nproject_id = 'p'", "region"),
        ("kind = 'watsonx-gateway'", "region"),
    ] {
        match config(settings).base() {
            Err(Unfit::Missing { setting, .. }) => assert_eq!(setting, missing),
            other => panic!("{settings}: {other:?}"),
        }
    }
    let sly = config("kind = 'azure'\nresource = 'evil.example/?'");
    assert!(matches!(sly.base(), Err(Unfit::Address(_))));
}

mod answers;
mod requests;
