//! Azure OpenAI: `model` is the name of a deployment, and the list of models is of those that
//! could be deployed. Chunks may come without choices, with what the content filter found.

use super::{Auth, Base, Listing, Row};

pub(super) const ROW: Row = Row {
    name: "azure",
    base: Base::Of(|config| {
        let resource = config.resource.as_ref().ok_or("resource")?;
        Ok(format!("https://{resource}.openai.azure.com/openai/v1"))
    }),
    auth: Auth::ApiKey,
    query: |config| Some(format!("api-version={}", config.api_version.as_ref()?)),
    listing: Listing::Named(Some("/models")),
    ..Row::OPENAI
};
