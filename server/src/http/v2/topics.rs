//! URL groups.

use std::collections::BTreeMap;

use atelier_messages::{Endpoint, EndpointKey, objects};
use axum::{
    Json,
    extract::{Request, State as AxumState},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Asker, Result, query};
use crate::{
    http::{State, extract::path::Path},
    messages::Error,
};

/// Endpoints to be added or removed.
#[derive(Debug, Deserialize)]
struct Named {
    endpoints: Vec<NamedEndpoint>,
}

#[derive(Debug, Deserialize)]
struct NamedEndpoint {
    url: Option<String>,
    name: Option<String>,
}

/// The header fields of a group: one value each, or several.
#[derive(Debug, Deserialize)]
struct Headers {
    headers: BTreeMap<String, Values>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Values {
    One(String),
    Several(Vec<String>),
}

pub(super) async fn list(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
) -> Result<Json<Value>> {
    let groups = state.messages.groups(&sender).await?;
    Ok(Json(groups.iter().map(objects::group).collect()))
}

pub(super) async fn show(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
    Path(name): Path<String>,
) -> Result<Json<Value>> {
    let group = state.messages.group(&sender, &name).await?;
    Ok(Json(objects::group(&group)))
}

pub(super) async fn remove(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
    Path(name): Path<String>,
) -> Result<Json<Value>> {
    state.messages.remove_group(&sender, &name).await?;
    Ok(Json(json!({})))
}

pub(super) async fn set_headers(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
    Path(name): Path<String>,
    request: Request,
) -> Result<Json<Value>> {
    let (parts, body) = request.into_parts();
    let wanted: Option<Headers> = query::json(&parts.headers, body).await?;
    let headers = wanted.map(|wanted| wanted.headers).unwrap_or_default();
    let headers = headers.into_iter().flat_map(|(name, values)| {
        let values = match values {
            Values::One(value) => vec![value],
            Values::Several(values) => values,
        };
        values.into_iter().map(move |value| (name.clone(), value))
    });
    let headers = headers.collect();
    let messages = &state.messages;
    messages.set_group_headers(&sender, &name, headers).await?;
    Ok(Json(json!({})))
}

pub(super) async fn add(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
    Path(name): Path<String>,
    request: Request,
) -> Result<Json<Value>> {
    let endpoints: Result<Vec<_>> = read(request).await?.into_iter().map(endpoint).collect();
    let group = state.messages.add_endpoints(&sender, &name, endpoints?);
    Ok(Json(objects::group(&group.await?)))
}

pub(super) async fn remove_endpoints(
    AxumState(state): AxumState<State>,
    Asker(sender): Asker,
    Path(name): Path<String>,
    request: Request,
) -> Result<Json<Value>> {
    let which: Result<Vec<_>> = read(request).await?.into_iter().map(key).collect();
    let messages = &state.messages;
    messages.remove_endpoints(&sender, &name, &which?).await?;
    Ok(Json(json!({})))
}

async fn read(request: Request) -> Result<Vec<NamedEndpoint>> {
    let (parts, body) = request.into_parts();
    let named: Option<Named> = query::json(&parts.headers, body).await?;
    let named = named.ok_or_else(|| Error::invalid("The body is missing."))?;
    Ok(named.endpoints)
}

fn endpoint(named: NamedEndpoint) -> Result<Endpoint> {
    let url = named
        .url
        .ok_or_else(|| Error::invalid("An endpoint has a URL."))?;
    let name = named.name.filter(|name| !name.is_empty());
    Ok(Endpoint { name, url })
}

fn key(named: NamedEndpoint) -> Result<EndpointKey> {
    match (named.name, named.url) {
        (Some(name), _) if !name.is_empty() => Ok(EndpointKey::Name(name)),
        (_, Some(url)) => Ok(EndpointKey::Url(url)),
        _ => Err(Error::invalid("Name an endpoint by its URL or its name.")),
    }
}
