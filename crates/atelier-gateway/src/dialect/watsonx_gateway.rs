//! The model gateway of watsonx.ai: models are aliases that an administrator has made, and
//! neither a version nor a project is named.

use super::{Auth, Base, Row, watsonx};

pub(super) const ROW: Row = Row {
    name: "watsonx-gateway",
    base: Base::Of(|config| Ok(format!("{}/ml/gateway/v1", watsonx::host(config)?))),
    auth: Auth::Ibm,
    finals: watsonx::FINALS,
    ..Row::OPENAI
};
