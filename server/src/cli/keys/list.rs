//! `atelier keys list`.

use std::{cmp::Reverse, fmt::Display};

use anyhow::Result;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    access::{AccessStore, Key},
    cli::table::{lines, table},
    limit::Policy,
    policies::OWN_QUOTA,
};

/// The newest first.
pub(super) async fn list(store: &dyn AccessStore, as_json: bool) -> Result<String> {
    let mut keys: Vec<Key> = store
        .keys()
        .await?
        .into_iter()
        .map(|(_, key)| key)
        .collect();
    keys.sort_by_key(|key| Reverse(key.created_at));
    if as_json {
        let rows: Vec<_> = keys.iter().map(shown).collect();
        return Ok(lines(&rows)?);
    }
    let head = [
        "ID", "CREATED", "EXPIRES", "REVOKED", "SCOPES", "MODELS", "LIMITS", "TAGS", "NAME",
    ];
    Ok(table(head, keys.iter().map(row)))
}

fn shown(key: &Key) -> Value {
    let quota = |own: &Policy| {
        json!({
            "quota": own.unit.amount(own.quota),
            "unit": own.unit,
            "window": own.window,
        })
    };
    let limit = |own: &Policy| {
        let mut limit = quota(own);
        limit["name"] = json!(own.name);
        limit
    };
    let terms = &key.terms;
    // What --quota made has a field of its own since there was nothing else.
    let own = terms.policies.iter().find(|own| own.name == OWN_QUOTA);
    json!({
        "id": key.id,
        "name": key.name,
        "created_at": key.created_at,
        "expires_at": terms.expires_at,
        "revoked_at": key.revoked_at,
        "scopes": terms.scopes,
        "models": terms.models,
        "limits": terms.policies.iter().map(limit).collect::<Vec<_>>(),
        "quota": own.map(quota),
        "tags": terms.tags,
    })
}

fn row(key: &Key) -> [String; 9] {
    let time = |time: Timestamp| time.strftime("%Y-%m-%d %H:%M").to_string();
    let when = |at: Option<Timestamp>| at.map_or_else(|| "-".into(), time);
    let terms = &key.terms;
    let limits = terms.policies.iter().map(|own| {
        let (quota, unit) = (own.unit.amount(own.quota), own.unit.as_str());
        format!("{quota} {unit} / {}", own.window)
    });
    let tags = terms.tags.iter();
    [
        key.id.clone(),
        time(key.created_at),
        when(terms.expires_at),
        when(key.revoked_at),
        joined(&terms.scopes),
        joined(&terms.models),
        joined(limits),
        joined(tags.map(|(tag, value)| format!("{tag}={value}"))),
        key.name.clone(),
    ]
}

/// One cell of several values.
fn joined<T: Display>(values: impl IntoIterator<Item = T>) -> String {
    let texts = values.into_iter().map(|value| value.to_string());
    let cell = texts.collect::<Vec<_>>().join(", ");
    if cell.is_empty() { "-".into() } else { cell }
}
