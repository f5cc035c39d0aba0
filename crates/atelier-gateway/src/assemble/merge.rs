//! Adds the pieces of a stream up.

use serde_json::{Map, Value};

use super::MAX_ITEMS;

/// Strings that are not continued by later pieces.
const WHOLE: [&str; 5] = ["id", "type", "role", "format", "tool_call_id"];

/// Adds a piece to what there is under a name: strings and lists grow, objects are merged
/// member by member, everything else is replaced.
pub(super) fn merge(name: &str, whole: &mut Value, piece: Value) {
    match (whole, piece) {
        (_, Value::Null) => {}
        (Value::String(text), Value::String(more)) => append(name, text, more),
        (Value::Array(items), Value::Array(more)) => {
            more.into_iter()
                .for_each(|item| merge_item(name, items, item));
        }
        (Value::Object(members), Value::Object(more)) => merge_members(members, more),
        (whole @ Value::Null, Value::Array(more)) => {
            *whole = Value::Array(Vec::new());
            merge(name, whole, Value::Array(more));
        }
        (whole, piece) => *whole = piece,
    }
}

/// Adds all members of a piece.
pub(super) fn merge_members(members: &mut Map<String, Value>, more: Map<String, Value>) {
    for (name, piece) in more {
        let whole = members.entry(name.as_str()).or_insert(Value::Null);
        merge(&name, whole, piece);
    }
}

fn append(name: &str, text: &mut String, more: String) {
    // Some servers repeat the name of a function in every piece.
    let is_repeated = name == "name" && *text == more;
    if text.is_empty() {
        *text = more;
    } else if !(is_repeated || WHOLE.contains(&name)) {
        text.push_str(&more);
    }
}

/// Adds an element to the one that it continues, or to the end.
fn merge_item(name: &str, items: &mut Vec<Value>, item: Value) {
    match place(name, items, &item) {
        Some(at) => {
            if let Some(whole) = items.get_mut(at) {
                merge(name, whole, item);
            }
        }
        None if !item.is_object() || items.len() < MAX_ITEMS || item.get("index").is_none() => {
            items.push(item);
        }
        None => {}
    }
}

/// The element that a piece continues: the one of its index. Tool calls of some servers have
/// no index, but an id with their first piece.
fn place(name: &str, items: &[Value], item: &Value) -> Option<usize> {
    let index = item.get("index").filter(|index| index.is_u64());
    if let Some(index) = index {
        return items
            .iter()
            .rposition(|other| other.get("index") == Some(index));
    }
    if name != "tool_calls" {
        return None;
    }
    let id = item["id"].as_str().filter(|id| !id.is_empty());
    match id {
        Some(id) => items.iter().rposition(|other| other["id"] == id),
        None => items.len().checked_sub(1),
    }
}

/// Replaces figures by later ones.
pub(super) fn overwrite(figures: &mut Map<String, Value>, later: &Map<String, Value>) {
    for (name, value) in later.iter().filter(|(_, value)| !value.is_null()) {
        if figures.len() < MAX_ITEMS || figures.contains_key(name) {
            figures.insert(name.clone(), value.clone());
        }
    }
}

/// Adds figures of the same names up.
pub(super) fn add_figures(total: &mut Value, more: &Value) {
    match (total, more) {
        (Value::Object(total), Value::Object(more)) => {
            for (name, value) in more {
                match total.get_mut(name) {
                    Some(known) => add_figures(known, value),
                    None => {
                        total.insert(name.clone(), value.clone());
                    }
                }
            }
        }
        (Value::Number(total), Value::Number(more)) => {
            if let (Some(a), Some(b)) = (total.as_u64(), more.as_u64()) {
                *total = a.saturating_add(b).into();
            }
        }
        _ => {}
    }
}
