//! Fields with the types that the gateway needs, and OpenAI's words for those that have others.

use std::{borrow::Cow, str};

use super::Call;
use crate::{
    ApiError,
    json::{Json, Kind},
};

/// The value of a field.
#[derive(Debug, Clone, Copy)]
pub(super) enum Field<'a> {
    Json(Json<'a>),
    /// Of a form, where everything is text.
    Part(&'a [u8]),
}

impl<'a> Field<'a> {
    pub(super) fn as_str(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Json(value) => value.as_str(),
            Self::Part(bytes) => str::from_utf8(bytes).ok().map(Cow::Borrowed),
        }
    }

    fn as_bool(self) -> Option<bool> {
        match self {
            Self::Json(value) => value.as_bool(),
            Self::Part(bytes) => match bytes.trim_ascii() {
                b"true" | b"True" | b"1" => Some(true),
                b"false" | b"False" | b"0" | b"" => Some(false),
                _ => None,
            },
        }
    }

    fn as_f64(self) -> Option<f64> {
        let number = match self {
            Self::Json(value) => value.as_f64(),
            Self::Part(bytes) => str::from_utf8(bytes).ok()?.trim().parse().ok(),
        };
        number.filter(|number| number.is_finite())
    }

    fn kind(self) -> Kind {
        match self {
            Self::Json(value) => value.kind(),
            Self::Part(_) => Kind::String,
        }
    }
}

/// A field that must be there and is not.
pub(super) fn missing(name: &str) -> ApiError {
    ApiError::invalid(format!("Missing required parameter: '{name}'."))
        .param(name)
        .code("missing_required_parameter")
}

/// A field of another type.
pub(super) fn wrong_type(name: &str, expected: &str, got: &str) -> ApiError {
    let message = format!("Invalid type for '{name}': expected {expected}, but got {got} instead.");
    ApiError::invalid(message).param(name).code("invalid_type")
}

/// A list that may not be empty.
pub(super) fn empty_array(name: &str) -> ApiError {
    let message = format!(
        "Invalid '{name}': empty array. Expected an array with minimum length 1, but got an empty array instead."
    );
    ApiError::invalid(message).param(name).code("empty_array")
}

impl Call {
    pub(crate) fn string(&self, name: &str) -> Result<Option<Cow<'_, str>>, ApiError> {
        self.typed(name, "a string", Field::as_str)
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, ApiError> {
        self.typed(name, "a boolean", Field::as_bool)
    }

    pub(super) fn number(&self, name: &str) -> Result<Option<f64>, ApiError> {
        self.typed(name, "a number", Field::as_f64)
    }

    /// An integer within bounds.
    pub(super) fn integer(
        &self,
        name: &str,
        least: u64,
        most: u64,
    ) -> Result<Option<u64>, ApiError> {
        let whole = |field: Field<'_>| field.as_f64().filter(|number| number.fract() == 0.0);
        let Some(number) = self.typed(name, "an integer", whole)? else {
            return Ok(None);
        };
        let (bound, limit, code) = if number < least as f64 {
            (
                "below minimum",
                format!(">= {least}"),
                "integer_below_min_value",
            )
        } else if number > most as f64 {
            (
                "above maximum",
                format!("<= {most}"),
                "integer_above_max_value",
            )
        } else {
            return Ok(Some(number as u64));
        };
        let message = format!(
            "Invalid '{name}': integer {bound} value. Expected a value {limit}, but got {number} instead."
        );
        Err(ApiError::invalid(message).param(name).code(code))
    }

    /// Checks that a field, if it is there, is of one of these kinds.
    pub(super) fn expect(&self, name: &str, kinds: &[Kind]) -> Result<(), ApiError> {
        let words = kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>();
        let fits = |field: Field<'_>| kinds.contains(&field.kind()).then_some(());
        self.typed(name, &words.join(" or "), fits).map(|_| ())
    }

    fn typed<'a, T>(
        &'a self,
        name: &str,
        expected: &str,
        read: impl Fn(Field<'a>) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        let Some(field) = self.field(name) else {
            return Ok(None);
        };
        let value = read(field).ok_or_else(|| wrong_type(name, expected, field.kind().name()))?;
        Ok(Some(value))
    }
}
