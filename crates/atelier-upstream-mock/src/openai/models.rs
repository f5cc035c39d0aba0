//! The models that there are.

use serde_json::{Value, json};

use super::CREATED;
use crate::{MODELS, refusal::Refusal, reply::Reply, route::Answer};

fn model(id: &str) -> Value {
    json!({"id": id, "object": "model", "created": CREATED, "owned_by": "upstream"})
}

pub(crate) fn list() -> Reply {
    let models: Vec<Value> = MODELS.iter().map(|id| model(id)).collect();
    Reply::Json(super::list(&models))
}

pub(crate) fn retrieve(id: &str) -> Answer {
    if MODELS.contains(&id) {
        return Ok(Reply::Json(model(id)));
    }
    Err(Refusal::no_model(id))
}
