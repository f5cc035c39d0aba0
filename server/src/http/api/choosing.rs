//! The model that an order names, of those that are offered.

use atelier_api::Kind;

use crate::{
    config::ModelName,
    http::{Error, Result, State},
    providers::Choice,
};

/// The model for an order, and its name if the order has chosen it.
pub(crate) struct Chosen {
    pub(crate) model: Choice,
    pub(crate) name: Option<ModelName>,
}

/// Finds the model that a client has named, or the usual one.
pub(crate) fn choose(state: &State, kind: Kind, named: Option<&str>) -> Result<Chosen> {
    let models = state.studio.models.ranked(kind);
    let Some(named) = named.filter(|name| !name.is_empty()) else {
        return Ok(Chosen {
            model: models.first.clone(),
            name: None,
        });
    };
    let mut offered = models.offered().map(|model| (model.full_name(), model));
    match offered.find(|(name, _)| name.to_string() == named) {
        Some((name, model)) => Ok(Chosen {
            model: model.clone(),
            name: Some(name),
        }),
        None => {
            let names: Vec<_> = (models.offered())
                .map(|model| model.full_name().to_string())
                .collect();
            let detail = format!("The model is one of {}.", names.join(", "));
            Err(Error::invalid("model", detail))
        }
    }
}
