//! The gateway before a stand-in for each upstream that it knows, as strict as the real one.

mod answers;
mod checks;
mod messages;
mod pictures;
mod refusals;
mod secrets;
mod tokens;

use atelier_upstream_mock::{KEY, Kind, Upstream};
use serde_json::Value;

use super::{Site, TOKEN, started};
use crate::support::Setup;

/// What such an upstream needs in the configuration, besides its name and its kind.
fn settings(kind: Kind, upstream: &Upstream, setup_folder: &std::path::Path) -> String {
    let url = upstream.url();
    let mut settings = format!(
        "name = 'it'\nkind = '{}'\nbase_url = '{url}'\n",
        kind.name()
    );
    let address = upstream.address();
    settings += &match kind {
        Kind::Vertex => {
            let file = setup_folder.join("account.json");
            std::fs::write(&file, upstream.service_account()).unwrap();
            format!("credentials_file = {file:?}\nproject_id = 'ours'\n")
        }
        Kind::Watsonx | Kind::WatsonxGateway => format!(
            "api_key_env = 'A_KEY'\ntoken_url = '{address}/identity/token'\nproject_id = 'ours'\n"
        ),
        Kind::LlamaCpp | Kind::SdCpp => String::new(),
        _ => "api_key_env = 'A_KEY'\n".to_owned(),
    };
    if matches!(kind, Kind::Azure | Kind::Vertex) {
        settings += &format!("models = ['{}']\n", kind.model());
    }
    settings
}

/// Whether it is called with the key of the stand-ins: some have none, and a service account
/// has another.
fn has_key(kind: Kind) -> bool {
    !matches!(kind, Kind::LlamaCpp | Kind::SdCpp | Kind::Vertex)
}

/// How a gateway before such an upstream is started.
fn setup(kind: Kind, upstream: &Upstream) -> Setup {
    let setup = Setup::new();
    let settings = settings(kind, upstream, setup.folder.path());
    let file = format!("limits = []\n[[upstreams]]\n{settings}");
    setup
        .file(&file)
        .set("A_KEY", KEY)
        .set("ATELIER_ADMIN_TOKEN", TOKEN)
}

/// A gateway before such an upstream.
async fn before(kind: Kind) -> Site {
    let upstream = Upstream::start_as(kind).await.unwrap();
    let setup = setup(kind, &upstream);
    started(setup, upstream, &[])
}

/// A chat with the model that the upstream has.
fn chat(kind: Kind, words: &str) -> Value {
    let mut body = super::chat(words);
    body["model"] = format!("it/{}", kind.model()).into();
    body
}

/// Those that chat.
fn speaking() -> impl Iterator<Item = Kind> {
    let kinds = Kind::ALL.into_iter();
    kinds.filter(|kind| *kind != Kind::SdCpp)
}

/// How many calls reached the upstream, besides those for its models and for tokens.
fn calls(site: &Site) -> usize {
    let calls = site.upstream.calls();
    let is_call = |path: &str| {
        let others = ["/models", "/foundation_model_specs", "/token"];
        !others.iter().any(|end| path.ends_with(end))
    };
    calls.iter().filter(|call| is_call(call.path())).count()
}
