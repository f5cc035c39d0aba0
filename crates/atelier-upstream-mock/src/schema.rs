//! An instance of a JSON schema, the same every time.

use serde_json::{Map, Value, json};

/// The simplest instance: required and other properties alike, the first of several choices.
pub(crate) fn instance(schema: &Value) -> Value {
    for choice in ["enum", "anyOf", "oneOf"] {
        if let Some(first) = schema[choice].get(0) {
            return if choice == "enum" {
                first.clone()
            } else {
                instance(first)
            };
        }
    }
    let kind = schema["type"].as_str().or(schema["type"][0].as_str());
    match kind {
        Some("object") => object(schema),
        Some("array") => json!([instance(&schema["items"])]),
        Some("integer") => json!(7),
        Some("number") => json!(1.5),
        Some("boolean") => json!(true),
        Some("null") => Value::Null,
        _ => json!("Paris"),
    }
}

fn object(schema: &Value) -> Value {
    let properties = schema["properties"].as_object();
    let filled = properties.into_iter().flatten();
    filled
        .map(|(name, property)| (name.clone(), instance(property)))
        .collect::<Map<_, _>>()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_has_every_property_with_its_type() {
        let schema = json!({"type": "object", "required": ["city"], "properties": {
            "city": {"type": "string"}, "days": {"type": ["integer", "null"]},
            "unit": {"enum": ["c", "f"]}, "tags": {"type": "array", "items": {"type": "string"}},
        }});
        let expected = json!({"city": "Paris", "days": 7, "unit": "c", "tags": ["Paris"]});
        assert_eq!(instance(&schema), expected);
    }
}
