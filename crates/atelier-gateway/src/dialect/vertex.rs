//! Google Vertex AI: chat only, models named as `google/…`, and no list of them. It takes no
//! keys but the tokens of a service account.

use super::{Auth, Base, Listing, Row};

/// Where requests go that name no region.
const GLOBAL: &str = "global";

pub(super) const ROW: Row = Row {
    name: "vertex",
    base: Base::Of(|config| {
        let project = config.project_id.as_ref().ok_or("project_id")?;
        let region = config.region.as_deref().unwrap_or(GLOBAL);
        let host = match region {
            GLOBAL => "aiplatform.googleapis.com".to_owned(),
            "us" | "eu" => format!("aiplatform.{region}.rep.googleapis.com"),
            region => format!("{region}-aiplatform.googleapis.com"),
        };
        Ok(format!(
            "https://{host}/v1/projects/{project}/locations/{region}/endpoints/openapi"
        ))
    }),
    auth: Auth::Google,
    listing: Listing::Named(None),
    ..Row::OPENAI
};
